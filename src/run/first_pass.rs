//! The first pass: transcripts are classified and spooled, rejects are written, and what is finished is noted from time to time.
//!
//! Turns are classified in slices of a few seconds. What a slice holds changes nothing in its answers; when somebody asks the run to stop, the
//! slice in hand is given up, and what was finished before it is noted.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::checkpoint::{Chain, Checkpoint};
use super::folder::{Folder, RAW, SPOOL};
use super::interrupt::Interrupt;
use super::manifest::{Counts, InputFile};
use super::output::{RunError, Table};
use super::pipeline::{Scope, Step, inputs, settle};
use crate::findings::Canned;
use crate::ingest::Reject;
use crate::signals::{Classifier, Input, Signals};
use crate::tally::{LeftOut, Standing};
use crate::turns::{Transcript, redact};

/// Time between two notes of what is finished.
const NOTED: Duration = Duration::from_secs(5);
/// Seconds that a slice should take.
const SLICE: f64 = 3.0;
/// The most bytes of rejected records that are kept.
const RAW_BYTES: u64 = 256 * 1024 * 1024;

/// A transcript between the two passes.
#[derive(Serialize, Deserialize)]
pub(super) struct Spooled {
    pub(super) transcript: Transcript,
    pub(super) signals: Vec<Signals>,
    pub(super) left_out: Option<LeftOut>,
}

/// A row of `rejects.jsonl`.
#[derive(Serialize)]
struct RejectRow<'a> {
    source: &'a str,
    line: u64,
    reason: &'a str,
    /// Where the record stands in `RUN.rejects`, in bytes; none where it could not be kept.
    raw: Option<[u64; 2]>,
}

/// What is gathered while the input is read.
pub(super) struct FirstPass<'a> {
    classifier: &'a Classifier,
    scope: Scope,
    folder: &'a Folder,
    stop: &'a Interrupt,
    spool: Table,
    rejects: Table,
    raw: Table,
    redact: bool,
    /// Turns of a slice; fixed for tests, which then note after each.
    slice: usize,
    fixed: bool,
    noted: Instant,
    /// Transcripts and rejects finished by the run that is resumed, and not yet read past.
    skip: u64,
    skip_rejects: u64,
    /// Its hash of the transcripts.
    expected: String,
    chain: Chain,
    pub(super) canned: Canned,
    pub(super) inputs: Vec<InputFile>,
    pub(super) counts: Counts,
    pub(super) standing: Standing,
    pub(super) first_reject: Option<Reject>,
}

impl<'a> FirstPass<'a> {
    /// Begins, or goes on where `done` says.
    pub(super) fn new(
        classifier: &'a Classifier,
        scope: Scope,
        folder: &'a Folder,
        stop: &'a Interrupt,
        done: Checkpoint,
        redact: bool,
        slice: Option<usize>,
    ) -> Result<Self, RunError> {
        let mut pass = Self {
            classifier,
            scope,
            folder,
            stop,
            spool: folder.table_from(SPOOL, done.spool)?,
            rejects: folder.table_from("rejects.jsonl", done.rejects)?,
            raw: folder.table_from(RAW, done.raw)?,
            redact,
            slice: slice.unwrap_or(32),
            fixed: slice.is_some(),
            noted: Instant::now(),
            skip: done.counts.audited + done.counts.skipped,
            skip_rejects: done.counts.rejected,
            expected: done.transcripts_sha256,
            chain: Chain::default(),
            canned: Canned::default(),
            inputs: done.read.unwrap_or_default(),
            counts: done.counts,
            standing: Standing::default(),
            first_reject: done.first_reject,
        };
        pass.relearn(&folder.path(SPOOL))?;
        Ok(pass)
    }

    /// What is canned, and what was left out, is known from the spool.
    fn relearn(&mut self, spool: &Path) -> Result<(), RunError> {
        let lines = BufReader::with_capacity(1 << 17, File::open(spool).map_err(RunError::io(spool))?).lines();
        for line in lines {
            let line = line.map_err(RunError::io(spool))?;
            let item: Spooled = serde_json::from_str(&line).map_err(|_| RunError::Internal("the spool is damaged"))?;
            self.learn(&item.transcript, item.left_out);
        }
        Ok(())
    }

    fn learn(&mut self, transcript: &Transcript, left_out: Option<LeftOut>) {
        self.standing.add(transcript, left_out);
        if left_out.is_none() {
            self.canned.add(transcript);
        }
    }

