//! `evenhand labels`: from the filled sheet to rates, and what cannot be taken in.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::sample::run_folder;
use super::{evenhand, rows};

fn s(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn asked(args: &[String]) -> Value {
    let out = evenhand().args(args).arg("--json").assert().success().get_output().stdout.clone();
    serde_json::from_slice(&out).unwrap()
}

fn labels(args: &[&str]) -> Value {
    asked(&[&["labels".to_owned()][..], &args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()].concat())
}

/// What people find in conversation `i`: the program misses every tenth, and is wrong on every twentieth.
fn truth(i: usize) -> &'static str {
    match i {
        _ if i % 8 == 7 => "n/a",
        _ if i.is_multiple_of(20) => "ok",
        _ if i.is_multiple_of(4) || i % 10 == 1 => "violated",
        _ => "ok",
    }
}

fn number(id: &str) -> usize {
    id[1..].parse().unwrap()
}

/// Fills a sheet as people would.
fn fill(sheet: &Path, answer: impl Fn(&str, usize) -> &'static str) -> PathBuf {
    let text = fs::read_to_string(sheet).unwrap();
    let mut table = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let head = table.headers().unwrap().clone();
    let column = head.iter().position(|h| h == "missing-apology").unwrap();
    let filled = sheet.with_file_name("filled.csv");
    let mut out = csv::Writer::from_path(&filled).unwrap();
    out.write_record(&head).unwrap();
    for row in table.records() {
        let row = row.unwrap();
        let value = answer(&row[1], number(&row[0]));
        out.write_record(row.iter().enumerate().map(|(i, c)| if i == column { value } else { c })).unwrap();
    }
    out.flush().unwrap();
    filled
}

/// A run, a blind sample of it and its filled sheet in a database.
fn reviewed(dir: &Path, design: &[&str]) -> (PathBuf, PathBuf, Vec<Value>) {
    let (run, _) = run_folder(dir, 800);
    let (sample, db) = (dir.join("sample.jsonl"), dir.join("labels.db"));
    let fixed = ["--blind", "--rule", "missing-apology", "--reviewers", "ana,ben", "--double", "0.5"];
    evenhand().arg("sample").arg(&run).args(design).args(fixed).arg("--out").arg(&sample).assert().success();
    // Ben calls a violated conversation kept, now and then.
    let filled = fill(&sample.with_extension("csv"), |who, i| {
        if who == "ben" && truth(i) == "violated" && i.is_multiple_of(3) { "ok" } else { truth(i) }
    });
    let i = labels(&["import", &s(&filled), "--into", &s(&db), "--sample", &s(&sample), "--run", &s(&run)]);
    let drawn = rows(&sample);
    assert_eq!((i["sample"]["drawn"].as_u64().unwrap() as usize, &i["labels"]["unread"]), (drawn.len(), &json!([])));
    assert_eq!((&i["labels"]["unknown"], &i["labels"]["ids_checked"]), (&json!([]), &json!(true)));
    (run, db, drawn)
}

