//! Parquet: one turn a row, the rows of a transcript together, as in CSV. In: a file. Out: records and rejects; a batch of rows and one
//! transcript in memory. The line of a reject is the row, from 1.
//!
//! The format is read from its end, so what is no plain file (standard input, a compressed one) goes to a temporary file first.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, types};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde_json::Value;

use super::columns::OURS;
use super::open::bomb;
use super::table::{Group, NOT_A_NUMBER};
use super::{Columns, Item, Origin, RawTurn, Stream};

/// Few, for a page of some kilobytes may say a value of a megabyte again in every row.
const BATCH: usize = 16;
const NEEDED: [&str; 3] = ["transcript_id", "role", "text"];

/// Reads a file batch by batch.
pub(super) struct Rows {
    input: Option<Input>,
    source: Arc<str>,
    names: Columns,
    reader: Option<ParquetRecordBatchReader>,
    batch: Option<Batch>,
    /// Rows read, to number the next.
    rows: u64,
    open: Option<Group>,
    done: bool,
}

struct Input {
    stream: Stream,
    path: Box<Path>,
}

/// Some rows, by column under our names.
struct Batch {
    columns: Vec<(String, ArrayRef)>,
    places: [usize; 3],
    turn: Option<usize>,
    at: Option<usize>,
    agent: Option<usize>,
    length: usize,
    next: usize,
}

impl Rows {
    pub(super) fn new(stream: Stream, path: &Path, source: Arc<str>, names: Columns) -> Self {
        let input = Some(Input { stream, path: path.into() });
        Self { input, source, names, reader: None, batch: None, rows: 0, open: None, done: false }
    }

    fn origin(&self, line: u64) -> Origin {
        Origin { source: self.source.clone(), line }
    }

    fn stop(&mut self, reason: String) -> Item {
        self.done = true;
        if let Some(group) = &mut self.open {
            group.break_off();
        }
        Item::Reject(self.origin(self.rows + 1).reject(reason))
    }

    fn close(&mut self) -> Option<Item> {
        let group = self.open.take()?;
        let origin = self.origin(group.line);
        Some(match group.finish(origin.clone()) {
            Ok(record) => Item::Record(record),
            Err(reason) => Item::Reject(origin.reject(reason)),
        })
    }

    /// The next batch; none at the end.
    fn read(&mut self) -> Result<Option<Batch>, String> {
        // The library is meant to answer a damaged file with an error; where it stops instead, that is an error too.
        let broken = |_| "the file is damaged".to_owned();
        if let Some(input) = self.input.take() {
            let file = file(input).map_err(|e| format!("the file cannot be read: {e}"))?;
            self.reader = Some(catch_unwind(AssertUnwindSafe(|| open(file))).map_err(broken)??);
        }
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let next = catch_unwind(AssertUnwindSafe(|| reader.next())).map_err(broken)?;
        let batch = next.transpose().map_err(|e| format!("reading stopped here: {e}; what follows was not read"))?;
        batch.map(|b| Batch::new(&b, &self.names)).transpose()
    }
}

/// A file that can be read from its end.
fn file(input: Input) -> io::Result<File> {
    let Input { mut stream, path } = input;
    let plain = path.as_os_str() != "-" && {
        let mut magic = [0; 4];
        File::open(&path)?.read_exact(&mut magic).is_ok() && magic == *b"PAR1"
    };
    if plain {
        // All bytes go by, for the file's hash.
        io::copy(&mut stream, &mut io::sink())?;
        return File::open(&path);
    }
    let mut file = tempfile::tempfile()?;
    io::copy(&mut stream, &mut file)?;
    file.rewind()?;
    Ok(file)
}

fn open(file: File) -> Result<ParquetRecordBatchReader, String> {
    let failed = |e| format!("not a Parquet file, or a damaged one: {e}");
    let stored = file.metadata().map_err(|e| format!("the file cannot be read: {e}"))?.len();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
    let groups = reader.metadata().row_groups();
    let largest = groups.iter().map(|g| g.total_byte_size().max(0).unsigned_abs()).max().unwrap_or_default();
    if let Some(reason) = bomb(stored, largest) {
        return Err(reason);
    }
    reader.with_batch_size(BATCH).build().map_err(failed)
}