    /// Takes in what the reader hands over.
    pub(super) fn take(&mut self, mut step: Step) -> Result<(), RunError> {
        self.inputs.append(&mut step.finished);
        self.pass_over(&mut step)?;
        for reject in &step.rejects {
            self.reject(reject)?;
        }
        let left_out: Vec<Option<LeftOut>> = step.transcripts.iter().map(|t| self.scope.left_out(t)).collect();
        let judged = step.transcripts.iter().zip(&left_out).filter(|(_, left)| left.is_none());
        let turns: Vec<Input<'_>> = judged.flat_map(|(t, _)| inputs(t)).collect();
        let (mut signals, mut at): (Vec<Signals>, usize) = (Vec::new(), 0);
        let mut waiting = step.transcripts.iter().zip(left_out).peekable();
        loop {
            let needed = |t: &Transcript, left: Option<LeftOut>| if left.is_some() { 0 } else { t.turns.len() };
            while let Some((transcript, left)) = waiting.next_if(|(t, left)| needed(t, *left) <= signals.len()) {
                let mut own: Vec<Signals> = signals.drain(..needed(transcript, left)).collect();
                settle(self.classifier, transcript, &mut own);
                self.finished(transcript, own, left)?;
            }
            self.look_up()?;
            if at == turns.len() {
                return Ok(());
            }
            let end = turns.len().min(at + self.slice);
            let start = Instant::now();
            if let Some(answers) = self.classifier.classify_unless(&turns[at..end], &|| self.stop.asked())? {
                signals.extend(answers);
                at = end;
            }
            self.pace(start.elapsed());
        }
    }

    /// Leaves out what the run that is resumed had finished, and checks that it is the same.
    fn pass_over(&mut self, step: &mut Step) -> Result<(), RunError> {
        let rejects = (self.skip_rejects as usize).min(step.rejects.len());
        step.rejects.drain(..rejects);
        self.skip_rejects -= rejects as u64;
        let transcripts = (self.skip as usize).min(step.transcripts.len());
        for transcript in step.transcripts.drain(..transcripts) {
            self.chain.add(&transcript);
        }
        self.skip -= transcripts as u64;
        if transcripts > 0 && self.skip == 0 && self.chain.hex() != self.expected {
            return Err(self.changed());
        }
        Ok(())
    }

    fn changed(&self) -> RunError {
        RunError::CannotResume {
            partial: self.folder.partial().to_path_buf(),
            difference: "the input has changed".to_owned(),
        }
    }

    fn reject(&mut self, reject: &Reject) -> Result<(), RunError> {
        let raw = reject.raw.as_deref().filter(|raw| self.raw.length() + raw.len() as u64 <= RAW_BYTES);
        let place = match raw {
            None => None,
            Some(raw) => {
                let start = self.raw.length();
                self.raw.bytes(raw)?;
                if !raw.ends_with(b"\n") {
                    self.raw.bytes(b"\n")?;
                }
                Some([start, start + raw.len() as u64])
            }
        };
        let source = if self.redact { redact(&reject.source).text } else { reject.source.clone() };
        self.rejects.row(&RejectRow { source: &source, line: reject.line, reason: &reject.reason, raw: place })?;
        self.counts.rejected += 1;
        self.counts.read += 1;
        self.first_reject.get_or_insert_with(|| Reject { raw: None, ..reject.clone() });
        Ok(())
    }

    fn finished(
        &mut self,
        transcript: &Transcript,
        signals: Vec<Signals>,
        left_out: Option<LeftOut>,
    ) -> Result<(), RunError> {
        self.chain.add(transcript);
        self.learn(transcript, left_out);
        self.counts.read += 1;
        self.counts.skipped = self.standing.skipped();
        if left_out.is_none() {
            self.counts.audited += 1;
            self.counts.turns += transcript.turns.len() as u64;
            self.counts.deferred += signals.iter().filter(|s| s.deferred).count() as u64;
        }
        self.spool.row(&Spooled { transcript: transcript.clone(), signals, left_out })
    }

    /// The next slice takes as long as it should.
    fn pace(&mut self, took: Duration) {
        if !self.fixed {
            let factor = (SLICE / took.as_secs_f64().max(1e-3)).clamp(0.25, 2.0);
            self.slice = ((self.slice as f64 * factor) as usize).clamp(8, 8192);
        }
    }

    /// Notes what is finished when it is time to, and stops where somebody asks.
    fn look_up(&mut self) -> Result<(), RunError> {
        let asked = self.stop.asked();
        if asked || self.fixed || self.noted.elapsed() >= NOTED {
            self.note(None)?;
        }
        if asked { Err(RunError::Interrupted(Some(self.folder.partial().to_path_buf()))) } else { Ok(()) }
    }

    fn note(&mut self, read: Option<Vec<InputFile>>) -> Result<(), RunError> {
        // What was finished before is noted already, and the chain has not come to its end yet.
        if self.skip > 0 || self.skip_rejects > 0 {
            return Ok(());
        }
        for table in [&mut self.spool, &mut self.rejects, &mut self.raw] {
            table.sync()?;
        }
        self.noted = Instant::now();
        self.folder.note(&Checkpoint {
            counts: self.counts,
            spool: self.spool.length(),
            rejects: self.rejects.length(),
            raw: self.raw.length(),
            transcripts_sha256: self.chain.hex(),
            first_reject: self.first_reject.clone(),
            read,
        })
    }

    /// The whole input was read.
    pub(super) fn close(&mut self) -> Result<(), RunError> {
        if self.skip > 0 || self.skip_rejects > 0 {
            return Err(self.changed());
        }
        self.note(Some(self.inputs.clone()))
    }
}
