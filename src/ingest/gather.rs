//! Rows that belong together but stand apart. In: rows in any order, each with a key. Out: the rows of one key after the other.
//!
//! What is read goes to a temporary file without a name, which is gone when the program ends, however it ends; 48 bytes a row stay in memory.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::documents::{Documents, Piece};
use super::json::Fault;
use super::{Item, Origin};

/// Bytes on disk, found again by their offset.
pub(super) struct Spool {
    file: BufWriter<File>,
    at: u64,
}

/// A spool that is being read.
pub(super) struct Spooled(File);

impl Spool {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(1 << 17, tempfile::tempfile()?), at: 0 })
    }

    /// Keeps some bytes; the offset leads back to them.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let at = self.at;
        let length = u32::try_from(bytes.len()).map_err(|_| io::Error::other("a row is longer than 4 GB"))?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(bytes)?;
        self.at += 4 + bytes.len() as u64;
        Ok(at)
    }

    pub(super) fn finish(self) -> io::Result<Spooled> {
        self.file.into_inner().map(Spooled).map_err(io::IntoInnerError::into_error)
    }
}

impl Spooled {
    /// The bytes kept at an offset.
    pub(super) fn read(&mut self, at: u64) -> io::Result<Vec<u8>> {
        // Most rows are short: one read brings the length and the row.
        let mut head = [0; 1024];
        self.0.seek(SeekFrom::Start(at))?;
        let mut got = 0;
        while got < 4 {
            match self.0.read(&mut head[got..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => got += n,
            }
        }
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let here = (got - 4).min(length);
        let mut bytes = head[4..4 + here].to_vec();
        bytes.resize(length, 0);
        self.0.read_exact(&mut bytes[here..])?;
        Ok(bytes)
    }
}

/// Collects rows by key.
pub(super) struct Gather {
    spool: Spool,
    rows: Vec<Row>,
}

#[derive(Clone, Copy)]
struct Row {
    key: u128,
    at: u64,
    line: u64,
    /// The number of the first row of this key.
    first: u32,
    bytes: u32,
}

/// The rows of one key: the line of each and what was kept of it.
pub(super) type Rows = Vec<(u64, Vec<u8>)>;

/// Rows by key.
pub(super) struct Gathered {
    spool: Spooled,
    /// In the order of their keys' first rows.
    rows: Vec<Row>,
    next: usize,
    /// The groups by key, where they are looked up: (key, first row in `rows`).
    index: Vec<(u128, u32)>,
}

impl Gather {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { spool: Spool::new()?, rows: Vec::new() })
    }

    pub(super) fn push(&mut self, key: &str, line: u64, bytes: &[u8]) -> io::Result<()> {
        if self.rows.len() >= u32::MAX as usize {
            return Err(io::Error::other("more than 4 billion rows"));
        }
        let at = self.spool.push(bytes)?;
        self.rows.push(Row { key: hash(key), at, line, first: 0, bytes: bytes.len() as u32 });
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<Gathered> {
        let Self { spool, mut rows } = self;
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        order.sort_unstable_by_key(|&i| (rows[i as usize].key, i));
        let mut first = 0;
        for (n, &i) in order.iter().enumerate() {
            if n == 0 || rows[order[n - 1] as usize].key != rows[i as usize].key {
                first = i;
            }
            rows[i as usize].first = first;
        }
        drop(order);
        rows.sort_by_key(|r| r.first);
        Ok(Gathered { spool: spool.finish()?, rows, next: 0, index: Vec::new() })
    }
}

impl Gathered {
    /// The next key's rows, keys in the order of their first rows, rows in the order in which they came.
    pub(super) fn next_group(&mut self) -> Option<io::Result<Rows>> {
        let start = self.next;
        (start < self.rows.len()).then(|| {
            self.next = self.end(start);
            self.read(start)
        })
    }

    /// Prepares [`Self::take`].
    pub(super) fn index(&mut self) {
        let starts = (0..self.rows.len()).filter(|&i| i == 0 || self.rows[i - 1].first != self.rows[i].first);
        self.index = starts.map(|i| (self.rows[i].key, i as u32)).collect();
        self.index.sort_unstable();
    }

