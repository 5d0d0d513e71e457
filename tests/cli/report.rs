//! `evenhand report`: every figure recomputed, what is rising, hostile words, missing words, size.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::synthetic::{Made, Plan, make};
use super::{evenhand, rows};

fn reported(made: &Made, dir: &Path, more: &[&str]) -> Value {
    let out = dir.join("report");
    evenhand().arg("report").arg(&made.run).arg("--out").arg(&out).arg("--quiet").args(more).assert().success();
    serde_json::from_str(&fs::read_to_string(out.join("report.json")).unwrap()).unwrap()
}

/// 600 conversations over twelve weeks; a fault of the app comes up in the last three.
fn plans() -> impl Iterator<Item = Plan> {
    (0..600).map(|i| {
        let mut p = Plan::new(&format!("a{}", i % 8), i);
        if i % 4 == 1 {
            p.violated.push("missing-apology");
        }
        if i % 7 == 3 {
            p.violated.push("no-next-step");
        }
        p.problem = match i % 10 {
            0..3 => format!("The router keeps dropping the connection every evening, {i} times by now"),
            3 if p.day > 63 => "Your app crashes on login since the update, black screen".to_owned(),
            4 if p.day > 63 => "Since the update the app shows a black screen and crashes on login".to_owned(),
            _ => ["parrot", "volcano", "teapot", "walrus", "glacier", "lantern", "saxophone"][i % 7].to_owned(),
        };
        p
    })
}

fn near(v: &Value, want: f64) {
    assert!((v.as_f64().unwrap() - want).abs() < 1e-9, "{v} {want}");
}

#[test]
fn every_figure_is_that_of_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), plans());
    let report = reported(&made, dir.path(), &[]);
    let all = rows(&made.run.join("transcripts.jsonl"));
    let turns = rows(&made.run.join("turns.jsonl"));
    let findings = rows(&made.run.join("findings.jsonl"));
    let of = |rule: &str, verdict: &str, among: &[&Value]| {
        among.iter().filter(|t| t["rules"][rule] == verdict).count() as u64
    };
    let everyone: Vec<&Value> = all.iter().collect();
    for r in report["rules"].as_array().unwrap() {
        let rule = r["rule"].as_str().unwrap();
        let (hit, ok) = (of(rule, "violated", &everyone), of(rule, "ok", &everyone));
        assert_eq!(r["found"], hit);
        assert_eq!(r["cases"], if rule == "abusive-customer" { 600 } else { hit + ok });
        if hit + ok > 0 {
            near(&r["rate"][0], hit as f64 / (hit + ok) as f64);
        }
        assert_eq!(r["quote"].is_null(), hit == 0);
    }
    for b in report["breakdowns"].as_array().unwrap() {
        let by = b["by"].as_str().unwrap();
        let mut left = 600;
        for level in b["levels"].as_array().unwrap() {
            let own: Vec<&Value> = all.iter().filter(|t| t[by] == level["name"]).collect();
            assert_eq!(level["conversations"], own.len());
            left -= own.len();
            for r in level["rules"].as_array().unwrap() {
                let rule = r[0].as_str().unwrap();
                let (hit, ok) = (of(rule, "violated", &own), of(rule, "ok", &own));
                assert_eq!((&r[1], &r[2]), (&json!(hit + ok), &json!(hit)));
            }
        }
        assert_eq!(left, 0, "{by}");
    }
    let with = |t: &&Value| t["rules"].as_object().unwrap().values().any(|v| v == "violated");
    let found = all.iter().filter(with).count();
    assert_eq!(report["with_finding"], json!([found, 600]));
    let weekly: u64 = report["weeks"].as_array().unwrap().iter().map(|w| w["found"].as_u64().unwrap()).sum();
    assert_eq!(weekly, found as u64);
    assert_eq!(report["counts"], json!([600, 600, 0, 1800]));
    // Four turns: the opening is the first two, the closing the last of each side.
    let customers = |turn: u64, s: &str| turns.iter().filter(|t| t["turn"] == turn && t["sentiment"] == s).count();
    let counted = |stage: usize| &report["stages"][stage]["sentiment"];
    assert_eq!(counted(0), &json!(["neg", "neu", "pos"].map(|s| customers(0, s))));
    assert_eq!(counted(3), &json!(["neg", "neu", "pos"].map(|s| customers(2, s))));
    let opening: u64 = report["stages"][0]["findings"].as_array().unwrap().iter().map(|f| f[1].as_u64().unwrap()).sum();
    assert_eq!(opening, findings.len() as u64);
    near(&report["arc"]["own"][0][0], -1.0);
    let end = (customers(2, "pos") as f64 - customers(2, "neg") as f64) / 600.0;
    near(&report["arc"]["own"][4][0], end);
    for r in report["replies"].as_array().unwrap() {
        let own = all.iter().filter(|t| t["channel"] == r["channel"]);
        let mut times: Vec<u64> = own.map(|t| t["measures"]["first_response_seconds"].as_u64().unwrap()).collect();
        times.sort_unstable();
        assert_eq!(r["cases"], times.len());
        near(&r["quantiles"][2], times[times.len().div_ceil(2) - 1] as f64);
        let limit = r["limit"].as_u64().unwrap_or(r["limit"].as_f64().unwrap() as u64);
        assert_eq!(r["within"], times.iter().filter(|t| **t <= limit).count());
    }
    let labelled: BTreeMap<&str, (bool, bool)> = turns
        .iter()
        .filter(|t| t["turn"] == 1)
        .map(|t| {
            let has = |l: &str| t["labels"].as_array().unwrap().contains(&l.into());
            (t["transcript_id"].as_str().unwrap(), (has("apology"), has("compensation")))
        })
        .collect();
    for r in report["remedies"].as_array().unwrap() {
        let given = (r["given"][0].as_bool().unwrap(), r["given"][1].as_bool().unwrap());
        assert_eq!(r["conversations"], labelled.values().filter(|g| **g == given).count());
        near(&r["end"][0], 0.25);
    }
    let gap = &report["gap"];
    let score = |t: &&Value, want: u64| t["scores"]["csat"] == want;
    // Nobody ends negative and nothing is severe: only a finding keeps a conversation from being clean.
    for (side, want) in [(0, 1), (1, 5)] {
        let clean = all.iter().filter(|t| score(t, want) && !with(t)).count();
        assert_eq!(gap["cells"][side], json!([0, clean]));
    }
    assert_eq!(gap["scored"], all.iter().filter(|t| t["scores"]["csat"].is_number()).count());
}

