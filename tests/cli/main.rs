//! The commands as a user calls them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audit;
mod bias;
mod contrast;
mod eval;
mod formats;
mod ingest;
mod labels;
mod readers;
mod sample;
mod small;
mod standing;

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
