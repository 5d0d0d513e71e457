//! Rows of JSON as Parquet. In: rows, seen once to learn their shape and once to be written. Out: a Parquet file, the same bytes for the same rows.
//!
//! An object is a group, a list a list; a value that is a number here and text there is text, and so is one that is a scalar here and an object there.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value};

/// Rows that are held before they are written.
const BATCH: usize = 4096;
/// Rows of a row group: what a writer holds, and what a reader can leave out.
const GROUP: usize = 1 << 16;

/// What is known of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Nothing yet.
    Unknown,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// Text, or anything as text.
    Text,
    /// A list.
    List(Box<Shape>),
    /// An object, its fields in the order in which they came.
    Group(Vec<(String, Shape)>),
}

impl Shape {
    /// The shape of one value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Unknown,
            Value::Bool(_) => Self::Bool,
            Value::Number(n) if n.is_i64() => Self::Int,
            Value::Number(_) => Self::Float,
            Value::String(_) => Self::Text,
            Value::Array(items) => {
                let mut inner = Self::Unknown;
                items.iter().for_each(|i| inner.take(Self::of(i)));
                Self::List(Box::new(inner))
            }
            Value::Object(fields) => Self::Group(fields.iter().map(|(k, v)| (k.clone(), Self::of(v))).collect()),
        }
    }

    /// Widens the shape, so that it holds what `other` holds too.
    pub fn take(&mut self, other: Self) {
        match (&mut *self, other) {
            (_, Self::Unknown) => {}
            (Self::Unknown, other) => *self = other,
            (Self::Group(ours), Self::Group(theirs)) => {
                for (name, shape) in theirs {
                    match ours.iter_mut().find(|(n, _)| *n == name) {
                        Some((_, own)) => own.take(shape),
                        None => ours.push((name, shape)),
                    }
                }
            }
            (Self::List(ours), Self::List(theirs)) => ours.take(*theirs),
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => *self = Self::Float,
            (ours, theirs) if *ours == theirs => {}
            _ => *self = Self::Text,
        }
    }

    fn data_type(&self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Unknown | Self::Text => DataType::Utf8,
            Self::List(inner) => DataType::List(Arc::new(Field::new("item", inner.data_type(), true))),
            // A group without fields cannot be written.
            Self::Group(fields) if fields.is_empty() => DataType::Utf8,
            Self::Group(fields) => DataType::Struct(arrow_fields(fields)),
        }
    }

    /// A column of values; those that are absent are null.
    fn column(&self, values: &[Option<&Value>]) -> ArrayRef {
        match self {
            Self::Bool => Arc::new(values.iter().map(|v| v.and_then(Value::as_bool)).collect::<BooleanArray>()),
            Self::Int => Arc::new(values.iter().map(|v| v.and_then(Value::as_i64)).collect::<Int64Array>()),
            Self::Float => Arc::new(values.iter().map(|v| v.and_then(Value::as_f64)).collect::<Float64Array>()),
            Self::List(inner) => list(inner, values),
            Self::Group(fields) if !fields.is_empty() => group(fields, values),
            Self::Unknown | Self::Text | Self::Group(_) => {
                Arc::new(values.iter().map(|v| v.and_then(text)).collect::<StringArray>())
            }
        }
    }
}

fn arrow_fields(fields: &[(String, Shape)]) -> Fields {
    fields.iter().map(|(name, shape)| Field::new(name, shape.data_type(), true)).collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn list(inner: &Shape, values: &[Option<&Value>]) -> ArrayRef {
    let items = |v: &Option<&Value>| v.and_then(|v| v.as_array().cloned());
    let lists: Vec<Option<Vec<Value>>> = values.iter().map(items).collect();
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(|l| l.as_ref().map_or(0, Vec::len)));
    let nulls: NullBuffer = lists.iter().map(Option::is_some).collect::<Vec<bool>>().into();
    let flat: Vec<Option<&Value>> = lists.iter().flatten().flatten().map(Some).collect();
    let field = Arc::new(Field::new("item", inner.data_type(), true));
    Arc::new(ListArray::new(field, offsets, inner.column(&flat), Some(nulls)))
}

fn group(fields: &[(String, Shape)], values: &[Option<&Value>]) -> ArrayRef {
    let objects: Vec<Option<&Map<String, Value>>> = values.iter().map(|v| v.and_then(Value::as_object)).collect();
    let nulls: NullBuffer = objects.iter().map(Option::is_some).collect::<Vec<bool>>().into();
    let column = |(name, shape): &(String, Shape)| {
        shape.column(&objects.iter().map(|o| o.and_then(|o| o.get(name))).collect::<Vec<_>>())
    };
    Arc::new(StructArray::new(arrow_fields(fields), fields.iter().map(column).collect(), Some(nulls)))
}

/// Writes rows of a known shape.
pub struct ParquetTable<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: Arc<Schema>,
    fields: Vec<(String, Shape)>,
    rows: Vec<Value>,
}

impl<W: Write + Send> ParquetTable<W> {
    /// Begins a file of rows that are objects of this shape.
    ///
    /// # Errors
    /// When the beginning cannot be written.
    pub fn create(file: W, shape: &Shape) -> io::Result<Self> {
        let fields = match shape {
            Shape::Group(fields) => fields.clone(),
            _ => Vec::new(),
        };
        let schema = Arc::new(Schema::new(arrow_fields(&fields)));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP))
            .build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(io::Error::other)?;
        Ok(Self { writer, schema, fields, rows: Vec::with_capacity(BATCH) })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn row(&mut self, row: Value) -> io::Result<()> {
        self.rows.push(row);
        if self.rows.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let column =
            |(name, shape): &(String, Shape)| shape.column(&rows.iter().map(|r| r.get(name)).collect::<Vec<_>>());
        let columns = self.fields.iter().map(column).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(io::Error::other)?;
        self.writer.write(&batch).map_err(io::Error::other)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When the rest cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        self.writer.into_inner().map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shapes_widen_to_what_holds_both() {
        let mut shape = Shape::of(&json!({"a": 1, "b": null, "c": [], "d": 1, "e": {"x": true}}));
        shape.take(Shape::of(&json!({"a": 1.5, "b": "t", "c": [{"k": 1}], "d": "x", "e": "flat", "f": null})));
        let want = vec![
            ("a".to_owned(), Shape::Float),
            ("b".to_owned(), Shape::Text),
            ("c".to_owned(), Shape::List(Box::new(Shape::Group(vec![("k".to_owned(), Shape::Int)])))),
            ("d".to_owned(), Shape::Text),
            ("e".to_owned(), Shape::Text),
            ("f".to_owned(), Shape::Unknown),
        ];
        assert_eq!(shape, Shape::Group(want));
    }

    #[test]
    fn every_kind_of_row_can_be_written_alike() {
        let rows = [
            json!({"a": 1, "l": [1, 2], "g": {"x": "y"}, "n": {}}),
            json!({"a": null, "l": null, "g": null}),
            json!({}),
        ];
        let mut shape = Shape::Unknown;
        rows.iter().for_each(|r| shape.take(Shape::of(r)));
        let write = || {
            let mut table = ParquetTable::create(Vec::new(), &shape).unwrap();
            rows.iter().for_each(|r| table.row(r.clone()).unwrap());
            table.finish().unwrap()
        };
        let bytes = write();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1") && bytes == write());
    }
}
