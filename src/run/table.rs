//! From a run folder or a CSV file to a table of cases. In: paths and names of columns. Out: a [`Frame`].

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::output::RunError;
use crate::findings::{RULES, is_about_company};
use crate::tally::{Attribute, Frame, Outcome, Values};

/// The measures of a run beside its rules: (name, meaning, whether it is 0/1, where it stands in the row).
const MEASURES: &[(&str, &str, bool, &str)] = &[
    ("sentiment-start", "The customer's sentiment in their first turn, −1 to 1", false, "/sentiment/start"),
    ("sentiment-end", "The customer's sentiment in their last turn, −1 to 1", false, "/sentiment/end"),
    ("sentiment-change", "The customer's sentiment at the end less that at the start", false, "change"),
    ("first-response", "Seconds until the first reply", false, "/measures/first_response_seconds"),
    ("company-turns", "Turns of the company", false, "/measures/company_turns"),
    ("compensated", "Money, credit or a replacement given after a problem", true, "/measures/compensated"),
    ("compensation", "The largest amount given after a problem, 0 where nothing was", false, "/measures/compensation"),
    ("informal-share", "Share of the company's turns in a casual tone", false, "/measures/informal_share"),
];

/// Reads the transcripts of a run, with the attributes named, one more if it is there, and the outcomes named, or all.
pub(super) fn from_run(
    run: &Path,
    attributes: &[String],
    optional: Option<&str>,
    outcomes: &[String],
) -> Result<Frame, RunError> {
    let path = run.join("transcripts.jsonl");
    let file = File::open(&path).map_err(|_| RunError::NoRun(run.to_path_buf()))?;
    let mut wanted: Vec<(Outcome, &str)> = Vec::new();
    for rule in RULES {
        let meaning = if rule.context {
            "Conversations with an insult by the customer"
        } else {
            "Conversations with this finding"
        };
        wanted.push((outcome(rule.id, meaning, true), ""));
    }
    for (name, meaning, share, at) in MEASURES {
        wanted.push((outcome(name, meaning, *share), at));
    }
    choose(&mut wanted, outcomes)?;
    let optional = optional.filter(|o| !attributes.iter().any(|a| a == o));
    let columns = attributes.iter().map(String::as_str).chain(optional).map(Attribute::new).collect();
    let mut frame = Frame { attributes: columns, ..Frame::default() };
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (i, line) in BufReader::with_capacity(1 << 20, file).lines().enumerate() {
        let line = line.map_err(RunError::io(&path))?;
        let row: Value = serde_json::from_str(&line).map_err(|_| table_error(&path, i + 1, "not a row of a run"))?;
        let Some(object) = row.as_object() else { return Err(table_error(&path, i + 1, "not a row of a run")) };
        names(object, "", &mut known);
        frame.rows += 1;
        frame.ids.push(object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned());
        for a in &mut frame.attributes {
            let value = find(object, &a.name);
            a.push(value.as_deref());
        }
        for (o, at) in &mut wanted {
            push_value(o, at, &row);
        }
    }
    for a in attributes {
        if !known.contains(a) {
            return Err(unknown("attribute", a, known.into_iter()));
        }
    }
    frame.attributes.retain(|a| known.contains(&a.name));
    frame.outcomes = wanted.into_iter().map(|(o, _)| o).collect();
    Ok(frame)
}

fn outcome(name: &str, meaning: &str, share: bool) -> Outcome {
    let values = if share { Values::Shares(Vec::new()) } else { Values::Numbers(Vec::new()) };
    Outcome { name: name.to_owned(), meaning: meaning.to_owned(), welcome: Some(name == "compensated"), values }
}

fn choose(wanted: &mut Vec<(Outcome, &str)>, outcomes: &[String]) -> Result<(), RunError> {
    for o in outcomes {
        if !wanted.iter().any(|(w, _)| w.name == *o) {
            return Err(unknown("outcome", o, wanted.iter().map(|(w, _)| w.name.clone())));
        }
    }
    if !outcomes.is_empty() {
        wanted.retain(|(w, _)| outcomes.contains(&w.name));
    }
    Ok(())
}

