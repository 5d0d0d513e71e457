//! The overview as figures. In: what was counted over a whole run. Out: `report.json` and `rates.csv`.

use serde::Serialize;

use super::coach::{Arc, cell};
use super::estimates::Estimates;
use super::plots::Point;

/// Conversations to which a rule must apply before a level's rate is shown.
pub const ENOUGH_OF_A_LEVEL: u64 = 10;

/// Levels of an attribute that a page shows.
pub const SHOWN: usize = 6;

/// Everything the overview says.
#[derive(Debug, Clone, Serialize)]
pub struct Overview {
    /// The run folder.
    pub source: String,
    /// The program and the model, in a line.
    pub made_by: String,
    /// Records found, audited, rejected; turns.
    pub counts: [u64; 4],
    /// The first and the last week.
    pub period: Option<(String, String)>,
    /// Why records were rejected, the commonest first.
    pub rejects: Vec<(String, u64)>,
    /// Conversations with at least one finding, and all.
    pub with_finding: (u64, u64),
    /// Every rule, the highest rate first; context last.
    pub rules: Vec<RuleRow>,
    /// Rates that reviewers' labels stand behind, where labels were given, as `evenhand labels estimate` writes them.
    #[serde(serialize_with = "estimates")]
    pub labels: Option<Estimates>,
    /// Rates by channel, issue, team.
    pub breakdowns: Vec<Breakdown>,
    /// The share of conversations with a finding over time.
    #[serde(serialize_with = "points")]
    pub weeks: Vec<Point>,
    /// Weeks that a point of `weeks` stands for.
    pub weeks_together: u32,
    /// Customers' sentiment from the first turn to the last.
    pub arc: Option<Arc>,
    /// What happens where in a conversation.
    pub stages: Vec<Stage>,
    /// First replies by channel.
    pub replies: Vec<Replies>,
    /// Problems that come back.
    pub repeated: Repeated,
    /// Where the customers' scores and the transcripts disagree.
    pub gap: Option<Gap>,
    /// Apology and remedy after a problem: neither, apology alone, remedy alone, both.
    pub remedies: Vec<Remedy>,
    /// The segment audit, where one was named.
    pub segments: Option<Segments>,
    /// What to know about the data.
    pub quality: Vec<Quality>,
    /// Why some words are missing.
    pub missing_words: Vec<String>,
}

fn points<S: serde::Serializer>(points: &[Point], s: S) -> Result<S::Ok, S::Error> {
    let row = |p: &Point| serde_json::json!({"week": p.name, "found": p.own.0, "conversations": p.own.1});
    s.collect_seq(points.iter().map(row))
}

fn estimates<S: serde::Serializer>(labels: &Option<Estimates>, s: S) -> Result<S::Ok, S::Error> {
    labels.as_ref().map(Estimates::json).serialize(s)
}

/// A rule over all conversations.
#[derive(Debug, Clone, Serialize)]
pub struct RuleRow {
    /// The rule.
    pub rule: &'static str,
    /// Whether it is about the customer.
    pub context: bool,
    /// Conversations to which it applies, and those with a finding.
    pub cases: u64,
    /// Those with a finding.
    pub found: u64,
    /// The rate with Wilson's 95 % interval.
    pub rate: Option<(f64, (f64, f64))>,
    /// The clearest finding.
    pub quote: Option<Quote>,
}

/// A quote and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// The conversation.
    pub transcript: String,
    /// The turn.
    pub turn: usize,
    /// The words.
    pub text: String,
}

/// Rates by the levels of an attribute.
#[derive(Debug, Clone, Serialize)]
pub struct Breakdown {
    /// The attribute.
    pub by: String,
    /// The levels with most conversations, the largest first.
    pub levels: Vec<Level>,
    /// Levels beyond those listed, and their conversations.
    pub others: (u64, u64),
}

/// One level.
#[derive(Debug, Clone, Serialize)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// Its conversations.
    pub conversations: u64,
    /// (rule, cases, found), in the order of the rulebook.
    pub rules: Vec<(&'static str, u64, u64)>,
}

/// A stage of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// Customers' turns in it: negative, neutral, positive.
    pub sentiment: [u64; 3],
    /// Findings whose main turn lies in it, the commonest rule first.
    pub findings: Vec<(&'static str, u64)>,
}

/// First replies in a channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replies {
    /// The channel.
    pub channel: String,
    /// Replies with a time.
    pub cases: u64,
    /// The seconds at 10, 25, 50, 75 and 90 %.
    pub quantiles: [f64; 5],
    /// Within how many seconds a reply is due.
    pub limit: f64,
    /// Replies within it.
    pub within: u64,
}

