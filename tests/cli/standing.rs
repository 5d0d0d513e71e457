//! Languages and roles: what is marked, counted and left out; `doctor`; the tables as Parquet.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{evenhand, rows};

const LANGUAGES: &str = "tests/fixtures/languages.jsonl";

fn run_json(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("run.json")).unwrap()).unwrap()
}

#[test]
fn another_language_is_marked_counted_and_never_judged() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let result = evenhand().args(["audit", LANGUAGES, "--out"]).arg(&out).assert().success();
    let text = String::from_utf8_lossy(&result.get_output().stdout).into_owned();
    assert!(text.contains("that the model was not trained for: 44 transcripts"), "{text}");
    let transcripts = rows(&out.join("transcripts.jsonl"));
    let truth: BTreeMap<&str, &str> =
        transcripts.iter().map(|t| (t["id"].as_str().unwrap(), t["truth"].as_str().unwrap())).collect();
    for t in &transcripts {
        let foreign = t["truth"] != "en";
        assert_eq!(t["left_out"] == "language", foreign, "{t}");
        let na = t["rules"].as_object().unwrap().values().all(|v| v == "n/a");
        assert!(!foreign || (na && t["sentiment"].is_null() && t["measures"].is_null()), "{t}");
    }
    for turn in rows(&out.join("turns.jsonl")) {
        let foreign = truth[turn["transcript_id"].as_str().unwrap()] != "en";
        assert_eq!(turn["sentiment"].is_null(), foreign, "{turn}");
        assert_eq!(turn["scores"].as_object().unwrap().is_empty(), foreign, "{turn}");
    }
    let foreign = |f: &Value| truth[f["transcript_id"].as_str().unwrap()] != "en";
    assert!(!rows(&out.join("findings.jsonl")).iter().any(foreign));
    let run = run_json(&out);
    assert_eq!(
        (&run["counts"]["read"], &run["counts"]["audited"], &run["counts"]["skipped"]),
        (&json!(52), &json!(8), &json!(44))
    );
    assert_eq!(run["standing"]["left_out"], json!({"language": 44}));
    // The exact language of short texts is not always told; that it is not English is.
    let right = transcripts.iter().filter(|t| t["language"] == t["truth"]).count();
    assert!(right >= 46, "{right} of 52");
}

#[test]
fn english_is_not_taken_for_another_language() {
    for input in ["examples/larkspur.jsonl", "tests/fixtures/contrast.transcripts.jsonl"] {
        let result = evenhand().args(["doctor", "--json", "--quiet", input]).assert().success();
        let checkup: Value = serde_json::from_slice(&result.get_output().stdout).unwrap();
        let others: Vec<&String> = checkup["standing"]["languages"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|l| !["en", "unknown"].contains(&l.as_str()))
            .collect();
        assert!(others.is_empty(), "{input}: {others:?}");
    }
}

#[test]
fn roles_in_doubt_can_be_left_out_by_a_threshold() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("t.jsonl");
    let line = |id: &str, a: &str, b: &str| {
        format!(
            "{{\"id\":\"{id}\",\"turns\":[{{\"role\":\"{a}\",\"text\":\"I was charged twice on my card, how do I get my money back?\"}},{{\"role\":\"{b}\",\"text\":\"I'm sorry about that, your account is refunded. Is there anything else I can help you with?\"}}]}}\n"
        )
    };
    fs::write(&input, line("right", "customer", "agent") + &line("wrong", "agent", "customer")).unwrap();
    let out = dir.path().join("run");
    let audit = |more: &[&str]| {
        evenhand().arg("audit").arg(&input).args(more).arg("--quiet").arg("--out").arg(&out).assert().success();
        rows(&out.join("transcripts.jsonl"))
    };
    let all = audit(&[]);
    assert_eq!(all.iter().map(|t| t["left_out"].clone()).collect::<Vec<_>>(), [Value::Null, Value::Null]);
    assert_eq!((&all[0]["roles"]["doubt"], &all[1]["roles"]["why"]), (&json!(0.0), &json!("swapped")));
    assert!(all[1]["roles"]["doubt"].as_f64().unwrap() > 0.9);
    let some = audit(&["--max-role-doubt", "0.9"]);
    assert_eq!((&some[0]["left_out"], &some[1]["left_out"]), (&Value::Null, &json!("roles")));
    let run = run_json(&out);
    assert_eq!(run["counts"]["skipped"], 1);
    assert_eq!(
        run["standing"],
        json!({"languages": {"en": 2}, "role_doubts": {"swapped": 1}, "left_out": {"roles": 1}})
    );
    // Its turns have no judgement, and what reads the run leaves them alone.
    let pages = dir.path().join("report");
    evenhand().arg("report").arg(&out).args(["--quiet", "--out"]).arg(&pages).assert().success();
    evenhand().args(["audit", "x.jsonl", "--out", "y", "--max-role-doubt", "2"]).assert().code(2);
}