fn push_value(outcome: &mut Outcome, at: &str, row: &Value) {
    match &mut outcome.values {
        Values::Shares(values) if at.is_empty() => {
            values.push(match row["rules"][outcome.name.as_str()].as_str() {
                Some("violated") => Some(true),
                Some("ok") => Some(false),
                // What is only about the customer applies to every conversation that was judged.
                _ if !is_about_company(&outcome.name) && row["left_out"].is_null() => Some(false),
                _ => None,
            });
        }
        Values::Shares(values) => values.push(row.pointer(at).and_then(Value::as_bool)),
        Values::Numbers(values) if at == "change" => {
            let of = |name: &str| row["sentiment"][name].as_f64();
            values.push(of("end").zip(of("start")).map(|(end, start)| end - start));
        }
        Values::Numbers(values) => values.push(row.pointer(at).and_then(Value::as_f64)),
    }
}

/// The dotted names of all attributes of a row.
pub(super) fn names(object: &Map<String, Value>, before: &str, out: &mut BTreeSet<String>) {
    for (name, value) in object {
        let full = format!("{before}{name}");
        match value {
            Value::Object(inner) if before.is_empty() && full == "measures" => {
                if inner.get("month").is_some_and(Value::is_string) {
                    out.insert("month".to_owned());
                }
            }
            _ if before.is_empty() && ["id", "rules", "sentiment", "measures", "left_out"].contains(&name.as_str()) => {
            }
            Value::Object(inner) => names(inner, &format!("{full}."), out),
            Value::Array(_) => {}
            _ => {
                out.insert(full);
            }
        }
    }
}

/// The value of an attribute by its dotted name.
pub(super) fn find(object: &Map<String, Value>, name: &str) -> Option<String> {
    if name == "month" && !object.contains_key("month") {
        return object.get("measures")?.get("month")?.as_str().map(str::to_owned);
    }
    let direct = object.get(name);
    let value = direct.or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        object.get(outer)?.get(inner)
    })?;
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Null | Value::Object(_) | Value::Array(_) => None,
        other => Some(other.to_string()),
    }
}

/// Reads a CSV file with a header: attributes, one more if it is there, outcomes that are 0/1 or numbers, and how many cases a row
/// stands for.
pub(super) fn from_csv(
    path: &Path,
    attributes: &[String],
    optional: Option<&str>,
    outcomes: &[String],
    count: Option<&str>,
) -> Result<Frame, RunError> {
    let file = File::open(path).map_err(RunError::io(path))?;
    let mut reader = csv::ReaderBuilder::new().from_reader(BufReader::with_capacity(1 << 20, file));
    let headers = reader.headers().map_err(|e| table_error(path, 1, &e.to_string()))?.clone();
    let place = |name: &str| {
        let here = headers.iter().position(|h| h.trim().trim_start_matches('\u{feff}') == name);
        here.ok_or_else(|| unknown("column", name, headers.iter().map(str::to_owned)))
    };
    let mut attributes = attributes.to_vec();
    attributes.extend(optional.filter(|o| !attributes.iter().any(|a| a == o) && place(o).is_ok()).map(str::to_owned));
    let attribute_places = attributes.iter().map(|a| place(a)).collect::<Result<Vec<_>, _>>()?;
    let outcome_places = outcomes.iter().map(|o| place(o)).collect::<Result<Vec<_>, _>>()?;
    let count_place = count.map(place).transpose()?;
    let mut frame = Frame { attributes: attributes.iter().map(|a| Attribute::new(a)).collect(), ..Frame::default() };
    let mut counts = Vec::new();
    let mut columns: Vec<Vec<Option<f64>>> = vec![Vec::new(); outcomes.len()];
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|e| table_error(path, i + 2, &e.to_string()))?;
        let line = record.position().map_or(i + 2, |p| p.line() as usize);
        if let Some(at) = count_place {
            let text = record.get(at).unwrap_or_default().trim();
            let n: u64 = text.parse().map_err(|_| {
                table_error(path, line, &format!("the count {text:?} is not a whole number of 0 or more"))
            })?;
            if n == 0 {
                continue;
            }
            counts.push(n);
        }
        frame.rows += 1;
        for (a, &at) in frame.attributes.iter_mut().zip(&attribute_places) {
            a.push(record.get(at));
        }
        for ((column, &at), name) in columns.iter_mut().zip(&outcome_places).zip(outcomes) {
            let text = record.get(at).unwrap_or_default();
            let value = number(text).map_err(|()| {
                let text: String = text.chars().take(40).collect();
                table_error(path, line, &format!("{text:?} in column {name:?} is neither 0/1 nor a number"))
            })?;
            column.push(value);
        }
    }
    frame.counts = count_place.map(|_| counts);
    frame.outcomes = columns.into_iter().zip(outcomes).map(|(column, name)| typed(name, column)).collect();
    Ok(frame)
}

