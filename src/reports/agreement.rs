//! How far reviewers agree, as a table and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{counted, wrap};

/// A figure with its 95 % interval, where there are any.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figure {
    /// The figure.
    pub value: Option<f64>,
    /// Its interval.
    pub ci: Option<(f64, f64)>,
}

/// Two sides on one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Between {
    /// Conversations.
    pub n: u64,
    /// The share of the same answers.
    pub raw: Figure,
    /// Cohen's kappa over all labels.
    pub cohen: Figure,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct OfRule {
    /// The rule.
    pub rule: String,
    /// All labels.
    pub labels: u64,
    /// Conversations with two or more.
    pub n: u64,
    /// The share of all labels that are `violated`.
    pub prevalence: f64,
    /// The mean share of pairs of reviewers that agree.
    pub raw: Figure,
    /// Cohen's kappa of two reviewers; of more, the mean of all pairs (Light 1971).
    pub cohen: Figure,
    /// Its large-sample error, where there is one pair.
    pub cohen_error: Option<f64>,
    /// Pairs of reviewers with conversations in common.
    pub pairs: u64,
    /// Fleiss' kappa, over conversations with the most common number of reviewers.
    pub fleiss: Figure,
    /// Krippendorff's alpha.
    pub nominal: Figure,
    /// The same with n/a, ok, violated as ranks.
    pub ordinal: Figure,
    /// The program against the people.
    pub program: Option<Between>,
}

/// One reviewer against the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewer {
    /// The name.
    pub name: String,
    /// All labels.
    pub labels: u64,
    /// Judgements that others made too.
    pub shared: u64,
    /// Conversations that these belong to.
    pub conversations: u64,
    /// The share of the others' answers that are the same.
    pub raw: Figure,
    /// How much oftener than the others they say `violated`.
    pub stricter_by: Figure,
}

/// All of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// The labels' file.
    pub source: String,
    /// Present answers.
    pub labels: u64,
    /// By rule.
    pub rules: Vec<OfRule>,
    /// By reviewer, by name.
    pub reviewers: Vec<Reviewer>,
    /// The versions of the rulebook that the labels were given under.
    pub rulebooks: Vec<String>,
    /// Lines of a label file that are no label.
    pub unread: u64,
}

/// Fewer conversations than this say nothing.
const FEW: u64 = 10;

impl Agreement {
    /// The contents of the JSON file.
    pub fn json(&self) -> Value {
        let rules = self.rules.iter().map(|r| {
            json!({
                "rule": r.rule, "labels": r.labels, "n": r.n, "prevalence": r.prevalence,
                "raw": r.raw.value, "raw_ci": r.raw.ci,
                "cohen_kappa": r.cohen.value, "cohen_kappa_ci": r.cohen.ci, "cohen_kappa_error": r.cohen_error, "pairs": r.pairs,
                "fleiss_kappa": r.fleiss.value, "fleiss_kappa_ci": r.fleiss.ci,
                "alpha": r.nominal.value, "alpha_ci": r.nominal.ci, "alpha_ordinal": r.ordinal.value, "alpha_ordinal_ci": r.ordinal.ci,
                "program": r.program.as_ref().map(|p| json!({
                    "n": p.n, "raw": p.raw.value, "raw_ci": p.raw.ci, "cohen_kappa": p.cohen.value, "cohen_kappa_ci": p.cohen.ci,
                })),
            })
        });
        let reviewers = self.reviewers.iter().map(|r| {
            json!({
                "reviewer": r.name, "labels": r.labels, "shared": r.shared, "conversations": r.conversations,
                "raw": r.raw.value, "raw_ci": r.raw.ci, "stricter_by": r.stricter_by.value, "stricter_by_ci": r.stricter_by.ci,
            })
        });
        json!({
            "source": self.source, "labels": self.labels, "unread": self.unread, "rulebooks": self.rulebooks,
            "rules": rules.collect::<Vec<_>>(), "reviewers": reviewers.collect::<Vec<_>>(),
        })
    }

