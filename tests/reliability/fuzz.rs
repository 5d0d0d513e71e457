//! The fuzz targets without a fuzzer: every file of the corpus, and seeded mutations of it. `tests/fuzz/README.md` says how they are run for longer.
//!
//! `FUZZ_SECONDS=60 cargo test --release --test reliability corpus -- --nocapture` goes on for so long with each target.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::seeded;

#[path = "../fuzz/targets.rs"]
#[allow(dead_code, reason = "the fuzzer names the target it wants")]
mod targets;

/// Mutations of each file.
const MUTATIONS: u64 = 150;

/// The files of a target's corpus.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from("tests/fuzz/corpus").join(target);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|p| (p.clone(), fs::read(p).unwrap())).collect()
}

/// Pieces that formats are made of: what a random byte hardly ever hits.
const PIECES: [&str; 20] = [
    "\"", "{", "]", "[[[[", "null", "\\u0000", ",", "\n\n", "\r\n", ":", "-->", "\0", "é", "\u{202e}", "😀", "00:00",
    "-1", "1e999", "\"id\":", "\n%%%%\n",
];

/// One to four changes at random places: a byte, a piece, a cut, a repetition, or a part of another file.
fn mutated(bytes: &[u8], other: &[u8], random: &mut impl FnMut(u64) -> u64) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random(4) {
        let mut at = |below: usize| random(below as u64 + 1) as usize;
        let (a, b) = (at(out.len()), at(out.len()));
        let (from, to) = (a.min(b), a.max(b));
        match random(6) {
            0 if from < out.len() => out[from] = random(256) as u8,
            1 => out.truncate(to),
            2 => drop(out.drain(from..to)),
            3 => {
                let again = out[from..to.min(from + 300)].to_vec();
                out.splice(to..to, again);
            }
            4 => {
                let from_other = random(other.len() as u64 + 1) as usize;
                out.splice(from..to, other[from_other..].iter().copied());
            }
            _ => {
                let piece = PIECES[random(PIECES.len() as u64) as usize];
                out.splice(from..from, piece.bytes());
            }
        }
    }
    out
}

/// Runs a target on its corpus and on mutations of it: so many of each file, and more for so long. Out: how many inputs, or the first fault.
fn tried(name: &str, target: fn(&[u8]), long: Duration) -> Result<u64, String> {
    let files = corpus(name);
    assert!(!files.is_empty(), "{name} has no corpus");
    let start = Instant::now();
    let mut random = seeded(name.bytes().map(u64::from).sum());
    let mut inputs = 0;
    let mut run = |path: &PathBuf, input: &[u8]| {
        inputs += 1;
        let well = catch_unwind(|| target(input)).is_ok();
        well.then_some(()).ok_or_else(|| format!("{name}, from {}: {}", path.display(), input.escape_ascii()))
    };
    for (path, bytes) in &files {
        run(path, bytes)?;
    }
    let mut round = 0;
    while round < MUTATIONS || start.elapsed() < long {
        for (path, bytes) in &files {
            let other = &files[random(files.len() as u64) as usize].1;
            run(path, &mutated(bytes, other, &mut random))?;
        }
        round += 1;
    }
    Ok(inputs)
}

#[test]
fn the_corpus_and_what_comes_of_it_end_well() {
    let seconds = std::env::var("FUZZ_SECONDS").map_or(0, |s| s.parse().unwrap());
    let long = Duration::from_secs(seconds);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let mut faults = Vec::new();
    for some in targets::TARGETS.chunks(threads) {
        let running: Vec<_> =
            some.iter().map(|(name, target)| std::thread::spawn(move || tried(name, *target, long))).collect();
        for (thread, (name, _)) in running.into_iter().zip(some) {
            match thread.join().unwrap() {
                Ok(inputs) => println!("{name}: {inputs} inputs"),
                Err(fault) => faults.push(fault),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_target_can_be_fuzzed() {
    let list = fs::read_to_string("tests/fuzz/Cargo.toml").unwrap();
    let listed: BTreeSet<&str> = list.split("[[bin]]\nname = \"").skip(1).filter_map(|b| b.split('"').next()).collect();
    assert_eq!(listed, targets::TARGETS.iter().map(|t| t.0).collect());
    for name in listed {
        let body = fs::read_to_string(format!("tests/fuzz/fuzz_targets/{name}.rs")).unwrap();
        assert!(body.contains(&format!("targets::run(\"{name}\", data)")), "{name} calls another target");
    }
    // Each reader has a target.
    let read = fs::read_to_string("src/ingest/mod.rs").unwrap();
    let targets = fs::read_to_string("tests/fuzz/targets.rs").unwrap();
    let formats = read.split("pub enum Format {").nth(1).unwrap().split('}').next().unwrap();
    for format in formats.lines().map(str::trim).filter(|l| l.ends_with(',') && !l.starts_with('/')) {
        assert!(targets.contains(&format!("Format::{format}").replace(',', "")), "{format} has no target");
    }
}
