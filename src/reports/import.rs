//! What an import of labels did, as text and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::wrap;
use crate::labels::Imported;

/// What was taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportReport {
    /// The label file.
    pub file: String,
    /// The database.
    pub into: String,
    /// The sample, where it was given.
    pub sample: Option<Imported>,
    /// The labels.
    pub labels: Imported,
}

/// Lines shown of each kind.
const SHOWN: usize = 10;

impl ImportReport {
    /// Whether a line was no label or an id is unknown.
    pub fn troubled(&self) -> bool {
        let trouble = |i: &Imported| !i.unread.is_empty() || !i.unknown.is_empty();
        trouble(&self.labels) || self.sample.as_ref().is_some_and(trouble)
    }

    /// For `--json`.
    pub fn json(&self) -> Value {
        let one = |i: &Imported| {
            json!({
                "added": i.added, "same": i.same, "changed": i.changed, "conflicts": i.conflicts, "drawn": i.units,
                "unknown": i.unknown, "unread": i.unread, "imported_before": i.before, "ids_checked": i.checked,
            })
        };
        json!({"file": self.file, "into": self.into, "labels": one(&self.labels), "sample": self.sample.as_ref().map(one)})
    }

    /// In words.
    pub fn text(&self) -> String {
        let i = &self.labels;
        let mut out = String::new();
        if let Some(s) = &self.sample {
            let _ = match &s.before {
                Some(_) => writeln!(out, "The sample was taken in before."),
                None => writeln!(out, "{} drawn conversations from the sample.", s.units),
            };
            list("are neither a drawn conversation nor a label, and do not count", &s.unread, &mut out);
        }
        if let Some(at) = &i.before {
            let _ = writeln!(out, "{} was taken into {} before, at {at}; nothing is new.", self.file, self.into);
            return out;
        }
        let _ = write!(out, "{} new labels from {} in {}", i.added, self.file, self.into);
        if i.same > 0 {
            let _ = write!(out, "; {} say what was there already", i.same);
        }
        if i.units > 0 {
            let _ = write!(out, "; {} drawn conversations", i.units);
        }
        out.push_str(".\n");
        list(
            "change an earlier answer of the same reviewer; the later one counts, both are kept",
            &i.changed,
            &mut out,
        );
        list("contradict the same reviewer in this file; the later line counts, both are kept", &i.conflicts, &mut out);
        list("name a conversation that is in no sample and not in the run; they are kept", &i.unknown, &mut out);
        if !i.unknown.is_empty() {
            let note = "Spreadsheets rewrite ids such as 0012 or 3E5: compare them with the sample.";
            let _ = writeln!(out, "{note}");
        }
        list(
            "cannot be read as labels and do not count; correct them in the file and import it again",
            &i.unread,
            &mut out,
        );
        let nothing = i.added + i.same == 0 && [&i.changed, &i.conflicts, &i.unread].iter().all(|l| l.is_empty());
        if nothing && self.sample.is_none() {
            let note = "No answer was found: in a sheet, the column that bears a rule's id takes violated, ok or n/a.";
            let _ = writeln!(out, "{}", wrap(note, "", 80));
        }
        if i.added > 0 && !i.checked {
            let note = "The ids could not be checked: give the sample with --sample, or the run with --run.";
            let _ = writeln!(out, "{}", wrap(note, "", 80));
        }
        out
    }
}

fn list(what: &str, lines: &[(u64, String)], out: &mut String) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", wrap(&format!("{} {what}:", lines.len()), "", 80));
    for (line, text) in lines.iter().take(SHOWN) {
        let _ = writeln!(out, "{}", wrap(&format!("line {line}: {text}"), "  ", 80));
    }
    if lines.len() > SHOWN {
        let _ = writeln!(out, "  … and {} more (--json lists all)", lines.len() - SHOWN);
    }
}
