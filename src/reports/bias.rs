//! The segment audit as figures: what `bias.json` holds, and the table on the terminal. In: comparisons. Out: JSON and text.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Value, json};

use super::corrected::{Corrected, corrections};
use super::{counted, grouped, wrap};
use crate::stats::comparison::{Adjusted, Dealt, Means, Rate, Shares};
use crate::stats::decomposition::Parts;
use crate::stats::verdict::Verdict;

/// Everything that was asked and found.
#[derive(Debug, Clone)]
pub struct BiasReport {
    /// Where the cases come from.
    pub source: String,
    /// How many cases there are, and how many have no value in a named attribute and were left out.
    pub cases: u64,
    /// Cases left out.
    pub left_out: u64,
    /// Attributes held fixed.
    pub adjusted_for: Vec<String>,
    /// The attribute whose cases belong together.
    pub cluster: Option<String>,
    /// What the reader should know about the clusters.
    pub note: Option<String>,
    /// The file of labels that correct the rates.
    pub labels: Option<String>,
    /// What the reader should know about them.
    pub label_notes: Vec<String>,
    /// Dealings of the permutation test.
    pub permutations: u64,
    /// The seed.
    pub seed: u64,
    /// One entry for every outcome × segment.
    pub results: Vec<Comparison>,
}

/// One outcome in one segment.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The outcome's name.
    pub outcome: String,
    /// What it measures.
    pub meaning: String,
    /// The attribute that makes the segments.
    pub by: String,
    /// The segment.
    pub segment: String,
    /// The segment it is held against.
    pub reference: String,
    /// What was found.
    pub found: Found,
    /// The rate's ratio to the reference, or to the lowest rate of all segments where no reference was named: (ratio, to whom).
    pub impact_ratio: Option<(f64, String)>,
    /// Benjamini-Hochberg over everything asked.
    pub q: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
    /// The strata with most cases: (levels, segment, reference).
    pub strata: Vec<Stratum>,
    /// The clusters that make most of a disparity's treatment part, shrunken.
    pub clusters: Vec<Contribution>,
    /// Quotes from both sides.
    pub quotes: Quotes,
    /// The rates corrected by labels.
    pub corrected: Option<Corrected>,
}

/// What was found, by kind of outcome.
#[derive(Debug, Clone)]
pub enum Found {
    /// A 0/1 outcome.
    Shares(Box<Shares>),
    /// A number.
    Means(Box<Means>),
}

/// One stratum of a comparison.
#[derive(Debug, Clone, Serialize)]
pub struct Stratum {
    /// The levels of the attributes held fixed.
    pub levels: Vec<String>,
    /// (cases, events) of the segment.
    pub segment: (u64, u64),
    /// (cases, events) of the reference.
    pub reference: (u64, u64),
}

/// A cluster that treats the two differently.
#[derive(Debug, Clone, Serialize)]
pub struct Contribution {
    /// Its name.
    pub cluster: String,
    /// Cases of both groups.
    pub cases: u64,
    /// The difference of the rates inside strata, drawn towards the mean of all clusters.
    pub difference: f64,
    /// 95 % interval.
    pub ci: (f64, f64),
}

/// Quoted findings.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Quotes {
    /// (transcript, quote) of the segment.
    pub segment: Vec<(String, String)>,
    /// (transcript, quote) of the reference.
    pub reference: Vec<(String, String)>,
}

/// The rule by which a verdict is given, as it stands in the file.
pub const RULE: &str = "disparity: the q of the adjusted comparison is below 0.05, and its p stays below 0.05, with the same sign, \
when any one cluster is left out. insufficient: in the strata that hold both, a group has fewer than 20 cases, or both together fewer \
than 5 events or 5 others; or effectively fewer than 4 clusters carry the comparison; or no model fits; or q is below 0.05 and does not \
hold without some one cluster; or only a large difference would have shown with 80 % power (a rate's rise of more than 20 points, or of \
more than twice a rate below 10 %, at least 5 points; half a standard deviation of a mean). no-evidence: everything else.";

impl Comparison {
    /// Which of the two has more of it, with the named causes held fixed.
    pub(super) fn higher(&self) -> String {
        let more = match &self.found {
            Found::Shares(s) => s.logistic.is_some_and(|l| l.estimate > 1.0),
            Found::Means(m) => m.linear.is_some_and(|l| l.estimate > 0.0),
        };
        format!("{} in {} than in {}", if more { "more" } else { "less" }, self.segment, self.reference)
    }

    fn json(&self) -> Value {
        let mut row = json!({
            "outcome": self.outcome, "meaning": self.meaning, "by": self.by,
            "segment": self.segment, "reference": self.reference,
        });
        let found = match &self.found {
            Found::Shares(s) => self.shares(s),
            Found::Means(m) => means(m),
        };
        let end = json!({
            "q": self.q, "verdict": self.verdict.name(), "strata": self.strata,
            "clusters_that_differ": self.clusters,
            "quotes": self.quotes, "corrected": self.corrected.as_ref().map(Corrected::json),
        });
        for part in [found, end] {
            if let (Value::Object(row), Value::Object(part)) = (&mut row, part) {
                row.extend(part);
            }
        }
        row
    }

