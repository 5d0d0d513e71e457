//! CSV: one turn a row, the rows of a transcript together. In: plain bytes. Out: records and rejects; never more
//! than one transcript in memory.
//!
//! Columns `transcript_id`, `role`, `text` are needed; `turn` (else the order of the rows), `at` and `agent_id` belong to the turn; every other
//! column belongs to the transcript and repeats. Cells are parted by commas, semicolons or tabs. A bad row rejects its transcript: a transcript with a hole in it
//! would be judged wrongly.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use serde_json::Value;

use super::columns::OURS;
use super::dates::{self, Order as DateOrder};
use super::table::{Group, NOT_A_NUMBER};
use super::{Columns as Names, Item, MAX_RECORD_BYTES, Origin, RawTurn, Record, Reject, Stream};

const NEEDED: [&str; 3] = ["transcript_id", "role", "text"];
/// The attribute that says when a conversation began.
const STARTED: &str = "started_at";

/// Reads a stream row by row.
pub(super) struct Rows {
    rows: Bounded,
    source: Arc<str>,
    names: Names,
    /// The first bytes, from which the order of day and month is told.
    head: Vec<u8>,
    columns: Option<Columns>,
    open: Option<Group>,
    done: bool,
}

struct Columns {
    id: usize,
    turn: Option<usize>,
    role: usize,
    text: usize,
    at: Option<usize>,
    /// The order of day and month in times, where a spreadsheet wrote it and its dates tell.
    order: Option<DateOrder>,
    agent: Option<usize>,
    rest: Vec<(usize, String)>,
}

/// What may still be read for the present row. An unclosed quote would otherwise take in the whole file.
#[derive(Clone)]
struct Budget(Arc<AtomicUsize>);

impl Budget {
    fn refill(&self) {
        self.0.store(MAX_RECORD_BYTES, Ordering::Relaxed);
    }
}

/// A stream of which a row can take only so much.
struct Limited {
    stream: Stream,
    left: Budget,
}

impl Read for Limited {
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

/// Rows of a CSV file, none longer than a record may be.
pub(super) struct Bounded {
    reader: Reader<Limited>,
    budget: Budget,
    delimiter: u8,
}

/// What parts the cells of a table that begins with `head`: spreadsheets write commas, semicolons or tabs.
pub(crate) fn delimiter(head: &[u8]) -> u8 {
    let header = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |d: u8| header.iter().filter(|b| **b == d).count();
    // Of equals the comma.
    [b'\t', b';', b','].into_iter().max_by_key(|d| count(*d)).unwrap_or(b',')
}

impl Bounded {
    pub(super) fn reader(stream: Stream) -> Self {
        let budget = Budget(Arc::default());
        budget.refill();
        let delimiter = delimiter(stream.head());
        let limited = Limited { stream, left: budget.clone() };
        let mut builder = ReaderBuilder::new();
        builder.flexible(true).delimiter(delimiter).terminator(Terminator::Any(b'\n'));
        Self { reader: builder.from_reader(limited), budget, delimiter }
    }

    pub(super) fn header(&mut self) -> Result<ByteRecord, csv::Error> {
        self.reader.byte_headers().cloned()
    }