impl Batch {
    fn new(batch: &RecordBatch, names: &Columns) -> Result<Self, String> {
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            match column.data_type() {
                // The fields of a group are columns with dotted names.
                DataType::Struct(fields) => {
                    let group = column.as_struct();
                    let inner = fields.iter().zip(group.columns()).filter(|_| group.null_count() == 0);
                    columns
                        .extend(inner.map(|(f, c)| (names.ours(&format!("{}.{}", field.name(), f.name())), c.clone())));
                }
                _ => columns.push((names.ours(field.name()), column.clone())),
            }
        }
        let find = |name: &str| columns.iter().position(|(n, _)| n == name);
        let missing: Vec<&str> = NEEDED.into_iter().filter(|n| find(n).is_none()).collect();
        if !missing.is_empty() {
            return Err(format!(
                "not a transcript table: there is no column {}; one row a turn is expected, and --map {}=NAME says what a column is called",
                missing.join(", "),
                missing[0]
            ));
        }
        let places = NEEDED.map(|n| find(n).unwrap_or_default());
        let [turn, at, agent] = ["turn", "at", "agent_id"].map(find);
        Ok(Self { turn, at, agent, places, length: batch.num_rows(), next: 0, columns })
    }

    fn text(&self, column: usize, row: usize) -> Result<Option<String>, String> {
        let (name, array) = &self.columns[column];
        match value(array, row) {
            Ok(Value::Null) => Ok(None),
            Ok(Value::String(text)) => Ok(Some(text)),
            Ok(other) => Ok(Some(other.to_string())),
            Err(()) => Err(format!("column {name} is of the type {}; text or numbers are needed", array.data_type())),
        }
    }

    fn add(&self, group: &mut Group, names: &Columns, row: usize) -> Result<(), String> {
        let needed = |i: usize| self.text(self.places[i], row)?.ok_or_else(|| format!("{} is empty", NEEDED[i]));
        let optional = |column: Option<usize>| -> Result<Option<String>, String> {
            Ok(column.map(|c| self.text(c, row)).transpose()?.flatten().filter(|t| !t.is_empty()))
        };
        let number = match self.turn {
            Some(turn) => {
                let number = self.text(turn, row)?.ok_or("turn is empty")?;
                number.trim().parse().map_err(|_| NOT_A_NUMBER.to_owned())?
            }
            None => group.turns.len() as u64,
        };
        let role = needed(1)?;
        let turn = RawTurn {
            role: names.role(&role).map_or(role, str::to_owned),
            text: self.text(self.places[2], row)?.unwrap_or_default(),
            at: optional(self.at)?,
            until: None,
            agent_id: optional(self.agent)?,
        };
        group.turns.push((number, turn));
        for (name, array) in self.columns.iter().filter(|(n, _)| !OURS.contains(&n.as_str())) {
            // A list says nothing that a segment could be.
            if let Ok(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) = value(array, row)
                && value != ""
                && !group.attributes.contains_key(name)
            {
                group.attributes.insert(name.clone(), value);
            }
        }
        Ok(())
    }
}

/// A cell as text, number or truth value; null where there is none.
fn value(array: &ArrayRef, row: usize) -> Result<Value, ()> {
    use DataType as T;
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    macro_rules! primitive {
        ($kind:ident) => {
            Value::from(array.as_primitive::<types::$kind>().value(row))
        };
    }
    Ok(match array.data_type() {
        T::Null => Value::Null,
        T::Utf8 => Value::from(array.as_string::<i32>().value(row)),
        T::LargeUtf8 => Value::from(array.as_string::<i64>().value(row)),
        T::Utf8View => Value::from(array.as_string_view().value(row)),
        T::Boolean => Value::from(array.as_boolean().value(row)),
        T::Int8 => primitive!(Int8Type),
        T::Int16 => primitive!(Int16Type),
        T::Int32 => primitive!(Int32Type),
        T::Int64 => primitive!(Int64Type),
        T::UInt8 => primitive!(UInt8Type),
        T::UInt16 => primitive!(UInt16Type),
        T::UInt32 => primitive!(UInt32Type),
        T::UInt64 => primitive!(UInt64Type),
        T::Float32 => primitive!(Float32Type),
        T::Float64 => primitive!(Float64Type),
        T::Date32 => {
            let days = i64::from(array.as_primitive::<types::Date32Type>().value(row));
            let day = Timestamp::from_second(days.saturating_mul(86_400)).map_err(|_| ())?;
            Value::from(day.to_string()[..10].to_owned())
        }
        T::Timestamp(unit, _) => Value::from(timestamp(array, *unit, row).ok_or(())?),
        T::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = dictionary.normalized_keys().get(row).copied().ok_or(())?;
            return value(dictionary.values(), key);
        }
        _ => return Err(()),
    })
}

fn timestamp(array: &ArrayRef, unit: TimeUnit, row: usize) -> Option<String> {
    let at = match unit {
        TimeUnit::Second => Timestamp::from_second(array.as_primitive::<types::TimestampSecondType>().value(row)),
        TimeUnit::Millisecond => {
            Timestamp::from_millisecond(array.as_primitive::<types::TimestampMillisecondType>().value(row))
        }
        TimeUnit::Microsecond => {
            Timestamp::from_microsecond(array.as_primitive::<types::TimestampMicrosecondType>().value(row))
        }
        TimeUnit::Nanosecond => {
            Timestamp::from_nanosecond(array.as_primitive::<types::TimestampNanosecondType>().value(row).into())
        }
    };
    at.ok().map(|t| t.to_string())
}

impl Iterator for Rows {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if self.done {
                return self.close();
            }
            let Some(batch) = &mut self.batch else {
                match self.read() {
                    Ok(Some(batch)) => self.batch = Some(batch),
                    Ok(None) => self.done = true,
                    Err(reason) => return Some(self.stop(reason)),
                }
                continue;
            };
            if batch.next == batch.length {
                self.batch = None;
                continue;
            }
            let row = batch.next;
            batch.next += 1;
            self.rows += 1;
            let id = match batch.text(batch.places[0], row) {
                Ok(id) => id.unwrap_or_default().into_bytes(),
                Err(reason) => return Some(self.stop(reason)),
            };
            let same = self.open.as_ref().is_some_and(|g| g.id == id);
            let closed = if same { None } else { self.close() };
            let line = self.rows;
            if let Some(batch) = &self.batch {
                let group = self.open.get_or_insert_with(|| Group::new(&id, line));
                let bytes = batch.text(batch.places[2], row).ok().flatten().map_or(0, |t| t.len());
                group.add(64 + bytes, line, |g| batch.add(g, &self.names, row));
            }
            if closed.is_some() {
                return closed;
            }
        }
    }
}
