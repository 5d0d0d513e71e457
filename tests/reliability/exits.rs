//! The exit codes, and a reader that goes away.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{assert_code, audit, contents, conversations, program};

fn scene(text: &str) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("in.jsonl"), dir.path().join("run"));
    fs::write(&input, text).unwrap();
    (dir, input, out)
}

#[test]
fn must_exit_0_when_done() {
    let (_dir, input, out) = scene(&conversations(1));
    assert_code(&audit(&input, &out, &["--strict"]), 0);
    let (_dir, input, out) = scene(&conversations(6));
    assert_code(&audit(&input, &out, &[]), 0);
    assert!(contents(&out).unwrap()[4].len() > 10, "a reject alone changes nothing");
}

#[test]
fn must_exit_1_on_a_fault_while_working() {
    let (_dir, input, out) = scene(&conversations(1));
    assert_code(&audit(&input, &out, &["--fault", "error@9"]), 1);
    assert_code(&audit(&input, &out, &["--fault", "panic@9"]), 1);
}

#[test]
fn must_exit_2_on_wrong_usage_or_configuration() {
    let (dir, input, out) = scene(&conversations(1));
    assert_code(&audit(&input, &out, &["--no-such-flag"]), 2);
    assert_code(&audit(&input, &out, &["--threads", "0"]), 2);
    let config = dir.path().join("c.toml");
    fs::write(&config, "[limits]\nreply = 3\n").unwrap();
    assert_code(&audit(&input, &out, &["--config", config.to_str().unwrap()]), 2);
    assert!(!out.exists());
}

#[test]
fn must_exit_3_on_input_that_cannot_be_read_at_all() {
    let (dir, _, out) = scene("");
    let absent = dir.path().join("absent.jsonl");
    let output = audit(&absent, &out, &[]);
    assert_code(&output, 3);
    assert!(String::from_utf8_lossy(&output.stderr).contains("absent.jsonl"));
    let (_dir, input, out) = scene("no line of this\nis a transcript\n");
    let output = audit(&input, &out, &[]);
    assert_code(&output, 3);
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 1"));
}

#[test]
fn must_exit_4_on_rejects_under_strict() {
    let (_dir, input, out) = scene(&conversations(6));
    assert_code(&audit(&input, &out, &["--strict"]), 4);
    assert!(contents(&out).is_some(), "and the run is whole");
}

#[test]
fn must_exit_0_when_the_reader_of_its_output_goes_away() {
    let (_dir, input, out) = scene(&conversations(1));
    let lines = "I was charged twice!\n".repeat(3000);
    for (args, stdin) in [
        (vec!["audit", input.to_str().unwrap(), "--json", "--out", out.to_str().unwrap()], ""),
        (vec!["score"], lines.as_str()),
        (vec!["rules", "missing-apology"], ""),
        (vec!["man"], ""),
        (vec!["completions", "bash"], ""),
        (vec!["--help"], ""),
    ] {
        let mut child = Command::new(program())
            .args(&args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        // The writer may find that nobody reads any more either.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), stdin.as_bytes());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}: {said}");
        assert!(!said.contains("error") && !said.contains("pipe"), "{args:?}: {said}");
    }
    assert!(contents(&out).is_some(), "the run is there all the same");
}
