//! One turn a row. In: the rows of a transcript, one after the other. Out: the record, or why it is none.
//!
//! A bad row rejects its transcript: a transcript with a hole in it would be judged wrongly.

use serde_json::{Map, Value};

use super::{MAX_RECORD_BYTES, Origin, RawTurn, Record};

pub(super) const NOT_A_NUMBER: &str = "turn is not a whole number";

/// The transcript whose rows are being read.
pub(super) struct Group {
    pub(super) id: Vec<u8>,
    pub(super) line: u64,
    pub(super) turns: Vec<(u64, RawTurn)>,
    pub(super) attributes: Map<String, Value>,
    /// The rows as they would be written, where the format has such.
    pub(super) raw: Vec<u8>,
    bytes: usize,
    fault: Option<String>,
}

impl Group {
    pub(super) fn new(id: &[u8], line: u64) -> Self {
        Self {
            id: id.to_vec(),
            line,
            turns: Vec::new(),
            attributes: Map::new(),
            raw: Vec::new(),
            bytes: 0,
            fault: None,
        }
    }

    /// Takes a row of so many bytes in, or keeps the first fault and lets the rest of the transcript go by.
    pub(super) fn add(&mut self, bytes: usize, line: u64, take: impl FnOnce(&mut Self) -> Result<(), String>) {
        if self.fault.is_some() {
            return;
        }
        self.bytes += bytes;
        if self.bytes > MAX_RECORD_BYTES {
            self.turns = Vec::new();
            self.fault = Some(format!("transcript is longer than {} MB; split it", MAX_RECORD_BYTES / (1024 * 1024)));
            return;
        }
        if let Err(reason) = take(self) {
            self.fault = Some(format!("{reason} (row at line {line})"));
        }
    }

    /// The file ends here with a fault: nobody knows how the transcript goes on.
    pub(super) fn break_off(&mut self) {
        self.fault.get_or_insert_with(|| "the file breaks off inside this transcript".to_owned());
    }

    pub(super) fn finish(mut self, origin: Origin) -> Result<Record, String> {
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
        Ok(Record { id, attributes: self.attributes, turns, origin, ..Record::default() })
    }
}
