//! `run.json`: what was run on what, so that a run can be told from another and repeated.

use serde::{Deserialize, Serialize};

use super::config::Config;
use crate::ingest::Format;
use crate::signals::ModelInfo;
use crate::tally::Standing;

/// The manifest of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The program.
    pub program: Program,
    /// The model.
    pub model: ModelUsed,
    /// The settings in effect.
    pub config: Config,
    /// SHA-256 of the settings.
    pub config_sha256: String,
    /// The files read, in order.
    pub inputs: Vec<InputFile>,
    /// How many.
    pub counts: Counts,
    /// Their languages, doubts about their roles, and what was left out for either.
    #[serde(default)]
    pub standing: Standing,
    /// The seed given.
    pub seed: u64,
    /// Whether personal data was replaced.
    pub redacted: bool,
    /// Wall-clock time.
    pub seconds: f64,
}

/// Which program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// `evenhand`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Which model, on which runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelUsed {
    /// The model's name.
    pub name: String,
    /// The model's version.
    pub version: String,
    /// The runtime.
    pub backend: String,
    /// Whether a small network's answer stood where it was sure (not with `--model accurate`).
    #[serde(default)]
    pub first: bool,
    /// SHA-256 of its files.
    pub sha256: std::collections::BTreeMap<String, String>,
}

/// A file read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Its name as given, or `-`.
    pub source: String,
    /// SHA-256 of its bytes as stored; none where it could not be opened.
    pub sha256: Option<String>,
    /// The format it was read as.
    #[serde(default)]
    pub format: Option<Format>,
}

/// How many records and turns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records found: audited, rejected and skipped.
    pub read: u64,
    /// Transcripts judged.
    pub audited: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Transcripts read and not judged: see `standing.left_out`.
    #[serde(default)]
    pub skipped: u64,
    /// Turns of the transcripts judged.
    pub turns: u64,
    /// How many of them the small network left to the large one.
    #[serde(default)]
    pub deferred: u64,
}

impl Program {
    /// This program.
    pub fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

impl ModelUsed {
    /// From the model's own description.
    pub fn new(info: &ModelInfo, backend: &str) -> Self {
        Self {
            name: info.name.clone(),
            version: info.version.clone(),
            backend: backend.to_owned(),
            first: info.first.as_ref().is_some_and(|first| first.again.is_some()) && backend == "embedded",
            sha256: info.sha256.clone(),
        }
    }
}
