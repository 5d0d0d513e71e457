//! `evenhand coach`: every figure recomputed, every quote at its turn, hostile names, missing words, size.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::synthetic::{Made, Plan, make};
use super::{evenhand, rows};

fn coached(made: &Made, dir: &Path, more: &[&str]) -> Value {
    let out = dir.join("coaching");
    evenhand().arg("coach").arg(&made.run).arg("--out").arg(&out).arg("--quiet").args(more).assert().success();
    serde_json::from_str(&fs::read_to_string(out.join("coach.json")).unwrap()).unwrap()
}

/// Eight people with 45 conversations each; `a3` leaves the apology out of 30, the others out of 5 or 6.
fn eight() -> impl Iterator<Item = Plan> {
    (0..360).map(|i| {
        let agent = format!("a{}", i % 8);
        let mut plan = Plan::new(&agent, i);
        let case = i / 8;
        if agent == "a3" && case % 3 != 0 || case % 8 == 1 {
            plan.violated.push("missing-apology");
        }
        if case % 9 == i % 8 {
            plan.violated.push("no-next-step");
        }
        plan
    })
}

fn agent<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["agents"].as_array().unwrap().iter().find(|a| a["agent"] == name).unwrap()
}

#[test]
fn what_stands_out_is_the_focus_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let report = coached(&make(dir.path(), eight()), dir.path(), &[]);
    for a in report["agents"].as_array().unwrap() {
        let above: Vec<&str> = a["focuses"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|f| f["standing"] == "above")
            .map(|f| f["rule"].as_str().unwrap())
            .collect();
        assert_eq!(above, if a["agent"] == "a3" { vec!["missing-apology"] } else { vec![] }, "{}", a["agent"]);
        assert!(a["focuses"].as_array().unwrap().len() <= 3);
    }
    let page = fs::read_to_string(dir.path().join("coaching/agent-a3.html")).unwrap();
    super::as_it_was("coach-a3.html", &page);
    assert!(page.contains("One thing is more frequent here"), "{page}");
    for other in ["a0", "a1", "a2", "a4"] {
        assert!(!page.contains(&format!(">{other}<")) && !page.contains(&format!(" {other} ")), "peers have no names");
    }
    for word in ["biased", "racist", "unfair", "NaN", "inf %", "worst", "<script"] {
        assert!(!page.contains(word), "{word}");
    }
}

