//! Coaching reports as figures: one [`AgentReport`] a person. In: what was counted and chosen. Out: `coach.json` and `rates.csv`.

use serde::Serialize;

use super::plots::Point;
use crate::findings::{Doc, Piece, RULES};
use crate::tally::ARC;

/// Conversations below which a page shows no rates.
pub const ENOUGH: u64 = 20;
/// Conversations to which a rule must apply before its rate is shown.
pub const ENOUGH_OF_A_RULE: u64 = 10;
/// Rules that are about the set-up more than about a person: shown, never a focus and never to anybody's credit.
pub const OF_THE_SET_UP: [&str; 2] = ["over-automation", "slow-response"];
/// The measured precision below which a rule's findings are hints to read and not counts.
pub const COUNTS_FROM: f64 = 0.5;
/// How sure it must be that a rate lies above what is expected before the page says so.
pub const SURE: f64 = 0.95;

/// All pages of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Coaching {
    /// The run folder.
    pub source: String,
    /// Conversations in the run.
    pub conversations: u64,
    /// Conversations that no person answered, or none that is named.
    pub unattended: u64,
    /// Why words of some conversations are missing.
    pub missing_words: Vec<String>,
    /// The reviewers' labels that were taken in.
    pub labels: Option<String>,
    /// How to read the figures.
    pub method: &'static str,
    /// One entry for each person, by name.
    pub agents: Vec<AgentReport>,
}

/// One person's page.
#[derive(Debug, Clone, Serialize)]
pub struct AgentReport {
    /// Their id as in the run.
    pub agent: String,
    /// The page's file.
    pub file: String,
    /// Conversations that only they answered, and that count.
    pub conversations: u64,
    /// Conversations that they shared with colleagues: not in any rate.
    pub shared: u64,
    /// Conversations with an insult by the customer: set apart.
    pub abusive: u64,
    /// The first and last week.
    pub period: Option<(String, String)>,
    /// Every rule that applies.
    pub rates: Vec<Rate>,
    /// What went well.
    pub good: Vec<Good>,
    /// What to work on; at most three.
    pub focuses: Vec<Focus>,
    /// What people said of the findings; none where no labels were given.
    pub read_again: Option<ReadAgain>,
    /// How many weeks a point of `weeks` stands for: 1, or 4 where there are few conversations.
    pub weeks_together: u32,
    /// The share of conversations with a finding, by week.
    #[serde(serialize_with = "points")]
    pub weeks: Vec<Point>,
    /// First replies, by channel.
    pub responses: Vec<Response>,
    /// The customers' sentiment.
    pub arc: Option<Arc>,
    /// What the conversations were about, and the channels.
    pub mix: Vec<Mix>,
}

fn points<S: serde::Serializer>(points: &[Point], s: S) -> Result<S::Ok, S::Error> {
    let rows = points.iter().map(|p| serde_json::json!({"week": p.name, "found": p.own.0, "conversations": p.own.1, "others_found": p.others.0, "others_conversations": p.others.1}));
    s.collect_seq(rows)
}

/// How often a rule was not kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    /// The rule.
    pub rule: &'static str,
    /// Conversations to which it applies.
    pub cases: u64,
    /// Those with a finding.
    pub found: u64,
    /// The rate with Wilson's 95 % interval; none where there are too few conversations.
    pub rate: Option<(f64, (f64, f64))>,
    /// The rate that colleagues have on the same issues and channels.
    pub expected: Option<f64>,
    /// The rate drawn towards what is expected.
    pub shrunken: Option<Drawn>,
    /// The rate of all, moved as far as the rate lies from the expected one, for the funnel.
    pub for_like_cases: Option<f64>,
    /// Of those found, the ones that reviewers saw otherwise. They are in the rate.
    pub reversed: u64,
    /// The rate drawn towards what is expected, without them; none where there are none. A focus is chosen by it.
    pub without_reversed: Option<Drawn>,
}

impl Rate {
    /// What a focus is chosen by.
    pub fn judged(&self) -> Option<Drawn> {
        self.without_reversed.or(self.shrunken)
    }
}

/// What people said of a finding when they read the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reviewed {
    /// Most saw it too.
    Upheld,
    /// As many did as did not.
    Divided,
    /// Most saw it otherwise.
    Reversed,
}

