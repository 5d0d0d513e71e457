//! The commands as a user calls them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audit;
mod bias;
mod coach;
mod contrast;
mod eval;
mod ingest;
mod report;
mod small;
mod synthetic;

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// The program.
fn evenhand() -> Command {
    Command::cargo_bin("evenhand").unwrap()
}

/// The rows of a JSON Lines file.
fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Seconds and megabytes (resident, at most) of one call.
fn measured(args: &[&str]) -> (f64, u64) {
    let start = std::time::Instant::now();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("evenhand")).args(args).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kilobytes = high.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0) / 1024);
        if let Some(code) = child.try_wait().unwrap() {
            assert!(code.success());
            return (start.elapsed().as_secs_f64(), peak);
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Says what was measured, for a test that is run for it.
#[allow(clippy::print_stderr, reason = "a figure is what such a test is for")]
fn told(what: &str, seconds: f64, peak: u64) {
    eprintln!("{what}: {seconds:.1} s, {peak} MB at most");
}
