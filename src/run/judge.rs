//! From a classified transcript to its rows in the run folder.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::output::{RunError, json_line};
use super::pipeline::Classified;
use crate::findings::{Canned, Finding, Judgement, Limits, RULES, Verdict, View, judge};
use crate::signals::{Label, Signals};
use crate::tally::{LeftOut, Measures, measure};
use crate::turns::{Redactor, Role, RoleDoubt, Transcript, redact_attribute};

/// The rows of one transcript, ready to be written.
pub(super) struct Rows {
    pub(super) transcript: Vec<u8>,
    pub(super) turns: Vec<u8>,
    pub(super) findings: Vec<u8>,
    /// None where the transcript is left out.
    pub(super) judgement: Option<Judgement>,
}

#[derive(Serialize)]
struct TranscriptRow<'a> {
    id: &'a str,
    #[serde(flatten)]
    attributes: Map<String, Value>,
    rules: BTreeMap<&'a str, &'a str>,
    sentiment: Option<Arc>,
    measures: Option<Measures>,
    language: &'a str,
    roles: RoleDoubt,
    left_out: Option<LeftOut>,
}

/// The customer's sentiment at the first turn, the last turn and the lowest, −1…1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Arc {
    start: f32,
    end: f32,
    low: f32,
}

#[derive(Serialize)]
struct TurnRow<'a> {
    transcript_id: &'a str,
    turn: usize,
    role: Role,
    agent_id: Option<String>,
    sentiment: Option<&'static str>,
    labels: Vec<Label>,
    scores: Map<String, Value>,
}

/// Judges a transcript against all rules; none applies to one that is left out.
pub(super) fn judgement(item: &Classified, canned: &Canned, limits: &Limits) -> Judgement {
    if item.left_out.is_some() {
        let verdicts = RULES.iter().map(|r| (r.id, Verdict::NotApplicable.name())).collect();
        return Judgement { verdicts, findings: Vec::new() };
    }
    let others = canned.others(&item.transcript);
    judge(&View::new(&item.transcript, &item.signals, &others, limits))
}

/// Judges a transcript and writes its rows.
pub(super) fn rows(item: &Classified, canned: &Canned, limits: &Limits, redacted: bool) -> Result<Rows, RunError> {
    let mut judgement = judgement(item, canned, limits);
    if redacted && !judgement.findings.is_empty() {
        let redactor = Redactor::new(&item.transcript);
        judgement.findings.iter_mut().for_each(|f| f.quote = redacted_quote(&redactor, &item.transcript, f));
    }
    let Classified { transcript, signals, left_out } = item;
    let mut turns = Vec::new();
    for i in 0..transcript.turns.len() {
        turns.extend(json_line(&turn_row(transcript, i, signals.get(i)))?);
    }
    let row = TranscriptRow {
        id: &transcript.id,
        attributes: nested(&transcript.attributes, redacted, &OWN),
        rules: judgement.verdicts.iter().copied().collect(),
        sentiment: arc(transcript, signals),
        measures: left_out.is_none().then(|| measure(transcript, signals)),
        language: &transcript.language,
        roles: transcript.roles,
        left_out: *left_out,
    };
    let findings = judgement.findings.iter().map(json_line).collect::<Result<Vec<_>, _>>();
    let (transcript, findings) = (json_line(&row)?, findings?.concat());
    Ok(Rows { transcript, turns, findings, judgement: Some(judgement).filter(|_| left_out.is_none()) })
}

/// The quote with personal data replaced as it is in the whole turn: a number that the quote cuts is still one.
fn redacted_quote(redactor: &Redactor<'_>, transcript: &Transcript, finding: &Finding) -> String {
    let turn = finding.turns[0];
    let text = &transcript.turns[turn].text;
    let byte = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(i, _)| i);
    redactor.turn(turn).part(byte(finding.span[0])..byte(finding.span[1])).to_owned()
}

fn turn_row<'a>(transcript: &'a Transcript, i: usize, signals: Option<&Signals>) -> TurnRow<'a> {
    let role = transcript.turns[i].role;
    TurnRow {
        transcript_id: &transcript.id,
        turn: i,
        role,
        agent_id: if role.is_company() { transcript.agent_of(i) } else { None },
        sentiment: signals.map(|s| s.sentiment.name()),
        labels: signals.iter().flat_map(|s| s.labels.iter()).collect(),
        scores: signals.map(|s| scores(s, role)).unwrap_or_default(),
    }
}

/// The probability of each label that the role can have.
pub fn scores(signals: &Signals, role: Role) -> Map<String, Value> {
    Label::ALL.into_iter().filter(|l| l.fits(role)).map(|l| (l.name().to_owned(), decimal(signals.p(l)))).collect()
}

/// A 32-bit probability as the short decimal it was rounded to.
fn decimal(p: f32) -> Value {
    serde_json::Number::from_f64((f64::from(p) * 10_000.0).round() / 10_000.0).map_or(Value::Null, Value::Number)
}

fn arc(transcript: &Transcript, signals: &[Signals]) -> Option<Arc> {
    let spoken =
        transcript.turns.iter().zip(signals).filter(|(t, _)| t.role == Role::Customer && !t.text.trim().is_empty());
    let scores: Vec<f32> = spoken.map(|(_, s)| (s.score() * 10_000.0).round() / 10_000.0).collect();
    let low = scores.iter().copied().reduce(f32::min)?;
    Some(Arc { start: *scores.first()?, end: *scores.last()?, low })
}

/// The names that a row has itself.
const OWN: [&str; 7] = ["id", "rules", "sentiment", "measures", "language", "roles", "left_out"];

/// Attributes as they stood in the input: `segments.tier` inside `segments`.
pub(super) fn nested(attributes: &BTreeMap<String, Value>, redacted: bool, own: &[&str]) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, value) in attributes {
        // A name that the row has itself gets another beginning.
        let taken = name.split('.').next().is_some_and(|n| own.contains(&n));
        let name = if taken { format!("input_{name}") } else { name.clone() };
        let value = if redacted { redacted_value(&name, value) } else { value.clone() };
        match name.split_once('.') {
            Some((outer, inner)) => {
                let slot = out.entry(outer).or_insert_with(|| Value::Object(Map::new()));
                match slot {
                    Value::Object(map) => {
                        map.insert(inner.to_owned(), value);
                    }
                    _ => {
                        out.insert(name.clone(), value);
                    }
                }
            }
            None => {
                out.insert(name, value);
            }
        }
    }
    out
}

fn redacted_value(name: &str, value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(redact_attribute(name, text)),
        Value::Number(number) => {
            let text = number.to_string();
            let redacted = redact_attribute(name, &text);
            if redacted == text { value.clone() } else { Value::String(redacted) }
        }
        other => other.clone(),
    }
}
