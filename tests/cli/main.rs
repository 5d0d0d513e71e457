//! The commands as a user calls them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audit;
mod bias;
mod coach;
mod contrast;
mod eval;
mod formats;
mod ingest;
mod labels;
mod readers;
mod report;
mod sample;
mod small;
mod standing;
mod synthetic;
mod tour;

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

/// Seconds of the clock, seconds of the processor, and megabytes (resident, at most) of one call.
fn measured(args: &[&str]) -> (f64, f64, u64) {
    let start = std::time::Instant::now();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("evenhand")).args(args).spawn().unwrap();
    let process = format!("/proc/{}", child.id());
    let of = |file: &str| std::fs::read_to_string(format!("{process}/{file}")).unwrap_or_default();
    let (mut peak, mut processor) = (0, 0.0);
    loop {
        let text = of("status");
        let high = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kilobytes = high.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0) / 1024);
        // User and system time are the 14th and 15th field, in hundredths; the name before them ends with a bracket.
        let text = of("stat");
        let fields: Vec<f64> =
            text.rsplit(')').next().unwrap_or("").split_whitespace().map(|f| f.parse().unwrap_or(0.0)).collect();
        if let [user, system] = fields.get(11..13).unwrap_or_default() {
            processor = f64::max(processor, (user + system) / 100.0);
        }
        if let Some(code) = child.try_wait().unwrap() {
            assert!(code.success());
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    (start.elapsed().as_secs_f64(), processor, peak)
}

/// Says what was measured, for a test that is run for it.
#[allow(clippy::print_stderr, reason = "a figure is what such a test is for")]
fn told(what: &str, (seconds, processor, peak): (f64, f64, u64)) {
    eprintln!("{what}: {seconds:.1} s of the clock, {processor:.1} s of the processor, {peak} MB at most");
}

/// Compares a page with the one in `tests/fixtures`; `UPDATE=1 cargo test --release` writes it anew.
fn as_it_was(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = stored.lines().zip(page.lines()).find(|(a, b)| a != b);
    assert!(
        stored == page,
        "{name} differs, first in {differs:?}; look at it, then UPDATE=1 cargo test --release --test cli"
    );
}
