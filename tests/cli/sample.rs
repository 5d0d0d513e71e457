//! `evenhand sample`: designs, the sheet, and what happens when the words are gone.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{evenhand, rows};

/// A run of `n` conversations as `audit` writes it, and the file that was audited. Every fourth has a finding; every third is of tier gold.
pub fn run_folder(dir: &Path, n: usize) -> (PathBuf, PathBuf) {
    let (run, input) = (dir.join("run"), dir.join("calls.jsonl"));
    fs::create_dir_all(&run).unwrap();
    let (mut words, mut transcripts, mut findings) = (String::new(), String::new(), String::new());
    for i in 0..n {
        let id = format!("c{i}");
        let found = i % 4 == 0;
        let agent = format!("a{}", i % 5);
        let tier = if i % 3 == 0 { "gold" } else { "basic" };
        let _ = writeln!(
            words,
            "{}",
            json!({"id": id, "agent_id": agent, "segments": {"tier": tier}, "turns": [
                {"role": "customer", "text": format!("=1+1 my bill {i} is wrong, write to ana@mail.example.org")},
                {"role": "agent", "text": "We looked into it."}]})
        );
        let verdict = if found {
            "violated"
        } else if i % 8 == 7 {
            "n/a"
        } else {
            "ok"
        };
        let _ = writeln!(
            transcripts,
            "{}",
            json!({"id": id, "agent_id": agent, "segments": {"tier": tier}, "rules": {"missing-apology": verdict, "blame": "n/a"},
                "sentiment": null, "measures": {"month": "2026-03"}})
        );
        if found {
            let severity = ["high", "low"][i / 4 % 2];
            let _ = writeln!(
                findings,
                "{}",
                json!({"transcript_id": id, "rule": "missing-apology", "turns": [1], "quote": "We looked into it.", "span": [0, 18],
                    "severity": severity, "confidence": 0.6, "agent_id": agent, "why": "w", "suggestion": "s"})
            );
        }
    }
    fs::write(&input, &words).unwrap();
    fs::write(run.join("transcripts.jsonl"), transcripts).unwrap();
    fs::write(run.join("findings.jsonl"), findings).unwrap();
    let manifest = json!({
        "program": {"name": "evenhand", "version": "0.1.0"}, "model": {"name": "m", "version": "1", "backend": "b", "sha256": {}},
        "config": {"limits": {}}, "config_sha256": "", "seed": 0, "redacted": true, "seconds": 1.0,
        "inputs": [{"source": input, "sha256": hex(&words)}],
        "counts": {"read": n, "audited": n, "rejected": 0, "turns": 2 * n},
    });
    fs::write(run.join("run.json"), manifest.to_string()).unwrap();
    (run, input)
}

fn hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

fn drawn(run: &Path, out: &Path, args: &[&str]) -> Vec<Value> {
    evenhand().arg("sample").arg(run).args(args).arg("--out").arg(out).assert().success();
    rows(out)
}

fn p(row: &Value) -> f64 {
    row["inclusion_probability"].as_f64().unwrap()
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|r| r["id"].as_str().unwrap()).collect()
}

#[test]
fn a_random_sample_has_its_words_redacted_and_its_probability() {
    let dir = tempfile::tempdir().unwrap();
    let (run, _) = run_folder(dir.path(), 400);
    let out = dir.path().join("s.jsonl");
    let sample = drawn(&run, &out, &["--size", "50", "--seed", "3"]);
    assert_eq!(sample.len(), 50);
    for row in &sample {
        assert_eq!(
            (p(row), &row["stratum"], &row["design"], &row["seed"]),
            (0.125, &json!("all"), &json!("random"), &json!(3))
        );
        let text = row["turns"][0]["text"].as_str().unwrap();
        assert!(text.starts_with("=1+1 my bill") && text.ends_with("write to [EMAIL]"), "{text}");
        assert_eq!((&row["population"], &row["segments"]["tier"].is_string()), (&json!(400), &true));
    }
    // The same again, whatever the number of threads; another seed, another sample.
    let bytes = fs::read(&out).unwrap();
    drawn(&run, &out, &["--size", "50", "--seed", "3", "--threads", "1"]);
    assert_eq!(bytes, fs::read(&out).unwrap());
    assert_ne!(ids(&sample), ids(&drawn(&run, &out, &["--size", "50", "--seed", "4"])));
}

