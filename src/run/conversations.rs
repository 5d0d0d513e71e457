//! The conversations of a run, one after another with their findings. In: a run folder. Out: a stream in the order of the input, in bounded
//! memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::manifest::Manifest;
use super::output::RunError;
use super::table::{find, names, table_error, unknown};
use crate::findings::{Finding, Severity, is_about_company};

/// One conversation as the run has it.
pub(super) struct Conversation {
    pub(super) id: String,
    /// Its row of `transcripts.jsonl`.
    pub(super) row: Map<String, Value>,
    pub(super) findings: Vec<Finding>,
}

impl Conversation {
    /// The program's verdict on a rule.
    pub(super) fn verdict(&self, rule: &str) -> &str {
        self.row.get("rules").and_then(|r| r.get(rule)).and_then(Value::as_str).unwrap_or("n/a")
    }

    /// An attribute by its dotted name.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        find(&self.row, name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }

    /// Severity and confidence of what the company did wrong.
    pub(super) fn harms(&self) -> impl Iterator<Item = (Severity, f64)> {
        self.findings.iter().filter(|f| is_about_company(&f.rule)).map(|f| (f.severity, f64::from(f.confidence)))
    }
}

/// Reads `run.json`.
pub(super) fn manifest(run: &Path) -> Result<Manifest, RunError> {
    let path = run.join("run.json");
    let text = std::fs::read_to_string(&path).map_err(|_| RunError::NoRun(run.to_path_buf()))?;
    serde_json::from_str(&text).map_err(|e| table_error(&path, e.line(), "not the manifest of a run"))
}

/// Passes over the run; `attributes` must all be there.
pub(super) fn each(
    run: &Path,
    attributes: &[String],
    mut take: impl FnMut(Conversation) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let path = run.join("transcripts.jsonl");
    let file = File::open(&path).map_err(|_| RunError::NoRun(run.to_path_buf()))?;
    let mut findings = Findings::open(run)?;
    let mut known = std::collections::BTreeSet::new();
    for (i, line) in BufReader::with_capacity(1 << 20, file).lines().enumerate() {
        let line = line.map_err(RunError::io(&path))?;
        let wrong = || table_error(&path, i + 1, "not a row of a run");
        let row: Map<String, Value> = serde_json::from_str(&line).map_err(|_| wrong())?;
        let id = row.get("id").and_then(Value::as_str).ok_or_else(wrong)?.to_owned();
        if !attributes.iter().all(|a| known.contains(a)) {
            names(&row, "", &mut known);
        }
        let found = findings.of(&id)?;
        take(Conversation { id, row, findings: found })?;
    }
    if let Some((at, _)) = &findings.next {
        return Err(table_error(
            &findings.path,
            *at,
            "its conversation does not stand in transcripts.jsonl at this place",
        ));
    }
    for a in attributes {
        if !known.contains(a) {
            return Err(unknown("attribute", a, known.into_iter()));
        }
    }
    Ok(())
}

/// `findings.jsonl`, whose rows stand in the order of the conversations.
struct Findings {
    lines: Lines<BufReader<File>>,
    path: PathBuf,
    line: usize,
    next: Option<(usize, Finding)>,
}

impl Findings {
    fn open(run: &Path) -> Result<Self, RunError> {
        let path = run.join("findings.jsonl");
        let file = File::open(&path).map_err(RunError::io(&path))?;
        let mut findings = Self { lines: BufReader::with_capacity(1 << 20, file).lines(), path, line: 0, next: None };
        findings.step()?;
        Ok(findings)
    }

    fn step(&mut self) -> Result<(), RunError> {
        let Some(line) = self.lines.next() else {
            self.next = None;
            return Ok(());
        };
        self.line += 1;
        let line = line.map_err(RunError::io(&self.path))?;
        let wrong = |_| table_error(&self.path, self.line, "not a finding of a run");
        self.next = Some((self.line, serde_json::from_str(&line).map_err(wrong)?));
        Ok(())
    }

    fn of(&mut self, id: &str) -> Result<Vec<Finding>, RunError> {
        let mut out = Vec::new();
        while self.next.as_ref().is_some_and(|(_, f)| f.transcript_id == id) {
            out.extend(self.next.take().map(|(_, f)| f));
            self.step()?;
        }
        Ok(out)
    }
}
