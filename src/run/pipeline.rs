//! Reading and classifying. In: input files. Out: transcripts with their signals, step by step and in input order.
//!
//! A thread reads and checks ahead, a step at a time; the rest classifies on all threads.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::config::Config;
use super::interrupt::Interrupt;
use super::manifest::InputFile;
use super::output::RunError;
use crate::ingest::{self, FileHash, Item, Job, Reading, Reject};
use crate::signals::{Classifier, Input, Signals};
use crate::tally::LeftOut;
use crate::turns::{Transcript, UNKNOWN_LANGUAGE};

/// A step ends at so many turns …
const STEP_TURNS: usize = 2048;
/// … or so many bytes of text.
const STEP_BYTES: usize = 8 * 1024 * 1024;
/// How often the receiver looks up while it waits.
const PATIENCE: Duration = Duration::from_millis(100);

/// A transcript and what is true of each of its turns; of one that is left out, nothing is known.
pub(super) struct Classified {
    pub(super) transcript: Transcript,
    pub(super) signals: Vec<Signals>,
    pub(super) left_out: Option<LeftOut>,
}

/// Which transcripts are judged.
pub(super) struct Scope {
    /// The languages that the model was trained for.
    languages: Vec<String>,
    /// The most doubt about roles.
    max_role_doubt: Option<f32>,
}

impl Scope {
    pub(super) fn new(classifier: &Classifier, config: &Config) -> Self {
        Self { languages: classifier.info().languages.clone(), max_role_doubt: config.max_role_doubt }
    }

    /// Why a transcript is not judged, if it is not. What is too short to tell its language is judged.
    pub(super) fn left_out(&self, transcript: &Transcript) -> Option<LeftOut> {
        let known = |l: &str| l == UNKNOWN_LANGUAGE || self.languages.iter().any(|t| t == l);
        match () {
            () if !known(&transcript.language) => Some(LeftOut::Language),
            () if self.max_role_doubt.is_some_and(|max| transcript.roles.doubt > max) => Some(LeftOut::Roles),
            () => None,
        }
    }
}

/// What the reader hands over.
#[derive(Default)]
pub(super) struct Step {
    pub(super) transcripts: Vec<Transcript>,
    pub(super) rejects: Vec<Reject>,
    /// Files that were read to their end in this step.
    pub(super) finished: Vec<InputFile>,
    turns: usize,
    bytes: usize,
}

