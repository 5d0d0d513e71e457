//! A sample as reviewers get it. In: drawn conversations. Out: JSON Lines with everything, and a sheet (CSV) to be filled in.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::{grouped, wrap};
use crate::findings::{Finding, RULES};
use crate::labels::neutral;
use crate::sampling::Drawn;
use crate::turns::Turn;

/// A sample that was drawn.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Tells it from others.
    pub name: String,
    /// `random`, `stratified`, `risk`, or `calibration`, which is no random sample.
    pub design: &'static str,
    /// The seed.
    pub seed: u64,
    /// How many conversations were drawn from.
    pub population: u64,
    /// How many ids were not to be drawn.
    pub excluded: u64,
    /// Whether what the program found is hidden.
    pub blind: bool,
    /// The rules to review; all where empty.
    pub rules: Vec<String>,
    /// The version of the rulebook.
    pub rulebook: String,
    /// The conversations.
    pub rows: Vec<SampleRow>,
}

/// A drawn conversation.
#[derive(Debug, Clone)]
pub struct SampleRow {
    /// How it was drawn.
    pub drawn: Drawn,
    /// Its row of the run.
    pub row: Map<String, Value>,
    /// What the program found.
    pub findings: Vec<Finding>,
    /// The words; none where the sample is drawn without them.
    pub turns: Option<Vec<Turn>>,
    /// Who is to read it.
    pub reviewers: Vec<String>,
}

/// The most characters of a cell: spreadsheets hold 32,767.
const CELL: usize = 32_000;

impl Sample {
    /// JSON Lines: one conversation a line.
    pub fn lines(&self) -> String {
        self.rows.iter().fold(String::new(), |mut out, row| {
            let _ = writeln!(out, "{}", Value::Object(self.line(row)));
            out
        })
    }

