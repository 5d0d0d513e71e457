//! Reading a label file. In: JSON Lines, or CSV with one label a row or with a column for each rule. Out: line by line a label, a drawn
//! conversation, or the reason why it is neither.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::cell::restored;
use super::{Answer, Label, LabelsError, Unit, rulebook};
use crate::findings::RULES;
use crate::ingest;

/// The largest file, in bytes: people write labels.
const MAX_BYTES: u64 = 1 << 30;
/// The longest text of a field, in characters.
const MAX_FIELD: usize = 10_000;

/// One thing that a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A label.
    Label(Label),
    /// A drawn conversation.
    Unit(Unit),
    /// The sample that a row of a sheet says it was drawn with.
    Drawn(String),
    /// Neither: why, and what stood there.
    Unread(String, String),
}

/// Reads a file: what it says, each with its line from 1. `reviewer` is who labelled where the file does not say.
///
/// # Errors
/// When the file cannot be read, or is neither JSON Lines nor a table of labels.
pub fn read(path: &Path, reviewer: Option<&str>) -> Result<Vec<(u64, Line)>, LabelsError> {
    let failed = |source| LabelsError::Read { path: path.to_path_buf(), source };
    let wrong = |reason: String| LabelsError::NotLabels { path: path.to_path_buf(), reason };
    if fs::metadata(path).map_err(failed)?.len() > MAX_BYTES {
        return Err(wrong("larger than 1 GB; split it".to_owned()));
    }
    let bytes = fs::read(path).map_err(failed)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let json = bytes.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| *b == b'{');
    let book = rulebook();
    let defaults = Defaults { reviewer, rulebook: &book };
    if json { Ok(lines(bytes, &defaults)) } else { table(bytes, &defaults).map_err(wrong) }
}

struct Defaults<'a> {
    reviewer: Option<&'a str>,
    rulebook: &'a str,
}

/// The fields of one row, whatever its format.
type Row<'a> = &'a dyn Fn(&str) -> Option<String>;

fn lines(bytes: &[u8], defaults: &Defaults<'_>) -> Vec<(u64, Line)> {
    let mut out = Vec::new();
    for (i, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let number = i as u64 + 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let text = String::from_utf8_lossy(line).into_owned();
        match serde_json::from_slice::<Map<String, Value>>(line) {
            Ok(row) => {
                let field = |name: &str| match row.get(name)? {
                    Value::Null => None,
                    Value::String(s) => Some(s.clone()),
                    other => Some(other.to_string()),
                };
                take(&field, defaults, number, &text, &mut out);
            }
            Err(_) => out.push((number, Line::Unread("not a JSON object".to_owned(), text))),
        }
    }
    out
}

/// What one row with an `id`, and perhaps a `rule`, says.
fn take(field: Row<'_>, defaults: &Defaults<'_>, line: u64, content: &str, out: &mut Vec<(u64, Line)>) {
    out.extend(drawn(field).map(|sample| (line, sample)));
    let unread = |reason: String| (line, Line::Unread(reason, content.to_owned()));
    match unit(field) {
        Ok(Some(unit)) => out.push((line, Line::Unit(unit))),
        Ok(None) if field("rule").is_none() && field("design").as_deref() != Some("calibration") => {
            out.push(unread("neither a label (id, rule, value) nor a drawn conversation".to_owned()));
        }
        Ok(None) => {}
        Err(reason) => out.push(unread(reason)),
    }
    if let Some(rule) = field("rule") {
        out.push(
            match field("value").ok_or_else(|| "no value".to_owned()).and_then(|v| label(field, &rule, &v, defaults)) {
                Ok(label) => (line, Line::Label(label)),
                Err(reason) => unread(reason),
            },
        );
    }
}

