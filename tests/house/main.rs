//! The house keeps its order: imports run one way, files stay short, generated pages are up to date.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use evenhand::findings::{Doc, RULES};

/// The stages in the order of the data; a module imports only itself and what stands before it.
const STAGES: [&str; 11] =
    ["ingest", "turns", "signals", "findings", "tally", "stats", "sampling", "labels", "reports", "run", "cli"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn imports_run_one_way() {
    for (place, stage) in STAGES.iter().enumerate() {
        let mut files = Vec::new();
        rust_files(&root().join("src").join(stage), &mut files);
        assert!(!files.is_empty(), "{stage} is empty");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for line in text.lines().filter(|l| !l.trim_start().starts_with("//")) {
                for other in &STAGES[place + 1..] {
                    assert!(!line.contains(&format!("crate::{other}")), "{}: {line}", file.display());
                }
            }
        }
    }
}

#[test]
fn files_stay_under_500_lines() {
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.lines().count() < 500, "{} is long", file.display());
        assert!(text.starts_with("//!"), "{} does not say what goes in and out", file.display());
    }
}

/// `UPDATE=1 cargo test --release` writes the page anew.
#[test]
fn the_rules_page_is_what_the_rules_say() {
    let mut page =
        String::from("# The rules\n\nMade from the rules' own documentation; `evenhand rules NAME` shows the same.\n");
    for rule in RULES {
        let _ = write!(page, "\n## {}\n", rule.id);
        for (heading, text) in Doc::of(rule).parts {
            let _ = write!(page, "\n**{heading}.** {}\n", text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    let path = root().join("docs/rules.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == page, "docs/rules.md is out of date; run UPDATE=1 cargo test --release --test house");
}

/// `docs/methods.md` says where each formula stands: the files are there, what is named in them too, and no file of `src/stats` is left out.
#[test]
fn the_methods_page_leads_to_the_code() {
    let page = fs::read_to_string(root().join("docs/methods.md")).unwrap();
    let mut links = 0;
    for place in page.split("](../").skip(1) {
        let (path, rest) = place.split_once(')').unwrap();
        let text = fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        // Names follow their link as `name`, `name`; anything else ends them.
        let names = rest.split('`').enumerate().map_while(|(i, part)| match i % 2 {
            0 => [" ", ", "].contains(&part).then_some(None),
            _ => Some(Some(part)),
        });
        for name in names.flatten() {
            let here = ["fn", "struct", "const"].iter().any(|kind| {
                text.match_indices(&format!("{kind} {name}"))
                    .any(|(at, m)| !text[at + m.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
            });
            assert!(here, "{path} has no {name}");
            links += 1;
        }
    }
    assert!(links > 80, "only {links} formulas lead to their code");
    for file in fs::read_dir(root().join("src/stats")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(name == "mod.rs" || page.contains(&format!("src/stats/{name}")), "{name} is not in docs/methods.md");
    }
}
