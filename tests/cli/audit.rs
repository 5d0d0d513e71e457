//! `evenhand audit` on the shipped example and on small cases.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{evenhand, rows};

#[test]
fn the_example_has_every_rule_violated_and_most_conversations_decent() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let result = evenhand().args(["audit", "examples/larkspur.jsonl", "--out"]).arg(&out).assert().success();
    let text = String::from_utf8(result.get_output().stdout.clone()).unwrap();
    assert!(text.contains("Most frequent findings") && text.lines().all(|l| l.chars().count() <= 80), "{text}");
    let transcripts = rows(&out.join("transcripts.jsonl"));
    let findings = rows(&out.join("findings.jsonl"));
    assert!(transcripts.len() >= 200);
    let violated: BTreeSet<&str> = findings.iter().map(|f| f["rule"].as_str().unwrap()).collect();
    assert_eq!(violated.len(), 16, "{violated:?}");
    let clean =
        transcripts.iter().filter(|t| !t["rules"].as_object().unwrap().values().any(|v| v == "violated")).count();
    assert!(clean * 3 > transcripts.len(), "{clean} of {} without a finding", transcripts.len());
}

#[test]
fn every_quote_stands_at_its_span() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    evenhand()
        .args(["audit", "examples/larkspur.jsonl", "--quiet", "--no-redact", "--out"])
        .arg(&out)
        .assert()
        .success();
    let texts: std::collections::BTreeMap<String, Vec<String>> = rows(std::path::Path::new("examples/larkspur.jsonl"))
        .iter()
        .map(|t| {
            let turns = t["turns"].as_array().unwrap().iter().map(|turn| turn["text"].as_str().unwrap().to_owned());
            (t["id"].as_str().unwrap().to_owned(), turns.collect())
        })
        .collect();
    for f in rows(&out.join("findings.jsonl")) {
        let turn = usize::try_from(f["turns"][0].as_u64().unwrap()).unwrap();
        let span: Vec<usize> =
            f["span"].as_array().unwrap().iter().map(|n| usize::try_from(n.as_u64().unwrap()).unwrap()).collect();
        let text = &texts[f["transcript_id"].as_str().unwrap()][turn];
        let words: String = text.chars().skip(span[0]).take(span[1] - span[0]).collect();
        assert_eq!(words, f["quote"].as_str().unwrap());
        assert!(!words.is_empty());
    }
}

#[test]
fn rows_have_the_fields_others_rely_on() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("a.jsonl");
    let line = r#"{"id":"c-1","channel":"chat","agent_id":"a7","issue":"billing","segments":{"tier":"gold"},"scores":{"csat":4},"turns":[{"role":"customer","text":"You charged my card 4111 1111 1111 1111 twice, this is a disgrace!","at":"2026-03-01T09:00:05Z"},{"role":"agent","text":"Please send your account number."}]}"#;
    fs::write(&input, line).unwrap();
    let out = dir.path().join("run");
    evenhand().arg("audit").arg(&input).arg("--quiet").arg("--out").arg(&out).assert().success();
    let t = &rows(&out.join("transcripts.jsonl"))[0];
    assert_eq!(
        (&t["id"], &t["segments"]["tier"], &t["scores"]["csat"]),
        (&Value::from("c-1"), &Value::from("gold"), &Value::from(4))
    );
    assert_eq!(t["rules"].as_object().unwrap().len(), 16);
    assert_eq!(t["rules"]["missing-apology"], "violated");
    assert!(t["sentiment"]["start"].as_f64().unwrap() < 0.0);
    let turns = rows(&out.join("turns.jsonl"));
    assert_eq!(turns.len(), 2);
    assert_eq!(
        (&turns[1]["agent_id"], &turns[1]["turn"], &turns[1]["role"]),
        (&Value::from("a7"), &Value::from(1), &Value::from("agent"))
    );
    assert_eq!(turns[0]["scores"].as_object().unwrap().len(), 8);
    assert_eq!(turns[1]["scores"].as_object().unwrap().len(), 16);
    let findings = rows(&out.join("findings.jsonl"));
    let f = findings.iter().find(|f| f["rule"] == "missing-apology").unwrap();
    assert!(f["quote"].as_str().unwrap().contains("[CARD]"), "{f}");
    for field in
        ["transcript_id", "rule", "turns", "quote", "span", "severity", "confidence", "agent_id", "why", "suggestion"]
    {
        assert!(f.get(field).is_some(), "{field}");
    }
    assert_eq!(f["agent_id"], "a7");
    let run: Value = serde_json::from_slice(&fs::read(out.join("run.json")).unwrap()).unwrap();
    assert_eq!(run["inputs"][0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(run["program"]["name"], "evenhand");
}