fn table(bytes: &[u8], defaults: &Defaults<'_>) -> Result<Vec<(u64, Line)>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(ingest::delimiter(bytes)).from_reader(bytes);
    let headers: Vec<String> = match reader.byte_headers() {
        Ok(h) => h.iter().map(|h| named(restored(String::from_utf8_lossy(h).trim()))).collect(),
        Err(e) => return Err(e.to_string()),
    };
    let has = |name: &str| headers.iter().any(|h| h == name);
    let rules: Vec<&str> = RULES.iter().map(|r| r.id).filter(|r| has(r)).collect();
    let long = has("rule") && has("value");
    if !has("id") || !(long || !rules.is_empty() || has("inclusion_probability")) {
        return Err("not a table of labels: columns id, rule, value and reviewer are needed, or id, reviewer and one column for each rule".to_owned());
    }
    let mut out = Vec::new();
    // Columns that nothing is read from, with whether all they hold are answers; none where they hold nothing.
    let mut answers: Vec<Option<bool>> = vec![None; headers.len()];
    let mut record = csv::ByteRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Err(e) => {
                out.push((line, Line::Unread(format!("reading stopped here: {e}"), String::new())));
                break;
            }
            Ok(true) => {}
        }
        let line = record.position().map_or(line, csv::Position::line);
        let cells: Vec<String> = record.iter().map(|c| String::from_utf8_lossy(c).into_owned()).collect();
        if cells.iter().all(|c| c.trim().is_empty()) {
            continue;
        }
        for (all, cell) in answers.iter_mut().zip(&cells).filter(|(_, c)| !c.trim().is_empty()) {
            *all = Some(all.unwrap_or(true) && Answer::parse(restored(cell)).is_some());
        }
        let content = cells.join(" | ");
        if record.iter().any(|c| std::str::from_utf8(c).is_err()) {
            out.push((
                line,
                Line::Unread("invalid UTF-8; save the file as UTF-8 (in Excel: CSV UTF-8)".to_owned(), content),
            ));
            continue;
        }
        let field = |name: &str| {
            let at = headers.iter().position(|h| h == name)?;
            cells.get(at).map(|c| restored(c).to_owned()).filter(|c| !c.trim().is_empty())
        };
        if long {
            take(&field, defaults, line, &content, &mut out);
        } else {
            wide(&field, &rules, defaults, line, &content, &mut out);
        }
    }
    for (header, all) in headers.iter().zip(answers) {
        let read = long || rules.contains(&header.as_str()) || ["id", "reviewer", "note"].contains(&header.as_str());
        if all == Some(true) && !read {
            let reason = "a column of answers whose name is no rule's; evenhand rules lists them".to_owned();
            out.insert(0, (1, Line::Unread(reason, header.clone())));
        }
    }
    Ok(out)
}

/// A column's name, where a rule is written in another way, such as `Missing apology`, the rule's.
fn named(header: &str) -> String {
    let id = header.to_lowercase().replace([' ', '_'], "-");
    if RULES.iter().any(|r| r.id == id) { id } else { header.to_owned() }
}

/// A row with a column for each rule; an empty cell is not judged.
fn wide(field: Row<'_>, rules: &[&str], defaults: &Defaults<'_>, line: u64, content: &str, out: &mut Vec<(u64, Line)>) {
    out.extend(drawn(field).map(|sample| (line, sample)));
    match unit(field) {
        Ok(Some(unit)) => out.push((line, Line::Unit(unit))),
        Ok(None) => {}
        Err(reason) => out.push((line, Line::Unread(reason, content.to_owned()))),
    }
    // A spreadsheet counts rows, not lines: the conversation is what is found there.
    let whose = id(field).map_or_else(|_| String::new(), |id| format!("{id}, "));
    for rule in rules {
        let Some(value) = field(rule) else { continue };
        out.push(match label(field, rule, &value, defaults) {
            Ok(label) => (line, Line::Label(label)),
            Err(reason) => {
                (line, Line::Unread(format!("{whose}{rule}: {reason}"), format!("{rule} = {value} | {content}")))
            }
        });
    }
}

fn id(field: Row<'_>) -> Result<String, String> {
    let id = field("id").filter(|i| !i.trim().is_empty()).ok_or("no id")?;
    if id.chars().count() > 512 { Err("the id is longer than 512 characters".to_owned()) } else { Ok(id) }
}

/// The sample that a row belongs to, where the row does not itself tell how it was drawn.
fn drawn(field: Row<'_>) -> Option<Line> {
    if field("inclusion_probability").is_some() { None } else { field("sample").map(Line::Drawn) }
}

/// The drawn conversation of a row that has an inclusion probability.
fn unit(field: Row<'_>) -> Result<Option<Unit>, String> {
    let Some(text) = field("inclusion_probability") else { return Ok(None) };
    // Some spreadsheets write a decimal comma.
    let probability: f64 =
        text.trim().replace(',', ".").parse().map_err(|_| "inclusion_probability is not a number".to_owned())?;
    if !(probability > 0.0 && probability <= 1.0) {
        return Err("inclusion_probability is not above 0 and up to 1".to_owned());
    }
    let text = |name: &str| field(name).unwrap_or_default();
    Ok(Some(Unit {
        sample: text("sample"),
        id: id(field)?,
        stratum: text("stratum"),
        probability,
        design: text("design"),
        population: field("population").and_then(|n| n.trim().parse().ok()),
    }))
}

fn label(field: Row<'_>, rule: &str, value: &str, defaults: &Defaults<'_>) -> Result<Label, String> {
    let id = id(field)?;
    let rule = RULES.iter().find(|r| r.id == rule.trim()).ok_or_else(|| {
        format!("no rule is called {:?}; evenhand rules lists them", rule.chars().take(60).collect::<String>())
    })?;
    let short = || value.chars().take(60).collect::<String>();
    let value = Answer::parse(value).ok_or_else(|| format!("{:?} is not violated, ok or n/a", short()))?;
    let reviewer = field("reviewer").or_else(|| defaults.reviewer.map(str::to_owned));
    let reviewer = reviewer.map(|r| r.trim().to_owned()).filter(|r| !r.is_empty());
    let reviewer = reviewer.ok_or("no reviewer; fill the column or give --reviewer")?;
    let note = field("note").unwrap_or_default();
    if reviewer.chars().count() > 512 || note.chars().count() > MAX_FIELD {
        return Err(format!("a name is longer than 512 or a note than {MAX_FIELD} characters"));
    }
    let at = field("at").map(|at| {
        let at = at.trim().to_owned();
        at.parse::<Timestamp>()
            .map(|t| t.to_string())
            .map_err(|_| "at is not a time; write it like 2026-03-01T09:00:00Z")
    });
    Ok(Label {
        id,
        rule: rule.id.to_owned(),
        reviewer,
        value,
        turns: turns(&field("turns").unwrap_or_default())?,
        note,
        at: at.transpose()?,
        rulebook: field("rulebook").unwrap_or_else(|| defaults.rulebook.to_owned()),
    })
}

