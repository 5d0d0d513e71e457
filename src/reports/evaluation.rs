//! How well labels and rules agree with readers. In: counts of each transcript. Out: precision, recall and F1 with intervals.
//!
//! Intervals of precision and recall are Wilson's; those of F1 and of the means come from a bootstrap over transcripts, because the
//! turns of one conversation are not independent.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Value, json};

use super::counted;
use crate::findings::RULES;
use crate::signals::{Label, Sentiment};
use crate::stats::{percentile_interval, wilson};
use crate::tally::{Confusion, Scored};

const REPLICATES: usize = 1000;
/// Labels and rules with fewer true cases are shown but not part of a mean.
const LABEL_SUPPORT: u64 = 10;
const RULE_SUPPORT: u64 = 5;
const CORE: [&str; 2] = ["missing-apology", "policy-over-people"];

/// One label, sentiment or rule.
#[derive(Debug, Clone, Serialize)]
pub struct Measure {
    /// Its name.
    pub name: String,
    /// True cases.
    pub n: u64,
    /// Share of what was said that is true.
    pub precision: f64,
    /// Its 95 % interval.
    pub precision_ci: (f64, f64),
    /// Share of what is true that was said.
    pub recall: f64,
    /// Its 95 % interval.
    pub recall_ci: (f64, f64),
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Its 95 % interval.
    pub f1_ci: (f64, f64),
}

/// A mean of F1 over several measures, with its 95 % interval.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Mean {
    /// The mean.
    pub f1: f64,
    /// Its interval.
    pub ci: (f64, f64),
}

/// The whole comparison.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// Transcripts compared.
    pub transcripts: usize,
    /// Transcripts that readers judged and the input does not have.
    pub absent: usize,
    /// Transcripts that have another number of turns than their readers saw; what one side lacks is not scored.
    pub unfit: usize,
    /// Each label.
    pub labels: Vec<Measure>,
    /// Each sentiment.
    pub sentiments: Vec<Measure>,
    /// Each rule: a transcript counts as said or true where the rule is violated.
    pub rules: Vec<Measure>,
    /// Over labels with at least 10 true cases.
    pub label_macro: Mean,
    /// Over the three sentiments.
    pub sentiment_macro: Mean,
    /// Over rules with at least 5 true cases.
    pub rule_macro: Mean,
    /// Over missing-apology and policy-over-people.
    pub core: Mean,
}

type Part = fn(&Scored) -> &Vec<Confusion>;

impl Evaluation {
    /// Compares; the bootstrap is drawn with `seed`.
    pub fn new(scored: &[Scored], absent: usize, unfit: usize, seed: u64) -> Self {
        let (labels, sentiments, rules): (Part, Part, Part) = (|s| &s.labels, |s| &s.sentiments, |s| &s.rules);
        let names = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let label_names = names(&Label::ALL.map(Label::name));
        let sentiment_names = names(&Sentiment::ALL.map(Sentiment::name));
        let rule_names = names(&RULES.map(|r| r.id));
        let core: Vec<usize> = (0..RULES.len()).filter(|&i| CORE.contains(&RULES[i].id)).collect();
        let supported = |part: Part, n: usize, least: u64| -> Vec<usize> {
            let total = total(scored, part, n, None);
            (0..n).filter(|&i| total[i].support() >= least).collect()
        };
        Self {
            transcripts: scored.len(),
            absent,
            unfit,
            label_macro: mean(scored, labels, &supported(labels, 24, LABEL_SUPPORT), 24, seed),
            sentiment_macro: mean(scored, sentiments, &[0, 1, 2], 3, seed),
            rule_macro: mean(scored, rules, &supported(rules, RULES.len(), RULE_SUPPORT), RULES.len(), seed),
            core: mean(scored, rules, &core, RULES.len(), seed),
            labels: measures(scored, labels, label_names, seed),
            sentiments: measures(scored, sentiments, sentiment_names, seed),
            rules: measures(scored, rules, rule_names, seed),
        }
    }

