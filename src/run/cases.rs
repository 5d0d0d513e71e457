//! A run folder conversation by conversation. In: `transcripts.jsonl`, `turns.jsonl` and `findings.jsonl`, read side by side. Out: one
//! [`Case`] after the other, in the order of the run, one in memory at a time.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rayon::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::output::RunError;
use super::table::{find, table_error};
use crate::findings::{Finding, RULES, Severity};
use crate::signals::{Label, LabelSet, Sentiment};
use crate::tally::{Entry, Ledger, arc};
use crate::turns::Role;

/// A conversation with everything that the run folder holds of it.
pub(super) struct Case {
    pub(super) id: String,
    pub(super) row: Map<String, Value>,
    pub(super) turns: Vec<TurnRow>,
    pub(super) findings: Vec<Finding>,
}

/// A row of `turns.jsonl`.
#[derive(Deserialize)]
pub(super) struct TurnRow {
    transcript_id: String,
    pub(super) role: Role,
    pub(super) agent_id: Option<String>,
    /// None in a conversation that was left out.
    pub(super) sentiment: Option<Sentiment>,
    labels: Vec<Label>,
    #[serde(default)]
    pub(super) scores: Scores,
}

/// The probabilities that good moments are chosen by.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Scores {
    pub(super) apology: f32,
    pub(super) empathy: f32,
    pub(super) commitment: f32,
    pub(super) timeframe: f32,
}

impl TurnRow {
    pub(super) fn labels(&self) -> LabelSet {
        self.labels.iter().copied().collect()
    }

    pub(super) fn has(&self, label: Label) -> bool {
        self.labels.contains(&label)
    }
}

/// Rows that are parsed together, on all threads.
const TOGETHER: usize = 4096;

/// One file, some rows ahead.
struct Ahead<T> {
    path: PathBuf,
    lines: Lines<BufReader<File>>,
    /// Rows that were handed out.
    line: usize,
    next: VecDeque<T>,
}

impl<T: DeserializeOwned + Send> Ahead<T> {
    fn open(run: &Path, name: &str) -> Result<Self, RunError> {
        let path = run.join(name);
        let file = File::open(&path).map_err(|_| RunError::NoRun(run.to_path_buf()))?;
        let lines = BufReader::with_capacity(1 << 20, file).lines();
        let mut out = Self { path, lines, line: 0, next: VecDeque::new() };
        out.read()?;
        Ok(out)
    }

    fn read(&mut self) -> Result<(), RunError> {
        let lines: Vec<String> =
            self.lines.by_ref().take(TOGETHER).collect::<Result<_, _>>().map_err(RunError::io(&self.path))?;
        let wrong = |place: usize| table_error(&self.path, self.line + place + 1, "not a row of a run");
        let parsed = |(i, line): (usize, &String)| serde_json::from_str(line).map_err(|_| wrong(i));
        let rows: Vec<T> = lines.par_iter().enumerate().map(parsed).collect::<Result<_, _>>()?;
        self.next = rows.into();
        Ok(())
    }

    /// Hands out the next row.
    fn step(&mut self) -> Result<Option<T>, RunError> {
        let row = self.next.pop_front();
        self.line += usize::from(row.is_some());
        if self.next.is_empty() && row.is_some() {
            self.read()?;
        }
        Ok(row)
    }

    /// The rows up to the first that does not belong.
    fn while_of(&mut self, belongs: impl Fn(&T) -> bool) -> Result<Vec<T>, RunError> {
        let mut out = Vec::new();
        while self.next.front().is_some_and(&belongs) {
            out.extend(self.step()?);
        }
        Ok(out)
    }

    fn done(&self) -> Result<(), RunError> {
        if self.next.is_empty() {
            return Ok(());
        }
        Err(table_error(&self.path, self.line + 1, "the rows are not in the order of transcripts.jsonl"))
    }
}

/// Reads a run; `each` gets every conversation that was judged, in order.
///
/// # Errors
/// When it is no run, a row cannot be read, or the files do not go together.
pub(super) fn read(run: &Path, mut each: impl FnMut(Case) -> Result<(), RunError>) -> Result<(), RunError> {
    let mut rows: Ahead<Map<String, Value>> = Ahead::open(run, "transcripts.jsonl")?;
    let mut turns: Ahead<TurnRow> = Ahead::open(run, "turns.jsonl")?;
    let mut findings: Ahead<Finding> = Ahead::open(run, "findings.jsonl")?;
    while let Some(row) = rows.step()? {
        let id = row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let turns = turns.while_of(|t| t.transcript_id == id)?;
        let findings = findings.while_of(|f| f.transcript_id == id)?;
        // A finding of a turn that is not there would be quoted as if it were.
        let sound = |f: &Finding| !f.turns.is_empty() && f.turns.iter().all(|&t| t < turns.len());
        if !findings.iter().all(sound) {
            return Err(table_error(&run.join("findings.jsonl"), 0, &format!("a finding in {id} names no turn of it")));
        }
        // Nothing is known of one that was left out, and it is no conversation without findings.
        if row.get("left_out").is_none_or(Value::is_null) {
            each(Case { id, row, turns, findings })?;
        }
    }
    turns.done()?;
    findings.done()
}