#[test]
fn what_comes_back_is_put_together_and_what_rises_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), plans());
    let report = reported(&made, dir.path(), &[]);
    let groups = report["repeated"]["groups"].as_array().unwrap();
    let group = |words: &str| {
        let said = |g: &&Value| g["quotes"][0]["text"].as_str().unwrap().contains(words);
        groups.iter().find(said).unwrap_or_else(|| panic!("{words}: {groups:?}"))
    };
    let (router, app) = (group("router"), group("black screen"));
    assert_eq!(router["conversations"], 180);
    assert_eq!((&router["rising"], &app["rising"]), (&json!(false), &json!(true)), "{router} {app}");
    let words: BTreeMap<String, String> = rows(&made.input)
        .iter()
        .map(|t| (t["id"].as_str().unwrap().to_owned(), t["turns"][0]["text"].as_str().unwrap().to_owned()))
        .collect();
    for g in groups {
        for q in g["quotes"].as_array().unwrap() {
            assert_eq!(words[q["transcript"].as_str().unwrap()], q["text"].as_str().unwrap());
        }
    }
    let count = words.values().filter(|w| w.contains("black screen")).count();
    assert_eq!(app["conversations"], count);
    let page = fs::read_to_string(dir.path().join("report/index.html")).unwrap();
    super::as_it_was("report.html", &page.replace(made.run.to_str().unwrap(), "RUN"));
    assert!(page.contains("▲ rising") && page.contains("Rising beyond chance"));
    let issues = report["repeated"]["issues"].as_array().unwrap();
    assert_eq!(issues.iter().map(|g| g["conversations"].as_u64().unwrap()).sum::<u64>(), 600);
    assert!(issues.iter().all(|g| g["rising"] == false), "issues come evenly");
}

#[test]
fn scores_and_transcripts_that_disagree_are_quoted() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(
        dir.path(),
        plans().enumerate().map(|(i, mut p)| {
            p.last = format!("These were my last words {i}");
            p
        }),
    );
    let report = reported(&made, dir.path(), &[]);
    let quotes = report["gap"]["low_but_clean"].as_array().unwrap();
    assert_eq!(quotes.len(), 3);
    for q in quotes {
        let number: usize = q["transcript"].as_str().unwrap()[1..].parse().unwrap();
        assert_eq!(q["text"], format!("These were my last words {number}"));
        assert_eq!(number % 6, 3, "it has the lowest score");
    }
    // Without the words the figures stay, and the page says what is missing.
    fs::remove_file(&made.input).unwrap();
    let without = reported(&made, dir.path(), &[]);
    assert_eq!(without["rules"], report["rules"]);
    assert_eq!((&without["repeated"]["read"], &without["repeated"]["problems"]), (&json!(0), &json!(600)));
    let page = fs::read_to_string(dir.path().join("report/index.html")).unwrap();
    assert!(page.contains("cannot be read any more") && page.contains("The words are not available"));
}