/// Counts, rates, Wilson's interval, expected rates, weeks, mix and replies again from the rows, by other code.
#[test]
fn every_figure_is_that_of_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), eight());
    let report = coached(&made, dir.path(), &[]);
    let speaker: BTreeMap<String, String> = rows(&made.run.join("turns.jsonl"))
        .into_iter()
        .filter(|t| t["role"] == "agent")
        .map(|t| (t["transcript_id"].as_str().unwrap().to_owned(), t["agent_id"].as_str().unwrap().to_owned()))
        .collect();
    let all = rows(&made.run.join("transcripts.jsonl"));
    let of = |t: &Value| speaker[t["id"].as_str().unwrap()].clone();
    let near = |v: &Value, want: f64| assert!((v.as_f64().unwrap() - want).abs() < 1e-9, "{v} {want}");
    for a in report["agents"].as_array().unwrap() {
        let name = a["agent"].as_str().unwrap();
        let own: Vec<&Value> = all.iter().filter(|t| of(t) == name).collect();
        assert_eq!(a["conversations"], own.len());
        for r in a["rates"].as_array().unwrap() {
            let rule = r["rule"].as_str().unwrap();
            let applies = |t: &&Value| t["rules"][rule] != "n/a";
            let hit = |t: &&Value| t["rules"][rule] == "violated";
            let cases: Vec<&Value> = own.iter().copied().filter(applies).collect();
            let (n, k) = (cases.len() as f64, cases.iter().copied().filter(hit).count() as f64);
            assert_eq!((&r["cases"], &r["found"]), (&(n as u64).into(), &(k as u64).into()));
            let (p, z) = (k / n, 1.959_963_984_540_054_f64);
            let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
            near(&r["rate"][0], p);
            near(&r["rate"][1][0], ((p + z * z / (2.0 * n) - half) / (1.0 + z * z / n)).max(0.0));
            near(&r["rate"][1][1], ((p + z * z / (2.0 * n) + half) / (1.0 + z * z / n)).min(1.0));
            // All kinds have ten cases of others or more here.
            let like = |t: &Value| {
                let others =
                    all.iter().filter(|o| of(o) != name && o["issue"] == t["issue"] && o["channel"] == t["channel"]);
                let others: Vec<&Value> = others.filter(applies).collect();
                assert!(others.len() >= 10);
                others.iter().copied().filter(hit).count() as f64 / others.len() as f64
            };
            near(&r["expected"], cases.iter().map(|t| like(t)).sum::<f64>() / n);
            let s = &r["shrunken"];
            let (low, high) = (s["ci"][0].as_f64().unwrap(), s["ci"][1].as_f64().unwrap());
            let rate = s["rate"].as_f64().unwrap();
            assert!(low <= rate && rate <= high && low >= 0.0 && high <= 1.0, "{s}");
            let (raw, expected) = (r["rate"][0].as_f64().unwrap(), r["expected"].as_f64().unwrap());
            let (least, most) = (raw.min(expected) - 0.03, raw.max(expected) + 0.03);
            assert!(least <= rate && rate <= most, "drawn between what is seen and what is expected: {r}");
        }
        let found: u64 = a["weeks"].as_array().unwrap().iter().map(|w| w["found"].as_u64().unwrap()).sum();
        let with = |t: &&Value| t["rules"].as_object().unwrap().values().any(|v| v == "violated");
        assert_eq!(found, own.iter().copied().filter(with).count() as u64);
        for m in a["mix"].as_array().unwrap() {
            let of_kind = own.iter().filter(|t| t[m["of"].as_str().unwrap()] == m["name"]).count();
            assert_eq!((&m["own"][0], &m["own"][1]), (&of_kind.into(), &own.len().into()));
        }
        for r in a["responses"].as_array().unwrap() {
            let mut times: Vec<u64> = own
                .iter()
                .filter(|t| t["channel"] == r["channel"])
                .map(|t| t["measures"]["first_response_seconds"].as_u64().unwrap())
                .collect();
            times.sort_unstable();
            assert_eq!(r["cases"], times.len());
            assert_eq!(r["quartiles"][1].as_f64(), Some(times[times.len().div_ceil(2) - 1] as f64));
            let limit = r["limit"].as_f64().unwrap() as u64;
            assert_eq!(r["within"], times.iter().filter(|t| **t <= limit).count());
        }
        for (point, share) in [
            (0, -1.0),
            (4, own.iter().filter(|t| !day(t).is_multiple_of(3)).count() as f64 * 2.0 / own.len() as f64 - 1.0),
        ] {
            near(&a["arc"]["own"][point][0], share);
        }
    }
    let csv = fs::read_to_string(dir.path().join("coaching/rates.csv")).unwrap();
    let cells: usize = report["agents"].as_array().unwrap().iter().map(|a| a["rates"].as_array().unwrap().len()).sum();
    assert_eq!(csv.lines().count(), cells + 1);
}

/// The day that a conversation was planned for, from its time of reply and date.
fn day(t: &Value) -> usize {
    let date = &t["started_at"].as_str().unwrap()[..10];
    let (month, of_month): (usize, usize) = (date[5..7].parse().unwrap(), date[8..].parse().unwrap());
    of_month - 2 + [0, 31, 61, 92][month - 3]
}