#[test]
fn adding_conversations_leaves_most_of_the_sample() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (small, large) = (run_folder(a.path(), 400).0, run_folder(b.path(), 420).0);
    for design in [&["--design", "random"][..], &["--stratify", "segments.tier"], &["--design", "risk"]] {
        let args = [&["--size", "60"], design].concat();
        let (before, after) =
            (drawn(&small, &a.path().join("s.jsonl"), &args), drawn(&large, &b.path().join("s.jsonl"), &args));
        let before = ids(&before);
        let stayed = ids(&after).iter().filter(|id| before.contains(id)).count();
        assert!(stayed >= 53, "{design:?}: {stayed}");
    }
}

#[test]
fn strata_get_their_quota() {
    let dir = tempfile::tempdir().unwrap();
    let (run, _) = run_folder(dir.path(), 300);
    let out = dir.path().join("s.jsonl");
    let sample = drawn(&run, &out, &["--size", "60", "--stratify", "segments.tier"]);
    let gold: Vec<&Value> = sample.iter().filter(|r| r["stratum"] == "segments.tier=gold").collect();
    assert_eq!((sample.len(), gold.len(), p(gold[0])), (60, 20, 0.2));
    let equal = drawn(&run, &out, &["--size", "60", "--stratify", "segments.tier", "--allocation", "equal"]);
    assert_eq!(equal.iter().filter(|r| r["segments"]["tier"] == "gold").count(), 30);
    let agents = drawn(&run, &out, &["--per-agent", "4"]);
    for agent in ["a0", "a1", "a2", "a3", "a4"] {
        assert_eq!(agents.iter().filter(|r| r["agent_id"] == agent).count(), 4);
    }
    let months = drawn(&run, &out, &["--per-stratum", "7", "--stratify", "month"]);
    assert_eq!((months.len(), &months[0]["stratum"]), (7, &json!("month=2026-03")));
}

#[test]
fn risk_draws_in_proportion_and_says_with_which_probability() {
    let dir = tempfile::tempdir().unwrap();
    let (run, _) = run_folder(dir.path(), 400);
    let sample = drawn(&run, &dir.path().join("s.jsonl"), &["--size", "80", "--design", "risk"]);
    let of = |r: &Value| r["findings"][0]["severity"].as_str().unwrap_or("none").to_owned();
    let scores = |kind: &str| match kind {
        "none" => 1.0,
        "low" => 1.0 + 1.96 / 2.0,
        _ => 1.0 + 3.0 * 1.96 / 2.0,
    };
    // 300 without a finding, 50 low, 50 high; scores are kept to 1/64.
    let round = |x: f64| (x * 64.0).round() / 64.0;
    let total = 300.0 + 50.0 * round(scores("low")) + 50.0 * round(scores("high"));
    for row in &sample {
        assert!((p(row) - 80.0 * round(scores(&of(row))) / total).abs() < 1e-12, "{row}");
    }
    assert!(sample.iter().filter(|r| of(r) == "high").count() > 20);
}

#[test]
fn a_blind_sample_tells_nothing_of_what_the_program_found() {
    let dir = tempfile::tempdir().unwrap();
    let (run, _) = run_folder(dir.path(), 200);
    let out = dir.path().join("s.jsonl");
    let args = [
        "--size",
        "40",
        "--blind",
        "--design",
        "risk",
        "--reviewers",
        "ana,ben",
        "--double",
        "0.25",
        "--rule",
        "missing-apology",
    ];
    let sample = drawn(&run, &out, &args);
    assert!(
        sample.iter().all(|r| r.get("findings").is_none() && r.get("rules").is_none() && r.get("sentiment").is_none())
    );
    assert_eq!(sample.iter().filter(|r| r["reviewers"].as_array().unwrap().len() == 2).count(), 10);
    let sheet = fs::read_to_string(out.with_extension("csv")).unwrap();
    let header = sheet.lines().next().unwrap().trim_start_matches('\u{feff}').trim_end();
    assert_eq!(header, "id,reviewer,transcript,missing-apology,note,sample,rulebook");
    let mut table = csv::Reader::from_reader(sheet.trim_start_matches('\u{feff}').as_bytes());
    let cells: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(cells.len(), 50);
    assert!(cells.iter().all(|r| r[2].starts_with("0 customer: =1+1 my bill") && !r[2].contains("mail.example")));
    assert_eq!(cells.iter().filter(|r| &r[1] == "ana").count(), 25);
}