    /// The tables on the terminal.
    pub fn text(&self) -> String {
        let mut out = format!("{} in {}.\n", counted(self.labels, "label", "labels"), self.source);
        if self.unread > 0 {
            let _ =
                writeln!(out, "Not labels: {} of it; labels import lists them.", counted(self.unread, "line", "lines"));
        }
        if self.rulebooks.len() > 1 {
            let note = format!(
                "They were given under {} versions of the rulebook: {}.",
                self.rulebooks.len(),
                self.rulebooks.join(", ")
            );
            let _ = writeln!(out, "{}", wrap(&note, "", 80));
        }
        let program = self.rules.iter().any(|r| r.program.is_some());
        let _ = writeln!(
            out,
            "\n{:18} {:>4} {:>8} {:>5}  {:16} {:16} Fleiss",
            "rule", "n", "violated", "agree", "alpha", "kappa"
        );
        for r in &self.rules {
            let (violated, agree) = (percent(Some(r.prevalence)), percent(r.raw.value));
            let (alpha, kappa) = (figure(r.nominal, r.n), figure(r.cohen, r.n));
            let rule: String = r.rule.chars().take(18).collect();
            let _ = writeln!(
                out,
                "{rule:18} {:4} {violated:>8} {agree:>5}  {alpha:16} {kappa:16} {}",
                r.n,
                two(r.fleiss.value)
            );
            if let Some(p) = &r.program {
                let (agree, kappa) = (percent(p.raw.value), figure(p.cohen, p.n));
                let _ = writeln!(out, "{:18} {:4} {:>8} {agree:>5}  {:16} {kappa}", "  and the program", p.n, "", "");
            }
        }
        self.people(&mut out);
        let with = if program { " The program's row compares its verdict with every label." } else { "" };
        let closing = format!(
            "Intervals are 95 %; fewer than {FEW} conversations say nothing, and where nobody ever differed there is none. n: conversations that two or more reviewers labelled. violated: share of all labels. agree: share of pairs of answers that are the same. alpha: Krippendorff's, 1 is full agreement, 0 what chance would give; kappa: Cohen's. Where a rule is hardly ever violated, or nearly always, both are low even though people agree.{with}"
        );
        let _ = writeln!(out, "\n{}", wrap(&closing, "", 80));
        out
    }

    fn people(&self, out: &mut String) {
        if self.reviewers.len() < 2 {
            return;
        }
        let _ = writeln!(
            out,
            "\n{:20} {:>7} {:>7} {:>7}  says violated oftener than the others by",
            "reviewer", "labels", "shared", "agree"
        );
        for r in &self.reviewers {
            let points = |x: f64| format!("{:+.1}", x * 100.0);
            let by = match (r.stricter_by.value, r.stricter_by.ci) {
                _ if r.conversations < FEW => format!("fewer than {FEW} conversations shared"),
                (Some(v), Some((low, high))) => {
                    let word = if low > 0.0 {
                        "stricter"
                    } else if high < 0.0 {
                        "more lenient"
                    } else {
                        "no difference beyond chance"
                    };
                    format!("{} points ({} to {}): {word}", points(v), points(low), points(high))
                }
                _ => "–".to_owned(),
            };
            let name: String = r.name.chars().take(20).collect();
            let _ = writeln!(out, "{name:20} {:7} {:7} {:>7}  {by}", r.labels, r.shared, percent(r.raw.value));
        }
    }
}

fn percent(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| format!("{:.0}%", x * 100.0))
}

fn two(x: Option<f64>) -> String {
    x.map_or_else(|| "–".to_owned(), |x| format!("{x:.2}"))
}

fn figure(f: Figure, n: u64) -> String {
    match (f.value, f.ci) {
        _ if n < FEW => "–".to_owned(),
        (Some(v), Some((low, high))) => format!("{v:.2} ({low:.2}–{high:.2})"),
        (Some(v), None) => format!("{v:.2}"),
        _ => "–".to_owned(),
    }
}