#[test]
fn every_quote_stands_at_its_turn_and_its_neighbours_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), eight());
    let report = coached(&made, dir.path(), &[]);
    let words: BTreeMap<String, Vec<String>> = rows(&made.input)
        .iter()
        .map(|t| {
            let turns = t["turns"].as_array().unwrap().iter().map(|u| u["text"].as_str().unwrap().to_owned());
            (t["id"].as_str().unwrap().to_owned(), turns.collect())
        })
        .collect();
    let mut seen = 0;
    for a in report["agents"].as_array().unwrap() {
        assert_eq!(a["good"].as_array().unwrap().len(), 2, "{a}");
        let moments = a["focuses"].as_array().unwrap().iter().flat_map(|f| f["moments"].as_array().unwrap());
        for m in moments.chain(a["good"].as_array().unwrap()) {
            let turns = &words[m["transcript"].as_str().unwrap()];
            let at = m["turn"].as_u64().unwrap() as usize;
            assert!(turns[at].contains(m["quote"].as_str().unwrap()), "{m}");
            for side in ["before", "after"] {
                if let Some(line) = m[side].as_object() {
                    assert_eq!(turns[line["turn"].as_u64().unwrap() as usize], line["text"].as_str().unwrap());
                }
            }
            assert!(m["after"].is_object());
            for piece in m["rewrite"].as_array().into_iter().flatten() {
                if let Some(case) = piece["case"].as_str() {
                    let said = case.trim_matches(['“', '”', '…']);
                    assert!(turns.iter().any(|t| t.contains(said)), "{case} is made up");
                }
            }
            seen += 1;
        }
    }
    assert!(seen >= 30, "{seen}");
}

#[test]
fn without_the_words_the_page_says_so_and_keeps_its_quotes() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), eight());
    let with = coached(&made, dir.path(), &[]);
    let moved = dir.path().join("moved.jsonl");
    fs::rename(&made.input, &moved).unwrap();
    let without = coached(&made, dir.path(), &[]);
    let page = fs::read_to_string(dir.path().join("coaching/agent-a3.html")).unwrap();
    assert!(page.contains("cannot be read any more") && page.contains("--transcripts"));
    let first = |r: &Value| agent(r, "a3")["focuses"][0]["moments"][0].clone();
    assert_eq!(first(&with)["quote"], first(&without)["quote"]);
    assert!(
        first(&without)["after"].is_null() && first(&without)["rewrite"].is_null() && first(&with)["after"].is_object()
    );
    assert!(agent(&without, "a3")["good"][0]["quote"].is_null());
    // Named in another place they are the same words.
    assert_eq!(coached(&made, dir.path(), &["--transcripts", moved.to_str().unwrap()]), with);
    // A file that is not what was audited is no stand-in.
    fs::write(&moved, fs::read_to_string(&moved).unwrap().replace("Goodbye", "Go away")).unwrap();
    let refused = evenhand()
        .args(["coach", made.run.to_str().unwrap(), "--out", dir.path().join("coaching").to_str().unwrap()])
        .args(["--transcripts", moved.to_str().unwrap()])
        .assert()
        .code(3);
    let error = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(error.contains("is not one of the files that this run was made from"), "{error}");
    // In the old place, but changed: said, and not used.
    fs::rename(&moved, &made.input).unwrap();
    let changed = coached(&made, dir.path(), &[]);
    assert!(changed["missing_words"][0].as_str().unwrap().contains("has changed since the audit"));
    assert!(first(&changed)["after"].is_null());
}

