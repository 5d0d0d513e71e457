//! The promises of docs/promises.md, one test each.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "figures are printed with --nocapture")]

mod atomic;
mod counts;
mod exits;
mod fuzz;
mod hostile;
mod memory;
mod privacy;
mod redaction;
mod resume;
mod same;
mod signals;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const TABLES: [&str; 4] = ["transcripts.jsonl", "turns.jsonl", "findings.jsonl", "rejects.jsonl"];

fn program() -> PathBuf {
    assert_cmd::cargo::cargo_bin("evenhand")
}

/// `evenhand audit INPUT --out OUT …`.
fn audit(input: &Path, out: &Path, more: &[&str]) -> Output {
    Command::new(program()).arg("audit").arg(input).args(["--quiet", "--out"]).arg(out).args(more).output().unwrap()
}

#[track_caller]
fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Everything that a run writes, with the clock left out; none where it is not whole.
fn contents(run: &Path) -> Option<Vec<Vec<u8>>> {
    let mut manifest: Value = serde_json::from_slice(&fs::read(run.join("run.json")).ok()?).ok()?;
    manifest["seconds"] = Value::Null;
    let mut all = vec![manifest.to_string().into_bytes()];
    for table in TABLES {
        all.push(fs::read(run.join(table)).ok()?);
    }
    all.push(fs::read(run.with_extension("rejects")).unwrap_or_default());
    let names: BTreeSet<_> = fs::read_dir(run).ok()?.map(|e| e.unwrap().file_name()).collect();
    (names.len() == 5).then_some(all)
}

/// `n` short conversations of four turns, one of which cannot be read where `n` is above 5.
fn conversations(n: usize) -> String {
    let mut out = String::new();
    for i in 0..n {
        let _ = writeln!(
            out,
            r#"{{"id":"t{i}","channel":"chat","turns":[{{"role":"customer","text":"My order {} never came and nobody answers, this is a disgrace!"}},{{"role":"agent","text":"That is our policy, we can't refund number {i}."}},{{"role":"customer","text":"I asked {i} times already"}},{{"role":"agent","text":"Is there anything else?"}}]}}"#,
            48_000 + i
        );
        if i == 5 {
            out.push_str("{\"id\":\"broken\", \"turns\": [{\n");
        }
    }
    out
}

/// The numbers of a seeded sequence (SplitMix64).
fn seeded(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// Copies a run folder.
fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn every_promise_has_its_test() {
    let page = fs::read_to_string("docs/promises.md").unwrap();
    let mut code = String::new();
    for file in fs::read_dir("tests/reliability").unwrap() {
        code.push_str(&fs::read_to_string(file.unwrap().path()).unwrap());
    }
    let promised: BTreeSet<&str> = page.split('`').filter(|w| w.starts_with("must_")).collect();
    let tested: BTreeSet<&str> =
        code.split("fn ").filter_map(|w| w.split('(').next()).filter(|w| w.starts_with("must_")).collect();
    assert!(promised.len() > 15);
    assert_eq!(promised, tested);
}
