//! Transcript, turn and role, and the checks that make a record a transcript.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::language::{UNKNOWN, detect};
use super::roles::{self, RoleDoubt};
use crate::ingest::{RawTurn, Record};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The customer.
    Customer,
    /// A person who speaks for the company.
    Agent,
    /// Automation that speaks for the company.
    Bot,
    /// A note; never evidence.
    System,
}

impl Role {
    /// The role's name as in a transcript.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
            Self::Bot => "bot",
            Self::System => "system",
        }
    }

    /// The role of that name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Customer, Self::Agent, Self::Bot, Self::System];
        all.into_iter().find(|r| r.name().eq_ignore_ascii_case(name.trim()))
    }

    /// Whether this is an agent or a bot.
    pub fn is_company(self) -> bool {
        matches!(self, Self::Agent | Self::Bot)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What was said; may be empty.
    pub text: String,
    /// When it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Who spoke for the company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
}

/// One conversation between one customer and one company.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Transcript {
    /// Unique within a run.
    pub id: String,
    /// Every scalar of the transcript by its (dotted) name: `channel`, `agent_id`, `segments.tier`, …
    pub attributes: BTreeMap<String, Value>,
    /// The turns in order; at least one has text.
    pub turns: Vec<Turn>,
    /// The language it is written in: a code such as `en`, or `unknown`.
    pub language: String,
    /// How sure its roles are.
    pub roles: RoleDoubt,
}

/// The longest id, in characters.
const MAX_ID: usize = 512;
/// The most turns of a transcript: rules compare turns with each other.
const MAX_TURNS: usize = 5000;

impl Transcript {
    /// Checks a record and makes a transcript of it.
    ///
    /// # Errors
    /// The reason why it is none, for the user; it holds no text of the transcript.
    pub fn from_record(mut record: Record) -> Result<Self, String> {
        if record.id.trim().is_empty() {
            return Err("the id is empty".to_owned());
        }
        if record.id.chars().count() > MAX_ID {
            return Err(format!("the id is longer than {MAX_ID} characters"));
        }
        if record.turns.is_empty() {
            return Err("the transcript has no turns".to_owned());
        }
        if record.turns.len() > MAX_TURNS {
            return Err(format!("the transcript has {} turns, more than {MAX_TURNS}; split it", record.turns.len()));
        }
        let (guessed, missing) = if record.speakers { roles::assign(&mut record.turns) } else { (0.0, 0.0) };
        let turns = record.turns.into_iter().enumerate().map(|(i, t)| turn(i, t)).collect::<Result<Vec<_>, _>>()?;
        if turns.iter().all(|t| t.text.trim().is_empty()) {
            return Err("every turn is empty".to_owned());
        }
        let mut attributes: BTreeMap<String, Value> = record.attributes.into_iter().collect();
        // One agent in every turn that names one is the transcript's.
        let agents: BTreeSet<&String> = turns.iter().filter_map(|t| t.agent_id.as_ref()).collect();
        if let (Some(agent), 1) = (agents.first(), agents.len()) {
            attributes.entry("agent_id".to_owned()).or_insert_with(|| Value::String((*agent).clone()));
        }
        let stated = attributes.get("language").and_then(Value::as_str);
        let language = detect(&turns, stated);
        let english = matches!(language.as_str(), "en" | UNKNOWN);
        let roles = roles::doubt(&turns, english, guessed, missing);
        Ok(Self { id: record.id, attributes, turns, language, roles })
    }

    /// An attribute as text, if it is there.
    pub fn attribute(&self, name: &str) -> Option<String> {
        match self.attributes.get(name)? {
            Value::String(s) => Some(s.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// The channel, if given.
    pub fn channel(&self) -> Option<&str> {
        self.attributes.get("channel").and_then(Value::as_str)
    }

    /// The agent of a turn: its own, else the transcript's.
    pub fn agent_of(&self, turn: usize) -> Option<String> {
        let own = self.turns.get(turn).filter(|t| t.role.is_company()).and_then(|t| t.agent_id.clone());
        own.or_else(|| self.attribute("agent_id"))
    }

    /// The index of the last turn before `turn` that somebody spoke.
    pub fn before(&self, turn: usize) -> Option<usize> {
        (0..turn).rev().find(|&i| self.turns[i].role != Role::System && !self.turns[i].text.trim().is_empty())
    }
}

fn turn(index: usize, raw: RawTurn) -> Result<Turn, String> {
    let role = Role::parse(&raw.role)
        .ok_or_else(|| format!("turn {index} has an unknown role; use customer, agent, bot or system, or say what yours is called with --map agent=NAME"))?;
    // Who waits, waits from the end of what they said to the beginning of the answer.
    let at = if role == Role::Customer { raw.until.or(raw.at) } else { raw.at };
    let at = at.as_deref().filter(|at| !at.trim().is_empty()).map(time).transpose();
    let at = at.map_err(|()| {
        format!("turn {index}: \"at\" is not a time; write it like 2026-03-01T09:00:00Z, or leave it out")
    })?;
    Ok(Turn { role, text: raw.text, at, agent_id: raw.agent_id.filter(|a| !a.is_empty()) })
}

/// A time with its zone, or without one in UTC.
fn time(text: &str) -> Result<Timestamp, ()> {
    let text = text.trim();
    text.parse::<Timestamp>().or_else(|_| {
        let local: DateTime = text.parse().map_err(|_| ())?;
        local.to_zoned(TimeZone::UTC).map(|z| z.timestamp()).map_err(|_| ())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(turns: &[(&str, &str, Option<&str>)]) -> Record {
        let turns = turns.iter().map(|(role, text, at)| RawTurn {
            role: (*role).into(),
            text: (*text).into(),
            at: at.map(str::to_owned),
            ..RawTurn::default()
        });
        Record { id: "t".into(), turns: turns.collect(), ..Record::default() }
    }

    #[test]
    fn a_sound_record_keeps_its_turns_in_place() {
        let t = Transcript::from_record(record(&[("Customer", "hi", None), ("agent", " ", None), ("bot", "ok", None)]))
            .unwrap();
        assert_eq!(t.turns.len(), 3, "an empty turn keeps its number");
        assert_eq!(t.before(2), Some(0), "and is nobody's context");
    }

    #[test]
    fn what_is_unsound_is_refused_with_the_turn_and_the_next_step() {
        type Case<'a> = (&'a [(&'a str, &'a str, Option<&'a str>)], &'a str);
        let cases: [Case<'_>; 4] = [
            (&[], "no turns"),
            (&[("customer", " ", None), ("agent", "", None)], "every turn is empty"),
            (&[("customer", "hi", None), ("supervisor", "yes", None)], "turn 1 has an unknown role; use customer"),
            (&[("customer", "hi", Some("yesterday"))], "turn 0: \"at\" is not a time"),
        ];
        for (turns, reason) in cases {
            let refused = Transcript::from_record(record(turns)).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
    }

    #[test]
    fn times_are_read_with_and_without_a_zone() {
        let with = time("2026-03-01T10:00:00+01:00").unwrap();
        assert_eq!(with, time("2026-03-01 09:00:00").unwrap());
        assert_eq!(with, time("2026-03-01T09:00:00Z").unwrap());
    }
}