/// A label file with one answer a conversation and rule.
fn label_file(dir: &Path, answers: &[(String, &str)]) -> String {
    let path = dir.join("labels.jsonl");
    let line = |(id, value): &(String, &str)| {
        serde_json::json!({"id": id, "rule": "missing-apology", "reviewer": "ana", "value": value}).to_string() + "\n"
    };
    fs::write(&path, answers.iter().map(line).collect::<String>()).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn what_reviewers_saw_otherwise_is_marked_and_counts_towards_no_focus() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), eight());
    let before = coached(&made, dir.path(), &[]);
    let focus = |r: &Value| agent(r, "a3")["focuses"][0].clone();
    let shown = |f: &Value| -> Vec<String> {
        f["moments"].as_array().unwrap().iter().map(|m| m["transcript"].as_str().unwrap().to_owned()).collect()
    };
    let own: Vec<String> = rows(&made.run.join("findings.jsonl"))
        .iter()
        .filter(|f| f["agent_id"] == "a3" && f["rule"] == "missing-apology")
        .map(|f| f["transcript_id"].as_str().unwrap().to_owned())
        .collect();
    let page = || fs::read_to_string(dir.path().join("coaching/agent-a3.html")).unwrap();
    // Both examples are taken back and a third is seen alike: others stand in their place, and that one is marked.
    let mut some: Vec<(String, &str)> = shown(&focus(&before)).into_iter().map(|id| (id, "ok")).collect();
    let alike = own.iter().rfind(|id| !some.iter().any(|(s, _)| s == *id)).unwrap().clone();
    some.push((alike.clone(), "violated"));
    let after = coached(&made, dir.path(), &["--labels", &label_file(dir.path(), &some)]);
    assert_eq!(focus(&after)["standing"], "above");
    assert!(shown(&focus(&after)).iter().all(|id| !some[..2].iter().any(|(s, _)| s == id)), "{}", focus(&after));
    assert_eq!(
        (&focus(&after)["moments"][0]["transcript"], &focus(&after)["moments"][0]["reviewed"]),
        (&alike.into(), &"upheld".into())
    );
    let read = &agent(&after, "a3")["read_again"];
    assert_eq!((&read["upheld"], &read["reversed"]), (&1.into(), &2.into()));
    super::as_it_was("coach-a3-read-again.html", &page());
    // Of 32, 26 are taken back: what is left is what colleagues have, and the rates stay the program's.
    let most: Vec<(String, &str)> = own.iter().take(26).map(|id| (id.clone(), "n/a")).collect();
    let after = coached(&made, dir.path(), &["--labels", &label_file(dir.path(), &most)]);
    let rate = |r: &Value| {
        agent(r, "a3")["rates"].as_array().unwrap().iter().find(|r| r["rule"] == "missing-apology").unwrap().clone()
    };
    let (was, is) = (rate(&before), rate(&after));
    assert_eq!((&was["found"], &was["rate"], &was["shrunken"]), (&is["found"], &is["rate"], &is["shrunken"]));
    assert_eq!((&is["found"], &is["reversed"]), (&own.len().into(), &26.into()));
    assert!(is["without_reversed"]["rate"].as_f64().unwrap() < is["expected"].as_f64().unwrap() + 0.05, "{is}");
    let focuses = agent(&after, "a3")["focuses"].as_array().unwrap().clone();
    assert!(focuses.iter().all(|f| f["standing"] != "above"), "{focuses:?}");
    assert!(focuses.iter().all(|f| shown(f).iter().all(|id| !most.iter().any(|(m, _)| m == id))), "{focuses:?}");
    let taken = agent(&after, "a3")["read_again"]["shown"].as_array().unwrap().clone();
    assert_eq!(taken.len(), 5);
    for t in &taken {
        assert!(most.iter().any(|(id, _)| t["transcript"] == id.as_str()), "{t}");
        let said = rows(&made.input).into_iter().find(|c| c["id"] == t["transcript"]).unwrap();
        let turn = &said["turns"][t["turn"].as_u64().unwrap() as usize];
        assert!(turn["text"].as_str().unwrap().contains(t["quote"].as_str().unwrap()), "{t}");
    }
    assert_eq!(page().matches("A reviewer read this and saw it otherwise.").count(), 5);
    let text = fs::read_to_string(dir.path().join("coaching/agent-a3.md")).unwrap();
    assert_eq!(text.matches("A reviewer read this and saw it otherwise.").count(), 5);
    // Colleagues are held against what they were held against before.
    assert_eq!(agent(&before, "a1")["rates"], agent(&after, "a1")["rates"]);
    // Labels of another run would change nothing, and nobody would know.
    let other = label_file(dir.path(), &[("elsewhere".to_owned(), "ok")]);
    let (run, out) = (made.run.to_str().unwrap(), dir.path().join("coaching"));
    let refused = evenhand().args(["coach", run, "--labels", &other, "--out", out.to_str().unwrap()]).assert().code(2);
    assert!(String::from_utf8_lossy(&refused.get_output().stderr).contains("no labels of this run's conversations"));
}