    fn shares(&self, s: &Shares) -> Value {
        let screen = self.impact_ratio.as_ref().map(|(r, _)| !(0.8..=1.25).contains(r));
        json!({
            "kind": "rate",
            "n": s.segment.n, "events": s.segment.events, "rate": rate(&s.segment), "rate_ci": s.segment.ci,
            "reference_n": s.reference.n, "reference_events": s.reference.events,
            "reference_rate": rate(&s.reference), "reference_rate_ci": s.reference.ci,
            "difference": rate(&s.segment).zip(rate(&s.reference)).map(|(a, b)| a - b), "difference_ci": s.difference_ci,
            "impact_ratio": self.impact_ratio.as_ref().map(|(r, _)| r),
            "impact_ratio_against": self.impact_ratio.as_ref().map(|(_, to)| to),
            "outside_four_fifths_screen": screen,
            "mantel_haenszel": s.mantel_haenszel.map(|m| json!({
                "odds_ratio": m.odds_ratio, "ci": m.ci, "statistic": m.statistic, "p": m.p,
                "statistic_corrected": m.statistic_corrected, "p_corrected": m.p_corrected,
            })),
            "breslow_day": s.breslow_day.map(|b| json!({
                "statistic": b.statistic, "tarone": b.tarone, "p": b.p, "df": b.freedom,
            })),
            "fisher_p": s.fisher_p,
            "p_used": s.p(),
            "logistic": s.logistic.map(|a| adjusted(&a, "odds_ratio")),
            "permutation_p": s.permutation.map(|(p, _)| p),
            "permutation": s.permutation.map(|(_, d)| dealt(d)),
            "mde": s.detectable,
            "decomposition": s.parts.map(|p| parts(&p)),
        })
    }
}

fn means(m: &Means) -> Value {
    json!({
        "kind": "mean",
        "n": m.segment.0, "mean": some(m.segment), "reference_n": m.reference.0, "reference_mean": some(m.reference),
        "difference": some(m.segment).zip(some(m.reference)).map(|(a, b)| a - b),
        "standard_deviation": m.deviation,
        "p_used": m.linear.map(|l| l.p),
        "linear": m.linear.map(|a| adjusted(&a, "difference")),
        "rank_test": m.ranks.map(|r| json!({"z": r.z, "p": r.p})),
        "permutation_p": m.permutation.map(|(p, _)| p),
        "permutation": m.permutation.map(|(_, d)| dealt(d)),
        "mde": m.detectable,
        "decomposition": m.parts.map(|p| parts(&p)),
    })
}

/// The rate, where there are cases.
fn rate(r: &Rate) -> Option<f64> {
    (r.n > 0).then(|| r.rate())
}

/// The mean, where there are cases.
fn some((n, mean): (u64, f64)) -> Option<f64> {
    (n > 0).then_some(mean)
}

fn adjusted(a: &Adjusted, name: &str) -> Value {
    json!({
        name: a.estimate, "ci": a.ci, "p": a.p,
        "method": if a.penalised { "Firth" } else { "maximum likelihood" },
        "errors": if a.effective_clusters.is_some() { "cluster-robust" } else { "robust (HC1)" },
        "standard_error": a.error, "degrees_of_freedom": a.freedom,
        "effective_clusters": a.effective_clusters,
        "largest_p_without_one_cluster": a.without_any_one,
    })
}

fn dealt(d: Dealt) -> &'static str {
    match d {
        Dealt::Within => "within strata and clusters",
        Dealt::Clusters => "whole clusters",
    }
}

fn parts(p: &Parts) -> Value {
    json!({
        "gap": p.gap, "mix": p.mix.value, "mix_ci": p.mix.ci, "routing": p.routing.value, "routing_ci": p.routing.ci,
        "treatment": p.treatment.map(|t| t.value), "treatment_ci": p.treatment.map(|t| t.ci), "shared": p.shared,
    })
}

impl BiasReport {
    /// The contents of `bias.json`.
    pub fn json(&self) -> Value {
        json!({
            "source": self.source, "cases": self.cases, "left_out": self.left_out,
            "adjusted_for": self.adjusted_for, "cluster": self.cluster, "note": self.note,
            "labels": self.labels, "label_notes": self.label_notes,
            "permutations": self.permutations, "seed": self.seed,
            "comparisons": self.results.len(), "verdict_rule": RULE,
            "assume_independent_cases": ["rate_ci", "difference_ci", "mantel_haenszel", "breslow_day", "fisher_p", "rank_test"],
            "results": self.results.iter().map(Comparison::json).collect::<Vec<_>>(),
        })
    }