/// Problems that come back.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Repeated {
    /// Conversations with a problem.
    pub problems: u64,
    /// Those whose words could be read.
    pub read: u64,
    /// Whether only a part of them was looked at.
    pub sampled: bool,
    /// Since which day a problem counts as recent; none where the run is too short or has no dates.
    pub recent_from: Option<String>,
    /// Groups by what is said: rising ones first, then by size.
    pub groups: Vec<Group>,
    /// Groups by the issue that the input names, in the same order.
    pub issues: Vec<Group>,
}

/// A problem that comes back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Its weightiest words, or the issue.
    pub words: Vec<String>,
    /// Conversations with it.
    pub conversations: u64,
    /// Of those with a date: recent ones, and all.
    pub recent: (u64, u64),
    /// How many recent ones its share of the time gives one to expect.
    pub expected_recent: f64,
    /// P of as many recent ones by chance, and that with all groups counted (Benjamini and Hochberg 1995).
    pub p: Option<f64>,
    /// The adjusted p.
    pub q: Option<f64>,
    /// Whether it is rising.
    pub rising: bool,
    /// Typical quotes.
    pub quotes: Vec<Quote>,
}

/// Scores against transcripts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gap {
    /// The score's name, its scale, and from where it is low and high.
    pub score: String,
    /// Low up to this, high from that.
    pub low_high: (f64, f64),
    /// Conversations with a score.
    pub scored: u64,
    /// [low, high][troubled, clean]: conversations; what lies between counts in neither.
    pub cells: [[u64; 2]; 2],
    /// High score, troubled transcript.
    pub glad_but_troubled: Vec<Quote>,
    /// Low score, clean transcript: the customer's last words.
    pub low_but_clean: Vec<Quote>,
}

/// What followed a problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Remedy {
    /// In words.
    pub name: &'static str,
    /// Whether there was an apology, and money, credit or a replacement.
    pub given: (bool, bool),
    /// Conversations.
    pub conversations: u64,
    /// The customer's mean sentiment in the last turn, with its 95 % interval; none below ten conversations.
    pub end: Option<(f64, (f64, f64))>,
    /// Those whose last turn is negative.
    pub ended_negative: u64,
}

/// What the segment audit found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segments {
    /// Where it stands.
    pub source: String,
    /// What was held fixed.
    pub adjusted_for: Vec<String>,
    /// Comparisons by verdict: disparity, no evidence, too little to say.
    pub verdicts: [u64; 3],
    /// The comparisons shown: disparities first.
    pub rows: Vec<SegmentRow>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentRow {
    /// The outcome.
    pub outcome: String,
    /// The attribute, the segment and the reference.
    pub by: String,
    /// The segment.
    pub segment: String,
    /// What it is held against.
    pub reference: String,
    /// The verdict.
    pub verdict: String,
    /// The adjusted odds ratio with its interval.
    pub odds: Option<(f64, (f64, f64))>,
    /// Cases of the segment.
    pub cases: u64,
}

/// Something to know about the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quality {
    /// What it is.
    pub what: String,
    /// How many, of how many.
    pub count: (u64, u64),
    /// What follows from it.
    pub meaning: &'static str,
}

impl Overview {
    /// The contents of `report.json`.
    ///
    /// # Errors
    /// Never in practice: every figure is finite.
    pub fn json(&self) -> serde_json::Result<String> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// The contents of `rates.csv`: every rule over all conversations and by level.
    pub fn csv(&self) -> String {
        let mut out = String::from(
            "by,level,rule,conversations,found,rate,rate_low,rate_high,corrected,corrected_low,corrected_high,precision,recall\n",
        );
        let number = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.6}"));
        let corrected = |rule: &str| {
            let row = self.labels.iter().flat_map(Estimates::whole).find(|r| r.rule == rule);
            let ci = row.and_then(|r| r.ppi.ci);
            let figures =
                row.map(|r| [r.ppi.value, ci.map(|c| c.0), ci.map(|c| c.1), r.precision.value, r.sensitivity.value]);
            figures.unwrap_or_default().map(number).join(",")
        };
        let mut row = |by: &str, level: &str, rule: &str, cases: u64, found: u64, more: &str| {
            let rate = if cases == 0 {
                ",,".to_owned()
            } else {
                let (low, high) = crate::stats::wilson(found, cases);
                format!("{:.6},{low:.6},{high:.6}", found as f64 / cases as f64)
            };
            out.push_str(&format!("{},{},{rule},{cases},{found},{rate},{more}\n", cell(by), cell(level)));
        };
        for r in &self.rules {
            row("", "", r.rule, r.cases, r.found, &corrected(r.rule));
        }
        for b in &self.breakdowns {
            for level in &b.levels {
                for (rule, cases, found) in &level.rules {
                    row(&b.by, &level.name, rule, *cases, *found, ",,,,");
                }
            }
        }
        out
    }
}