/// `[3,5]`, `3 5` or `3;5`.
fn turns(text: &str) -> Result<Vec<u64>, String> {
    let parts = text.split(|c: char| "[], ;".contains(c)).filter(|p| !p.is_empty());
    parts.map(|p| p.parse().map_err(|_| "turns are not whole numbers, such as 3 5".to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(u64, Line)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l");
        fs::write(&path, text).unwrap();
        read(&path, None).unwrap()
    }

    fn value(line: &Line) -> String {
        match line {
            Line::Label(l) => format!("{} {} {} {} {:?}", l.id, l.rule, l.reviewer, l.value.name(), l.turns),
            Line::Unit(u) => format!("{} {} {}", u.id, u.stratum, u.probability),
            Line::Drawn(sample) => format!("of {sample}"),
            Line::Unread(reason, _) => reason.clone(),
        }
    }

    #[test]
    fn labels_are_read_from_lines_rows_and_sheets() {
        let lines = parsed(
            "{\"id\":7,\"rule\":\"blame\",\"reviewer\":\"ana\",\"value\":\"N/A\",\"turns\":[2,4],\"inclusion_probability\":0.25,\"stratum\":\"x\"}\n\n{\"id\":\"b\"}\n[1]\n",
        );
        assert_eq!(
            lines.iter().map(|(n, l)| (*n, value(l))).collect::<Vec<_>>(),
            [
                (1, "7 x 0.25".to_owned()),
                (1, "7 blame ana n/a [2, 4]".to_owned()),
                (3, "neither a label (id, rule, value) nor a drawn conversation".to_owned()),
                (4, "not a JSON object".to_owned()),
            ]
        );
        let long = parsed("\u{feff}id;rule;value;reviewer;turns\n'=7;blame;ok;'-ben;3 5\n");
        assert_eq!(value(&long[0].1), "=7 blame -ben ok [3, 5]");
        let sheet =
            parsed("id,reviewer,blame,cold-open,note\nc1,ana,violated,,\"two\nlines\"\nc2,ana,maybe,n/a,\n,ana,ok,,\n");
        assert_eq!(
            sheet.iter().map(|(n, l)| (*n, value(l))).collect::<Vec<_>>(),
            [
                (2, "c1 blame ana violated []".to_owned()),
                (4, "c2, blame: \"maybe\" is not violated, ok or n/a".to_owned()),
                (4, "c2 cold-open ana n/a []".to_owned()),
                (5, "blame: no id".to_owned()),
            ]
        );
    }

    #[test]
    fn a_renamed_rule_is_known_or_said() {
        let sheet = parsed("id,reviewer,Missing Apology,kindness,rude\nc1,ana,ok,violated,\nc2,ana,,ok,\n");
        assert_eq!(
            sheet.iter().map(|(n, l)| (*n, value(l))).collect::<Vec<_>>(),
            [
                (1, "a column of answers whose name is no rule's; evenhand rules lists them".to_owned()),
                (2, "c1 missing-apology ana ok []".to_owned()),
            ]
        );
    }

    #[test]
    fn what_is_no_label_is_said_with_its_reason() {
        for (text, want) in [
            ("id,rule,value\nc,blame,ok\n", "no reviewer; fill the column or give --reviewer"),
            ("id,rule,value,reviewer\nc,blme,ok,a\n", "no rule is called \"blme\"; evenhand rules lists them"),
            ("id,rule,value,reviewer,at\nc,blame,ok,a,noon\n", "at is not a time; write it like 2026-03-01T09:00:00Z"),
            ("id,rule,value,reviewer,turns\nc,blame,ok,a,last\n", "turns are not whole numbers, such as 3 5"),
        ] {
            assert_eq!(value(&parsed(text)[0].1), want);
        }
        let p = parsed("id,rule,value,reviewer,inclusion_probability\nc,blame,ok,a,1.5\n");
        assert_eq!((value(&p[0].1), p.len()), ("inclusion_probability is not above 0 and up to 1".to_owned(), 2));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l.csv");
        fs::write(&path, "a,b\n1,2\n").unwrap();
        assert!(read(&path, None).unwrap_err().to_string().contains("not a table of labels"));
    }
}