    /// The table on the terminal, 80 columns.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut head = counted(self.cases, "case", "cases");
        if self.left_out > 0 {
            let _ = write!(head, ", {} left out for a missing attribute", grouped(self.left_out));
        }
        match self.adjusted_for.as_slice() {
            [] => head.push_str("; nothing is held fixed (--adjust)"),
            list => {
                let _ = write!(head, "; held fixed: {}", list.join(", "));
            }
        }
        match &self.cluster {
            Some(_) => {
                let _ = write!(head, "; cases of one {} belong together", self.cluster_noun().unwrap_or_default());
            }
            None => head.push_str("; cases are taken as independent"),
        }
        let _ = writeln!(out, "{}.", wrap(&head, "", 80));
        if let Some(note) = &self.note {
            let _ = writeln!(out, "{}", wrap(note, "", 80));
        }
        out.push('\n');
        for by in self.attributes() {
            self.section(by, &mut out);
        }
        if self.labels.is_some() {
            out.push_str(&corrections(self));
        }
        let one = self.cluster_noun();
        let holds = one.map_or_else(String::new, |one| format!(" that holds when any one {one} is left out"));
        let closing = format!(
            "Adjusted: odds ratio of a rate, or difference of a mean, with the attributes named held fixed. A disparity is a difference beyond chance{holds}; it does not say why, or what anybody meant. --out FOLDER writes all figures, the strata and quotes."
        );
        out.push_str(&wrap(&closing, "", 80));
        out.push('\n');
        out
    }

    /// What one cluster is called in a sentence.
    pub(super) fn cluster_noun(&self) -> Option<&str> {
        self.cluster.as_deref().map(|c| if c == "agent_id" { "agent" } else { c })
    }

    /// The attributes that make segments, each once, in order.
    pub fn attributes(&self) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        for r in &self.results {
            if !out.contains(&r.by.as_str()) {
                out.push(&r.by);
            }
        }
        out
    }

    fn section(&self, by: &str, out: &mut String) {
        let rows: Vec<&Comparison> = self.results.iter().filter(|r| r.by == by).collect();
        let Some(first) = rows.first() else { return };
        let _ = writeln!(out, "{by}, against {}", first.reference);
        let _ = writeln!(
            out,
            "{:18} {:10} {:>12} {:>12}  {:16} q",
            "outcome", "segment", "segment", "reference", "adjusted (95 %)"
        );
        let rank = |v: Verdict| match v {
            Verdict::Disparity => 0,
            Verdict::NoEvidence => 1,
            Verdict::Insufficient => 2,
        };
        let mut rows = rows;
        rows.sort_by_key(|r| rank(r.verdict));
        let mut last = None;
        for r in rows {
            if last != Some(r.verdict) {
                let _ = writeln!(out, "  {}", heading(r.verdict));
                last = Some(r.verdict);
            }
            let (ours, theirs, estimate) = match &r.found {
                Found::Shares(s) => (share(&s.segment), share(&s.reference), ratio(s.logistic)),
                Found::Means(m) => (mean(m.segment), mean(m.reference), difference(m.linear)),
            };
            let q = r.q.map_or_else(|| "–".to_owned(), |q| format!("{q:.3}"));
            let _ = writeln!(
                out,
                "{:18} {:10} {ours:>12} {theirs:>12}  {estimate:16} {q}",
                cut(&r.outcome, 18),
                cut(&r.segment, 10)
            );
        }
        out.push('\n');
    }
}

fn heading(v: Verdict) -> &'static str {
    match v {
        Verdict::Disparity => "disparity",
        Verdict::NoEvidence => "no evidence of a difference",
        Verdict::Insufficient => "too little to say",
    }
}

fn share(r: &Rate) -> String {
    if r.n == 0 { "0 cases".to_owned() } else { format!("{:.1}% of {}", r.rate() * 100.0, compact(r.n)) }
}

fn mean((n, mean): (u64, f64)) -> String {
    if n == 0 {
        "0 cases".to_owned()
    } else {
        format!("{} of {}", if mean.abs() >= 1000.0 { format!("{mean:.0}") } else { short(mean) }, compact(n))
    }
}

/// A count in at most four places.
fn compact(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{}k", n / 1000),
        _ => format!("{}M", n / 1_000_000),
    }
}

fn ratio(a: Option<Adjusted>) -> String {
    a.map_or_else(|| "–".to_owned(), |a| format!("{} ({}–{})", short(a.estimate), short(a.ci.0), short(a.ci.1)))
}

fn difference(a: Option<Adjusted>) -> String {
    a.map_or_else(|| "–".to_owned(), |a| format!("{} ({}…{})", signed(a.estimate), signed(a.ci.0), signed(a.ci.1)))
}

fn signed(x: f64) -> String {
    if x.abs() >= 100.0 { format!("{x:+.0}") } else { format!("{x:+.2}") }
}

/// A number with two or three telling digits.
fn short(x: f64) -> String {
    match x.abs() {
        a if a >= 1000.0 => ">999".to_owned(),
        a if a >= 100.0 => format!("{x:.0}"),
        a if a >= 10.0 => format!("{x:.1}"),
        _ => format!("{x:.2}"),
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width { text.to_owned() } else { text.chars().take(width - 1).chain(['…']).collect() }
}
