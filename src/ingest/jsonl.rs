//! JSON Lines: one transcript a line. In: plain bytes. Out: records and rejects; never more than one line in memory.

use std::io::{self, BufRead};
use std::sync::Arc;

use memchr::memchr;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Item, MAX_RECORD_BYTES, Origin, RawTurn, Record, Reject, Stream};

/// Reads a stream line by line.
pub(super) struct Lines {
    stream: Stream,
    source: Arc<str>,
    line: u64,
    buffer: Vec<u8>,
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
    pub(super) fn new(stream: Stream, source: Arc<str>) -> Self {
        Self { stream, source, line: 0, buffer: Vec::new(), failed: false }
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
                    return Some(match parse(&self.buffer, origin.clone()) {
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

fn parse(line: &[u8], origin: Origin) -> Result<Record, String> {
    let text = std::str::from_utf8(line)
        .map_err(|e| format!("invalid UTF-8 at byte {} of the line; save the file as UTF-8", e.valid_up_to()))?;
    let canonical: Canonical = serde_json::from_str(text).map_err(|e| explain(&e))?;
    let id = match canonical.id {
        Id::Text(id) => id,
        Id::Number(n) => n.to_string(),
    };
    Ok(Record { id, attributes: flatten(canonical.rest), turns: canonical.turns, origin, raw: None })
}

/// serde's reason without the text of the record, which may be confidential.
fn explain(e: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let column = e.column();
    match e.classify() {
        Category::Eof => "the line ends inside a JSON value; it may have been cut".to_owned(),
        Category::Syntax if e.to_string().contains("recursion limit") => "JSON is nested more than 128 deep".to_owned(),
        Category::Syntax => format!("not valid JSON at column {column}"),
        _ => {
            let reason = e.to_string();
            let known = ["missing field `id`", "missing field `turns`", "missing field `role`", "missing field `text`"];
            known.iter().find(|k| reason.contains(**k)).map_or_else(
                || format!("not a transcript at column {column}: needs \"id\" and \"turns\" with \"role\" and \"text\" as strings"),
                |k| (*k).to_owned(),
            )
        }
    }
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