/// The Markdown says what the page says: its sentences, its quotes and the figures of its charts.
#[test]
fn the_text_says_what_the_page_says() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), eight());
    coached(&made, dir.path(), &[]);
    let read = |name: &str| fs::read_to_string(dir.path().join("coaching").join(name)).unwrap();
    let letters = |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).collect() };
    let unescaped = |text: &str| {
        text.replace("&#39;", "'")
            .replace("&#34;", "\"")
            .replace("&#38;", "&")
            .replace("&#60;", "<")
            .replace("&#62;", ">")
    };
    let (page, text) =
        (unescaped(&read("agent-a3.html")), letters(&read("agent-a3.md").replace("&lt;", "<").replace("&amp;", "&")));
    let tag =
        regex::Regex::new(r"<(?:p|td|q|figcaption|h2|li)\b[^>]*>([^<]{12,})</(?:p|td|q|figcaption|h2|li)>").unwrap();
    let method = page.find("How this page is made").unwrap();
    let mut seen = 0;
    for found in tag.captures_iter(&page[..method]) {
        let sentence = letters(&found[1]);
        // What is said of the page itself has no place in the text.
        let of_the_page =
            ["Words in italics", "The same text", "Say so.", "own confidence"].iter().any(|s| found[1].contains(s));
        assert!(of_the_page || text.contains(&sentence), "{}", &found[1]);
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
    super::as_it_was("coach-a3.md", &read("agent-a3.md"));
}

#[test]
fn abuse_sharing_and_automation_count_against_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(
        dir.path(),
        eight().enumerate().map(|(i, mut p)| {
            if p.agent == "a3" && p.violated.contains(&"missing-apology") {
                match i / 24 % 3 {
                    0 => p.violated.push("abusive-customer"),
                    1 => p.second = Some("a4".to_owned()),
                    _ => p.bot = true,
                }
            }
            p
        }),
    );
    let report = coached(&made, dir.path(), &[]);
    let a3 = agent(&report, "a3");
    let rate = a3["rates"].as_array().unwrap().iter().find(|r| r["rule"] == "missing-apology").unwrap();
    assert_eq!(rate["found"], 0, "{rate}");
    assert!(a3["abusive"].as_u64().unwrap() > 5 && a3["shared"].as_u64().unwrap() > 5);
    assert_eq!(agent(&report, "a4")["shared"], a3["shared"]);
    let page = fs::read_to_string(dir.path().join("coaching/agent-a3.html")).unwrap();
    assert!(page.contains("taken for abuse") && page.contains("shared with colleagues"));
}

#[test]
fn a_few_conversations_give_quotes_and_no_rates() {
    let dir = tempfile::tempdir().unwrap();
    let few = eight().filter(|p| p.agent != "a3" || p.day < 30);
    let report = coached(&make(dir.path(), few), dir.path(), &[]);
    let a3 = agent(&report, "a3");
    assert!(a3["conversations"].as_u64().unwrap() < 20);
    assert!(a3["rates"].as_array().unwrap().iter().all(|r| r["rate"].is_null() && r["shrunken"].is_null()), "{a3}");
    assert!(a3["focuses"][0]["moments"][0]["quote"].is_string() && a3["focuses"][0]["standing"] == "too-few");
    let page = fs::read_to_string(dir.path().join("coaching/agent-a3.html")).unwrap();
    assert!(page.contains("quotes and no rates") && !page.contains("<svg"), "{page}");
}