#[test]
fn from_the_sheet_to_the_rate() {
    for design in [
        &["--size", "160"][..],
        &["--size", "160", "--stratify", "segments.tier", "--allocation", "equal"],
        &["--size", "160", "--design", "risk"],
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (run, db, drawn) = reviewed(dir.path(), design);
        let e = labels(&["estimate", &s(&run), &s(&db), "--by", "segments.tier", "--adjudicator", "ana"]);
        let r = &e["rules"][0];
        assert_eq!(
            (&r["rule"], &r["population"], &r["labelled"]),
            (&json!("missing-apology"), &json!(800), &json!(160))
        );
        // 200 of 700 by the program; by hand from the rows that were drawn, where Ana's word counts if she read it.
        assert!((r["machine"].as_f64().unwrap() - 200.0 / 700.0).abs() < 1e-12);
        let (mut so, mut applies) = (0.0, 0.0);
        for row in &drawn {
            let i = number(row["id"].as_str().unwrap());
            let weight = 1.0 / row["inclusion_probability"].as_f64().unwrap();
            let ana = row["reviewers"].as_array().unwrap().contains(&json!("ana"));
            let said = if !ana && truth(i) == "violated" && i.is_multiple_of(3) { "ok" } else { truth(i) };
            so += if said == "violated" { weight } else { 0.0 };
            applies += if said == "n/a" { 0.0 } else { weight };
        }
        assert!((r["hajek"].as_f64().unwrap() - so / applies).abs() < 1e-9, "{r}");
        assert!((r["of_all"]["horvitz_thompson"].as_f64().unwrap() - so / 800.0).abs() < 1e-9);
        let ci = |v: &Value| (v[0].as_f64().unwrap(), v[1].as_f64().unwrap());
        let (sample, both) = (ci(&r["hajek_ci"]), ci(&r["ppi_ci"]));
        assert!(both.1 - both.0 < sample.1 - sample.0, "the program's answers narrow the interval");
        let ppi = r["ppi"].as_f64().unwrap();
        assert!(both.0 < ppi && ppi < both.1 && r["ppi_lambda"].as_f64().unwrap() > 0.3, "{r}");
        assert_eq!(e["segments"].as_array().unwrap().len(), 2);
        assert!(!e.to_string().contains("NaN"));
        let text = evenhand()
            .args(["labels", "estimate"])
            .arg(&run)
            .arg(&db)
            .args(["--by", "segments.tier"])
            .assert()
            .success();
        let text = String::from_utf8_lossy(&text.get_output().stdout).into_owned();
        assert!(text.contains("missing-apology") && text.contains("together"), "{text}");
    }
}

#[test]
fn reviewers_and_program_are_held_against_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (run, db, _) = reviewed(dir.path(), &["--size", "160"]);
    let out = dir.path().join("a.json");
    let a = labels(&["agreement", &s(&db), "--run", &s(&run), "--out", &s(&out)]);
    let r = &a["rules"][0];
    assert_eq!((&r["n"], &r["labels"], &r["program"]["n"]), (&json!(80), &json!(240), &json!(160)));
    let n = |v: &Value| v.as_f64().unwrap();
    assert!(n(&r["raw"]) > 0.8 && n(&r["raw"]) < 1.0 && n(&r["cohen_kappa"]) < n(&r["raw"]));
    assert!(n(&r["alpha_ci"][0]) < n(&r["alpha"]) && n(&r["alpha"]) < n(&r["alpha_ci"][1]));
    let ben = a["reviewers"].as_array().unwrap().iter().find(|r| r["reviewer"] == "ben").unwrap();
    assert!(n(&ben["stricter_by"]) < 0.0 && n(&ben["stricter_by_ci"][1]) < 0.0, "{ben}");
    assert_eq!(serde_json::from_str::<Value>(&fs::read_to_string(out).unwrap()).unwrap(), a);
    let text = evenhand().args(["labels", "agreement"]).arg(&db).assert().success();
    assert!(String::from_utf8_lossy(&text.get_output().stdout).contains("more lenient"));
}

#[test]
fn kappa_of_two_reviewers_is_the_published_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("l.jsonl");
    let values = ["n/a", "ok", "violated"];
    let (mut text, mut i) = (String::new(), 0);
    for (a, row) in [[0, 4, 1], [0, 8, 0], [0, 1, 5]].iter().enumerate() {
        for (b, n) in row.iter().enumerate() {
            for _ in 0..*n {
                for (who, value) in [("ana", values[a]), ("ben", values[b])] {
                    let _ = writeln!(
                        text,
                        "{}",
                        json!({"id": format!("c{i}"), "rule": "blame", "reviewer": who, "value": value})
                    );
                }
                i += 1;
            }
        }
    }
    fs::write(&path, text).unwrap();
    let r = labels(&["agreement", &s(&path)])["rules"][0].clone();
    assert!((r["cohen_kappa"].as_f64().unwrap() - 0.484_162_895_9).abs() < 1e-9);
    assert!((r["cohen_kappa_error"].as_f64().unwrap() - 0.138_013_578_3).abs() < 1e-9);
    assert!((r["raw"].as_f64().unwrap() - 13.0 / 19.0).abs() < 1e-12);
}

