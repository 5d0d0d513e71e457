//! The words of a run, which its folder does not hold. In: the inputs named in `run.json`, read again, or files named in their place;
//! only files whose SHA-256 is that of the audit are used: turn numbers and spans hold for no others. Out: the wanted transcripts one after the other, redacted as in the audit.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use rayon::prelude::*;

use super::checkpoint::sha256;
use super::interrupt::Interrupt;
use super::manifest::Manifest;
use super::output::RunError;
use super::pipeline;
use crate::ingest::Format;
use crate::turns::{Redactor, Role, Transcript, Turn};

/// Where words are read from.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// Files named by the user; none: those that `run.json` names.
    pub files: Vec<String>,
    /// How to read them; as the audit did where this is [`Format::Auto`].
    pub format: Format,
}

impl Words {
    /// The format given, or the one that the audit read all files as.
    fn reading_as(&self, manifest: &Manifest) -> Format {
        let mut formats = manifest.inputs.iter().map(|i| i.format);
        match (self.format, formats.next().flatten()) {
            (Format::Auto, Some(one)) if formats.all(|f| f == Some(one)) => one,
            (asked, _) => asked,
        }
    }
}

/// A transcript, with its personal data replaced where the run's was.
pub(super) struct Spoken<'a> {
    transcript: &'a Transcript,
    redacted: bool,
    redactor: OnceCell<Redactor<'a>>,
}

impl<'a> Spoken<'a> {
    /// The transcript's id.
    pub(super) fn id(&self) -> &str {
        &self.transcript.id
    }

    /// How many turns there are.
    pub(super) fn len(&self) -> usize {
        self.transcript.turns.len()
    }

    /// Who speaks in a turn; nobody where there is no such turn.
    pub(super) fn role(&self, turn: usize) -> Role {
        self.transcript.turns.get(turn).map_or(Role::System, |t| t.role)
    }

    /// What was said in a turn, as it stands in the input: to be counted, not to be shown.
    pub(super) fn raw(&self, turn: usize) -> &str {
        self.transcript.turns.get(turn).map_or("", |t| &t.text)
    }

    /// All turns, as they may be shown.
    pub(super) fn turns(&self) -> Vec<Turn> {
        let turns = self.transcript.turns.iter().enumerate();
        turns.map(|(i, t)| Turn { text: self.text(i), ..t.clone() }).collect()
    }

    /// What was said in a turn; empty where there is no such turn.
    pub(super) fn text(&self, turn: usize) -> String {
        if turn >= self.len() {
            return String::new();
        }
        if !self.redacted {
            return self.raw(turn).to_owned();
        }
        self.redactor.get_or_init(|| Redactor::new(self.transcript)).turn(turn).text
    }
}

/// Reads the wanted transcripts again. `look` sees each, on all threads; `take` gets what it made of them, in the order of the input. Out: why
/// some words are missing, for the reader; empty where all inputs were read.
///
/// # Errors
/// When a file named in place of an input cannot be read or is not one of the audit's, or a file changes while it is read.
pub(super) fn again<T: Send>(
    manifest: &Manifest,
    words: &Words,
    wanted: impl Fn(&str) -> bool,
    look: impl Fn(&Spoken<'_>) -> T + Sync,
    mut take: impl FnMut(T),
) -> Result<Vec<String>, RunError> {
    let named = &words.files;
    let (files, missing) = if named.is_empty() { inputs(manifest)? } else { (given(manifest, named)?, Vec::new()) };
    let hashes: BTreeSet<&str> = manifest.inputs.iter().filter_map(|i| i.sha256.as_deref()).collect();
    pipeline::read(files, manifest.config.reading(words.reading_as(manifest)), &Interrupt::default(), |step| {
        for file in step.finished {
            if !file.sha256.as_deref().is_some_and(|h| hashes.contains(h)) {
                return Err(RunError::NoWords(format!("{} changed while it was read; start again", file.source)));
            }
        }
        let wanted: Vec<Transcript> = step.transcripts.into_iter().filter(|t| wanted(&t.id)).collect();
        let redacted = manifest.redacted;
        let seen: Vec<T> = wanted
            .par_iter()
            .with_min_len(16)
            .map(|transcript| look(&Spoken { transcript, redacted, redactor: OnceCell::new() }))
            .collect();
        seen.into_iter().for_each(&mut take);
        Ok(())
    })?;
    Ok(missing)
}

/// The inputs that are still what they were, and for the others a sentence that says why not.
fn inputs(manifest: &Manifest) -> Result<(Vec<PathBuf>, Vec<String>), RunError> {
    let (mut files, mut missing) = (Vec::new(), Vec::new());
    for input in &manifest.inputs {
        let Some(hash) = &input.sha256 else { continue };
        let path = PathBuf::from(&input.source);
        if input.source == "-" {
            missing.push("the transcripts came from standard input".to_owned());
        } else {
            match sha256(&path, |_| Ok(()))? {
                Some(found) if found == *hash => files.push(path),
                Some(_) => missing.push(format!("{} has changed since the audit", input.source)),
                None => missing.push(format!("{} cannot be read any more", input.source)),
            }
        }
    }
    Ok((files, missing))
}

/// The files that stand in for the inputs.
fn given(manifest: &Manifest, named: &[String]) -> Result<Vec<PathBuf>, RunError> {
    let files = crate::ingest::locate(named)?;
    for path in &files {
        let found = sha256(path, |_| Ok(()))?;
        if found.is_none() || !manifest.inputs.iter().any(|i| i.sha256 == found) {
            return Err(RunError::NoWords(format!(
                "{} is not one of the files that this run was made from: its SHA-256 is in no entry of run.json",
                path.display()
            )));
        }
    }
    Ok(files)
}