    /// The rows of a key. Its line numbers are set to 0: it was taken.
    pub(super) fn take(&mut self, key: &str) -> Option<io::Result<Rows>> {
        let key = hash(key);
        let place = self.index.binary_search_by_key(&key, |(k, _)| *k).ok()?;
        let start = self.index[place].1 as usize;
        let rows = self.read(start);
        self.rows[start].line = 0;
        Some(rows)
    }

    /// The line of the first row of each key that was never taken.
    pub(super) fn left(&self) -> Vec<u64> {
        let mut left: Vec<u64> =
            self.index.iter().map(|(_, i)| self.rows[*i as usize].line).filter(|l| *l > 0).collect();
        left.sort_unstable();
        left
    }

    fn end(&self, start: usize) -> usize {
        let first = self.rows[start].first;
        start + self.rows[start..].iter().take_while(|r| r.first == first).count()
    }

    fn read(&mut self, start: usize) -> io::Result<Rows> {
        let rows: Vec<Row> = self.rows[start..self.end(start)].to_vec();
        let bytes: u64 = rows.iter().map(|r| u64::from(r.bytes)).sum();
        if bytes > super::MAX_RECORD_BYTES as u64 {
            // The lines are told, the text is not held.
            return Ok(rows.iter().map(|r| (r.line, Vec::new())).take(1).collect());
        }
        rows.iter().map(|r| Ok((r.line, self.spool.read(r.at)?))).collect()
    }
}

/// A stream of objects that is being collected; what cannot be kept is told as it comes, so that rejects are not held either.
pub(super) struct Collecting {
    documents: Documents,
    gather: Gather,
    source: Arc<str>,
}

/// What came of collecting so far.
pub(super) enum Collected {
    /// An object that could not be kept; there may be more to read.
    Reject(Item),
    /// Everything was read.
    All(Gathered),
    /// It could not be kept; nothing more will come.
    Failed(Item),
}

impl Collecting {
    pub(super) fn new(documents: Documents, source: Arc<str>) -> io::Result<Self> {
        Ok(Self { documents, gather: Gather::new()?, source })
    }

    /// Reads on to the next object without a key, or to the end. After the end it must not be called again.
    pub(super) fn next(&mut self, key: fn(&[u8]) -> Result<String, Fault>) -> Collected {
        let origin = |line| Origin { source: self.source.clone(), line };
        while let Some((line, piece)) = self.documents.next() {
            let reason = match piece {
                Piece::Fault(reason) => reason,
                Piece::Object(bytes) => match key(bytes) {
                    Err(fault) => fault.reason(line),
                    Ok(key) => match self.gather.push(&key, line, bytes) {
                        Ok(()) => continue,
                        Err(e) => return Collected::Failed(Item::Reject(origin(line).reject(kept(&e)))),
                    },
                },
            };
            return Collected::Reject(Item::Reject(origin(line).reject(reason)));
        }
        let gather = Gather::new().map(|empty| std::mem::replace(&mut self.gather, empty));
        match gather.and_then(Gather::finish) {
            Ok(gathered) => Collected::All(gathered),
            Err(e) => Collected::Failed(Item::Reject(origin(0).reject(kept(&e)))),
        }
    }
}

/// Why rows could not be put on disk.
pub(super) fn kept(e: &io::Error) -> String {
    format!("the rows could not be kept for sorting: {e}; make room for temporary files (TMPDIR)")
}

fn hash(key: &str) -> u128 {
    Sha256::digest(key.as_bytes()).iter().take(16).fold(0, |h, b| h << 8 | u128::from(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_together_in_the_order_of_their_keys() {
        let mut gather = Gather::new().unwrap();
        for (line, (key, text)) in [("b", "1"), ("a", "2"), ("b", "3"), ("c", ""), ("a", "5")].into_iter().enumerate() {
            gather.push(key, line as u64 + 1, text.as_bytes()).unwrap();
        }
        let mut gathered = gather.finish().unwrap();
        gathered.index();
        let taken = gathered.take("a").unwrap().unwrap();
        assert_eq!(taken, [(2, b"2".to_vec()), (5, b"5".to_vec())]);
        assert!(gathered.take("z").is_none());
        assert_eq!(gathered.left(), [1, 4]);
        let mut groups = Vec::new();
        while let Some(group) = gathered.next_group() {
            groups.push(group.unwrap().into_iter().map(|(_, b)| String::from_utf8(b).unwrap()).collect::<Vec<_>>());
        }
        assert_eq!(groups, [vec!["1", "3"], vec!["2", "5"], vec![""]]);
    }
}