    fn line(&self, r: &SampleRow) -> Map<String, Value> {
        // What the program saw goes into its own fields, or nowhere.
        let own = ["rules", "sentiment", "measures"];
        let mut out: Map<String, Value> =
            r.row.iter().filter(|(k, _)| !own.contains(&k.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect();
        out.insert("turns".to_owned(), json!(r.turns));
        out.insert("sample".to_owned(), json!(self.name));
        out.insert("design".to_owned(), json!(self.design));
        out.insert("seed".to_owned(), json!(self.seed));
        out.insert("population".to_owned(), json!(self.population));
        out.insert("stratum".to_owned(), json!(r.drawn.stratum));
        out.insert("stratum_population".to_owned(), json!(r.drawn.stratum_population));
        let p = Some(r.drawn.probability).filter(|p| p.is_finite());
        out.insert("inclusion_probability".to_owned(), json!(p));
        out.insert("rulebook".to_owned(), json!(self.rulebook));
        out.insert("reviewers".to_owned(), json!(r.reviewers));
        if !self.blind {
            out.insert("rules".to_owned(), r.row.get("rules").cloned().unwrap_or(Value::Null));
            out.insert("findings".to_owned(), json!(r.findings));
        }
        out
    }

    /// The sheet: one row for each conversation and reviewer, a column for each rule to be filled with `violated`, `ok` or `n/a`.
    pub fn sheet(&self) -> String {
        let rules: Vec<&str> = match self.rules.as_slice() {
            [] => RULES.iter().map(|r| r.id).collect(),
            named => named.iter().map(String::as_str).collect(),
        };
        // Hidden with the findings: how likely a conversation was to be drawn may tell what the program thinks of it.
        let design = if self.blind { &[][..] } else { &["stratum", "inclusion_probability", "design", "population"] };
        let program = if self.blind { &[][..] } else { &["program_found"] };
        let head = ["id", "reviewer", "transcript"].iter().chain(program).chain(&rules);
        let head: Vec<String> =
            head.chain(&["note", "sample", "rulebook"]).chain(design).map(|h| (*h).to_owned()).collect();
        let mut out = String::from("\u{feff}");
        row(&head, &mut out);
        for r in &self.rows {
            let nobody = [String::new()];
            for reviewer in if r.reviewers.is_empty() { &nobody[..] } else { &r.reviewers } {
                let mut cells = vec![r.drawn.id.clone(), reviewer.clone(), self.transcript(r)];
                if !self.blind {
                    cells.push(found(&r.findings, &rules));
                }
                cells.extend(rules.iter().map(|_| String::new()));
                cells.extend([String::new(), self.name.clone(), self.rulebook.clone()]);
                if !self.blind {
                    let p =
                        if r.drawn.probability.is_finite() { r.drawn.probability.to_string() } else { String::new() };
                    cells.extend([r.drawn.stratum.clone(), p, self.design.to_owned(), self.population.to_string()]);
                }
                row(&cells, &mut out);
            }
        }
        out
    }

    fn transcript(&self, r: &SampleRow) -> String {
        let Some(turns) = &r.turns else { return String::new() };
        let (mut text, mut length) = (String::new(), 0);
        for (i, turn) in turns.iter().enumerate() {
            let said = format!("{i} {}: {}\n", turn.role.name(), turn.text.trim());
            length += said.chars().count();
            if length > CELL {
                let _ = write!(
                    text,
                    "[turns {i} to {} do not fit in a cell; they stand in the JSON Lines file]",
                    turns.len() - 1
                );
                break;
            }
            text.push_str(&said);
        }
        text.trim_end().to_owned()
    }

    /// What was drawn, in words.
    pub fn text(&self, lines: &str, sheet: &str) -> String {
        let n = self.rows.len() as u64;
        let mut head = match self.design {
            "calibration" => {
                format!("{n} contested conversations of {} for a calibration meeting", grouped(self.population))
            }
            design => format!("Drew {n} of {} conversations ({design}, seed {})", grouped(self.population), self.seed),
        };
        if self.excluded > 0 {
            let _ = write!(
                head,
                "; {} ids were not to be drawn, and the sample does not speak for them",
                grouped(self.excluded)
            );
        }
        let doubled = self.rows.iter().filter(|r| r.reviewers.len() > 1).count();
        if doubled > 0 {
            let _ = write!(head, "; {doubled} go to two reviewers");
        }
        head.push('.');
        let mut out = wrap(&head, "", 80);
        out.push('\n');
        let strata = self.strata();
        if strata.len() > 1 {
            let width = strata.iter().map(|s| s.0.chars().count()).max().unwrap_or(0).min(50);
            let _ = writeln!(out, "\n{:width$} {:>7} {:>12} {:>12}", "stratum", "drawn", "of", "probability");
            for (name, drawn, population, p) in strata.iter().take(40) {
                let _ = writeln!(out, "{name:width$} {drawn:7} {:>12} {p:12.4}", grouped(*population));
            }
            if strata.len() > 40 {
                let _ = writeln!(out, "… and {} more", strata.len() - 40);
            }
        }
        let next = if self.design == "calibration" {
            "These were picked because they are contested: no rate can be taken from them."
        } else {
            "Fill the sheet's rule columns with violated, ok or n/a (empty: not judged), then: evenhand labels import SHEET --into labels.db --sample FILE"
        };
        let _ = writeln!(out, "\n  {lines}\n  {sheet}\n{}", wrap(next, "", 80));
        out
    }

    /// (name, drawn, population, probability), where all of a stratum have the same.
    fn strata(&self) -> Vec<(String, u64, u64, f64)> {
        let mut out: std::collections::BTreeMap<&str, (u64, u64, f64)> = std::collections::BTreeMap::new();
        for r in &self.rows {
            let s = out.entry(&r.drawn.stratum).or_insert((0, r.drawn.stratum_population, r.drawn.probability));
            s.0 += 1;
        }
        out.into_iter().map(|(name, (n, of, p))| (name.to_owned(), n, of, p)).collect()
    }

    /// The same for `--json`.
    pub fn json(&self) -> Value {
        let strata = self.strata().into_iter().map(
            |(stratum, drawn, population, _)| json!({"stratum": stratum, "drawn": drawn, "population": population}),
        );
        json!({
            "sample": self.name, "design": self.design, "seed": self.seed, "drawn": self.rows.len(), "population": self.population,
            "excluded": self.excluded, "blind": self.blind, "strata": strata.collect::<Vec<_>>(),
        })
    }
}

fn found(findings: &[Finding], rules: &[&str]) -> String {
    let wanted = findings.iter().filter(|f| rules.contains(&f.rule.as_str()));
    let lines =
        wanted.map(|f| format!("{} (turn {}, confidence {:.2}): “{}”", f.rule, f.turns[0], f.confidence, f.quote));
    lines.collect::<Vec<_>>().join("\n").chars().take(CELL).collect()
}

/// One row of CSV (RFC 4180); no cell of it begins like a formula.
fn row(cells: &[String], out: &mut String) {
    for (i, cell) in cells.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        let cell = neutral(cell);
        if cell.contains([',', '"', '\n', '\r', ';', '\t']) {
            let _ = write!(out, "\"{}\"", cell.replace('"', "\"\""));
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}