    /// Reads the next row that is not blank; false at the end, the line and the reason where reading must stop.
    pub(super) fn next(&mut self, row: &mut ByteRecord) -> Result<bool, (u64, csv::Error)> {
        loop {
            self.budget.refill();
            let line = self.reader.position().line();
            match self.reader.read_byte_record(row) {
                Ok(true) if row.len() == 1 && row.as_slice() == b"\r" => {}
                Ok(more) => return Ok(more),
                Err(e) => return Err((line, e)),
            }
        }
    }
}

/// Columns that are named where the needed ones are not among them.
const NAMED: usize = 12;

impl Rows {
    pub(super) fn new(stream: Stream, source: Arc<str>, names: Names) -> Self {
        let head = stream.head().to_vec();
        Self { rows: Bounded::reader(stream), source, names, head, columns: None, open: None, done: false }
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
        let header = self.rows.header().map_err(|e| format!("the header cannot be read: {e}"))?;
        let names: Vec<String> = header.iter().map(|h| self.names.ours(String::from_utf8_lossy(h).trim())).collect();
        let find = |name: &str| names.iter().position(|n| n == name);
        let missing: Vec<&str> = NEEDED.iter().filter(|n| find(n).is_none()).copied().collect();
        if !missing.is_empty() {
            let shown = |name: &String| name.chars().take(40).collect::<String>();
            let mut has: Vec<String> = names.iter().filter(|n| !n.is_empty()).take(NAMED).map(shown).collect();
            if names.len() > NAMED {
                has.push("…".to_owned());
            }
            return Err(format!(
                "not a transcript table: the header lacks {}; one row a turn is expected, and --map {}=NAME says what a column is called; its columns are: {}",
                missing.join(", "),
                missing[0],
                has.join(", ")
            ));
        }
        let at = |name: &str| find(name).unwrap_or_default();
        let rest = names.iter().enumerate().filter(|(_, n)| !n.is_empty() && !OURS.contains(&n.as_str()));
        Ok(Columns {
            id: at("transcript_id"),
            turn: find("turn"),
            role: at("role"),
            text: at("text"),
            at: find("at"),
            order: ["at", STARTED].iter().find_map(|name| self.order(find(name)?)),
            agent: find("agent_id"),
            rest: rest.map(|(i, n)| (i, n.clone())).collect(),
        })
    }

    /// The order of day and month in a column of dates.
    fn order(&self, column: usize) -> Option<DateOrder> {
        let mut rows =
            ReaderBuilder::new().flexible(true).delimiter(self.rows.delimiter).from_reader(self.head.as_slice());
        let cell = |row: ByteRecord| dates::written(&String::from_utf8_lossy(row.get(column)?));
        let found: Vec<dates::Written> = rows.byte_records().map_while(Result::ok).filter_map(cell).collect();
        dates::order(&found)
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
            match self.rows.next(&mut row) {
                Ok(true) => {
                    let line = row.position().map_or(0, csv::Position::line);
                    let id = row.get(columns.id).unwrap_or_default();
                    let same = self.open.as_ref().is_some_and(|g| g.id == id);
                    let closed = if same { None } else { self.close() };
                    let group = self.open.get_or_insert_with(|| Group::new(id, line));
                    if group.raw.len() + row.as_slice().len() <= MAX_RECORD_BYTES {
                        write_row(&row, self.rows.delimiter, &mut group.raw);
                    }
                    group.add(row.as_slice().len(), line, |g| add(g, &columns, &self.names, &row));
                    if closed.is_some() {
                        break closed;
                    }
                }
                Ok(false) => {
                    self.done = true;
                    break self.close();
                }
                Err((line, e)) => {
                    let reason = format!("reading stopped here: {e}; what follows was not read");
                    if let Some(group) = &mut self.open {
                        group.break_off();
                    }
                    break Some(self.stop(line, reason));
                }
            }
        };
        self.columns = Some(columns);
        item
    }
}

/// Takes the turn and the attributes of a row in.
fn add(group: &mut Group, columns: &Columns, names: &Names, row: &ByteRecord) -> Result<(), String> {
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
    let number = match columns.turn {
        Some(turn) => text(turn, "turn")?.trim().parse().map_err(|_| NOT_A_NUMBER.to_owned())?,
        None => group.turns.len() as u64,
    };
    let role = text(columns.role, "role")?;
    let turn = RawTurn {
        role: names.role(&role).map_or(role, str::to_owned),
        text: text(columns.text, "text")?,
        at: optional(columns.at, "at")?.map(|at| dates::iso(at, columns.order)).transpose()?,
        until: None,
        agent_id: optional(columns.agent, "agent_id")?,
    };
    group.turns.push((number, turn));
    for (i, name) in &columns.rest {
        let value = text(*i, name)?;
        if !value.is_empty() && !group.attributes.contains_key(name) {
            let value = match name.as_str() {
                STARTED => dates::iso(value, columns.order)?,
                name if name.starts_with("scores.") => pointed(value),
                _ => value,
            };
            group.attributes.insert(name.clone(), typed(value));
        }
    }
    Ok(())
}

