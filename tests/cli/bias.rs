//! `evenhand bias`: Simpson's paradox, one harsh agent, hostile and thin input.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::evenhand;

const BERKELEY: &str = "dept,sex,admitted,n\nA,male,1,512\nA,male,0,313\nA,female,1,89\nA,female,0,19\nB,male,1,353\nB,male,0,207\nB,female,1,17\n\
B,female,0,8\nC,male,1,120\nC,male,0,205\nC,female,1,202\nC,female,0,391\nD,male,1,138\nD,male,0,279\nD,female,1,131\nD,female,0,244\nE,male,1,53\n\
E,male,0,138\nE,female,1,94\nE,female,0,299\nF,male,1,22\nF,male,0,351\nF,female,1,24\nF,female,0,317\n";

fn table(dir: &Path, text: &str) -> PathBuf {
    let path = dir.join("table.csv");
    fs::write(&path, text).unwrap();
    path
}

fn asked(table: &Path, more: &[&str]) -> Value {
    let out = evenhand()
        .args(["bias", "--json", "--permutations", "200", "--table"])
        .arg(table)
        .args(more)
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn a_paradox_dissolves_when_its_cause_is_held_fixed() {
    let dir = tempfile::tempdir().unwrap();
    let path = table(dir.path(), BERKELEY);
    let more = ["--outcome", "admitted", "--by", "sex", "--reference", "female", "--count", "n"];
    let raw = asked(&path, &more);
    assert_eq!(raw["results"][0]["verdict"], "disparity");
    let held = asked(&path, &[&more[..], &["--adjust", "dept"]].concat());
    let row = &held["results"][0];
    assert_eq!(row["verdict"], "no-evidence");
    let near = |v: &Value, want: f64| assert!((v.as_f64().unwrap() - want).abs() < 1e-8, "{v}");
    near(&row["mantel_haenszel"]["odds_ratio"], 0.904_696_828_258_6);
    near(&row["breslow_day"]["statistic"], 18.825_513_705_2);
    assert_eq!((&row["n"], &row["events"]), (&json!(2691), &json!(1198)));
}

/// A run of 20 agents and two tiers, as `audit` writes it.
fn run_folder(dir: &Path, rate: impl Fn(usize, &str) -> usize) -> PathBuf {
    let run = dir.join("run");
    fs::create_dir_all(&run).unwrap();
    let (mut transcripts, mut findings) = (String::new(), String::new());
    for agent in 0..20 {
        for tier in ["gold", "basic"] {
            for case in 0..20 {
                let id = format!("t{agent}-{tier}-{case}");
                let violated = case < rate(agent, tier);
                let row = json!({
                    "id": id, "agent_id": format!("a{agent}"), "segments": {"tier": tier}, "issue": if case % 2 == 0 { "fee" } else { "delay" },
                    "rules": {"missing-apology": if violated { "violated" } else { "ok" }, "blame": "n/a"},
                    "sentiment": {"start": -0.5, "end": 0.1 * f64::from(case as u8 % 5), "low": -0.5},
                    "measures": {"company_turns": 2, "compensated": null},
                });
                let _ = writeln!(transcripts, "{row}");
                if violated {
                    let quote = "<script>alert(1)</script> charged twice & nobody cares";
                    let _ = writeln!(
                        findings,
                        "{}",
                        json!({"transcript_id": id, "rule": "missing-apology", "quote": quote})
                    );
                }
            }
        }
    }
    fs::write(run.join("transcripts.jsonl"), transcripts).unwrap();
    fs::write(run.join("findings.jsonl"), findings).unwrap();
    run
}

fn of_run(run: &Path, more: &[&str]) -> Value {
    let out = evenhand().arg("bias").arg(run).args(["--json", "--permutations", "200"]).args(more).assert().success();
    serde_json::from_slice(&out.get_output().stdout).unwrap()
}

fn verdict<'a>(report: &'a Value, outcome: &str) -> &'a str {
    let rows = report["results"].as_array().unwrap();
    rows.iter().find(|r| r["outcome"] == outcome).unwrap()["verdict"].as_str().unwrap()
}

