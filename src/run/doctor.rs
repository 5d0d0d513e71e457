//! What an input is like, before it is audited. In: input files. Out: a [`Checkup`]; nothing is written.

use std::collections::BTreeMap;
use std::time::Instant;

use rayon::prelude::*;

use super::config::Config;
use super::interrupt::Interrupt;
use super::output::RunError;
use super::pipeline::{self, Scope, Step};
use super::progress::Progress;
use crate::ingest::{self, Format, Reject};
use crate::reports::{Checkup, RejectGroup};
use crate::signals::Classifier;
use crate::turns::{Redactor, Transcript};

/// What to look at.
#[derive(Debug, Clone)]
pub struct DoctorOptions {
    /// Files, folders, globs, `-`.
    pub inputs: Vec<String>,
    /// How to read them.
    pub format: Format,
    /// Settings: names of columns and roles.
    pub config: Config,
}

/// Turns that are classified to learn the speed.
const SAMPLE: usize = 256;
/// What of a turn takes time, in bytes: the classifier reads no further.
const READ: usize = 1200;
/// Kinds of rejects that are told apart.
const REASONS: usize = 1000;

struct Doctor<'a> {
    checkup: Checkup,
    scope: Scope,
    classifier: &'a Classifier,
    /// Rejects by their reason without its numbers.
    reasons: BTreeMap<String, RejectGroup>,
    sample: Vec<Transcript>,
    /// Bytes that would be classified.
    bytes: u64,
}

/// Looks at the input and says what an audit would find, before any rule.
///
/// # Errors
/// When nothing stands under a name given, or the model is damaged. Input that cannot be read is no error: it is in the checkup.
pub fn doctor(classifier: &Classifier, options: &DoctorOptions, progress: &Progress) -> Result<Checkup, RunError> {
    let files = ingest::locate(&options.inputs)?;
    let mut doctor = Doctor {
        checkup: Checkup::default(),
        scope: Scope::new(classifier, &options.config),
        classifier,
        reasons: BTreeMap::new(),
        sample: Vec::new(),
        bytes: 0,
    };
    let bar = progress.count("looking at turns");
    pipeline::read(files, options.config.reading(options.format), &Interrupt::default(), |step| {
        doctor.take(step);
        bar.set_position(doctor.checkup.turns);
        Ok(())
    })?;
    bar.finish_and_clear();
    doctor.finish()
}

impl Doctor<'_> {
    fn take(&mut self, step: Step) {
        for file in &step.finished {
            let format = file.format.map_or("unreadable", Format::name);
            *self.checkup.files.entry(format.to_owned()).or_default() += 1;
        }
        step.rejects.into_iter().for_each(|r| self.reject(r));
        let found: Vec<BTreeMap<&'static str, u64>> = step.transcripts.par_iter().flat_map_iter(personal).collect();
        for kinds in found.iter().filter(|k| !k.is_empty()) {
            self.checkup.personal_turns += 1;
            kinds.iter().for_each(|(kind, n)| *self.checkup.personal_data.entry((*kind).to_owned()).or_default() += n);
        }
        step.transcripts.into_iter().for_each(|t| self.transcript(t));
    }

    fn reject(&mut self, reject: Reject) {
        self.checkup.rejected += 1;
        self.checkup.read += 1;
        let alike: String = reject.reason.chars().filter(|c| !c.is_ascii_digit()).collect();
        let group = RejectGroup { count: 0, source: reject.source, line: reject.line, reason: reject.reason };
        if let Some(known) = self.reasons.get_mut(&alike) {
            known.count += 1;
        } else if self.reasons.len() < REASONS {
            self.reasons.insert(alike, RejectGroup { count: 1, ..group });
        }
    }

    fn transcript(&mut self, transcript: Transcript) {
        let left_out = self.scope.left_out(&transcript);
        let c = &mut self.checkup;
        c.read += 1;
        c.transcripts += 1;
        c.turns += transcript.turns.len() as u64;
        c.timed_turns += transcript.turns.iter().filter(|t| t.at.is_some()).count() as u64;
        c.standing.add(&transcript, left_out);
        for turn in &transcript.turns {
            *c.roles.entry(turn.role.name().to_owned()).or_default() += 1;
        }
        for name in transcript.attributes.keys() {
            *c.attributes.entry(name.clone()).or_default() += 1;
        }
        if left_out.is_none() {
            self.bytes += bytes(&transcript);
            if self.sample.iter().map(|t| t.turns.len()).sum::<usize>() < SAMPLE {
                self.sample.push(transcript);
            }
        }
    }

    fn finish(mut self) -> Result<Checkup, RunError> {
        let (bytes, turns) = self.sample.iter().fold((0, 0), |(b, n), t| (b + bytes(t), n + t.turns.len() as u64));
        if bytes > 0 {
            let start = Instant::now();
            pipeline::classify(self.classifier, self.sample, &self.scope)?;
            let seconds = start.elapsed().as_secs_f64() * self.bytes as f64 / bytes as f64;
            self.checkup.estimated_seconds = Some((seconds * 10.0).ceil() / 10.0);
            self.checkup.sampled_turns = turns;
        }
        let mut rejects: Vec<RejectGroup> = self.reasons.into_values().collect();
        rejects.sort_by_key(|r| std::cmp::Reverse(r.count));
        Ok(Checkup { rejects, ..self.checkup })
    }
}

/// What takes time of a transcript.
fn bytes(transcript: &Transcript) -> u64 {
    transcript.turns.iter().map(|t| 20 + t.text.len().min(READ) as u64).sum()
}

/// The personal data of each turn, by kind, as an audit would replace it.
fn personal(transcript: &Transcript) -> Vec<BTreeMap<&'static str, u64>> {
    let redactor = Redactor::new(transcript);
    let kinds = |turn| {
        let mut out = BTreeMap::new();
        redactor.turn(turn).replaced.iter().for_each(|(_, kind)| *out.entry(*kind).or_default() += 1);
        out
    };
    (0..transcript.turns.len()).map(kinds).collect()
}