/// What people said of a person's findings, each rule once a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReadAgain {
    /// Seen too.
    pub upheld: u64,
    /// Seen differently by different people.
    pub divided: u64,
    /// Seen otherwise.
    pub reversed: u64,
    /// The first of those seen otherwise.
    pub shown: Vec<TakenBack>,
}

/// A finding that people saw otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenBack {
    /// The rule.
    pub rule: &'static str,
    /// The conversation.
    pub transcript: String,
    /// The turn of the quote.
    pub turn: usize,
    /// Who said it.
    pub speaker: &'static str,
    /// The quote.
    pub quote: String,
}

/// An empirical-Bayes estimate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Drawn {
    /// The estimate.
    pub rate: f64,
    /// Its 95 % interval.
    pub ci: (f64, f64),
    /// The probability that the true rate is above the expected one.
    pub above: f64,
}

/// Where a focus stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Above what colleagues have on like cases, beyond chance.
    Above,
    /// About as often as expected.
    AsExpected,
    /// Too few conversations to say.
    TooFew,
    /// Above, by a rule whose findings are wrong as often as not: to be read, not counted.
    Hint,
}

/// Something to work on.
#[derive(Debug, Clone, Serialize)]
pub struct Focus {
    /// The rule.
    pub rule: &'static str,
    /// Where it stands.
    pub standing: Standing,
    /// Excess × severity × sureness; what focuses are ordered by.
    pub impact: f64,
    /// Two moments.
    pub moments: Vec<Moment>,
    /// (cases, rate for like cases) of everyone else with enough cases, for the funnel.
    #[serde(skip)]
    pub others: Vec<(u64, f64)>,
    /// The rate of all.
    pub level: f64,
}

/// A finding, with what was said around it.
#[derive(Debug, Clone, Serialize)]
pub struct Moment {
    /// The conversation.
    pub transcript: String,
    /// The turn of the quote.
    pub turn: usize,
    /// Who said it.
    pub speaker: &'static str,
    /// The quote.
    pub quote: String,
    /// What was seen.
    pub seen: String,
    /// How sure the program is.
    pub confidence: f32,
    /// What people said of it, where somebody read it.
    pub reviewed: Option<Reviewed>,
    /// The turn before and the turn after; none where the words are missing or there is no such turn.
    pub before: Option<Line>,
    /// The turn after.
    pub after: Option<Line>,
    /// The rule's suggestion.
    pub suggestion: String,
    /// A wording made of the case's own facts; none where the words are missing or no wording helps.
    pub rewrite: Option<Vec<Piece>>,
}

/// A turn beside a quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Who speaks.
    pub speaker: &'static str,
    /// The turn.
    pub turn: usize,
    /// What was said, shortened.
    pub text: String,
}

/// A good moment.
#[derive(Debug, Clone, Serialize)]
pub struct Good {
    /// What is good in it.
    pub what: &'static str,
    /// The conversation.
    pub transcript: String,
    /// The turn.
    pub turn: usize,
    /// The customer's words before it.
    pub before: Option<Line>,
    /// What was said; none where the words are missing.
    pub quote: Option<String>,
    /// The customer's words after it.
    pub after: Option<Line>,
}

/// First replies in a channel, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Response {
    /// The channel.
    pub channel: String,
    /// Replies with a time.
    pub cases: u64,
    /// The quartiles.
    pub quartiles: [f64; 3],
    /// Within how many seconds a reply is due.
    pub limit: f64,
    /// Replies within it.
    pub within: u64,
    /// The same of everyone else: (replies, median, within).
    pub others: (u64, f64, u64),
}

/// Sentiment from the first turn to the last.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arc {
    /// Conversations.
    pub cases: u64,
    /// Means with their 95 % intervals.
    pub own: [(f64, (f64, f64)); ARC],
    /// The others' means.
    pub others: Option<[f64; ARC]>,
}

/// A kind of case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mix {
    /// `issue` or `channel`.
    pub of: &'static str,
    /// Its name.
    pub name: String,
    /// Own cases of it, and all own cases.
    pub own: (u64, u64),
    /// The same of everyone else.
    pub others: (u64, u64),
}

