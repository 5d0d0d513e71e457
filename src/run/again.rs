//! The words of a run, which its folder does not hold. In: the inputs named in `run.json`, read again, or files named in their place;
//! only files whose SHA-256 is that of the audit are used. Out: the wanted transcripts one after the other, redacted as in the audit.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::interrupt::Interrupt;
use super::manifest::Manifest;
use super::output::RunError;
use super::pipeline;
use crate::ingest::Format;
use crate::turns::{Redactor, Role, Transcript};

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

/// Reads the wanted transcripts again, in the order of the input; `each` gets one after the other. Out: why some words are missing,
/// for the reader; empty where all inputs were read.
///
/// # Errors
/// When a file named in place of an input cannot be read or is not one of the audit's, or a file changes while it is read.
pub(super) fn again(
    manifest: &Manifest,
    named: &[String],
    wanted: impl Fn(&str) -> bool,
    mut each: impl FnMut(&Spoken<'_>),
) -> Result<Vec<String>, RunError> {
    let (files, missing) = if named.is_empty() { inputs(manifest) } else { (given(manifest, named)?, Vec::new()) };
    let hashes: BTreeSet<&str> = manifest.inputs.iter().filter_map(|i| i.sha256.as_deref()).collect();
    pipeline::read(files, manifest.config.reading(Format::Auto), &Interrupt::default(), |step| {
        for file in step.finished {
            if !file.sha256.as_deref().is_some_and(|h| hashes.contains(h)) {
                return Err(RunError::Words(format!("{} changed while it was read; start again", file.source)));
            }
        }
        for transcript in step.transcripts {
            if wanted(&transcript.id) {
                each(&Spoken { transcript: &transcript, redacted: manifest.redacted, redactor: OnceCell::new() });
            }
        }
        Ok(())
    })?;
    Ok(missing)
}

/// The inputs that are still what they were, and for the others a sentence that says why not.
fn inputs(manifest: &Manifest) -> (Vec<PathBuf>, Vec<String>) {
    let (mut files, mut missing) = (Vec::new(), Vec::new());
    for input in &manifest.inputs {
        let Some(hash) = &input.sha256 else { continue };
        let path = PathBuf::from(&input.source);
        if input.source == "-" {
            missing.push("the transcripts came from standard input".to_owned());
        } else {
            match sha256(&path) {
                Ok(found) if found == *hash => files.push(path),
                Ok(_) => missing.push(format!("{} has changed since the audit", input.source)),
                Err(_) => missing.push(format!("{} cannot be read any more", input.source)),
            }
        }
    }
    (files, missing)
}

/// The files that stand in for the inputs.
fn given(manifest: &Manifest, named: &[String]) -> Result<Vec<PathBuf>, RunError> {
    let files = crate::ingest::locate(named)?;
    for path in &files {
        let found = sha256(path).map_err(RunError::io(path))?;
        if !manifest.inputs.iter().any(|i| i.sha256.as_deref() == Some(&found)) {
            return Err(RunError::Words(format!(
                "{} is not one of the files that this run was made from: its SHA-256 is in no entry of run.json",
                path.display()
            )));
        }
    }
    Ok(files)
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hex::encode(hash.finalize()))
}
