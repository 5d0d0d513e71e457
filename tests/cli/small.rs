//! `score`, `rules`, completions, man page, and wrong usage.

use serde_json::Value;

use super::evenhand;

fn score(input: &str, args: &[&str]) -> Vec<Value> {
    let result = evenhand().arg("score").args(args).write_stdin(input).assert().success();
    String::from_utf8_lossy(&result.get_output().stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn score_answers_each_line_in_order() {
    let out = score(
        "I was charged twice, this is outrageous!\n{\"text\":\"So sorry about the double charge, I've refunded it.\",\"role\":\"agent\"}\n\nthank you so much!\n",
        &[],
    );
    assert_eq!(out.len(), 4);
    assert_eq!(out[0]["sentiment"], "neg");
    assert!(out[0]["labels"].as_array().unwrap().iter().any(|l| l == "problem"));
    assert!(out[1]["labels"].as_array().unwrap().iter().any(|l| l == "apology"));
    assert_eq!(out[2]["sentiment"], "neu", "an empty line is an empty turn");
    assert_eq!(out[3]["sentiment"], "pos");
    let agent = score("I was charged twice", &["--role", "agent"]);
    assert!(agent[0]["scores"].get("apology").is_some() && agent[0]["scores"].get("problem").is_none());
}

#[test]
fn score_takes_any_text() {
    let odd = format!("😀\u{0}\u{202e}{}\n{}\n", "é".repeat(50_000), "a".repeat(200_000));
    assert_eq!(score(&odd, &[]).len(), 2);
    let result = evenhand().arg("score").write_stdin("{\"text\":1}\nthank you!\n").assert().code(2);
    let out = String::from_utf8_lossy(&result.get_output().stdout).into_owned();
    let rows: Vec<Value> = out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(rows[0]["error"].as_str().unwrap().starts_with("line 1: "));
    assert_eq!(rows[1]["sentiment"], "pos", "and goes on");
    evenhand().args(["score", "no-such-file.txt"]).assert().code(3);
}

#[test]
fn a_backend_that_is_not_part_of_the_program_says_how_to_get_it() {
    for (name, built) in [("onnx", cfg!(feature = "onnx")), ("rust-bert", cfg!(feature = "rust-bert"))] {
        if !built {
            let result = evenhand().args(["score", "--backend", name]).write_stdin("hello\n").assert().code(2);
            let error = String::from_utf8_lossy(&result.get_output().stderr).into_owned();
            assert!(error.contains(&format!("cargo build --release --features {name}")), "{error}");
        }
    }
}

#[test]
fn rules_are_listed_and_explained() {
    let list = evenhand().arg("rules").assert().success();
    let list = String::from_utf8_lossy(&list.get_output().stdout).into_owned();
    assert!(list.contains("missing-apology") && list.contains("abusive-customer"));
    assert!(list.lines().all(|l| l.chars().count() <= 80));
    let one = evenhand().args(["rules", "informal-denial"]).assert().success();
    let one = String::from_utf8_lossy(&one.get_output().stdout).into_owned();
    for heading in ["What it finds", "Why it hurts the customer", "Say instead", "What it leaves alone", "Measured"] {
        assert!(one.contains(heading), "{heading}");
    }
    let json = evenhand().args(["rules", "--json"]).assert().success();
    let json: Vec<Value> = serde_json::from_slice(&json.get_output().stdout).unwrap();
    assert_eq!(json.len(), 16);
    evenhand().args(["rules", "no-such-rule"]).assert().code(2);
}

#[test]
fn help_has_an_example_in_every_command() {
    for command in ["audit", "bias", "coach", "report", "score", "rules", "eval", "completions", "man"] {
        let help = evenhand().args([command, "--help"]).assert().success();
        assert!(String::from_utf8_lossy(&help.get_output().stdout).contains("Example"), "{command}");
    }
    for shell in ["bash", "zsh", "fish"] {
        evenhand().args(["completions", shell]).assert().success();
    }
    let man = evenhand().arg("man").assert().success();
    assert!(String::from_utf8_lossy(&man.get_output().stdout).contains(".TH"));
}

#[test]
fn wrong_usage_is_exit_2() {
    evenhand().args(["audit"]).assert().code(2);
    evenhand().args(["audit", "x", "--out", "y", "--threads", "0"]).assert().code(2);
    evenhand().args(["audit", "x", "--out", "y", "--config", "no-such.toml"]).assert().code(2);
    evenhand().args(["score", "--model", "no-such-folder"]).write_stdin("x").assert().code(2);
    evenhand().args(["eval", "--gold", "nowhere.jsonl"]).assert().code(2);
}