/// How the figures are made, as it stands in the file.
pub const METHOD: &str = "Conversations answered by one person count for them; shared ones, those with an insult by the customer, and what automation \
said do not. expected: the rate of the same issue in the same channel at everyone else (10 cases or more; else of the issue, else of all). \
shrunken: Morris's empirical Bayes (1983) of asin of the root of the rate less that of the expected rate, both by Anscombe (1948), with variance \
1/(4n + 2) + 1/(4m) over n own cases and m of others, drawn no further than 1.5 standard errors (Efron and Morris 1972), led back to a rate; only with 20 conversations, 10 to which the rule applies, and 5 \
people who have as many. A focus stands above where it is 0.95 sure that the rate is above the expected one, and there are 3 findings; \
a hint is the same for a rule with a measured precision below 0.5. reversed: findings that most reviewers saw otherwise; they stay in found and rate, are no \
example, and do not count towards a focus, which is chosen by without_reversed where there are such. impact: (shrunken - expected) x mean severity (1 to 3) x sureness x measured precision.";

impl AgentReport {
    /// The file with the same text in Markdown.
    pub fn text_file(&self) -> String {
        format!("{}.md", self.file.strip_suffix(".html").unwrap_or(&self.file))
    }

    /// Whether there are too few conversations for rates.
    pub fn too_few(&self) -> bool {
        self.conversations < ENOUGH
    }

    /// Whether any rule's rate could be held against colleagues'.
    pub fn compared(&self) -> bool {
        self.rates.iter().any(|r| r.judged().is_some())
    }

    /// A rule's rate.
    pub fn rate_of(&self, rule: &str) -> Option<&Rate> {
        self.rates.iter().find(|r| r.rule == rule)
    }

    /// Rules kept better than colleagues do on like cases, beyond chance; at most three.
    pub fn kept(&self) -> Vec<&Rate> {
        let below =
            |r: &Rate| r.shrunken.zip(r.expected).filter(|(s, _)| s.above <= 1.0 - SURE).map(|(s, e)| e - s.rate);
        let about_people = self.rates.iter().filter(|r| !OF_THE_SET_UP.contains(&r.rule) && counts(r.rule));
        let mut out: Vec<(&Rate, f64)> = about_people.filter_map(|r| Some((r, below(r)?))).collect();
        out.sort_by(|a, b| b.1.total_cmp(&a.1));
        out.into_iter().map(|(r, _)| r).take(3).collect()
    }
}

impl Coaching {
    /// The contents of `coach.json`.
    ///
    /// # Errors
    /// Never in practice: every figure is finite.
    pub fn json(&self) -> serde_json::Result<String> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// The contents of `rates.csv`: one row for each person and rule.
    pub fn csv(&self) -> String {
        let mut out = String::from(
            "agent,rule,conversations,found,rate,rate_low,rate_high,expected,shrunken,shrunken_low,shrunken_high,reversed\n",
        );
        let number = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.6}"));
        for a in &self.agents {
            for r in &a.rates {
                let (rate, ci) = (r.rate.map(|r| r.0), r.rate.map(|r| r.1));
                let (drawn, drawn_ci) = (r.shrunken.map(|s| s.rate), r.shrunken.map(|s| s.ci));
                let numbers = [
                    rate,
                    ci.map(|c| c.0),
                    ci.map(|c| c.1),
                    r.expected,
                    drawn,
                    drawn_ci.map(|c| c.0),
                    drawn_ci.map(|c| c.1),
                ];
                let numbers = numbers.map(number).join(",");
                let start = format!("{},{},{},{}", cell(&a.agent), r.rule, r.cases, r.found);
                out.push_str(&format!("{start},{numbers},{}\n", r.reversed));
            }
        }
        out
    }
}

/// Whether a rule's findings are right often enough to be counted.
pub fn counts(rule: &str) -> bool {
    precision(rule) >= COUNTS_FROM
}

/// A rule's measured precision; 0 where it was not measured.
pub fn precision(rule: &str) -> f64 {
    let rule = RULES.iter().find(|r| r.id == rule);
    rule.and_then(|r| Doc::of(r).measured()).map_or(0.0, |(precision, _)| precision.0)
}

/// A text as a cell: quoted where it must be, and never taken for a formula by a spreadsheet.
pub(super) fn cell(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A rule's or label's id in words: `missing-apology` as `Missing apology`.
pub(super) fn titled(id: &str) -> String {
    let words = id.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_no_formulas() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("a,\"b\"\n"), "\"a,\"\"b\"\" \"");
        assert_eq!(titled("no-next-step"), "No next step");
    }
}