#[test]
fn doctor_says_what_an_audit_would_meet() {
    let dir = tempfile::tempdir().unwrap();
    let good = |id: &str| {
        format!(
            "{{\"id\":\"{id}\",\"plan\":\"gold\",\"turns\":[{{\"role\":\"customer\",\"text\":\"write to ana@mail.example please\"}},{{\"role\":\"agent\",\"text\":\"Thanks, I will.\"}}]}}\n"
        )
    };
    fs::write(dir.path().join("a.jsonl"), good("1") + "{\"id\":\"cut\n" + &good("2") + "{\"id\":\n").unwrap();
    fs::copy("tests/fixtures/formats/call.vtt", dir.path().join("b.vtt")).unwrap();
    let result = evenhand().args(["doctor", "--json", "--quiet"]).arg(dir.path()).assert().success();
    let c: Value = serde_json::from_slice(&result.get_output().stdout).unwrap();
    assert_eq!(c["files"], json!({"jsonl": 1, "subtitles": 1}));
    assert_eq!(
        (&c["read"], &c["transcripts"], &c["turns"], &c["rejected"]),
        (&json!(5), &json!(3), &json!(7), &json!(2))
    );
    assert_eq!(c["rejects"][0]["count"], 2, "{c}");
    assert_eq!(c["personal_data"], json!({"EMAIL": 2, "NAME": 1}));
    assert_eq!(c["attributes"], json!({"channel": 1, "plan": 2}));
    assert!(c["estimated_seconds"].as_f64().unwrap() > 0.0 && c["sampled_turns"] == 7);
    let result = evenhand().args(["doctor", "--quiet"]).arg(dir.path()).assert().success();
    let text = String::from_utf8_lossy(&result.get_output().stdout).into_owned();
    assert!(text.lines().all(|l| l.chars().count() <= 80 || l.contains(dir.path().to_str().unwrap())), "{text}");
    for part in
        ["jsonl 1, subtitles 1", "2 of 5 records would be rejected", "Languages: en 3", "EMAIL 2", "would take about"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    fs::write(dir.path().join("only.jsonl"), "nothing\n").unwrap();
    evenhand().arg("doctor").arg(dir.path().join("only.jsonl")).assert().code(3);
}

#[test]
fn the_tables_are_written_as_parquet_too() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    evenhand().args(["audit", LANGUAGES, "--quiet", "--emit", "parquet", "--out"]).arg(&out).assert().success();
    let count = |name: &str| -> usize {
        let file = fs::File::open(out.join(name)).unwrap();
        let reader =
            parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        reader.map(|batch| batch.unwrap().num_rows()).sum()
    };
    for name in ["transcripts", "turns", "findings", "rejects"] {
        assert_eq!(count(&format!("{name}.parquet")), rows(&out.join(format!("{name}.jsonl"))).len(), "{name}");
    }
    assert!(count("turns.parquet") > 100);
}
