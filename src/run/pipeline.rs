//! Reading and classifying. In: input files. Out: transcripts with their signals, step by step and in input order.
//!
//! A thread reads and checks ahead, at most two steps; the rest classifies on all threads.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::interrupt::Interrupt;
use super::manifest::InputFile;
use super::output::RunError;
use crate::ingest::{self, Format, Item, Reject};
use crate::signals::{Classifier, Input, Signals};
use crate::turns::Transcript;

/// A step ends at so many turns …
const STEP_TURNS: usize = 4096;
/// … or so many bytes of text.
const STEP_BYTES: usize = 8 * 1024 * 1024;
/// How often the receiver looks up while it waits.
const PATIENCE: Duration = Duration::from_millis(100);

/// A transcript and what is true of each of its turns.
pub(super) struct Classified {
    pub(super) transcript: Transcript,
    pub(super) signals: Vec<Signals>,
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
    format: Format,
    stop: &Interrupt,
    mut each: impl FnMut(Step) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let (sender, receiver): (SyncSender<Step>, Receiver<Step>) = sync_channel(2);
    let reader =
        thread::spawn(move || Reader { sender, step: Step::default(), ids: HashSet::new() }.run(&files, format));
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
    /// Hashes of the ids seen, to find doubles: 16 bytes a transcript.
    ids: HashSet<u128>,
}

impl Reader {
    fn run(mut self, files: &[PathBuf], format: Format) {
        for path in files {
            match ingest::read(path, format) {
                Ok((source, hash)) => {
                    for item in source {
                        self.take(item);
                        if (self.step.turns >= STEP_TURNS
                            || self.step.bytes >= STEP_BYTES
                            || self.step.rejects.len() >= STEP_TURNS)
                            && !self.flush()
                        {
                            return;
                        }
                    }
                    self.step
                        .finished
                        .push(InputFile { source: path.to_string_lossy().into_owned(), sha256: Some(hash.hex()) });
                }
                Err(e) => {
                    let source = path.to_string_lossy().into_owned();
                    self.step.rejects.push(Reject {
                        source: source.clone(),
                        reason: e.to_string(),
                        ..Reject::default()
                    });
                    self.step.finished.push(InputFile { source, sha256: None });
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
            Ok(t) if !self.ids.insert(short_hash(&t.id)) => self.reject(reject(
                "the id was read before; ids must be unique (rows of one transcript stand together)".to_owned(),
            )),
            Ok(t) => {
                self.step.turns += t.turns.len();
                self.step.bytes += t.turns.iter().map(|turn| turn.text.len()).sum::<usize>();
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

fn short_hash(id: &str) -> u128 {
    let digest = Sha256::digest(id.as_bytes());
    digest.iter().take(16).fold(0, |h, b| h << 8 | u128::from(*b))
}

/// The signals of every turn of some transcripts.
pub(super) fn classify(classifier: &Classifier, transcripts: Vec<Transcript>) -> Result<Vec<Classified>, RunError> {
    let inputs: Vec<Input<'_>> = transcripts.iter().flat_map(inputs).collect();
    let mut signals = classifier.classify(&inputs)?.into_iter();
    drop(inputs);
    Ok(transcripts
        .into_iter()
        .map(|transcript| {
            let signals = signals.by_ref().take(transcript.turns.len()).collect();
            Classified { transcript, signals }
        })
        .collect())
}

/// The turns of a transcript, each with the turn before.
pub(super) fn inputs(transcript: &Transcript) -> impl Iterator<Item = Input<'_>> {
    transcript.turns.iter().enumerate().map(|(i, turn)| Input {
        role: turn.role,
        text: &turn.text,
        before: transcript.before(i).map(|b| (transcript.turns[b].role, transcript.turns[b].text.as_str())),
    })
}
