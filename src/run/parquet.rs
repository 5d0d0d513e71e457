//! The run's tables as Parquet beside the JSON Lines. In: a table that is written. Out: the same rows in the other format.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::folder::Folder;
use super::output::RunError;
use crate::findings::RULES;
use crate::reports::{ParquetTable, Shape};
use crate::signals::Label;

/// Writes each table of a run that is being written.
pub(super) fn tables(folder: &Folder) -> Result<(), RunError> {
    for name in ["transcripts", "turns", "findings", "rejects"] {
        from_jsonl(&folder.path(&format!("{name}.jsonl")), &folder.path(&format!("{name}.parquet")), name)?;
    }
    Ok(())
}

/// Writes the rows of `from` to `to`.
fn from_jsonl(from: &Path, to: &Path, table: &str) -> Result<(), RunError> {
    let mut shape = Shape::of(&pattern(table));
    each(from, |row| {
        shape.take(Shape::of(&row));
        Ok(())
    })?;
    let file = File::create(to).map_err(RunError::io(to))?;
    let mut table = ParquetTable::create(file, &shape).map_err(RunError::io(to))?;
    each(from, |row| table.row(row).map_err(RunError::io(to)))?;
    let file = table.finish().map_err(RunError::io(to))?;
    file.sync_all().map_err(RunError::io(to))
}

fn each(path: &Path, mut take: impl FnMut(Value) -> Result<(), RunError>) -> Result<(), RunError> {
    let file = File::open(path).map_err(RunError::io(path))?;
    for line in BufReader::with_capacity(1 << 17, file).lines() {
        let line = line.map_err(RunError::io(path))?;
        let damaged = |_| RunError::Io { path: path.to_path_buf(), source: io::Error::other("a row is damaged") };
        take(serde_json::from_str(&line).map_err(damaged)?)?;
    }
    Ok(())
}

/// A row with every field that each row of the table has, so that a table without rows, or without one of the values, has its columns all the same.
fn pattern(table: &str) -> Value {
    let each = |names: Vec<&str>, value: &Value| -> Value {
        Value::Object(names.into_iter().map(|n| (n.to_owned(), value.clone())).collect::<Map<_, _>>())
    };
    match table {
        "transcripts" => {
            let rules = each(RULES.iter().map(|r| r.id).collect(), &json!(""));
            json!({"id": "", "rules": rules, "sentiment": {"start": 0.5, "end": 0.5, "low": 0.5},
                "measures": {"first_response_seconds": 0.5, "company_turns": 0, "compensated": true, "compensation": 0.5,
                    "informal_share": 0.5, "month": ""},
                "language": "", "roles": {"doubt": 0.5, "why": ""}, "left_out": ""})
        }
        "turns" => {
            let scores = each(Label::ALL.into_iter().map(Label::name).collect(), &json!(0.5));
            json!({"transcript_id": "", "turn": 0, "role": "", "agent_id": "", "sentiment": "", "labels": [""], "scores": scores})
        }
        "findings" => json!({"transcript_id": "", "rule": "", "turns": [0], "quote": "", "span": [0], "severity": "",
            "confidence": 0.5, "agent_id": "", "why": "", "suggestion": ""}),
        _ => json!({"source": "", "line": 0, "reason": ""}),
    }
}