#[test]
fn a_correction_outside_its_range_is_told_and_not_clipped() {
    let dir = tempfile::tempdir().unwrap();
    let (run, _) = run_folder(dir.path(), 400);
    let path = dir.path().join("l.csv");
    let mut text = String::from("id,rule,reviewer,value,stratum,inclusion_probability\n");
    // Of the sample, the program is wrong on half of what is kept: its quarter over everything then cannot be.
    for k in 0..30 {
        let (id, value) = match k % 3 {
            0 => (k * 4, "ok"),
            1 => (k * 8 + 1, "ok"),
            _ => (k * 4 + 124, "violated"),
        };
        let _ = writeln!(text, "c{id},missing-apology,ana,{value},all,0.1");
    }
    fs::write(&path, text).unwrap();
    let e = labels(&["estimate", &s(&run), &s(&path)]);
    let r = &e["rules"][0];
    assert!((r["of_all"]["rogan_gladen"].as_f64().unwrap() + 0.5).abs() < 1e-12, "{r}");
    assert_eq!(r["of_all"]["rogan_gladen_ci"][0], 0.0);
    assert!(r["warnings"].to_string().contains("rogan_gladen is -0.500, outside 0 to 1"), "{r}");
    let shown = evenhand().args(["labels", "estimate"]).arg(&run).arg(&path).assert().success();
    assert!(String::from_utf8_lossy(&shown.get_output().stdout).contains("outside 0 to 1"));
}

#[test]
fn nothing_that_is_brought_in_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (run, _) = run_folder(dir.path(), 40);
    let (db, file) = (dir.path().join("labels.db"), dir.path().join("l.csv"));
    let head = "id,rule,reviewer,value,note\n";
    fs::write(
        &file,
        format!(
            "{head}c1,blame,'=cmd,ok,'+1 good\nc1,blame,'=cmd,violated,\nc99,blame,ana,ok,\nc2,blame,ana,perhaps,\nc3,no-rule,ana,ok,\nc4,blame,,ok,\n"
        ),
    )
    .unwrap();
    let import = |more: &[&str]| {
        let (file, db, run) = (s(&file), s(&db), s(&run));
        labels(&[&["import", &file, "--into", &db, "--run", &run][..], more].concat())
    };
    let i = import(&[]);
    assert_eq!((&i["labels"]["added"], i["labels"]["unread"].as_array().unwrap().len()), (&json!(3), 3));
    assert_eq!(i["labels"]["conflicts"], json!([[3, "=cmd on c1, blame: ok, then violated"]]));
    assert_eq!(i["labels"]["unknown"], json!([[4, "c99"]]));
    assert!(import(&[])["labels"]["imported_before"].is_string(), "a second time it says nothing new");
    fs::write(&file, format!("{head}c5,blame,ana,huh,\n")).unwrap();
    evenhand().args(["labels", "import"]).arg(&file).arg("--into").arg(&db).arg("--strict").assert().code(4);
    // Out and in again, as CSV and as JSON Lines.
    for name in ["all.csv", "all.jsonl"] {
        let all = dir.path().join(name);
        assert_eq!(labels(&["export", &s(&db), "--out", &s(&all)])["labels"], 3);
        let text = fs::read_to_string(&all).unwrap();
        assert!(text.contains(if name.ends_with("csv") { "\"'=cmd\"" } else { "\"=cmd\"" }), "{text}");
        let again = dir.path().join(format!("{name}.db"));
        assert_eq!(labels(&["import", &s(&all), "--into", &s(&again)])["labels"]["added"], 3);
    }
}