#[test]
fn hostile_names_and_words_stay_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let long = "x".repeat(300);
    let names = ["../../x", "a\u{0}b", &long, "😀", "<script>alert(1)</script>", "=cmd()", "/etc/passwd", "A", "a"];
    let made = make(
        dir.path(),
        (0..names.len() * 25).map(|i| {
            let mut p = Plan::new(names[i % names.len()], i);
            p.problem =
                "</q><img src=x onerror=alert(1)> **[x](javascript:alert(1))** \u{0} my card 4111 1111 1111 1111"
                    .to_owned();
            p.reply = "I've sent it to ana@mail.example.org & \"you\" by Friday <b>".to_owned();
            p.violated.push("missing-apology");
            p
        }),
    );
    // The quotes of a run are redacted by the audit.
    let findings = made.run.join("findings.jsonl");
    fs::write(&findings, fs::read_to_string(&findings).unwrap().replace("4111 1111 1111 1111", "[CARD]")).unwrap();
    let report = coached(&made, dir.path(), &[]);
    let out = dir.path().join("coaching");
    let files: Vec<_> = fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files.len(), 2 * names.len() + 3, "{files:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "nothing beside the folder");
    for file in files {
        let text = fs::read_to_string(out.join(&file)).unwrap();
        let page = file.ends_with(".html") || file.ends_with(".md");
        assert!(!page || !text.contains("<img") && !text.contains("<script"), "{file}");
        assert!(!file.ends_with(".md") || !text.replace("\\]", "").contains("](java"), "{file}");
        assert!(!text.contains('\u{0}'), "{file}");
        assert!(!text.contains("4111 1111") && !text.contains("ana@mail"), "{file}");
    }
    assert!(agent(&report, "a")["focuses"][0]["moments"][0]["after"]["text"].as_str().unwrap().contains("[EMAIL]"));
    assert!(fs::read_to_string(out.join("rates.csv")).unwrap().contains("'=cmd()"));
}

#[test]
fn the_same_bytes_every_time_and_no_folder_is_overwritten_that_is_not_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), eight());
    let read = |name: &str| fs::read_to_string(dir.path().join("coaching").join(name)).unwrap();
    coached(&made, dir.path(), &["--threads", "1"]);
    let first = (read("index.html"), read("agent-a3.html"), read("coach.json"));
    coached(&made, dir.path(), &["--threads", "3"]);
    assert_eq!(first, (read("index.html"), read("agent-a3.html"), read("coach.json")));
    fs::write(dir.path().join("coaching/notes.txt"), "mine").unwrap();
    for (out, why) in
        [("coaching", "notes.txt would be lost"), ("run", "is no such report"), ("input.jsonl", "is no such report")]
    {
        let refused = evenhand().arg("coach").arg(&made.run).arg("--out").arg(dir.path().join(out)).assert().code(2);
        assert!(String::from_utf8_lossy(&refused.get_output().stderr).contains(why));
    }
    assert_eq!(read("notes.txt"), "mine");
    evenhand().arg("coach").arg(dir.path()).arg("--out").arg(dir.path().join("x")).assert().code(3);
}

/// `cargo test --release --test cli -- --ignored --nocapture thousand`
#[test]
#[ignore = "writes 300 MB"]
fn a_thousand_people_and_a_hundred_thousand_conversations() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(
        dir.path(),
        (0..100_000).map(|i| {
            let mut p = Plan::new(&format!("agent{:04}", i % 1000), i / 1000 + i % 1000);
            p.day = i % 84;
            for (k, rule) in
                ["missing-apology", "no-empathy", "no-next-step", "blame", "open-loop"].into_iter().enumerate()
            {
                if (i * 7919 + k * 104_729) % 100 < 15 {
                    p.violated.push(rule);
                }
            }
            p.problem =
                format!("{} {}", p.problem, "The line was down again all evening and nobody told us why. ".repeat(4));
            p
        }),
    );
    let measured = super::measured(&[
        "coach",
        made.run.to_str().unwrap(),
        "--out",
        dir.path().join("out").to_str().unwrap(),
        "--threads",
        "2",
        "--quiet",
    ]);
    super::told("coach", measured);
    // The processor's time: the clock of a machine that is shared says little.
    let (_, processor, peak) = measured;
    assert!(processor < 60.0 && peak < 1024, "{processor} s, {peak} MB");
}
