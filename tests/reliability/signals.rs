//! A run that is asked to stop.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{assert_code, audit, contents, program};

fn start(input: &Path, out: &Path) -> Child {
    let mut command = Command::new(program());
    command.arg("audit").arg(input).args(["--quiet", "--out"]).arg(out);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Sends a signal and says how long the program took to end.
fn send(child: Child, signal: &str) -> (Output, Duration) {
    let start = Instant::now();
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    (child.wait_with_output().unwrap(), start.elapsed())
}

/// Waits until something is true.
fn until(what: &str, is: impl Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} does not come");
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn must_stop_within_3_seconds_of_a_signal_and_resume() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("some.jsonl");
    let all = fs::read_to_string("examples/larkspur.jsonl").unwrap();
    fs::write(&input, all.lines().take(120).map(|l| format!("{l}\n")).collect::<String>()).unwrap();
    let whole = dir.path().join("whole");
    assert_code(&audit(&input, &whole, &[]), 0);
    for signal in ["INT", "TERM"] {
        let out = dir.path().join(signal);
        let partial = out.with_extension("partial");
        let child = start(&input, &out);
        until("the work", || partial.join("rejects.raw").is_file());
        sleep(Duration::from_millis(300));
        let (output, took) = send(child, signal);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        println!("SIG{signal}: ended after {took:?}");
        assert_code(&output, 130);
        assert!(took < Duration::from_secs(3), "SIG{signal} took {took:?}");
        assert!(said.contains("interrupted") && said.contains("--resume"), "{said}");
        assert!(!out.exists() && partial.join("checkpoint.json").is_file());
        assert_code(&audit(&input, &out, &["--resume"]), 0);
        assert_eq!(contents(&out), contents(&whole));
    }
}

#[test]
fn must_stop_while_it_waits_for_input() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let mut child = start(Path::new("-"), &out);
    // The pipe stays open, and nothing comes.
    let pipe = child.stdin.take();
    until("the work", || out.with_extension("partial").join("unfinished").is_file());
    sleep(Duration::from_millis(300));
    let (output, took) = send(child, "TERM");
    drop(pipe);
    assert_code(&output, 130);
    assert!(took < Duration::from_secs(3), "took {took:?}");
    assert!(!out.exists());
}

#[test]
fn must_exit_130_when_other_commands_are_interrupted() {
    let mut child = Command::new(program())
        .arg("score")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, b"hello\n").unwrap();
    // The answer shows that it is at work.
    let mut answer = [0; 1];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut answer).unwrap();
    let (output, _) = send(child, "INT");
    drop(pipe);
    assert_code(&output, 130);
}