impl Case {
    /// The people who answered, each once, in the order in which they came.
    pub(super) fn people(&self) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        for agent in self.turns.iter().filter(|t| t.role == Role::Agent).filter_map(|t| t.agent_id.as_deref()) {
            if !out.contains(&agent) {
                out.push(agent);
            }
        }
        out
    }

    /// An attribute by its dotted name, as text.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        find(&self.row, name)
    }

    fn number(&self, pointer: [&str; 2]) -> Option<f64> {
        self.row.get(pointer[0])?.get(pointer[1])?.as_f64()
    }

    /// Turns in which somebody speaks.
    pub(super) fn spoken(&self, customer: bool) -> impl DoubleEndedIterator<Item = usize> {
        self.turns.iter().enumerate().filter_map(move |(i, t)| {
            let ours = if customer { t.role == Role::Customer } else { t.role.is_company() };
            ours.then_some(i)
        })
    }

    /// Whether a finding's evidence on the company's side was said by automation.
    pub(super) fn automated(&self, finding: &Finding) -> bool {
        let company = finding.turns.iter().map(|&t| self.turns[t].role).find(|r| r.is_company());
        company == Some(Role::Bot)
    }

    /// The entry of this conversation.
    pub(super) fn entry(&self, ledger: &mut Ledger, team: Option<&str>, score: Option<&str>) -> Entry {
        let people = self.people();
        let learn =
            |names: &mut crate::tally::Attribute, name: &str| self.attribute(name).and_then(|v| names.learn(&v));
        let mut entry = Entry {
            agent: if let [one] = people.as_slice() { ledger.agents.learn(one) } else { None },
            shared: people.len() > 1,
            issue: learn(&mut ledger.issues, "issue"),
            channel: learn(&mut ledger.channels, "channel"),
            team: team.and_then(|t| learn(&mut ledger.teams, t)),
            week: self.attribute("started_at").and_then(|at| week(&at)),
            bot_first: self.spoken(false).next().is_some_and(|i| self.turns[i].role == Role::Bot),
            severe: self.findings.iter().any(|f| f.severity == Severity::High),
            response: self.number(["measures", "first_response_seconds"]),
            sentiment: self.number(["sentiment", "start"]).zip(self.number(["sentiment", "end"])),
            score: score.and_then(|s| self.attribute(s)).and_then(|s| s.parse().ok()).filter(|s: &f64| s.is_finite()),
            ..Entry::default()
        };
        for (i, rule) in RULES.iter().enumerate() {
            let verdict = self.row.get("rules").and_then(|r| r.get(rule.id)).and_then(Value::as_str);
            let violated = verdict == Some("violated");
            if rule.context {
                entry.abusive |= violated;
            }
            entry.applies |= u32::from(violated || verdict == Some("ok")) << i;
            entry.violated |= u32::from(violated) << i;
            let by_bot = self.findings.iter().any(|f| f.rule == rule.id && self.automated(f));
            entry.automated |= u32::from(by_bot) << i;
        }
        let feelings: Vec<Sentiment> = self.spoken(true).filter_map(|i| self.turns[i].sentiment).collect();
        entry.arc = arc(&feelings);
        if let Some(problem) = self.spoken(true).find(|&i| self.turns[i].has(Label::Problem)) {
            let after = |label| self.spoken(false).any(|i| i > problem && self.turns[i].has(label));
            entry.remedy = Some((after(Label::Apology), after(Label::Compensation)));
        }
        entry
    }
}

/// The Monday of the week of a time or date, in days from 1970-01-01; a time with a zone counts in UTC.
fn week(text: &str) -> Option<i32> {
    let text = text.trim();
    let date: Date = text
        .parse::<Timestamp>()
        .map(|t| t.to_zoned(TimeZone::UTC).date())
        .or_else(|_| text.parse::<DateTime>().map(|d| d.date()))
        .or_else(|_| text.parse::<Date>())
        .ok()?;
    let monday = date.checked_sub(jiff::Span::new().days(i64::from(date.weekday().to_monday_zero_offset()))).ok()?;
    monday.since(Date::constant(1970, 1, 1)).ok().map(|span| span.get_days())
}

/// The date of a day counted from 1970-01-01, as `2 Mar 2026`.
pub(super) fn day(days: i32) -> String {
    let date = Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap_or(Date::ZERO);
    date.strftime("%-d %b %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday() {
        assert_eq!(week("1970-01-05T00:00:00Z"), Some(4));
        assert_eq!(week("1970-01-11T23:59:59Z"), Some(4));
        assert_eq!(week("2026-03-01"), week("2026-02-23 09:00:00"));
        assert_eq!(week("2026-03-02T00:30:00+01:00"), week("2026-03-01"), "it is Sunday in UTC");
        assert_eq!((week("soon"), week("")), (None, None));
        assert_eq!(day(week("2026-03-04").unwrap()), "2 Mar 2026");
    }
}