/// Corrected rate, precision and recall again, by other code: the sample is a simple random one, so every weight is N/n.
#[test]
fn rates_that_labels_stand_behind_are_told_and_are_those_of_the_labels() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), plans());
    // People see every seventh otherwise than the program does.
    let people = |i: usize| if (i % 4 == 1) == i.is_multiple_of(7) { "ok" } else { "violated" };
    let drawn: Vec<usize> = (0..600).filter(|i| i % 6 == 1).collect();
    let line = |i: &usize| {
        json!({"id": format!("c{i:06}"), "rule": "missing-apology", "reviewer": "ana", "value": people(*i),
            "inclusion_probability": 1.0 / 6.0, "stratum": "all", "population": 600, "design": "random"})
        .to_string()
            + "\n"
    };
    let labels = dir.path().join("labels.jsonl");
    fs::write(&labels, drawn.iter().map(line).collect::<String>()).unwrap();
    let report = reported(&made, dir.path(), &["--labels", labels.to_str().unwrap()]);
    let row = &report["labels"]["rules"][0];
    assert_eq!((row["rule"].as_str(), row["labelled"].as_u64()), (Some("missing-apology"), Some(100)));
    let share = |f: &dyn Fn(usize) -> bool| drawn.iter().filter(|i| f(**i)).count() as f64;
    let (found, said) = (|i: usize| people(i) == "violated", |i: usize| i % 4 == 1);
    let both = share(&|i| found(i) && said(i));
    near(&row["precision"], both / share(&said));
    near(&row["recall"], both / share(&found));
    near(&row["machine"], 0.25);
    // The rule always applies: PPI++ is the mean of the labels less lambda times the program's error in its own mean.
    let (n, y, p) = (100.0, share(&found) / 100.0, share(&said) / 100.0);
    let lambda = ((both / n - y * p) / (p * (1.0 - p))).clamp(0.0, 1.0);
    near(&row["ppi"], y - lambda * (p - 0.25));
    let (low, high) = (row["ppi_ci"][0].as_f64().unwrap(), row["ppi_ci"][1].as_f64().unwrap());
    let percent = |v: f64| format!("{:.0} %", v * 100.0);
    let ppi = row["ppi"].as_f64().unwrap();
    assert!(0.1 < low && low < ppi && ppi < high && high < y, "the sample has twice its share of findings: {row}");
    for file in ["index.html", "report.md"] {
        let text = fs::read_to_string(dir.path().join("report").join(file)).unwrap().replace('\u{a0}', " ");
        assert!(text.contains("People read 100 of 100 conversations"), "{file}");
        assert!(
            text.contains("stand behind") && [ppi, low, high].map(percent).iter().all(|p| text.contains(p)),
            "{file} {ppi} {low} {high}"
        );
    }
    let csv = fs::read_to_string(dir.path().join("report/rates.csv")).unwrap();
    let line = csv.lines().find(|l| l.starts_with(",,missing-apology")).unwrap();
    assert!(line.contains(&format!("{ppi:.6},{low:.6},{high:.6}")), "{line}");
    let without = reported(&made, dir.path(), &[]);
    assert_eq!(
        (&without["labels"], &without["rules"]),
        (&Value::Null, &report["rules"]),
        "all other rates stay the program's"
    );
}

/// What the audit wrote of languages and roles is told, and what it left out is in no figure.
#[test]
fn what_was_left_out_is_told_and_counts_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), plans());
    let whole = reported(&made, dir.path(), &[]);
    let (table, manifest) = (made.run.join("transcripts.jsonl"), made.run.join("run.json"));
    let mut kept = Vec::new();
    let marked: String = rows(&table)
        .into_iter()
        .enumerate()
        .map(|(i, mut t)| {
            if i % 10 == 1 {
                t["left_out"] = json!("language");
            } else {
                kept.push(t.clone());
            }
            t.to_string() + "\n"
        })
        .collect();
    fs::write(&table, marked).unwrap();
    let mut run: Value = serde_json::from_str(&fs::read_to_string(&manifest).unwrap()).unwrap();
    run["standing"] = json!({"languages": {"en": 530, "es": 60, "unknown": 10}, "role_doubts": {"one-sided": 7}, "left_out": {"language": 60}});
    fs::write(&manifest, run.to_string()).unwrap();
    let report = reported(&made, dir.path(), &[]);
    assert_eq!((&whole["with_finding"][1], &report["with_finding"][1]), (&json!(600), &json!(540)));
    for r in report["rules"].as_array().unwrap().iter().filter(|r| r["rule"] != "abusive-customer") {
        let rule = r["rule"].as_str().unwrap();
        assert_eq!(r["found"], kept.iter().filter(|t| t["rules"][rule] == "violated").count(), "{rule}");
    }
    let page = fs::read_to_string(dir.path().join("report/index.html")).unwrap();
    for told in ["only one side speaks", "7 of 600", "language “es”", "60 of 600", "too short to tell their language"]
    {
        assert!(page.contains(told), "{told}");
    }
}

