//! CSV: one turn a row, the rows of a transcript together. In: plain bytes. Out: records and rejects; never more
//! than one transcript in memory.
//!
//! Columns `transcript_id`, `turn`, `role`, `text` are needed; `at` and `agent_id` belong to the turn; every other
//! column belongs to the transcript and repeats. A bad row rejects its transcript: a transcript with a hole in it
//! would be judged wrongly.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use serde_json::{Map, Value};

use super::{Item, MAX_RECORD_BYTES, Origin, RawTurn, Record, Reject, Stream};

const NEEDED: [&str; 4] = ["transcript_id", "turn", "role", "text"];

/// Reads a stream row by row.
pub(super) struct Rows {
    reader: Reader<Bounded>,
    budget: Budget,
    source: Arc<str>,
    columns: Option<Columns>,
    open: Option<Group>,
    done: bool,
}

struct Columns {
    id: usize,
    turn: usize,
    role: usize,
    text: usize,
    at: Option<usize>,
    agent: Option<usize>,
    rest: Vec<(usize, String)>,
}

/// The transcript whose rows are being read.
struct Group {
    id: Vec<u8>,
    line: u64,
    turns: Vec<(u64, RawTurn)>,
    attributes: Map<String, Value>,
    bytes: usize,
    fault: Option<String>,
    /// The rows as they would be written.
    raw: Vec<u8>,
}

/// What may still be read for the present row. An unclosed quote would otherwise take in the whole file.
#[derive(Clone)]
struct Budget(Arc<AtomicUsize>);

impl Budget {
    fn refill(&self) {
        self.0.store(MAX_RECORD_BYTES, Ordering::Relaxed);
    }
}

struct Bounded {
    stream: Stream,
    left: Budget,
}

impl Read for Bounded {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.left.0.load(Ordering::Relaxed);
        if left == 0 {
            let limit = MAX_RECORD_BYTES / (1024 * 1024);
            return Err(io::Error::other(format!("row is longer than {limit} MB (a quote that is not closed?)")));
        }
        let n = buf.len().min(left);
        let n = self.stream.read(&mut buf[..n])?;
        self.left.0.store(left - n, Ordering::Relaxed);
        Ok(n)
    }
}

impl Rows {
    pub(super) fn new(stream: Stream, source: Arc<str>) -> Self {
        let budget = Budget(Arc::default());
        budget.refill();
        let bounded = Bounded { stream, left: budget.clone() };
        let reader = ReaderBuilder::new().flexible(true).terminator(Terminator::Any(b'\n')).from_reader(bounded);
        Self { reader, budget, source, columns: None, open: None, done: false }
    }

    fn origin(&self, line: u64) -> Origin {
        Origin { source: self.source.clone(), line }
    }

    /// Ends the file with a reject.
    fn stop(&mut self, line: u64, reason: String) -> Item {
        self.done = true;
        Item::Reject(self.origin(line).reject(reason))
    }

    fn header(&mut self) -> Result<Columns, String> {
        let header = self.reader.byte_headers().map_err(|e| format!("the header cannot be read: {e}"))?.clone();
        let names: Vec<String> = header.iter().map(|h| String::from_utf8_lossy(h).trim().to_owned()).collect();
        let find = |name: &str| names.iter().position(|n| n == name);
        let missing: Vec<&str> = NEEDED.iter().filter(|n| find(n).is_none()).copied().collect();
        if !missing.is_empty() {
            return Err(format!(
                "not a transcript table: the header lacks {}; one row a turn is expected",
                missing.join(", ")
            ));
        }
        let at = |name: &str| find(name).unwrap_or_default();
        let own = ["transcript_id", "turn", "role", "text", "at", "agent_id"];
        let rest = names.iter().enumerate().filter(|(_, n)| !n.is_empty() && !own.contains(&n.as_str()));
        Ok(Columns {
            id: at("transcript_id"),
            turn: at("turn"),
            role: at("role"),
            text: at("text"),
            at: find("at"),
            agent: find("agent_id"),
            rest: rest.map(|(i, n)| (i, n.clone())).collect(),
        })
    }

    fn close(&mut self) -> Option<Item> {
        let mut group = self.open.take()?;
        let origin = self.origin(group.line);
        let raw = Some(std::mem::take(&mut group.raw));
        Some(match group.finish(origin.clone()) {
            Ok(record) => Item::Record(Record { raw, ..record }),
            Err(reason) => Item::Reject(Reject { raw, ..origin.reject(reason) }),
        })
    }
}