/// Reads all files in a thread of its own; `each` gets every step in order.
pub(super) fn read(
    files: Vec<PathBuf>,
    reading: Reading<'_>,
    stop: &Interrupt,
    mut each: impl FnMut(Step) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let (sender, receiver): (SyncSender<Step>, Receiver<Step>) = sync_channel(1);
    let (format, columns) = (reading.format, reading.columns.clone());
    let reader = thread::spawn(move || {
        let jobs = ingest::plan(files, format);
        let reading = Reading { format, columns: &columns };
        Reader { sender, step: Step::default(), ids: Ids::default() }.run(&jobs, reading);
    });
    loop {
        match receiver.recv_timeout(PATIENCE) {
            Ok(step) => each(step)?,
            // The reader may wait for a pipe that nothing comes from; an empty step lets the receiver hear of the request.
            Err(RecvTimeoutError::Timeout) if stop.asked() => each(Step::default())?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    reader.join().map_err(|_| RunError::Internal("the reader stopped"))
}

struct Reader {
    sender: SyncSender<Step>,
    step: Step,
    ids: Ids,
}

impl Reader {
    fn run(mut self, jobs: &[Job], reading: Reading<'_>) {
        for job in jobs {
            match ingest::read(job, reading) {
                Ok(opened) => {
                    for item in opened.items {
                        self.take(item);
                        if (self.step.turns >= STEP_TURNS
                            || self.step.bytes >= STEP_BYTES
                            || self.step.rejects.len() >= STEP_TURNS)
                            && !self.flush()
                        {
                            return;
                        }
                    }
                    let read = |(path, hash): (PathBuf, FileHash)| InputFile {
                        source: path.to_string_lossy().into_owned(),
                        sha256: Some(hash.hex()),
                        format: Some(opened.format),
                    };
                    self.step.finished.extend(opened.files.into_iter().map(read));
                }
                Err(e) => {
                    let source = job.paths[0].to_string_lossy().into_owned();
                    self.step.rejects.push(Reject {
                        source: source.clone(),
                        reason: e.to_string(),
                        ..Reject::default()
                    });
                    self.step.finished.push(InputFile { source, sha256: None, format: None });
                }
            }
        }
        self.flush();
    }

    fn take(&mut self, item: Item) {
        let record = match item {
            Item::Record(record) => record,
            Item::Reject(reject) => return self.reject(reject),
        };
        let (origin, raw) = (record.origin.clone(), record.raw.clone());
        let reject = |reason: String| Reject { raw, ..origin.reject(reason) };
        match Transcript::from_record(record) {
            Ok(t) if !self.ids.insert(&t.id) => self.reject(reject(
                "the id was read before; ids must be unique (rows of one transcript stand together)".to_owned(),
            )),
            Ok(t) => {
                self.step.turns += t.turns.len();
                self.step.bytes += t.turns.iter().map(|turn| turn.text.len()).sum::<usize>();
                self.step.bytes += t.attributes.iter().map(|(name, value)| name.len() + held(value)).sum::<usize>();
                self.step.transcripts.push(t);
            }
            Err(reason) => self.reject(reject(reason)),
        }
    }

    fn reject(&mut self, reject: Reject) {
        self.step.bytes += reject.raw.as_ref().map_or(0, |raw| raw.len());
        self.step.rejects.push(reject);
    }

    /// False where nobody listens any more.
    fn flush(&mut self) -> bool {
        self.sender.send(std::mem::take(&mut self.step)).is_ok()
    }
}

/// About how much memory a value takes.
fn held(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(s) => s.len(),
            Value::Array(all) => all.iter().map(held).sum(),
            Value::Object(all) => all.iter().map(|(name, value)| name.len() + held(value)).sum(),
            _ => 0,
        }
}

/// The ids seen, to find doubles: of each the first 8 bytes of its SHA-256, which takes 10 to 21 bytes of memory.
///
/// Two different ids among n are taken for the same with a probability of n² / 2⁶⁵: once in thirty million runs of a million. The second
/// would then be listed as rejected. The set is kept in parts, so that only one of them is copied when it grows.
struct Ids(Vec<HashSet<u64>>);

impl Default for Ids {
    fn default() -> Self {
        Self(vec![HashSet::new(); 256])
    }
}

impl Ids {
    /// Whether the id is new.
    fn insert(&mut self, id: &str) -> bool {
        let hash = Sha256::digest(id.as_bytes()).iter().take(8).fold(0, |h, b| h << 8 | u64::from(*b));
        self.0[(hash >> 56) as usize].insert(hash)
    }
}

/// The signals of every turn of some transcripts.
pub(super) fn classify(
    classifier: &Classifier,
    transcripts: Vec<Transcript>,
    scope: &Scope,
) -> Result<Vec<Classified>, RunError> {
    let judged = |t: &&Transcript| scope.left_out(t).is_none();
    let inputs: Vec<Input<'_>> = transcripts.iter().filter(judged).flat_map(inputs).collect();
    let mut signals = classifier.classify(&inputs)?.into_iter();
    drop(inputs);
    Ok(transcripts
        .into_iter()
        .map(|transcript| {
            let left_out = scope.left_out(&transcript);
            let turns = if left_out.is_none() { transcript.turns.len() } else { 0 };
            let mut signals: Vec<Signals> = signals.by_ref().take(turns).collect();
            settle(classifier, &transcript, &mut signals);
            Classified { transcript, signals, left_out }
        })
        .collect())
}

/// Finishes the signals of a transcript; there are none of one that is left out.
pub(super) fn settle(classifier: &Classifier, transcript: &Transcript, signals: &mut [Signals]) {
    classifier.settle(transcript.turns.iter().map(|t| (t.role, t.text.as_str())), signals);
}

/// The turns of a transcript, each with the turn before.
pub(super) fn inputs(transcript: &Transcript) -> impl Iterator<Item = Input<'_>> {
    transcript.turns.iter().enumerate().map(|(i, turn)| Input {
        role: turn.role,
        text: &turn.text,
        before: transcript.before(i).map(|b| (transcript.turns[b].role, transcript.turns[b].text.as_str())),
    })
}