#[test]
fn what_was_reviewed_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (run, _) = run_folder(dir.path(), 60);
    let first = dir.path().join("first.jsonl");
    let reviewed = drawn(&run, &first, &["--size", "30"]);
    let second = drawn(&run, &dir.path().join("second.jsonl"), &["--size", "30", "--exclude", first.to_str().unwrap()]);
    assert!(ids(&second).iter().all(|id| !ids(&reviewed).contains(id)));
    assert_eq!((p(&second[0]), &second[0]["population"]), (1.0, &json!(30)));
    let plain = dir.path().join("ids.txt");
    fs::write(&plain, "c1\nc2\n").unwrap();
    let third = drawn(&run, &dir.path().join("third.jsonl"), &["--size", "58", "--exclude", plain.to_str().unwrap()]);
    assert!(!ids(&third).contains(&"c1") && third.len() == 58);
}

#[test]
fn a_calibration_set_is_no_random_sample() {
    let dir = tempfile::tempdir().unwrap();
    let (run, _) = run_folder(dir.path(), 60);
    let labels = dir.path().join("l.csv");
    fs::write(
        &labels,
        "id,rule,reviewer,value\nc5,blame,ana,ok\nc5,blame,ben,violated\nc6,blame,ana,ok\nc6,blame,ben,ok\n",
    )
    .unwrap();
    let out = dir.path().join("m.jsonl");
    let set = drawn(&run, &out, &["--calibration", "4", "--labels", labels.to_str().unwrap()]);
    assert!(set.len() == 4 && ids(&set).contains(&"c5") && !ids(&set).contains(&"c6"));
    assert!(set.iter().all(|r| r["inclusion_probability"].is_null() && r["design"] == "calibration"));
}

#[test]
fn when_the_words_are_gone_the_next_step_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (run, input) = run_folder(dir.path(), 40);
    let out = dir.path().join("s.jsonl");
    let refused = |more: &[&str], code: i32, want: &str| {
        let assert =
            evenhand().arg("sample").arg(&run).args(["--size", "10", "--out"]).arg(&out).args(more).assert().code(code);
        let error = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(error.contains(want), "{error}");
        assert!(!out.exists());
    };
    let moved = dir.path().join("moved.jsonl");
    fs::rename(&input, &moved).unwrap();
    refused(&[], 3, "cannot be read any more; 10 of 10 drawn conversations are not in the files read");
    let words = fs::read_to_string(&moved).unwrap();
    fs::write(&input, words.replace("looked", "peeked")).unwrap();
    refused(&[], 3, "has changed since the audit");
    let half: String = words.lines().take(5).fold(String::new(), |t, l| t + l + "\n");
    let part = dir.path().join("part.jsonl");
    fs::write(&part, half).unwrap();
    refused(&["--transcripts", part.to_str().unwrap()], 3, "is not one of the files that this run was made from");
    assert_eq!(drawn(&run, &out, &["--size", "10", "--transcripts", moved.to_str().unwrap()]).len(), 10);
    assert!(drawn(&run, &out, &["--size", "10", "--no-text"])[0]["turns"].is_null());
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let (run, _) = run_folder(dir.path(), 40);
    for (args, code, want) in [
        (&["--size", "41"][..], 2, "40 conversations can be drawn from, fewer than the 41 wanted"),
        (&["--size", "41", "--design", "risk"], 2, "fewer than the 41 wanted"),
        (&["--size", "9", "--stratify", "agent_id"], 2, "there are 5 strata, and each needs 2 conversations"),
        (
            &["--size", "9", "--stratify", "segments.teir"],
            2,
            "no attribute is called \"segments.teir\"; there are: agent_id, month, segments.tier",
        ),
        (&["--size", "9", "--rule", "no-apology"], 2, "no rule is called \"no-apology\""),
        (&["--size", "9", "--design", "stratified"], 2, "needs strata"),
        (&["--size", "9", "--double", "0.5", "--reviewers", "ana"], 2, "needs two names"),
        (&["--size", "0"], 2, "0 is not in 1.."),
    ] {
        let out = dir.path().join("s.jsonl");
        let assert = evenhand().arg("sample").arg(&run).args(args).arg("--out").arg(out).assert().code(code);
        let error = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(error.contains(want), "{args:?}: {error}");
    }
    let none = evenhand().arg("sample").arg(dir.path()).args(["--size", "3", "--out", "x.jsonl"]).assert().code(3);
    assert!(String::from_utf8_lossy(&none.get_output().stderr).contains("is not a run folder"));
}
