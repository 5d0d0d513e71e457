//! Promises about runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "figures are printed with --nocapture")]

mod redaction;

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const TABLES: [&str; 4] = ["transcripts.jsonl", "turns.jsonl", "findings.jsonl", "rejects.jsonl"];

fn audit(input: &str, out: &Path, more: &[&str]) {
    let mut command = Command::cargo_bin("evenhand").unwrap();
    command.args(["audit", input, "--quiet", "--out"]).arg(out).args(more).assert().success();
}

#[test]
fn same_bytes_at_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let runs: Vec<_> = ["1", "2", "3"]
        .iter()
        .map(|threads| {
            let out = dir.path().join(threads);
            audit("examples/larkspur.jsonl", &out, &["--threads", threads]);
            TABLES.map(|t| fs::read(out.join(t)).unwrap())
        })
        .collect();
    assert!(runs[0][1].len() > 10_000);
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0], runs[2]);
}

#[test]
fn same_bytes_over_many_steps() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("many.jsonl");
    let line = |i: usize| {
        let turns: Vec<String> = (0..4)
            .map(|k| {
                format!(r#"{{"role":"{}","text":"line {k} of {}, is it open?"}}"#, ["customer", "agent"][k % 2], i % 97)
            })
            .collect();
        format!("{{\"id\":\"t{i}\",\"turns\":[{}]}}\n", turns.join(","))
    };
    fs::write(&input, (0..1100).map(line).collect::<String>()).unwrap();
    let input = input.to_string_lossy().into_owned();
    let runs = ["1", "2"].map(|threads| {
        let out = dir.path().join(threads);
        audit(&input, &out, &["--threads", threads]);
        TABLES.map(|t| fs::read(out.join(t)).unwrap())
    });
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn a_failed_run_leaves_nothing_and_keeps_the_older_one() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("a.jsonl");
    fs::write(&good, "{\"id\":\"a\",\"turns\":[{\"role\":\"customer\",\"text\":\"hello\"}]}\n").unwrap();
    let bad = dir.path().join("b.jsonl");
    fs::write(&bad, "nothing\n").unwrap();
    let out = dir.path().join("run");
    audit(&good.to_string_lossy(), &out, &[]);
    let before = fs::read(out.join("turns.jsonl")).unwrap();
    Command::cargo_bin("evenhand").unwrap().arg("audit").arg(&bad).arg("--out").arg(&out).assert().code(3);
    assert_eq!(fs::read(out.join("turns.jsonl")).unwrap(), before);
    assert!(!dir.path().join("run.partial").exists());
}

#[test]
fn a_model_folder_gives_the_same_as_the_built_in_one_and_a_changed_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("model");
    fs::create_dir(&folder).unwrap();
    for name in ["model.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(Path::new("models/minilm-l6").join(name), folder.join(name)).unwrap();
    }
    let score = |args: &[&str]| {
        let mut command = Command::cargo_bin("evenhand").unwrap();
        command.arg("score").args(args).write_stdin("I was charged twice!\n").output().unwrap()
    };
    let model = folder.to_string_lossy().into_owned();
    assert_eq!(score(&["--model", &model]).stdout, score(&[]).stdout);
    let mut weights = fs::read(folder.join("model.safetensors")).unwrap();
    *weights.last_mut().unwrap() ^= 1;
    fs::write(folder.join("model.safetensors"), weights).unwrap();
    let refused = score(&["--model", &model]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("sha256 differs"));
}

#[test]
fn an_older_run_gives_way_and_anything_else_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("a.jsonl");
    fs::write(&input, "{\"id\":\"a\",\"turns\":[{\"role\":\"customer\",\"text\":\"hello\"}]}\n").unwrap();
    let input = input.to_string_lossy().into_owned();
    let out = dir.path().join("run");
    audit(&input, &out, &[]);
    audit(&input, &out, &[]);
    assert!(!dir.path().join("run.partial").exists() && !dir.path().join("run.replaced").exists());
    assert!(!out.join("spool.jsonl").exists());
    let other = dir.path().join("letters");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("mine.txt"), "keep").unwrap();
    let mut command = Command::cargo_bin("evenhand").unwrap();
    command.args(["audit", &input, "--out"]).arg(&other).assert().code(2);
    assert_eq!(fs::read_to_string(other.join("mine.txt")).unwrap(), "keep");
}
