//! Rates with reviewers' labels behind them, as a table and as JSON.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::agreement::Figure;
use super::{grouped, wrap};
use crate::stats::verdict::FALSE_DISCOVERY;

/// The same rates over all conversations, whether or not the rule applies.
#[derive(Debug, Clone, PartialEq)]
pub struct ByShare {
    /// The program's.
    pub machine: Option<f64>,
    /// Horvitz and Thompson's.
    pub horvitz_thompson: Figure,
    /// Hájek's.
    pub hajek: Figure,
    /// Rogan and Gladen's, with the interval of Lang and Reiczigel.
    pub rogan_gladen: Figure,
    /// PPI++.
    pub ppi: Figure,
}

/// One rule over everything or in one segment.
#[derive(Debug, Clone, PartialEq)]
pub struct OfScope {
    /// The rule.
    pub rule: String,
    /// The attribute; none over everything.
    pub by: Option<String>,
    /// Its value.
    pub level: Option<String>,
    /// Conversations.
    pub population: u64,
    /// Labelled ones.
    pub labelled: u64,
    /// Of these, found violated (halves where two reviewers differ).
    pub found: f64,
    /// The program's rate among the conversations in which it says that the rule applies.
    pub machine: Option<f64>,
    /// The sample's alone.
    pub hajek: Figure,
    /// The program's, corrected by its errors in the sample.
    pub rogan_gladen: Figure,
    /// Sample and program together.
    pub ppi: Figure,
    /// How much the program counts in it.
    pub lambda: Option<f64>,
    /// Over all conversations.
    pub of_all: ByShare,
    /// Of what people find violated, the share that the program finds (its recall).
    pub sensitivity: Figure,
    /// Of all other conversations, the share in which it finds nothing.
    pub specificity: Figure,
    /// Of what the program finds, the share that people find too.
    pub precision: Figure,
}