impl Iterator for Rows {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.done {
            return self.close();
        }
        let columns = match self.columns.take() {
            Some(columns) => columns,
            None => match self.header() {
                Ok(columns) => columns,
                Err(reason) => return Some(self.stop(1, reason)),
            },
        };
        let mut row = ByteRecord::new();
        let item = loop {
            self.budget.refill();
            let line = self.reader.position().line();
            match self.reader.read_byte_record(&mut row) {
                Ok(true) if row.len() == 1 && row.as_slice() == b"\r" => {}
                Ok(true) => {
                    let line = row.position().map_or(line, csv::Position::line);
                    let id = row.get(columns.id).unwrap_or_default();
                    let same = self.open.as_ref().is_some_and(|g| g.id == id);
                    let closed = if same { None } else { self.close() };
                    let group = self.open.get_or_insert_with(|| Group::new(id, line));
                    group.add(&columns, &row, line);
                    if closed.is_some() {
                        break closed;
                    }
                }
                Ok(false) => {
                    self.done = true;
                    break self.close();
                }
                Err(e) => {
                    let reason = format!("reading stopped here: {e}; what follows was not read");
                    if let Some(group) = &mut self.open {
                        group.fault.get_or_insert_with(|| "the file breaks off inside this transcript".to_owned());
                    }
                    break Some(self.stop(line, reason));
                }
            }
        };
        self.columns = Some(columns);
        item
    }
}

impl Group {
    fn new(id: &[u8], line: u64) -> Self {
        Self {
            id: id.to_vec(),
            line,
            turns: Vec::new(),
            attributes: Map::new(),
            bytes: 0,
            fault: None,
            raw: Vec::new(),
        }
    }

    /// Takes a row in, or keeps the first fault and lets the rest of the transcript go by.
    fn add(&mut self, columns: &Columns, row: &ByteRecord, line: u64) {
        if self.raw.len() + row.as_slice().len() <= MAX_RECORD_BYTES {
            write_row(row, &mut self.raw);
        }
        if self.fault.is_some() {
            return;
        }
        self.bytes += row.as_slice().len();
        if self.bytes > MAX_RECORD_BYTES {
            self.turns = Vec::new();
            self.fault = Some(format!("transcript is longer than {} MB; split it", MAX_RECORD_BYTES / (1024 * 1024)));
            return;
        }
        if let Err(reason) = self.try_add(columns, row) {
            self.fault = Some(format!("{reason} (row at line {line})"));
        }
    }

    fn try_add(&mut self, columns: &Columns, row: &ByteRecord) -> Result<(), String> {
        let text = |i: usize, name: &str| -> Result<String, String> {
            let cell = row.get(i).ok_or_else(|| format!("the row has {} cells and none for {name}", row.len()))?;
            // Lines end at the line feed, so that they are counted rightly; what a carriage return leaves belongs to no cell.
            let cell = if i + 1 == row.len() { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell };
            std::str::from_utf8(cell)
                .map(str::to_owned)
                .map_err(|_| format!("invalid UTF-8 in {name}; save the file as UTF-8"))
        };
        let optional = |i: Option<usize>, name: &str| -> Result<Option<String>, String> {
            Ok(i.map(|i| text(i, name)).transpose()?.filter(|v| !v.is_empty()))
        };
        let number = text(columns.turn, "turn")?;
        let number = number.trim().parse().map_err(|_| "turn is not a whole number".to_owned())?;
        let turn = RawTurn {
            role: text(columns.role, "role")?,
            text: text(columns.text, "text")?,
            at: optional(columns.at, "at")?,
            agent_id: optional(columns.agent, "agent_id")?,
        };
        self.turns.push((number, turn));
        for (i, name) in &columns.rest {
            let value = text(*i, name)?;
            if !value.is_empty() && !self.attributes.contains_key(name) {
                self.attributes.insert(name.clone(), typed(value));
            }
        }
        Ok(())
    }

    fn finish(mut self, origin: Origin) -> Result<Record, String> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let id = String::from_utf8(self.id).map_err(|_| "invalid UTF-8 in transcript_id".to_owned())?;
        self.turns.sort_by_key(|(n, _)| *n);
        let first = self.turns.first().map_or(0, |(n, _)| *n);
        let whole = first <= 1 && self.turns.iter().zip(first..).all(|((n, _), want)| *n == want);
        if !whole {
            return Err("turn numbers have a gap or a double; number them 0, 1, 2, …".to_owned());
        }
        let turns = self.turns.into_iter().map(|(_, t)| t).collect();
        Ok(Record { id, attributes: self.attributes, turns, origin, raw: None })
    }
}

/// A row as CSV: the reader hands over cells, not bytes.
fn write_row(row: &ByteRecord, out: &mut Vec<u8>) {
    for (i, cell) in row.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        if cell.iter().any(|b| matches!(b, b'"' | b',' | b'\n' | b'\r')) {
            out.push(b'"');
            cell.iter()
                .for_each(|&b| out.extend_from_slice(if b == b'"' { b"\"\"" } else { std::slice::from_ref(&b) }));
            out.push(b'"');
        } else {
            out.extend_from_slice(cell);
        }
    }
    out.push(b'\n');
}

/// A cell that reads as a number and would be written the same way is one: "007" and "1e5" are codes.
fn typed(cell: String) -> Value {
    match serde_json::from_str::<serde_json::Number>(&cell) {
        Ok(n) if n.to_string() == cell => Value::Number(n),
        _ => Value::String(cell),
    }
}
