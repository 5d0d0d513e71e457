//! Contrast pairs: two short transcripts that differ by one small edit, which turns a violation into none.
//!
//! A pair is right when both halves are. The floors are what was reached; the one over all pairs may only go up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{evenhand, rows};

#[test]
fn pairs_are_told_apart_at_least_as_often_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = dir.path().join("wrong.jsonl");
    evenhand()
        .args(["eval", "--gold", "tests/fixtures/contrast.gold.jsonl", "--differences"])
        .arg(&wrong)
        .assert()
        .success();
    let wrong: BTreeSet<String> = rows(&wrong).iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
    let gold = rows(Path::new("tests/fixtures/contrast.gold.jsonl"));
    let mut right: BTreeMap<String, usize> = BTreeMap::new();
    for pair in gold.chunks(2) {
        let ids = [pair[0]["id"].as_str().unwrap(), pair[1]["id"].as_str().unwrap()];
        let rule = pair[0]["violated"].as_object().unwrap().keys().next().unwrap().clone();
        *right.entry(rule).or_default() += usize::from(ids.iter().all(|id| !wrong.contains(*id)));
    }
    let all: usize = right.values().sum();
    assert!(gold.len() == 848 && all >= 317, "{all} of 424 pairs right: {right:?}");
    assert!(right["informal-denial"] >= 38, "{right:?}");
}
