//! Test helpers: transcripts with their labels written as text, and the contract that every rule keeps.
//!
//! A case is a line a turn: `C neg problem,frustration | text`. Roles: C customer, A agent, B bot, S system; `@90` is the
//! time in seconds, `+generic` a cue, `+generic!` one that is sure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{Canned, Limits, RULES, Rule, Verdict, View, judge};
use crate::signals::{Cue, Label, Sentiment, Signals};
use crate::turns::{Role, Transcript, Turn};

/// A transcript and its signals from a case.
pub(super) fn parse(case: &str) -> (Transcript, Vec<Signals>) {
    let (mut turns, mut signals) = (Vec::new(), Vec::new());
    for line in case.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let (head, text) = line.split_once(" | ").unwrap_or_else(|| panic!("no ' | ' in {line}"));
        let mut at = None;
        let (mut role, mut sentiment, mut labels, mut cues) =
            (Role::System, Sentiment::Neu, Vec::new(), [0.0; Cue::ALL.len()]);
        for word in head.split_whitespace() {
            match word {
                "C" => role = Role::Customer,
                "A" => role = Role::Agent,
                "B" => role = Role::Bot,
                "S" => role = Role::System,
                "neg" => sentiment = Sentiment::Neg,
                "neu" => sentiment = Sentiment::Neu,
                "pos" => sentiment = Sentiment::Pos,
                w if w.starts_with('@') => at = Some(Timestamp::from_second(w[1..].parse().unwrap()).unwrap()),
                w if w.starts_with('+') => {
                    let name = w[1..].trim_end_matches('!');
                    let cue = Cue::parse(name).unwrap_or_else(|| panic!("no cue {w}"));
                    cues[cue as usize] = if w.ends_with('!') { 0.95 } else { 0.8 };
                }
                w => labels.extend(w.split(',').map(|l| Label::parse(l).unwrap_or_else(|| panic!("no label {l}")))),
            }
        }
        turns.push(Turn { role, text: text.to_owned(), at, agent_id: None });
        signals.push(Signals { cues, ..Signals::certain(sentiment, labels.into_iter().collect()) });
    }
    let attributes = BTreeMap::from([("channel".to_owned(), "chat".into())]);
    (Transcript { id: "t".into(), attributes, turns, ..Transcript::default() }, signals)
}

/// The verdict of a rule over a case, written as "violated 3,4", "ok" or "n/a".
fn verdict(rule: &Rule, case: &str) -> String {
    let (transcript, signals) = parse(case);
    let others = Canned::default().others(&transcript);
    match (rule.check)(&View::new(&transcript, &signals, &others, &Limits::default())) {
        Verdict::Violated(v) => {
            format!("violated {}", v.turns.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
        }
        other => other.name().to_owned(),
    }
}

/// Runs a rule's own cases: at least six, at least half of them without a violation.
pub(super) fn cases(rule: &Rule, cases: &[(&str, &str)]) {
    let negative = cases.iter().filter(|(want, _)| !want.starts_with("violated")).count();
    assert!(cases.len() >= 6 && negative * 2 >= cases.len(), "{}: {} cases, {negative} negative", rule.id, cases.len());
    for (want, case) in cases {
        assert_eq!(verdict(rule, case), *want, "{} on\n{case}", rule.id);
    }
}

fn any_signals() -> impl Strategy<Value = Signals> {
    (0usize..3, proptest::collection::vec(0usize..24, 0..6), any::<[bool; Cue::ALL.len()]>()).prop_map(
        |(s, labels, cues)| Signals {
            cues: cues.map(|holds| if holds { 0.95 } else { 0.1 }),
            ..Signals::certain(Sentiment::ALL[s], labels.into_iter().map(|l| Label::ALL[l]).collect())
        },
    )
}

fn any_transcript() -> impl Strategy<Value = (Transcript, Vec<Signals>)> {
    let role = proptest::sample::select(vec![Role::Customer, Role::Agent, Role::Bot, Role::System]);
    let text = prop_oneof![".{0,60}", "(sorry|we can't|please|account number|hold|\\^AB| |é|😀){0,20}", " *"];
    let turn = (role, text, any_signals(), proptest::option::of(0i64..1_000_000));
    proptest::collection::vec(turn, 1..9).prop_map(|turns| {
        let mut signals = Vec::new();
        let turns = turns.into_iter().map(|(role, text, s, at)| {
            let at = at.map(|s| Timestamp::from_second(s).unwrap());
            let quiet = role == Role::System || text.trim().is_empty();
            signals.push(if quiet { Signals::nothing() } else { s });
            Turn { role, text, at, agent_id: None }
        });
        let turns = turns.collect();
        (Transcript { id: "t".into(), attributes: BTreeMap::new(), turns, ..Transcript::default() }, signals)
    })
}

proptest! {
    /// No panic on any text; evidence inside the transcript and not on an empty turn or a system note; the quote stands at its span.
    #[test]
    fn every_rule_keeps_the_contract((transcript, signals) in any_transcript()) {
        let others = Canned::default().others(&transcript);
        let limits = Limits::default();
        let view = View::new(&transcript, &signals, &others, &limits);
        let judgement = judge(&view);
        prop_assert_eq!(judgement.verdicts.len(), RULES.len());
        for f in &judgement.findings {
            prop_assert!(!f.turns.is_empty() && f.turns.iter().all(|&t| t < transcript.turns.len()));
            let main = &transcript.turns[f.turns[0]];
            prop_assert!(main.role != Role::System && !main.text.trim().is_empty(), "{} on an empty turn", f.rule);
            let quote: String = main.text.chars().skip(f.span[0]).take(f.span[1] - f.span[0]).collect();
            prop_assert_eq!(&quote, &f.quote);
            prop_assert!(!quote.is_empty() && (0.0..=1.0).contains(&f.confidence) && !f.suggestion.is_empty());
        }
        prop_assert_eq!(judge(&view), judgement, "the same again");
    }
}

#[test]
fn ids_are_unique_and_kebab_case() {
    let mut ids: Vec<&str> = RULES.iter().map(|r| r.id).collect();
    assert!(ids.iter().all(|id| id.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len());
}