#[test]
fn what_cannot_be_estimated_says_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let (run, db, _) = reviewed(dir.path(), &["--size", "60"]);
    let bare = dir.path().join("bare.csv");
    fs::write(&bare, "id,rule,reviewer,value\nc1,blame,ana,ok\n").unwrap();
    let note = dir.path().join("note.txt");
    fs::write(&note, "hello\n").unwrap();
    let (other, filled) = (dir.path().join("other.jsonl"), dir.path().join("filled.csv"));
    evenhand().arg("sample").arg(&run).args(["--size", "30", "--seed", "9", "--out"]).arg(&other).assert().success();
    for (args, code, want) in [
        (
            vec!["estimate".to_owned(), s(&run), s(&bare)],
            2,
            "does not say how the conversations were drawn; take in the sample too",
        ),
        (vec!["estimate".to_owned(), s(&run), s(&db), "--sample".into(), "x".into()], 2, "no sample is called \"x\""),
        (
            vec!["estimate".to_owned(), s(&run), s(&db), "--by".into(), "teir".into()],
            2,
            "no attribute is called \"teir\"",
        ),
        (vec!["estimate".to_owned(), s(&run), s(&note)], 3, "not a table of labels"),
        (vec!["agreement".to_owned(), s(&db), "--rule".into(), "blame".into()], 2, "holds no labels for these rules"),
        (vec!["agreement".to_owned(), s(&dir.path().join("none.db"))], 3, "check the path"),
        (vec!["import".to_owned(), s(&bare), "--into".into(), s(&note)], 3, "not a labels database"),
        (
            vec!["import".to_owned(), s(&filled), "--into".into(), s(&db), "--sample".into(), s(&other)],
            3,
            "drawn with another sample",
        ),
    ] {
        let assert = evenhand().arg("labels").args(&args).assert().code(code);
        let error = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(error.contains(want), "{args:?}: {error}");
    }
}

#[test]
fn the_segment_audit_runs_on_corrected_rates() {
    let dir = tempfile::tempdir().unwrap();
    let (run, input) = run_folder(dir.path(), 1200);
    let (sample, db) = (dir.path().join("sample.jsonl"), dir.path().join("labels.db"));
    let args = ["--size", "500", "--stratify", "segments.tier", "--rule", "missing-apology", "--reviewers", "ana"];
    evenhand().arg("sample").arg(&run).args(args).arg("--out").arg(&sample).assert().success();
    // The program misses most of what there is in basic, and nothing in gold.
    let filled = fill(&sample.with_extension("csv"), |_, i| {
        if i % 8 == 7 {
            "n/a"
        } else if i % 4 == 0 || (i % 3 != 0 && i % 2 == 1) {
            "violated"
        } else {
            "ok"
        }
    });
    fs::remove_file(input).unwrap();
    let i = labels(&["import", &s(&filled), "--into", &s(&db)]);
    assert_eq!(i["labels"]["drawn"], 500, "a sheet that is not blind brings its design along");
    let by = ["--by", "segments.tier", "--outcome", "missing-apology", "--permutations", "200"];
    let run_bias = |more: &[&str]| {
        let out = evenhand().arg("bias").arg(&run).args(by).args(["--labels", &s(&db)]).args(more).assert().success();
        String::from_utf8_lossy(&out.get_output().stdout).into_owned()
    };
    let report: Value = serde_json::from_str(&run_bias(&["--json"])).unwrap();
    let c = &report["results"][0]["corrected"];
    let n = |v: &Value| v.as_f64().unwrap();
    assert_eq!(report["results"][0]["segment"], "gold");
    assert!(n(&c["difference_ci"][1]) < -0.2 && n(&c["sensitivity"]["p"]) < 0.001, "{c}");
    assert!((n(&c["sensitivity"]["segment"]) - 1.0).abs() < 1e-9);
    let text = run_bias(&[]);
    assert!(text.contains("Corrected by the labels in") && text.contains("do not compare like with like"), "{text}");
    let estimate = labels(&["estimate", &s(&run), &s(&db), "--by", "segments.tier"]);
    assert!(n(&estimate["sensitivity_by_segment"][0]["p"]) < 0.001);
}
