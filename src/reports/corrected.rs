//! The segment audit's comparisons on rates corrected by reviewers' labels. In: corrected rates. Out: JSON, a table, and words.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::agreement::Figure;
use super::bias::{BiasReport, Comparison};
use super::estimates::{FEW, FEW_FOUND, interval, put};
use super::wrap;
use crate::stats::verdict::FALSE_DISCOVERY;

/// The corrected rates of two segments.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    /// Labelled conversations of segment and reference.
    pub labelled: (u64, u64),
    /// Of these, found violated.
    pub found: (f64, f64),
    /// The segment's rate by PPI++.
    pub segment: Figure,
    /// The reference's.
    pub reference: Figure,
    /// Their difference.
    pub difference: Figure,
    /// Sensitivity in segment and reference, and the p of their difference; none with fewer than five violated cases in either.
    pub sensitivity: Option<(f64, f64, f64)>,
    /// Benjamini-Hochberg of that p over all comparisons.
    pub sensitivity_q: Option<f64>,
}

impl Corrected {
    fn few(&self) -> bool {
        self.labelled.0.min(self.labelled.1) < FEW || self.found.0.min(self.found.1) < FEW_FOUND
    }

    /// For `bias.json`.
    pub(super) fn json(&self) -> Value {
        let mut row = Map::new();
        row.insert("labelled".to_owned(), json!(self.labelled.0));
        row.insert("reference_labelled".to_owned(), json!(self.labelled.1));
        row.insert("found".to_owned(), json!(self.found.0));
        row.insert("reference_found".to_owned(), json!(self.found.1));
        row.insert("too_few".to_owned(), json!(self.few()));
        put(&mut row, "rate", &self.segment);
        put(&mut row, "reference_rate", &self.reference);
        put(&mut row, "difference", &self.difference);
        let s =
            self.sensitivity.map(|(s, r, p)| json!({"segment": s, "reference": r, "p": p, "q": self.sensitivity_q}));
        row.insert("sensitivity".to_owned(), json!(s));
        Value::Object(row)
    }

    /// The difference in points with its interval.
    fn difference(&self) -> String {
        let points = |x: f64| format!("{:+.1}", x * 100.0);
        match (self.difference.value, self.difference.ci) {
            (Some(d), Some((low, high))) => format!("{} ({} to {})", points(d), points(low), points(high)),
            _ => "–".to_owned(),
        }
    }

    /// Where the program finds a larger share of what is there on one side, that its own rates do not compare.
    fn unlike(&self, c: &Comparison) -> Option<String> {
        let q = self.sensitivity_q.filter(|q| *q < FALSE_DISCOVERY)?;
        let (ours, theirs, _) = self.sensitivity?;
        Some(format!(
            "The program finds {:.0} % of what is there in {} and {:.0} % in {} (q = {q:.3}); its own rates do not compare like with like there.",
            ours * 100.0,
            c.segment,
            theirs * 100.0,
            c.reference
        ))
    }

    /// The comparison in words.
    pub(super) fn sentences(&self, c: &Comparison) -> Vec<String> {
        if self.few() {
            return vec!["There are too few labels on a side to correct the rates.".to_owned()];
        }
        let rates = format!(
            "Corrected by reviewers' labels, with nothing held fixed: {} against {} (95 % intervals), a difference of {} points.",
            interval(&self.segment),
            interval(&self.reference),
            self.difference()
        );
        std::iter::once(rates).chain(self.unlike(c)).collect()
    }
}

/// The table on the terminal.
pub(super) fn corrections(report: &BiasReport) -> String {
    let file = report.labels.as_deref().unwrap_or_default();
    let mut out = format!("Corrected by the labels in {file} (PPI++), nothing held fixed\n");
    let _ =
        writeln!(out, "{:18} {:10} {:>15} {:>15}  difference, points", "outcome", "segment", "segment", "reference");
    let mut notes: Vec<String> = report.label_notes.clone();
    let mut few = 0;
    for r in &report.results {
        let Some(c) = &r.corrected else { continue };
        if c.few() {
            few += 1;
            continue;
        }
        let short = |text: &str, width: usize| text.chars().take(width).collect::<String>();
        let (ours, theirs) = (interval(&c.segment), interval(&c.reference));
        let (outcome, segment) = (short(&r.outcome, 18), short(&r.segment, 10));
        let _ = writeln!(out, "{outcome:18} {segment:10} {ours:>15} {theirs:>15}  {}", c.difference());
        notes.extend(c.unlike(r).map(|n| format!("{}: {n}", r.outcome)));
    }
    if few > 0 {
        notes.push(format!("Too few labels on a side to lean on in {few} of the comparisons with labels."));
    }
    for note in notes {
        let _ = writeln!(out, "{}", wrap(&note, "", 80));
    }
    out.push('\n');
    out
}
