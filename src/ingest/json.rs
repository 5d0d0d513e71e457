//! The tools' JSON exports. In: a stream of JSON objects. Out: records and rejects; the tool's own file says what an object means.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::documents::{Documents, Piece};
use super::{Columns, Item, Origin, Record, Stream};

/// What a tool's file needs to know beside the object.
pub(super) struct Place<'a> {
    /// The id of an object that has none of its own.
    pub(super) id: String,
    /// The user's names.
    pub(super) columns: &'a Columns,
}

/// Makes a record of one object.
pub(super) type Convert = fn(&[u8], &Place<'_>) -> Result<Record, Fault>;

/// Why an object is no transcript.
pub(super) enum Fault {
    /// The reason, without text of the object.
    Reason(String),
    /// It is not of the shape that is needed, which the text says.
    Shape(serde_json::Error, &'static str),
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::Reason(reason)
    }
}

impl Fault {
    /// The reason, for an object that begins in `line`.
    pub(super) fn reason(&self, line: u64) -> String {
        match self {
            Self::Reason(reason) => reason.clone(),
            Self::Shape(e, needed) => explain(e, line, needed),
        }
    }
}

/// Reads a stream object by object.
pub(super) struct Objects {
    documents: Documents,
    source: Arc<str>,
    name: String,
    columns: Columns,
    seen: u64,
    convert: Convert,
}

impl Objects {
    /// `lists` are the names under which the tool's answer holds its list; `name` is the id of an object without one.
    pub(super) fn new(
        stream: Stream,
        source: Arc<str>,
        name: &str,
        columns: &Columns,
        lists: &'static [&'static str],
        convert: Convert,
    ) -> Self {
        let documents = Documents::new(stream, lists);
        Self { documents, source, name: name.to_owned(), columns: columns.clone(), seen: 0, convert }
    }
}

impl Iterator for Objects {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let (line, piece) = self.documents.next()?;
        let origin = Origin { source: self.source.clone(), line };
        self.seen += 1;
        let id = if self.seen == 1 { self.name.clone() } else { format!("{}-{}", self.name, self.seen) };
        let place = Place { id, columns: &self.columns };
        Some(match piece {
            Piece::Fault(reason) => Item::Reject(origin.reject(reason)),
            Piece::Object(bytes) => match (self.convert)(bytes, &place) {
                Ok(record) => {
                    let attributes = self.columns.attributes(record.attributes);
                    Item::Record(Record { attributes, origin, ..record })
                }
                Err(fault) => Item::Reject(origin.reject(fault.reason(line))),
            },
        })
    }
}

/// An object of a known shape.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8], needed: &'static str) -> Result<T, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|e| utf8(e.valid_up_to()))?;
    serde_json::from_str(text).map_err(|e| Fault::Shape(e, needed))
}

/// The reason where text is not UTF-8 from a byte on.
pub(super) fn utf8(at: usize) -> String {
    format!("invalid UTF-8 at byte {at} of the record; save the file as UTF-8")
}

/// serde's reason without the text of the record, which may be confidential.
pub(super) fn explain(e: &serde_json::Error, line: u64, needed: &str) -> String {
    use serde_json::error::Category;
    let (line, column) = (line + (e.line() as u64).saturating_sub(1), e.column());
    let place = format!("at line {line}, column {column}");
    match e.classify() {
        Category::Eof => super::documents::CUT.to_owned(),
        Category::Syntax if e.to_string().contains("recursion limit") => "JSON is nested more than 128 deep".to_owned(),
        Category::Syntax => format!("not valid JSON {place}"),
        _ => {
            let reason = e.to_string();
            // The name of a field is the schema's, not the record's.
            match reason.strip_prefix("missing field `").and_then(|r| r.split_once('`')) {
                Some((field, _)) => format!("missing field `{field}`; {needed}"),
                None => format!("wrong type {place}; {needed}"),
            }
        }
    }
}

/// Text, or a number as text; none where there is nothing.
pub(super) fn scalar<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(d)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => Ok(Some(s).filter(|s| !s.is_empty())),
        Some(Value::Number(n)) => Ok(Some(n.to_string())),
        Some(Value::Bool(b)) => Ok(Some(b.to_string())),
        Some(_) => Err(serde::de::Error::custom("neither text nor a number")),
    }
}

/// Puts a scalar among the attributes.
pub(super) fn put(attributes: &mut Map<String, Value>, name: &str, value: Option<&Value>) {
    if let Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) = value
        && value != ""
    {
        attributes.insert(name.to_owned(), value.clone());
    }
}

/// A moment after the epoch, as text.
pub(super) fn moment(microseconds: i64) -> Option<String> {
    Timestamp::from_microsecond(microseconds).ok().map(|t| t.to_string())
}

/// A time on a recording's own clock, as text: the epoch stands for its beginning.
pub(super) fn offset(seconds: f64) -> Option<String> {
    (seconds.is_finite() && (0.0..1e8).contains(&seconds)).then(|| moment((seconds * 1e6).round() as i64))?
}