    /// The table, 80 columns wide.
    pub fn text(&self) -> String {
        let mut s = format!(
            "{} compared with their readers. n: true cases; 95 % intervals.
",
            counted(self.transcripts as u64, "transcript", "transcripts")
        );
        if self.absent > 0 {
            let _ = writeln!(
                s,
                "Not in the input: {} that readers judged.",
                counted(self.absent as u64, "transcript", "transcripts")
            );
        }
        if self.unfit > 0 {
            let line = format!(
                "{} with another number of turns than the readers saw: are they the same?",
                counted(self.unfit as u64, "transcript", "transcripts")
            );
            let _ = writeln!(s, "{line}");
        }
        for (title, rows, least) in [
            ("label", &self.labels, LABEL_SUPPORT),
            ("sentiment", &self.sentiments, 0),
            ("rule", &self.rules, RULE_SUPPORT),
        ] {
            let _ = writeln!(s, "\n{title:<19}    n  precision        recall           F1");
            for m in rows {
                let thin = if m.n < least { "  (thin)" } else { "" };
                let _ = writeln!(
                    s,
                    "{:<19} {:>4}  {:<16} {:<16} {}{thin}",
                    m.name,
                    m.n,
                    cell(m.precision, m.precision_ci),
                    cell(m.recall, m.recall_ci),
                    cell(m.f1, m.f1_ci)
                );
            }
        }
        s.push('\n');
        for (name, m) in [
            ("core F1 (missing-apology, policy-over-people)", self.core),
            ("rule macro F1 (n at least 5)", self.rule_macro),
            ("label macro F1 (n at least 10)", self.label_macro),
            ("sentiment macro F1", self.sentiment_macro),
        ] {
            let _ = writeln!(s, "{name:<48} {:.3} ({:.3}–{:.3})", m.f1, m.ci.0, m.ci.1);
        }
        s
    }

    /// The same for `--json`.
    pub fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_else(|_| json!({}))
    }
}

fn cell(value: f64, (low, high): (f64, f64)) -> String {
    format!("{value:.2} ({low:.2}–{high:.2})")
}

/// Counts over all transcripts, or over those drawn.
fn total(scored: &[Scored], part: Part, n: usize, drawn: Option<&[usize]>) -> Vec<Confusion> {
    let mut sum = vec![Confusion::default(); n];
    let mut add = |s: &Scored| sum.iter_mut().zip(part(s)).for_each(|(a, b)| a.merge(b));
    match drawn {
        Some(drawn) => drawn.iter().for_each(|&i| add(&scored[i])),
        None => scored.iter().for_each(add),
    }
    sum
}

fn mean(scored: &[Scored], part: Part, which: &[usize], n: usize, seed: u64) -> Mean {
    let f1 = |t: &[Confusion]| which.iter().fold(0.0, |sum, &i| sum + t[i].f1()) / which.len().max(1) as f64;
    let ci = percentile_interval(scored.len(), REPLICATES, seed, |d| f1(&total(scored, part, n, Some(d))));
    Mean { f1: f1(&total(scored, part, n, None)), ci }
}

fn measures(scored: &[Scored], part: Part, names: Vec<String>, seed: u64) -> Vec<Measure> {
    let sum = total(scored, part, names.len(), None);
    let row = |(i, name): (usize, String)| {
        let c = sum[i];
        let resampled = |d: &[usize]| {
            let mut t = Confusion::default();
            d.iter().for_each(|&k| t.merge(&part(&scored[k])[i]));
            t.f1()
        };
        Measure {
            n: c.support(),
            precision: c.precision(),
            precision_ci: wilson(c.hits, c.said()),
            recall: c.recall(),
            recall_ci: wilson(c.hits, c.support()),
            f1: c.f1(),
            f1_ci: percentile_interval(scored.len(), REPLICATES, seed, resampled),
            name,
        }
    };
    names.into_iter().enumerate().map(row).collect()
}
