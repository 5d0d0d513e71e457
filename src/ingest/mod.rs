//! Reading input. In: files, folders, globs or standard input, plain or compressed. Out: one [`Record`] or one
//! [`Reject`] after the other, in input order, in bounded memory.
//!
//! A reader knows its format and nothing else: whether a record is a valid transcript is for [`crate::turns`] to say.

mod columns;
mod csv;
mod dates;
mod documents;
mod gather;
mod html;
mod json;
mod locate;
mod open;
mod plan;
mod recognise;
mod speakers;
mod spoken;
mod table;
mod whole;

mod ccai;
mod contact_lens;
mod convokit;
mod intercom;
mod jsonl;
mod parquet;
mod plain;
mod subtitles;
mod twcs;
mod whatsapp;
mod whisperx;
mod zendesk;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use columns::Columns;
pub(crate) use csv::delimiter;
pub use locate::locate;
pub use open::{FileHash, Stream};
pub use plan::{Job, plan};

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
    /// Whether the roles of the turns may be names of speakers that stand for no role yet; an empty one then means nobody was named.
    pub speakers: bool,
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
    /// When it ended, of a turn that was heard.
    #[serde(skip)]
    pub until: Option<String>,
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
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Told from what stands in each file.
    #[default]
    Auto,
    /// JSON Lines: one transcript a line; also a list or one object.
    Jsonl,
    /// CSV: one turn a row.
    Csv,
    /// Parquet: one turn a row.
    Parquet,
    /// Zendesk: tickets with their comments, or tickets and comments in two files.
    Zendesk,
    /// Intercom: conversations with their parts.
    Intercom,
    /// Amazon Connect Contact Lens: voice.
    ContactLens,
    /// Google Contact Center AI: conversation JSON.
    Ccai,
    /// `ConvoKit`: a corpus folder.
    Convokit,
    /// Customer Support on Twitter: twcs.csv.
    Twcs,
    /// `WebVTT` and SRT subtitles with speakers.
    Subtitles,
    /// `WhisperX` JSON.
    Whisperx,
    /// An exported `WhatsApp` chat.
    Whatsapp,
    /// Lines of `Speaker: text`.
    Plain,
}

impl Format {
    /// The format's name as in `--format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Zendesk => "zendesk",
            Self::Intercom => "intercom",
            Self::ContactLens => "contact-lens",
            Self::Ccai => "ccai",
            Self::Convokit => "convokit",
            Self::Twcs => "twcs",
            Self::Subtitles => "subtitles",
            Self::Whisperx => "whisperx",
            Self::Whatsapp => "whatsapp",
            Self::Plain => "plain",
        }
    }
}

/// How input is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The format, where it is not told from the file.
    pub format: Format,
    /// The user's names of columns and roles.
    pub columns: &'a Columns,
}

/// Why an input could not be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// Nothing stands under this name.
    #[error("{path}: {source}")]
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
    #[error(
        "{0}: the folder holds no file of a known kind (.jsonl, .json, .csv, .parquet, .vtt, .srt, .txt; plain, .gz or .zst)"
    )]
    EmptyFolder(PathBuf),
}

/// An input that is open.
pub struct Opened {
    /// Its records.
    pub items: Box<dyn Source + Send>,
    /// The format it is read as.
    pub format: Format,
    /// The files that are read, each with its hash.
    pub files: Vec<(PathBuf, FileHash)>,
}

/// Opens one input and picks the reader for it.
///
/// # Errors
/// When a file cannot be opened or its first bytes cannot be read.
pub fn read(job: &Job, reading: Reading<'_>) -> Result<Opened, IngestError> {
    let path = &job.paths[0];
    let (stream, hash) = open::open(path)?;
    let source: Arc<str> = path.to_string_lossy().into();
    let format = match reading.format {
        Format::Auto => recognise::format(stream.head(), path),
        given => given,
    };
    let mut files = vec![(path.clone(), hash)];
    if let Some(why) = recognise::unreadable(stream.head()) {
        let reject = Origin { source, line: 0 }.reject(why);
        return Ok(Opened { items: Box::new(std::iter::once(Item::Reject(reject))), format, files });
    }
    let columns = reading.columns;
    let objects = |stream, lists, convert| {
        Box::new(json::Objects::new(stream, source.clone(), &job.name, columns, lists, convert))
    };
    let items: Box<dyn Source + Send> = match format {
        Format::Csv => Box::new(csv::Rows::new(stream, source, columns.clone())),
        Format::Parquet => Box::new(parquet::Rows::new(stream, path, source.clone(), columns.clone())),
        Format::Zendesk => zendesk::open(job, stream, columns, &mut files)?,
        Format::Intercom => objects(stream, intercom::LISTS, intercom::record),
        Format::ContactLens => objects(stream, &[], contact_lens::record),
        Format::Ccai => objects(stream, ccai::LISTS, ccai::record),
        Format::Whisperx => objects(stream, &[], whisperx::record),
        Format::Convokit => convokit::open(path, stream, columns, &mut files)?,
        Format::Twcs => twcs::open(stream, source.clone()),
        Format::Subtitles => Box::new(subtitles::open(stream, source.clone(), &job.name, columns)),
        Format::Whatsapp => Box::new(whatsapp::open(stream, source.clone(), &job.name, columns)),
        Format::Plain => Box::new(plain::open(stream, source.clone(), &job.name, columns)),
        Format::Auto | Format::Jsonl => jsonl::open(stream, source.clone(), columns),
    };
    Ok(Opened { items, format, files })
}
