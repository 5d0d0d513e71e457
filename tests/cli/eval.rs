//! `evenhand eval` against a small gold file.

use std::fs;

use serde_json::Value;

use super::evenhand;

const TRANSCRIPTS: &str = concat!(
    r#"{"id":"a","turns":[{"role":"customer","text":"You charged me twice this month."},{"role":"agent","text":"Please send your account number."}]}"#,
    "\n",
    r#"{"id":"b","turns":[{"role":"customer","text":"You charged me twice this month."},{"role":"agent","text":"I'm so sorry about the double charge, I have refunded it."}]}"#,
    "\n"
);
const GOLD: &str = concat!(
    r#"{"id":"a","turns":[["neu","problem"],["neu","ask-info"]],"violated":{"missing-apology":[0,1]},"ok":[],"disputed":["open-loop"]}"#,
    "\n",
    r#"{"id":"b","turns":[["neu","problem"],["neu","apology","commitment","compensation"]],"violated":{},"ok":["missing-apology"],"disputed":["open-loop"]}"#,
    "\n"
);

#[test]
fn hits_and_misses_are_counted_and_disputed_rules_are_not() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("x.transcripts.jsonl"), TRANSCRIPTS).unwrap();
    let gold = dir.path().join("x.gold.jsonl");
    fs::write(&gold, GOLD).unwrap();
    let result = evenhand().args(["eval", "--json", "--gold"]).arg(&gold).assert().success();
    let out: Value = serde_json::from_slice(&result.get_output().stdout).unwrap();
    assert_eq!(out["transcripts"], 2);
    let of = |list: &str, name: &str| out[list].as_array().unwrap().iter().find(|m| m["name"] == name).unwrap().clone();
    assert_eq!(of("rules", "missing-apology")["n"], 1);
    assert_eq!(of("rules", "missing-apology")["f1"], 1.0);
    assert_eq!(of("rules", "open-loop")["n"], 0);
    assert_eq!(of("labels", "problem")["n"], 2);
    assert!(!result.get_output().stdout.windows(3).any(|w| w == b"NaN"));
    let table = evenhand().args(["eval", "--readers-labels", "--gold"]).arg(&gold).assert().success();
    let table = String::from_utf8_lossy(&table.get_output().stdout).into_owned();
    assert!(table.contains("rule macro F1"), "{table}");
}

#[test]
fn a_gold_transcript_that_is_not_in_the_input_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("t.jsonl");
    fs::write(&input, TRANSCRIPTS.lines().next().unwrap()).unwrap();
    let gold = dir.path().join("x.gold.jsonl");
    fs::write(&gold, GOLD).unwrap();
    let result = evenhand().arg("eval").arg(&input).arg("--gold").arg(&gold).assert().success();
    let text = String::from_utf8_lossy(&result.get_output().stdout).into_owned();
    assert!(text.contains("Not in the input: 1 transcript that readers judged"), "{text}");
    fs::write(&gold, GOLD.replace("missing-apology", "missing-apologies")).unwrap();
    evenhand().arg("eval").arg(&input).arg("--gold").arg(&gold).assert().code(2);
}

#[test]
fn a_gold_file_with_an_unknown_label_is_refused_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("x.transcripts.jsonl"), TRANSCRIPTS).unwrap();
    let gold = dir.path().join("x.gold.jsonl");
    fs::write(&gold, GOLD.replace("\"ask-info\"", "\"asks\"")).unwrap();
    let result = evenhand().args(["eval", "--gold"]).arg(&gold).assert().code(2);
    let stderr = String::from_utf8_lossy(&result.get_output().stderr).into_owned();
    assert!(stderr.contains("line 1") && stderr.contains("asks"), "{stderr}");
}