#[test]
fn a_segment_audit_is_taken_in() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), plans());
    let bias = dir.path().join("bias");
    evenhand()
        .arg("bias")
        .arg(&made.run)
        .args(["--by", "channel", "--permutations", "50", "--quiet", "--out"])
        .arg(&bias)
        .assert()
        .success();
    let report = reported(&made, dir.path(), &["--bias", bias.to_str().unwrap()]);
    let stored: Value = serde_json::from_str(&fs::read_to_string(bias.join("bias.json")).unwrap()).unwrap();
    for (place, verdict) in ["disparity", "no-evidence", "insufficient"].iter().enumerate() {
        let count = stored["results"].as_array().unwrap().iter().filter(|r| r["verdict"] == *verdict).count();
        assert_eq!(report["segments"]["verdicts"][place], count);
    }
    let wrong = dir.path().join("wrong.json");
    fs::write(&wrong, "{\"a\":1}").unwrap();
    let out = dir.path().join("other");
    let refused =
        evenhand().arg("report").arg(&made.run).arg("--out").arg(&out).arg("--bias").arg(&wrong).assert().code(3);
    assert!(String::from_utf8_lossy(&refused.get_output().stderr).contains("not the bias.json"));
    assert!(!out.exists(), "nothing is left of a report that failed");
}

#[test]
fn hostile_words_stay_harmless_in_every_format_and_the_bytes_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let evil = "</q><img src=x onerror=alert(1)> | **[x](javascript:alert(1))** card 4111 1111 1111 1111";
    let made = make(
        dir.path(),
        plans().map(|mut p| {
            p.problem = evil.to_owned();
            p.last = evil.to_owned();
            p.issue = "=<script>alert(1)</script>";
            p
        }),
    );
    let findings = made.run.join("findings.jsonl");
    fs::write(&findings, fs::read_to_string(&findings).unwrap().replace("4111 1111 1111 1111", "[CARD]")).unwrap();
    let read = || {
        ["index.html", "report.md", "report.json", "rates.csv"]
            .map(|n| fs::read_to_string(dir.path().join("report").join(n)).unwrap())
    };
    reported(&made, dir.path(), &["--threads", "1"]);
    let first = read();
    reported(&made, dir.path(), &["--threads", "3"]);
    assert_eq!(first, read());
    let [page, text, json, csv] = first;
    for (name, format) in [("page", &page), ("markdown", &text)] {
        assert!(!format.contains("<img") && !format.contains("<script"), "{name}");
    }
    assert!(!text.replace("\\]", "").contains("](java"), "nothing is a link that was none");
    for format in [&page, &text, &json, &csv] {
        assert!(!format.contains("4111 1111") && !format.contains("NaN"));
    }
    assert!(!csv.contains(",=<"), "no cell is a formula");
}

/// `cargo test --release --test cli -- --ignored --nocapture hundred_thousand`
#[test]
#[ignore = "writes 300 MB"]
fn an_overview_of_a_hundred_thousand_conversations() {
    let dir = tempfile::tempdir().unwrap();
    let topics =
        ["router", "invoice", "parcel", "engineer", "password", "refund", "voucher", "signal", "contract", "upgrade"];
    let verbs = ["missing", "late", "broken", "wrong", "blocked", "lost", "double", "frozen", "slow", "closed"];
    let made = make(
        dir.path(),
        (0..100_000).map(|i| {
            let mut p = Plan::new(&format!("agent{:04}", i % 1000), i);
            let (a, b, c) = (i * 7919 % 10, i * 104_729 / 7 % 10, i * 31 / 11 % 10);
            p.problem = format!(
                "My {} is {} again and the {} that I called about was {} for the whole of week number{}",
                topics[a],
                verbs[b],
                topics[c],
                verbs[(a + c) % 10],
                i % 977
            );
            if i % 5 == 0 {
                p.violated.push("missing-apology");
            }
            p
        }),
    );
    let measured = super::measured(&[
        "report",
        made.run.to_str().unwrap(),
        "--out",
        dir.path().join("out").to_str().unwrap(),
        "--threads",
        "2",
        "--quiet",
    ]);
    super::told("report", measured);
    // The processor's time: the clock of a machine that is shared says little.
    let (_, processor, peak) = measured;
    assert!(processor < 60.0 && peak < 1024, "{processor} s, {peak} MB");
}