/// Whether the program's sensitivity differs between the segments of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensitivity {
    /// The rule.
    pub rule: String,
    /// The attribute.
    pub by: String,
    /// Cochran's Q.
    pub statistic: f64,
    /// Its p.
    pub p: f64,
    /// Benjamini-Hochberg of p over all rules and attributes.
    pub q: f64,
    /// Segment and sensitivity.
    pub levels: Vec<(String, f64)>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimates {
    /// The run.
    pub source: String,
    /// The sample's name.
    pub sample: String,
    /// Its design.
    pub design: String,
    /// Conversations of the run.
    pub population: u64,
    /// Drawn.
    pub drawn: u64,
    /// Labelled for any rule.
    pub labelled: u64,
    /// The attributes.
    pub by: Vec<String>,
    /// By rule: everything first, then the segments.
    pub rows: Vec<OfScope>,
    /// By rule and attribute.
    pub sensitivity: Vec<Sensitivity>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Fewer labelled conversations than this, or fewer than five found violated, are too few for a corrected rate to lean on.
pub(super) const FEW: u64 = 30;
pub(super) const FEW_FOUND: f64 = 5.0;

impl OfScope {
    pub(super) fn few(&self) -> bool {
        self.labelled < FEW || self.found < FEW_FOUND
    }

    /// What is wrong with the corrected rates, in words.
    pub(super) fn warnings(&self) -> Vec<String> {
        let outside = |f: &Figure| f.value.is_some_and(|v| !(0.0..=1.0).contains(&v));
        let mut out = Vec::new();
        let pairs = [
            ("rogan_gladen", &self.rogan_gladen),
            ("ppi", &self.ppi),
            ("of_all.rogan_gladen", &self.of_all.rogan_gladen),
            ("of_all.ppi", &self.of_all.ppi),
            ("of_all.horvitz_thompson", &self.of_all.horvitz_thompson),
        ];
        for (name, f) in pairs.into_iter().filter(|(_, f)| outside(f)) {
            out.push(format!(
                "{name} is {:.3}, outside 0 to 1: the program's errors in the sample do not fit its rate over everything, or the labels are too few",
                f.value.unwrap_or_default()
            ));
        }
        if self.few() {
            out.push(format!("{} labelled, {} found violated: too few to lean on", self.labelled, self.found));
        }
        out
    }

    fn place(&self) -> String {
        match (&self.by, &self.level) {
            (Some(by), Some(level)) => format!("{by}={level}"),
            _ => "everything".to_owned(),
        }
    }

    fn json(&self) -> Value {
        let mut row = Map::new();
        row.insert("rule".to_owned(), json!(self.rule));
        row.insert("by".to_owned(), json!(self.by));
        row.insert("level".to_owned(), json!(self.level));
        row.insert("population".to_owned(), json!(self.population));
        row.insert("labelled".to_owned(), json!(self.labelled));
        row.insert("found".to_owned(), json!(self.found));
        row.insert("machine".to_owned(), json!(self.machine));
        for (name, f) in [
            ("hajek", &self.hajek),
            ("rogan_gladen", &self.rogan_gladen),
            ("ppi", &self.ppi),
            ("sensitivity", &self.sensitivity),
            ("specificity", &self.specificity),
            ("precision", &self.precision),
        ] {
            put(&mut row, name, f);
        }
        row.insert("recall".to_owned(), json!(self.sensitivity.value));
        row.insert("ppi_lambda".to_owned(), json!(self.lambda));
        let mut all = Map::new();
        all.insert("machine".to_owned(), json!(self.of_all.machine));
        for (name, f) in [
            ("horvitz_thompson", &self.of_all.horvitz_thompson),
            ("hajek", &self.of_all.hajek),
            ("rogan_gladen", &self.of_all.rogan_gladen),
            ("ppi", &self.of_all.ppi),
        ] {
            put(&mut all, name, f);
        }
        row.insert("of_all".to_owned(), Value::Object(all));
        row.insert("warnings".to_owned(), json!(self.warnings()));
        Value::Object(row)
    }
}

pub(super) fn put(row: &mut Map<String, Value>, name: &str, f: &Figure) {
    row.insert(name.to_owned(), json!(f.value));
    row.insert(format!("{name}_ci"), json!(f.ci));
}

impl Estimates {
    /// The figures over everything, in the order of the rulebook.
    pub(super) fn whole(&self) -> impl Iterator<Item = &OfScope> {
        self.rows.iter().filter(|r| r.by.is_none())
    }

    /// The contents of the JSON file: `rules` over everything, `segments` by attribute and value.
    pub fn json(&self) -> Value {
        let (all, parts): (Vec<&OfScope>, Vec<&OfScope>) = self.rows.iter().partition(|r| r.by.is_none());
        let sensitivity = self.sensitivity.iter().map(|s| {
            let levels: Map<String, Value> = s.levels.iter().map(|(l, v)| (l.clone(), json!(v))).collect();
            json!({"rule": s.rule, "by": s.by, "statistic": s.statistic, "p": s.p, "q": s.q, "sensitivity": levels})
        });
        json!({
            "source": self.source, "sample": self.sample, "design": self.design, "population": self.population,
            "drawn": self.drawn, "labelled": self.labelled, "by": self.by, "notes": self.notes,
            "rules": all.iter().map(|r| r.json()).collect::<Vec<_>>(),
            "segments": parts.iter().map(|r| r.json()).collect::<Vec<_>>(),
            "sensitivity_by_segment": sensitivity.collect::<Vec<_>>(),
        })
    }

    /// The tables on the terminal.
    pub fn text(&self) -> String {
        let design = if self.design.is_empty() { "design not named" } else { &self.design };
        let head = format!(
            "{} of {} drawn conversations are labelled ({design}), out of {} in {}.",
            grouped(self.labelled),
            grouped(self.drawn),
            grouped(self.population),
            self.source
        );
        let mut out = format!("{}\n", wrap(&head, "", 80));
        for note in &self.notes {
            let _ = writeln!(out, "{}", wrap(note, "", 80));
        }
        out.push('\n');
        let all: Vec<&OfScope> = self.rows.iter().filter(|r| r.by.is_none()).collect();
        table("rule", &all, |r| &r.rule, &mut out);
        trials(&all, &mut out);
        for by in &self.by {
            for rule in all.iter().map(|r| &r.rule) {
                let rows: Vec<&OfScope> =
                    self.rows.iter().filter(|r| r.by.as_ref() == Some(by) && r.rule == *rule).collect();
                let enough: Vec<&OfScope> = rows.iter().copied().filter(|r| !r.few()).collect();
                let few = rows.len() - enough.len();
                let _ = write!(out, "\n{rule} by {by}");
                if few > 0 {
                    let _ = write!(out, "; {few} of {} with too few labels", rows.len());
                }
                out.push('\n');
                if !enough.is_empty() {
                    table(by, &enough, |r| r.level.as_deref().unwrap_or(""), &mut out);
                }
            }
        }
        for s in self.sensitivity.iter().filter(|s| s.q < FALSE_DISCOVERY) {
            let levels = s.levels.iter().map(|(l, v)| format!("{l} {:.0} %", v * 100.0)).collect::<Vec<_>>().join(", ");
            let note = format!(
                "{}: the program finds a different share of what is there by {} (q = {:.3}): {levels}. Compare corrected rates, not the program's: evenhand bias --labels.",
                s.rule, s.by, s.q
            );
            let _ = writeln!(out, "\n{}", wrap(&note, "", 80));
        }
        for r in &self.rows {
            for warning in r.warnings().iter().filter(|_| r.by.is_none() || !r.few()) {
                let _ = writeln!(out, "{}", wrap(&format!("{}, {}: {warning}.", r.rule, r.place()), "", 80));
            }
        }
        let closing = "Rates are among the conversations in which the rule applies; n: labelled conversations; all intervals are 95 %. sample: the labels alone (Hájek). together: labels and program (PPI++). corrected: the program's rate by its errors in the sample (Rogan-Gladen). finds: of what people find, the share that the program finds; right: of what the program finds, the share that people find too. --out FILE writes all figures.";
        let _ = writeln!(out, "\n{}", wrap(closing, "", 80));
        out
    }
}

fn table<'a>(title: &str, rows: &[&'a OfScope], name: impl Fn(&'a OfScope) -> &'a str, out: &mut String) {
    let title: String = title.chars().take(18).collect();
    let _ = writeln!(out, "{title:18} {:>5} {:>7}  {:15} {:15} corrected", "n", "program", "sample", "together");
    for r in rows {
        let label: String = name(r).chars().take(18).collect();
        let (n, machine) = (r.labelled, percent(r.machine));
        let (sample, both, corrected) = (interval(&r.hajek), interval(&r.ppi), interval(&r.rogan_gladen));
        let _ = writeln!(out, "{label:18} {n:5} {machine:>7}  {sample:15} {both:15} {corrected}");
    }
}

fn trials(rows: &[&OfScope], out: &mut String) {
    let _ = writeln!(out, "\n{:18} {:16} right", "the program", "finds");
    for r in rows {
        let _ = writeln!(out, "{:18} {:16} {}", r.rule, interval(&r.sensitivity), interval(&r.precision));
    }
}

/// A percentage of at most five characters.
fn percent(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| format!("{:.1}%", x * 100.0))
}

pub(super) fn interval(f: &Figure) -> String {
    match (f.value, f.ci) {
        (Some(v), Some((low, high))) => format!("{:.1}% {:.0}–{:.0}", v * 100.0, low * 100.0, high * 100.0),
        (value, _) => percent(value),
    }
}
