//! Reading input. In: files, folders, globs or standard input, plain or compressed. Out: one [`Record`] or one
//! [`Reject`] after the other, in input order, in bounded memory.
//!
//! A reader knows its format and nothing else: whether a record is a valid transcript is for [`crate::turns`] to say.

mod csv;
mod jsonl;
mod locate;
mod open;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use locate::locate;
pub use open::{FileHash, Stream};

/// The longest record that is read, in bytes: a longer line or row is rejected without being held in memory.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// One transcript as it stands in a file, not yet checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// The transcript's id.
    pub id: String,
    /// Scalars of the transcript; nested ones under dotted names (`segments.tier`, `scores.csat`).
    pub attributes: Map<String, Value>,
    /// The turns in order.
    pub turns: Vec<RawTurn>,
    /// Where it stood.
    pub origin: Origin,
    /// Its own bytes, where the reader has them: they are kept if it is rejected.
    pub raw: Option<Vec<u8>>,
}

/// One turn as it stands in a file.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct RawTurn {
    /// The role's name.
    pub role: String,
    /// What was said.
    pub text: String,
    /// When, as written.
    #[serde(default)]
    pub at: Option<String>,
    /// Who spoke for the company in this turn; a number is taken as text.
    #[serde(default, deserialize_with = "text_or_number")]
    pub agent_id: Option<String>,
}

fn text_or_number<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(d)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => Ok(Some(s)),
        Some(Value::Number(n)) => Ok(Some(n.to_string())),
        Some(_) => Err(serde::de::Error::custom("agent_id is neither text nor a number")),
    }
}

/// The place of a record in its source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The file's name as given, or `-`.
    pub source: Arc<str>,
    /// The first line of the record, from 1; 0 where the whole file is meant.
    pub line: u64,
}

/// A record that was not taken in, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reject {
    /// The file's name as given, or `-`.
    pub source: String,
    /// The first line of the record, from 1; 0 where the whole file is meant.
    pub line: u64,
    /// What is wrong and what would be right, without quoting the transcript.
    pub reason: String,
    /// The record's own bytes, where the reader has them.
    #[serde(skip)]
    pub raw: Option<Vec<u8>>,
}

impl Origin {
    /// A reject at this place.
    pub fn reject(&self, reason: impl Into<String>) -> Reject {
        Reject { source: self.source.to_string(), line: self.line, reason: reason.into(), raw: None }
    }
}

/// What a reader yields.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A transcript.
    Record(Record),
    /// Something that could not be read.
    Reject(Reject),
}

/// A format's reader: yields items in order until the source ends.
pub trait Source: Iterator<Item = Item> {}

impl<T: Iterator<Item = Item>> Source for T {}

/// The format of an input file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Told from each file's ending, else from its first byte.
    #[default]
    Auto,
    /// JSON Lines: one transcript a line.
    Jsonl,
    /// CSV: one turn a row.
    Csv,
}

/// Why an input could not be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// Nothing stands under this name.
    #[error("{path}: {source}; check the path")]
    Open {
        /// The name as given.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A pattern that matches no file.
    #[error("{0}: no file matches; quote the pattern and check the folder")]
    NoMatch(String),
    /// A pattern that cannot be understood.
    #[error("{pattern}: {source}")]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// A folder without readable files.
    #[error("{0}: the folder holds no .jsonl or .csv file (plain, .gz or .zst)")]
    EmptyFolder(PathBuf),
}

/// The format that a file's ending names.
fn by_name(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "jsonl" | "ndjson" | "json" => Some(Format::Jsonl),
        "csv" => Some(Format::Csv),
        _ => None,
    }
}

/// Opens one input and picks the reader for it.
///
/// # Errors
/// When the file cannot be opened or its first bytes cannot be read.
pub fn read(path: &Path, format: Format) -> Result<(Box<dyn Source + Send>, FileHash), IngestError> {
    let (mut stream, hash) = open::open(path)?;
    let source: Arc<str> = path.to_string_lossy().into();
    let format = match format {
        Format::Auto => by_name(path).unwrap_or(if stream.starts_with_json() { Format::Jsonl } else { Format::Csv }),
        given => given,
    };
    let reader: Box<dyn Source + Send> = match format {
        Format::Csv => Box::new(csv::Rows::new(stream, source)),
        _ => Box::new(jsonl::Lines::new(stream, source)),
    };
    Ok((reader, hash))
}