fn number(text: &str) -> Result<Option<f64>, ()> {
    match text.trim().to_lowercase().as_str() {
        "" | "n/a" | "na" | "null" | "nan" | "none" => Ok(None),
        "true" | "yes" | "violated" => Ok(Some(1.0)),
        "false" | "no" | "ok" => Ok(Some(0.0)),
        other => other.parse::<f64>().ok().filter(|v| v.is_finite()).map(Some).ok_or(()),
    }
}

fn typed(name: &str, column: Vec<Option<f64>>) -> Outcome {
    let share = column.iter().flatten().all(|v| *v == 0.0 || *v == 1.0);
    let values = if share {
        Values::Shares(column.into_iter().map(|v| v.map(|v| v == 1.0)).collect())
    } else {
        Values::Numbers(column)
    };
    let meaning = if share { "Rows with a 1" } else { "The value of the column" };
    Outcome { name: name.to_owned(), meaning: meaning.to_owned(), welcome: None, values }
}

pub(super) fn table_error(path: &Path, line: usize, reason: &str) -> RunError {
    RunError::Table { path: path.to_path_buf(), line, reason: reason.to_owned() }
}

/// What is not there, and what is.
pub(super) fn unknown(what: &'static str, name: &str, known: impl Iterator<Item = String>) -> RunError {
    let known: Vec<String> = known.take(40).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    RunError::Unknown { what, name: name.to_owned(), known }
}

/// A finding's quote with the transcript it stands in.
pub(super) struct Quoted {
    pub(super) transcript: String,
    pub(super) rule: String,
    pub(super) quote: String,
}

/// The findings of a run, one after another.
pub(super) fn quotes(run: &Path) -> Result<impl Iterator<Item = Result<Quoted, RunError>>, RunError> {
    let path: PathBuf = run.join("findings.jsonl");
    let file = File::open(&path).map_err(RunError::io(&path))?;
    Ok(BufReader::with_capacity(1 << 20, file).lines().enumerate().map(move |(i, line)| {
        let line = line.map_err(RunError::io(&path))?;
        let row: Value = serde_json::from_str(&line).map_err(|_| table_error(&path, i + 1, "not a row of a run"))?;
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        Ok(Quoted { transcript: text("transcript_id"), rule: text("rule"), quote: text("quote") })
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn csv(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        fs::write(&path, text).unwrap();
        (dir, path)
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn what_is_about_the_customer_applies_to_every_conversation() {
        let dir = tempfile::tempdir().unwrap();
        let row = |id: &str, verdict: &str, more: &str| {
            format!(
                "{{\"id\":\"{id}\",\"channel\":\"chat\",\"rules\":{{\"abusive-customer\":\"{verdict}\",\"blame\":\"{verdict}\"}}{more}}}\n"
            )
        };
        let rows = [row("a", "violated", ""), row("b", "n/a", ""), row("c", "n/a", ",\"left_out\":\"language\"")];
        fs::write(dir.path().join("transcripts.jsonl"), rows.concat()).unwrap();
        let f = from_run(dir.path(), &names(&["channel"]), None, &names(&["abusive-customer", "blame"])).unwrap();
        let of = |name: &str| f.outcomes.iter().find(|o| o.name == name).unwrap().values.clone();
        assert_eq!(of("abusive-customer"), Values::Shares(vec![Some(true), Some(false), None]));
        assert_eq!(of("blame"), Values::Shares(vec![Some(true), None, None]));
    }

    #[test]
    fn an_aggregated_table_is_read_with_its_counts() {
        let (_dir, path) = csv("sex,y,n\nm,1,10\nf,0,3\nf,,2\nm,0,0\n");
        let f = from_csv(&path, &names(&["sex"]), None, &names(&["y"]), Some("n")).unwrap();
        assert_eq!((f.rows, f.counts), (3, Some(vec![10, 3, 2])));
        assert_eq!(f.outcomes[0].values, Values::Shares(vec![Some(true), Some(false), None]));
    }

    #[test]
    fn what_cannot_be_read_names_line_and_next_step() {
        for (text, outcome, count, want) in [
            ("a,y\nx,blue\n", "y", None, "line 2: \"blue\" in column \"y\" is neither 0/1 nor a number"),
            ("a,y,n\nx,1,-3\n", "y", Some("n"), "line 2: the count \"-3\" is not a whole number"),
            ("a,y\nx,1\n", "z", None, "no column is called \"z\"; there are: a, y"),
        ] {
            let (_dir, path) = csv(text);
            let error = from_csv(&path, &names(&["a"]), None, &names(&[outcome]), count).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