#[test]
fn a_gap_at_every_agent_is_told_with_its_parts_and_quotes() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_folder(dir.path(), |_, tier| if tier == "basic" { 9 } else { 4 });
    let out = dir.path().join("bias");
    let more = ["--by", "segments.tier", "--reference", "gold", "--adjust", "issue", "--out", out.to_str().unwrap()];
    let report = of_run(&run, &more);
    assert_eq!(report["cluster"], "agent_id");
    assert_eq!(verdict(&report, "missing-apology"), "disparity");
    assert_eq!(verdict(&report, "blame"), "insufficient", "it never applies");
    let row = &report["results"].as_array().unwrap().iter().find(|r| r["outcome"] == "missing-apology").unwrap();
    assert!(row["decomposition"]["treatment"].as_f64().unwrap() > 0.2);
    assert_eq!(row["quotes"]["segment"].as_array().unwrap().len(), 3);
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(!page.contains("<script") && page.contains("&#60;script&#62;"), "quotes are escaped");
    let stored: Value = serde_json::from_str(&fs::read_to_string(out.join("bias.json")).unwrap()).unwrap();
    assert_eq!(stored, report);
    let text = page + &report.to_string();
    for word in ["unfair", "racist", "sexist", "NaN"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn one_harsh_agent_makes_no_disparity() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_folder(dir.path(), |agent, tier| if agent == 0 && tier == "basic" { 20 } else { 3 });
    let report = of_run(&run, &["--by", "segments.tier", "--outcome", "missing-apology"]);
    assert_ne!(verdict(&report, "missing-apology"), "disparity");
}

#[test]
fn the_same_figures_at_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_folder(dir.path(), |agent, tier| (agent + tier.len()) % 7);
    let more = ["--by", "segments.tier", "--by", "issue"];
    let one = of_run(&run, &[&more[..], &["--threads", "1"]].concat());
    assert_eq!(one, of_run(&run, &[&more[..], &["--threads", "3"]].concat()));
}

#[test]
fn bad_input_is_told_with_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_folder(dir.path(), |_, _| 3);
    let mut odd = fs::read_to_string(run.join("transcripts.jsonl")).unwrap();
    odd.push_str("not json\n");
    let broken = dir.path().join("broken");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("transcripts.jsonl"), odd).unwrap();
    let path = table(dir.path(), "g,y,n\na,1,3\nb,oops,1\n");
    let single = dir.path().join("single.csv");
    fs::write(&single, "g,y\na,1\na,0\n").unwrap();
    let s = |p: &Path| p.to_str().unwrap().to_owned();
    for (args, code, want) in [
        (
            vec![s(&run), "--by".into(), "tier".into()],
            2,
            "no attribute is called \"tier\"; there are: agent_id, issue, segments.tier",
        ),
        (
            vec![s(&run), "--by".into(), "segments.tier".into(), "--reference".into(), "silver".into()],
            2,
            "no segment is called \"silver\"",
        ),
        (
            vec![s(&run), "--by".into(), "issue".into(), "--outcome".into(), "rudeness".into()],
            2,
            "no outcome is called \"rudeness\"",
        ),
        (vec![s(dir.path()), "--by".into(), "issue".into()], 3, "is not a run folder"),
        (vec![s(&broken), "--by".into(), "issue".into()], 3, "line 801: not a row of a run"),
        (
            vec!["--table".into(), s(&path), "--outcome".into(), "y".into(), "--by".into(), "g".into()],
            3,
            "line 3: \"oops\"",
        ),
        (
            vec!["--table".into(), s(&single), "--outcome".into(), "y".into(), "--by".into(), "g".into()],
            2,
            "a comparison needs two segments",
        ),
    ] {
        let assert = evenhand().arg("bias").args(&args).assert().code(code);
        let error = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(error.contains(want), "{args:?}: {error}");
    }
}

#[test]
fn a_constant_or_empty_outcome_is_insufficient_and_never_nan() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::from("g,constant,empty,number\n");
    for i in 0..400 {
        let _ = writeln!(text, "{},0,,{}", ["a", "b"][i % 2], i % 3);
    }
    let path = table(dir.path(), &text);
    let report = asked(&path, &["--outcome", "constant", "--outcome", "empty", "--outcome", "number", "--by", "g"]);
    assert_eq!(verdict(&report, "constant"), "insufficient");
    assert_eq!(verdict(&report, "empty"), "insufficient");
    assert_eq!(verdict(&report, "number"), "no-evidence");
    assert!(!report.to_string().contains("NaN"));
}
