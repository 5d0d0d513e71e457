//! Redaction on planted personal data and its look-alikes (`tests/fixtures/redaction.jsonl`, written by `redaction.py` beside it).

use std::collections::BTreeMap;
use std::fs;

use evenhand::ingest::{RawTurn, Record};
use evenhand::turns::{Redactor, Transcript};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    group: String,
    turns: Vec<(String, String)>,
    find: Vec<(usize, String, String)>,
}

/// (planted, gone whole, under its own name) of a kind.
type Tally = BTreeMap<String, (usize, usize, usize)>;

fn transcript(turns: &[(String, String)]) -> Transcript {
    let turns =
        turns.iter().map(|(role, text)| RawTurn { role: role.clone(), text: text.clone(), ..RawTurn::default() });
    Transcript::from_record(Record { id: "t".into(), turns: turns.collect(), ..Record::default() }).unwrap()
}

#[test]
fn redaction_finds_what_is_planted_and_leaves_ordinary_turns() {
    let text = fs::read_to_string("tests/fixtures/redaction.jsonl").unwrap();
    let cases: Vec<Case> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let mut tally = Tally::new();
    let (mut ordinary, mut touched) = (0, 0);
    for case in &cases {
        let transcript = transcript(&case.turns);
        let redactor = Redactor::new(&transcript);
        for (i, (_, text)) in case.turns.iter().enumerate() {
            let redacted = redactor.turn(i);
            let planted = case.find.iter().filter(|(turn, ..)| *turn == i);
            let mut places = Vec::new();
            for (_, kind, words) in planted {
                let at = text.find(words).unwrap();
                places.push(at..at + words.len());
                let hit = redacted.replaced.iter().find(|(r, _)| r.start <= at && at + words.len() <= r.end);
                let t = tally.entry(kind.clone()).or_default();
                t.0 += 1;
                t.1 += usize::from(hit.is_some());
                t.2 += usize::from(hit.is_some_and(|(_, tag)| tag == kind));
                if hit.is_none() {
                    println!("missed {kind} in {text:?}: {:?}", redacted.text);
                }
            }
            ordinary += usize::from(places.is_empty());
            let wrong =
                redacted.replaced.iter().any(|(r, _)| places.iter().all(|p| r.end <= p.start || p.end <= r.start));
            if wrong {
                touched += 1;
                println!("touched ({}) {text:?}: {:?}", case.group, redacted.text);
            }
        }
    }
    let (mut planted, mut gone) = (0, 0);
    println!("{:<10} {:>7} {:>5} {:>6} {:>5}", "kind", "planted", "gone", "recall", "named");
    for (kind, (n, hit, named)) in &tally {
        println!("{kind:<10} {n:>7} {hit:>5} {:>6.3} {named:>5}", *hit as f64 / *n as f64);
        if kind != "NAME" {
            (planted, gone) = (planted + n, gone + hit);
        }
    }
    let recall = gone as f64 / planted as f64;
    println!(
        "structured kinds: {gone} of {planted} gone, recall {recall:.4}; {touched} of {ordinary} ordinary turns touched"
    );
    assert!(planted >= 400 && ordinary >= 300, "the set has shrunk");
    assert!(recall >= 0.98, "recall {recall}");
    assert!(touched * 100 <= ordinary, "{touched} of {ordinary} ordinary turns touched");
}
