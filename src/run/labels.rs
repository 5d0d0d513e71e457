//! Labels in and out. In: what reviewers gave back. Out: the database, a report of what was taken in; and all labels as a file.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::conversations;
use super::output::{RunError, write_whole};
use crate::labels::{LabelsError, Line, Store, Unit, neutral};
use crate::reports::ImportReport;

/// What to take in.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The label file.
    pub file: PathBuf,
    /// The database.
    pub into: PathBuf,
    /// The sample as drawn.
    pub sample: Option<PathBuf>,
    /// The run, whose ids are known.
    pub run: Option<PathBuf>,
    /// Who labelled, where the file does not say.
    pub reviewer: Option<String>,
}

/// Takes a label file in.
///
/// # Errors
/// When a file cannot be read or the database cannot be written. Lines that are no label are no error: they are reported and kept.
pub fn import(options: &ImportOptions) -> Result<ImportReport, RunError> {
    let mut ids: Option<HashSet<String>> = None;
    if let Some(run) = &options.run {
        let mut known = HashSet::new();
        conversations::each(run, &[], |c| {
            known.insert(c.id);
            Ok(())
        })?;
        ids = Some(known);
    }
    // Nothing is made where a file cannot be read, or the two do not belong together.
    let sheet = crate::labels::read(&options.file, options.reviewer.as_deref())?;
    if let Some(sample) = &options.sample {
        same_sample(&options.file, &sheet, sample)?;
    }
    let mut store = Store::open(&options.into)?;
    let known = |id: &str| ids.as_ref().map(|ids| ids.contains(id));
    let sample = options.sample.as_deref().map(|s| store.import(s, None, known)).transpose()?;
    let labels = store.import(&options.file, options.reviewer.as_deref(), known)?;
    Ok(ImportReport {
        file: options.file.display().to_string(),
        into: options.into.display().to_string(),
        sample,
        labels,
    })
}

/// Fails where a sheet says that it was drawn with another sample: only by chance would its conversations be in this one.
fn same_sample(file: &Path, sheet: &[(u64, Line)], sample: &Path) -> Result<(), LabelsError> {
    let name = |line: &Line| match line {
        Line::Drawn(sample) => Some(sample.clone()),
        Line::Unit(unit) if !unit.sample.is_empty() => Some(unit.sample.clone()),
        _ => None,
    };
    let names = |lines: &[(u64, Line)]| lines.iter().filter_map(|(_, l)| name(l)).collect::<BTreeSet<String>>();
    let (said, drawn) = (names(sheet), names(&crate::labels::read(sample, None)?));
    match (said.first(), drawn.first()) {
        (Some(said_first), Some(drawn_first)) if said.is_disjoint(&drawn) => Err(LabelsError::NotLabels {
            path: file.to_path_buf(),
            reason: format!(
                "the sheet was drawn with another sample ({said_first}) than {} ({drawn_first}); give the sample that it came with",
                sample.display()
            ),
        }),
        _ => Ok(()),
    }
}

/// Writes every label with its sample's stratum and inclusion probability; how many there are.
///
/// # Errors
/// When the database cannot be read or the file cannot be written.
pub fn export(labels: &Path, out: &Path) -> Result<u64, RunError> {
    let (store, _) = Store::read(labels)?;
    let all = store.labels()?;
    let mut units: BTreeMap<String, Option<Unit>> = BTreeMap::new();
    for u in store.units()? {
        // An id of two samples has no one probability.
        units.entry(u.id.clone()).and_modify(|known| *known = None).or_insert(Some(u));
    }
    let csv = out.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let names = [
        "id",
        "rule",
        "reviewer",
        "value",
        "turns",
        "note",
        "at",
        "rulebook",
        "imported_at",
        "current",
        "sample",
        "stratum",
        "inclusion_probability",
        "design",
        "population",
    ];
    let mut text = if csv { format!("\u{feff}{}\r\n", names.join(",")) } else { String::new() };
    for c in &all {
        let (l, u) = (&c.label, units.get(&c.label.id).and_then(Option::as_ref));
        let row = json!({
            "id": l.id, "rule": l.rule, "reviewer": l.reviewer, "value": l.value.name(), "turns": l.turns, "note": l.note, "at": l.at,
            "rulebook": l.rulebook, "imported_at": c.imported_at, "current": c.current, "sample": u.map(|u| &u.sample),
            "stratum": u.map(|u| &u.stratum), "inclusion_probability": u.map(|u| u.probability), "design": u.map(|u| &u.design),
            "population": u.and_then(|u| u.population),
        });
        if csv {
            let cell = |name: &&str| match &row[*name] {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(s) => format!("\"{}\"", neutral(s).replace('"', "\"\"")),
                serde_json::Value::Array(a) => a.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
                other => other.to_string(),
            };
            let _ = write!(text, "{}\r\n", names.iter().map(cell).collect::<Vec<_>>().join(","));
        } else {
            let _ = writeln!(text, "{row}");
        }
    }
    write_whole(out, &text)?;
    Ok(all.len() as u64)
}
