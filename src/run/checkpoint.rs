//! What a run has finished, so that it can be taken up again. In: what was asked and how far it came. Out: two small files in `RUN.partial`.
//!
//! `job.json` is written first and says what is being done: another program, model, configuration or input is another job. `checkpoint.json`
//! says how much of the spool and the rejects is finished; it replaces the one before it after both are safe on disk. What stands behind
//! that in either file is cut off when the run is taken up again.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::interrupt::Interrupt;
use super::manifest::{Counts, InputFile, Manifest, ModelUsed, Program};
use super::output::RunError;
use super::progress::Progress;
use crate::ingest::{Format, Reject};
use crate::turns::Transcript;

/// What a run does. Two equal jobs write the same tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) program: Program,
    pub(super) model: ModelUsed,
    pub(super) config_sha256: String,
    pub(super) format: Format,
    pub(super) inputs: Vec<InputFile>,
    pub(super) seed: u64,
    pub(super) redacted: bool,
}

impl Job {
    /// The job that made a finished run. Of files only their content is compared, where it is known before they are read: a manifest does not hold their names as they were given,
    /// nor the format.
    pub(super) fn as_finished(&self, done: Manifest) -> Self {
        let pairs = || self.inputs.iter().zip(&done.inputs);
        let same = self.inputs.len() == done.inputs.len()
            && pairs().all(|(now, then)| now.sha256.is_none() || now.sha256 == then.sha256);
        Self {
            program: done.program,
            model: done.model,
            config_sha256: done.config_sha256,
            format: self.format,
            inputs: if same { self.inputs.clone() } else { done.inputs },
            seed: done.seed,
            redacted: done.redacted,
        }
    }

    /// The first thing in which two jobs differ, in words.
    pub(super) fn difference(&self, earlier: &Self) -> Option<String> {
        let names = |job: &Self| job.inputs.iter().map(|i| i.source.clone()).collect::<Vec<_>>();
        if self.program != earlier.program {
            return Some(format!("it was begun by version {}", earlier.program.version));
        }
        if self.model != earlier.model {
            let ModelUsed { name, version, backend, first, .. } = &earlier.model;
            if self.model == (ModelUsed { first: !first, ..earlier.model.clone() }) {
                return Some(format!("it was begun {} --model accurate", if *first { "without" } else { "with" }));
            }
            return Some(format!("it was begun with model {name} {version} on {backend}"));
        }
        if self.config_sha256 != earlier.config_sha256 {
            return Some("the configuration differs".to_owned());
        }
        if names(self) != names(earlier) || self.format != earlier.format {
            return Some("other inputs or another format are named".to_owned());
        }
        if let Some((input, _)) = self.inputs.iter().zip(&earlier.inputs).find(|(a, b)| a.sha256 != b.sha256) {
            return Some(format!("{} has changed", input.source));
        }
        (self != earlier).then(|| "the seed or --no-redact differs".to_owned())
    }
}

/// How far a run has come.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub(super) counts: Counts,
    /// Finished bytes of the spool, of `rejects.jsonl` and of the rejects' own bytes.
    pub(super) spool: u64,
    pub(super) rejects: u64,
    pub(super) raw: u64,
    /// SHA-256 over the transcripts in the spool.
    pub(super) transcripts_sha256: String,
    pub(super) first_reject: Option<Reject>,
    /// The files with their hashes, once all were read.
    pub(super) read: Option<Vec<InputFile>>,
}

/// A hash over transcripts in their order.
#[derive(Clone, Default)]
pub(super) struct Chain(Sha256);

impl Chain {
    pub(super) fn add(&mut self, transcript: &Transcript) {
        let mut part = |bytes: &[u8]| {
            self.0.update((bytes.len() as u64).to_le_bytes());
            self.0.update(bytes);
        };
        part(transcript.id.as_bytes());
        transcript.turns.iter().for_each(|t| part(t.text.as_bytes()));
    }

    pub(super) fn hex(&self) -> String {
        hex::encode(self.0.clone().finalize())
    }
}

/// The inputs as they are now. A pipe has no hash before it is read.
pub(super) fn inputs_now(files: &[PathBuf], progress: &Progress, stop: &Interrupt) -> Result<Vec<InputFile>, RunError> {
    let bar = progress.count("noting the input, in megabytes");
    let mut out = Vec::with_capacity(files.len());
    for path in files {
        let before = bar.position();
        let told = |bytes: u64| {
            bar.set_position(before + (bytes >> 20));
            if stop.asked() { Err(RunError::Interrupted(None)) } else { Ok(()) }
        };
        let sha256 = if path.is_file() { sha256(path, told)? } else { None };
        out.push(InputFile { source: path.to_string_lossy().into_owned(), sha256, format: None });
    }
    bar.finish_and_clear();
    Ok(out)
}

/// The SHA-256 of a file's bytes; `read` hears how many were read so far, and may end it. None where the file cannot be read: the reader
/// will say why.
pub(super) fn sha256(
    path: &Path,
    mut read: impl FnMut(u64) -> Result<(), RunError>,
) -> Result<Option<String>, RunError> {
    let Ok(mut file) = File::open(path) else { return Ok(None) };
    let mut state = Sha256::new();
    let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
    loop {
        read(bytes)?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Some(hex::encode(state.finalize()))),
            Ok(n) => {
                state.update(&buffer[..n]);
                bytes += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Ok(None),
        }
    }
}

/// Reads one of the two files; none where it is not there, or not whole.
pub(super) fn load<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
