//! An interrupted run can be taken up again.

use std::fs;
use std::path::{Path, PathBuf};

use super::{assert_code, audit, contents, conversations, program, seeded};

/// A file named in a test's folder, with these contents.
fn file(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn must_resume_to_the_bytes_of_an_uninterrupted_run() {
    let dir = tempfile::tempdir().unwrap();
    let input = file(dir.path(), "in.jsonl", &conversations(8));
    let whole = dir.path().join("whole");
    assert_code(&audit(&input, &whole, &[]), 0);
    let whole = contents(&whole).unwrap();
    assert!(whole[4].len() > 10 && whole[5].len() > 10, "a reject is kept");
    let out = dir.path().join("run");
    let mut random = seeded(11);
    let mut killed = 0;
    for point in 0..20 {
        let at = 4 + point * 4 + random(4);
        let first = audit(&input, &out, &["--slice", "4", "--fault", &format!("kill@{at}")]);
        killed += usize::from(!first.status.success());
        // Every third is killed again.
        if point % 3 == 0 {
            audit(&input, &out, &["--slice", "4", "--resume", "--fault", &format!("kill@{}", 3 + random(30))]);
        }
        assert_code(&audit(&input, &out, &["--resume", "--slice", "5"]), 0);
        assert_eq!(contents(&out).unwrap(), whole, "killed at {at}");
        fs::remove_dir_all(&out).unwrap();
    }
    assert_eq!(killed, 20);
}

#[test]
fn must_not_classify_again_what_was_finished() {
    let dir = tempfile::tempdir().unwrap();
    let input = file(dir.path(), "in.jsonl", &conversations(8));
    let out = dir.path().join("run");
    assert!(!audit(&input, &out, &["--slice", "4", "--fault", "kill@60"]).status.success());
    let partial = out.with_extension("partial");
    let note: serde_json::Value = serde_json::from_slice(&fs::read(partial.join("checkpoint.json")).unwrap()).unwrap();
    let (done, bytes) = (note["counts"]["audited"].as_u64().unwrap(), note["spool"].as_u64().unwrap());
    assert!((1..8).contains(&done), "{done}");
    // What was finished is taken as it stands: another number there is still there at the end.
    let spool = fs::read_to_string(partial.join("spool.jsonl")).unwrap();
    assert!(spool.len() as u64 >= bytes);
    let changed = spool.replacen("\"sentiment\":\"neg\"", "\"sentiment\":\"pos\"", 1);
    assert_ne!(changed, spool);
    fs::write(partial.join("spool.jsonl"), changed).unwrap();
    assert_code(&audit(&input, &out, &["--resume"]), 0);
    let turns = fs::read_to_string(out.join("turns.jsonl")).unwrap();
    assert!(turns.lines().take(4).any(|l| l.contains("\"sentiment\":\"pos\"")), "{turns}");
}

#[test]
fn must_refuse_to_resume_what_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let text = conversations(6);
    let input = file(dir.path(), "in.jsonl", &text);
    let out = dir.path().join("run");
    assert!(!audit(&input, &out, &["--slice", "4", "--fault", "kill@50"]).status.success());
    let refused = |more: &[&str], why: &str| {
        let output = audit(&input, &out, &[&["--resume"], more].concat());
        assert_code(&output, 2);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("cannot resume") && said.contains(why), "{said}");
        assert!(out.with_extension("partial").join("checkpoint.json").is_file(), "what was finished is kept");
    };
    // At the end, which was not read yet, and at the beginning.
    for changed in [format!("{text}{{}}\n"), text.replacen("48000", "48001", 1)] {
        fs::write(&input, changed).unwrap();
        refused(&[], "in.jsonl has changed");
    }
    fs::write(&input, &text).unwrap();
    let config = file(dir.path(), "evenhand.toml", "[limits]\ncanned_in_others = 9\n");
    refused(&["--config", config.to_str().unwrap()], "configuration differs");
    refused(&["--no-redact"], "--no-redact differs");
    refused(&["--seed", "3"], "seed");
    refused(&["--format", "csv"], "another format");
    refused(&["--model", "accurate"], "begun without --model accurate");
    let model = dir.path().join("model");
    fs::create_dir(&model).unwrap();
    for name in ["tokenizer.json", "model.safetensors"] {
        fs::copy(Path::new("models/default").join(name), model.join(name)).unwrap();
    }
    let info = fs::read_to_string("models/default/model.json").unwrap();
    let mut info: serde_json::Value = serde_json::from_str(&info).unwrap();
    info["version"] = "another".into();
    fs::write(model.join("model.json"), info.to_string()).unwrap();
    refused(&["--model", model.to_str().unwrap()], "begun with model evenhand");
    assert_code(&audit(&input, &out, &["--resume"]), 0);
    // What is finished stays, but for the same job.
    let table = fs::read(out.join("turns.jsonl")).unwrap();
    fs::write(&input, text.replacen("48000", "48001", 1)).unwrap();
    let output = audit(&input, &out, &["--resume"]);
    assert_code(&output, 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("is finished"), "{output:?}");
    assert_eq!(fs::read(out.join("turns.jsonl")).unwrap(), table);
    fs::write(&input, &text).unwrap();
    assert_code(&audit(&input, &out, &["--resume"]), 0);
    assert_eq!(fs::read(out.join("turns.jsonl")).unwrap(), table);
}

#[test]
fn must_resume_a_pipe_that_gives_the_same_again() {
    let dir = tempfile::tempdir().unwrap();
    let text = conversations(8);
    let piped = |out: &Path, text: &str, more: &[&str]| {
        let mut command = assert_cmd::Command::new(program());
        command.args(["audit", "-", "--quiet", "--out"]).arg(out).args(more).write_stdin(text).output().unwrap()
    };
    let (whole, out) = (dir.path().join("whole"), dir.path().join("run"));
    assert_code(&piped(&whole, &text, &[]), 0);
    assert!(!piped(&out, &text, &["--slice", "4", "--fault", "kill@60"]).status.success());
    let other = piped(&out, &text.replacen("48000", "48001", 1), &["--resume"]);
    assert_code(&other, 2);
    assert!(String::from_utf8_lossy(&other.stderr).contains("the input has changed"));
    assert_code(&piped(&out, "", &["--resume"]), 2);
    assert_code(&piped(&out, &text, &["--resume"]), 0);
    assert_eq!(contents(&out).unwrap(), contents(&whole).unwrap());
}
