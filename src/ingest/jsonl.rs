//! JSON Lines: one transcript a line. In: plain bytes. Out: records and rejects; never more than one line in memory.
//!
//! A list of transcripts and one over many lines are read object by object. Where the user renames columns, the names of the transcript and
//! of its turns are changed before it is read.

use std::io::{self, BufRead};
use std::sync::Arc;

use memchr::memchr;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::documents::names;
use super::json::{Fault, Objects, Place, explain, utf8};
use super::{Columns, Item, MAX_RECORD_BYTES, Origin, RawTurn, Record, Reject, Source, Stream};

const NEEDED: &str = "a transcript has \"id\" and \"turns\" with \"role\" and \"text\" as strings";

/// The reader for the layout at the head of the stream.
pub(super) fn open(stream: Stream, source: Arc<str>, columns: &Columns) -> Box<dyn Source + Send> {
    let first = stream.head().split(|b| *b == b'\n').map(<[u8]>::trim_ascii).find(|l| !l.is_empty());
    let pretty = first.is_some_and(|l| l.starts_with(b"[") || l == b"{" || (l.starts_with(b"{") && l.ends_with(b",")));
    if pretty {
        let convert = |bytes: &[u8], place: &Place<'_>| -> Result<Record, Fault> {
            let text = std::str::from_utf8(bytes).map_err(|e| utf8(e.valid_up_to()))?;
            parse(text, Origin::default(), place.columns).map_err(|e| Fault::Shape(e, NEEDED))
        };
        return Box::new(Objects::new(stream, source, "", columns, &["transcripts"], convert));
    }
    Box::new(Lines::new(stream, source, columns.clone()))
}

/// Whether the first object looks like one of ours.
pub(super) fn fits(head: &[u8]) -> bool {
    names(head).iter().any(|(name, value)| name == "turns" && *value == b'[')
}

/// Reads a stream line by line.
pub(super) struct Lines {
    stream: Stream,
    source: Arc<str>,
    line: u64,
    buffer: Vec<u8>,
    columns: Columns,
    failed: bool,
}

enum Next {
    End,
    Line,
    TooLong,
}

#[derive(Deserialize)]
struct Canonical {
    id: Id,
    turns: Vec<RawTurn>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// An id may be written as text or as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(serde_json::Number),
}

impl Lines {
    fn new(stream: Stream, source: Arc<str>, columns: Columns) -> Self {
        Self { stream, source, line: 0, buffer: Vec::new(), columns, failed: false }
    }

    /// Fills the buffer with the next line; of a line that is too long it keeps nothing.
    fn next_line(&mut self) -> io::Result<Next> {
        self.buffer.clear();
        let mut length = 0usize;
        loop {
            let chunk = self.stream.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            let (part, done) = match memchr(b'\n', chunk) {
                Some(at) => (at + 1, true),
                None => (chunk.len(), false),
            };
            length += part;
            if length <= MAX_RECORD_BYTES {
                self.buffer.extend_from_slice(&chunk[..part]);
            } else {
                self.buffer = Vec::new();
            }
            self.stream.consume(part);
            if done {
                break;
            }
        }
        self.line += 1;
        Ok(match length {
            0 => Next::End,
            n if n > MAX_RECORD_BYTES => Next::TooLong,
            _ => Next::Line,
        })
    }
}

impl Iterator for Lines {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        while !self.failed {
            let outcome = self.next_line();
            let origin = Origin { source: self.source.clone(), line: self.line };
            match outcome {
                Ok(Next::End) => return None,
                Ok(Next::TooLong) => {
                    let limit = MAX_RECORD_BYTES / (1024 * 1024);
                    return Some(Item::Reject(
                        origin.reject(format!("line is longer than {limit} MB; split the transcript")),
                    ));
                }
                Ok(Next::Line) if self.buffer.iter().all(u8::is_ascii_whitespace) => {}
                Ok(Next::Line) => {
                    let raw = Some(self.buffer.clone());
                    return Some(match parse_line(&self.buffer, origin.clone(), &self.columns) {
                        Ok(record) => Item::Record(Record { raw, ..record }),
                        Err(reason) => Item::Reject(Reject { raw, ..origin.reject(reason) }),
                    });
                }
                Err(e) => {
                    self.failed = true;
                    let origin = Origin { line: self.line + 1, ..origin };
                    return Some(Item::Reject(
                        origin.reject(format!("reading stopped here: {e}; what follows was not read")),
                    ));
                }
            }
        }
        None
    }
}

fn parse_line(line: &[u8], origin: Origin, columns: &Columns) -> Result<Record, String> {
    let text = std::str::from_utf8(line).map_err(|e| utf8(e.valid_up_to()))?;
    let number = origin.line;
    parse(text.trim_end(), origin, columns).map_err(|e| explain(&e, number, NEEDED))
}

fn parse(text: &str, origin: Origin, columns: &Columns) -> Result<Record, serde_json::Error> {
    let canonical: Canonical = if columns.is_empty() {
        serde_json::from_str(text)?
    } else {
        serde_json::from_value(renamed(serde_json::from_str(text)?, columns))?
    };
    let id = match canonical.id {
        Id::Text(id) => id,
        Id::Number(n) => n.to_string(),
    };
    let mut turns = canonical.turns;
    for turn in &mut turns {
        if let Some(role) = columns.role(&turn.role) {
            turn.role = role.to_owned();
        }
    }
    let attributes = columns.attributes(flatten(canonical.rest));
    Ok(Record { id, attributes, turns, origin, ..Record::default() })
}

/// The object and its turns under our names. The transcript's id is called `transcript_id` in tables and may be named so.
fn renamed(value: Value, columns: &Columns) -> Value {
    let Value::Object(outer) = value else { return value };
    let names = |object: Map<String, Value>, own: &[&str]| -> Map<String, Value> {
        object
            .into_iter()
            .map(|(name, value)| {
                let ours = columns.ours(&name);
                let ours = if ours == "transcript_id" { "id".to_owned() } else { ours };
                (if own.contains(&ours.as_str()) { ours } else { name }, value)
            })
            .collect()
    };
    let mut outer = names(outer, &["id", "turns"]);
    if let Some(Value::Array(turns)) = outer.get_mut("turns") {
        for turn in turns {
            if let Value::Object(turn) = turn {
                *turn = names(std::mem::take(turn), &["role", "text", "at", "agent_id"]);
            }
        }
    }
    Value::Object(outer)
}

/// Scalars as they are; the scalars of one nested object under `outer.inner`; the rest is left.
fn flatten(rest: Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in rest {
        match value {
            Value::Object(inner) => {
                for (name, value) in inner {
                    if !value.is_object() && !value.is_array() && !value.is_null() {
                        out.insert(format!("{key}.{name}"), value);
                    }
                }
            }
            Value::Array(_) | Value::Null => {}
            scalar => {
                out.insert(key, scalar);
            }
        }
    }
    out
}