/// A row as CSV: the reader hands over cells, not bytes.
fn write_row(row: &ByteRecord, delimiter: u8, out: &mut Vec<u8>) {
    for (i, cell) in row.iter().enumerate() {
        if i > 0 {
            out.push(delimiter);
        }
        if cell.iter().any(|b| *b == delimiter || matches!(b, b'"' | b'\n' | b'\r')) {
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

/// A score with a decimal comma, as many spreadsheets write it, with a point; "1,234" may be a thousand and stays.
fn pointed(score: String) -> String {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    match score.trim().split_once(',') {
        Some((whole, part)) if digits(whole) && digits(part) && part.len() < 3 => {
            format!("{whole}.{part}").trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => score,
    }
}

/// A cell that reads as a number and would be written the same way is one: "007" and "1e5" are codes.
fn typed(cell: String) -> Value {
    match serde_json::from_str::<serde_json::Number>(&cell) {
        Ok(n) if n.to_string() == cell => Value::Number(n),
        _ => Value::String(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Item> {
        Rows::new(Stream::from_text(text), "f".into(), Names::default()).collect()
    }

    #[test]
    fn a_score_may_have_a_decimal_comma() {
        let score = |s: &str| typed(pointed(s.to_owned()));
        for (cell, want) in [("4,5", 4.5), ("10,50", 10.5), ("4.5", 4.5)] {
            assert_eq!(score(cell), Value::from(want));
        }
        assert_eq!(score("10,00"), Value::from(10));
        for cell in ["1,234", "4,x", ",5"] {
            assert_eq!(score(cell), Value::from(cell));
        }
    }

    #[test]
    fn semicolons_and_tabs_part_cells_too() {
        let comma = "transcript_id,role,text,segments.tier\na,customer,\"x, or; y\",gold\na,agent,z,gold\n";
        let as_commas = read(comma);
        for other in [';', '\t'] {
            let text = comma.replace(',', &other.to_string()).replace(&format!("x{other} or"), "x, or");
            let [Item::Record(a), Item::Record(b)] = [&as_commas[0], &read(&text)[0]] else { panic!("{text}") };
            assert_eq!((&a.turns, &a.attributes), (&b.turns, &b.attributes), "{text}");
            assert_eq!(b.turns[0].text, "x, or; y");
            let raw = String::from_utf8(b.raw.clone().unwrap()).unwrap();
            assert_eq!(read(&format!("{}\n{raw}", text.lines().next().unwrap())).len(), 1, "{raw}");
        }
    }

    #[test]
    fn dates_as_a_spreadsheet_writes_them_are_read() {
        let rows = "transcript_id,role,text,at,started_at\na,customer,x,1/3/2026 9:05,1/3/2026\na,agent,y,1/3/2026 9:09,1/3/2026\n";
        let told = format!("{rows}b,customer,z,13/3/2026 9:05,13/3/2026\n");
        let items = read(&told);
        let [Item::Record(a), Item::Record(_)] = &items[..] else { panic!("{items:?}") };
        assert_eq!(a.turns[1].at.as_deref(), Some("2026-03-01T09:09:00"));
        assert_eq!(a.attributes["started_at"], "2026-03-01T00:00:00");
        let items = read(rows);
        let [Item::Reject(a)] = &items[..] else { panic!("{items:?}") };
        assert!(a.reason.contains("may begin with the day or the month"), "{}", a.reason);
    }

    #[test]
    fn without_turn_numbers_the_rows_are_in_order() {
        let items = read("transcript_id,role,text\na,customer,1\na,agent,2\nb,customer,3\n");
        let [Item::Record(a), Item::Record(b)] = &items[..] else { panic!("{items:?}") };
        let texts: Vec<&str> = a.turns.iter().chain(&b.turns).map(|t| t.text.as_str()).collect();
        assert_eq!(texts, ["1", "2", "3"]);
    }
}
