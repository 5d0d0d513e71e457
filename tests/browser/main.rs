//! The reports in a real browser: nothing loaded, nothing on the console, axe-core content at AA, nothing cut on a phone or on paper.
//!
//! Needs Debian's `chromium`, `node`, and `npm ci` in this folder; `pdftotext` (poppler-utils) for the check of what is printed. Where they are
//! missing the test says so and checks nothing. Pictures for a reader are left in `target/tmp/browser`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "what was skipped must be seen")]

#[path = "../cli/synthetic.rs"]
mod synthetic;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use synthetic::{Plan, make};

/// The browser, where everything that is needed is there.
fn browser() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/node_modules");
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].map(PathBuf::from);
    let found = named.into_iter().chain(usual).find(|p| p.is_file());
    let node = Command::new("node").arg("--version").output().is_ok_and(|o| o.status.success());
    let modules = here.join("playwright-core").is_dir() && here.join("axe-core").is_dir();
    if found.is_none() || !node || !modules {
        eprintln!(
            "SKIPPED: the reports were not opened in a browser. chromium: {}, node: {node}, npm ci in tests/browser: {modules}.",
            found.is_some()
        );
        return None;
    }
    found
}

/// What the browser saw of some pages.
fn looked_at(browser: &Path, pages: &[PathBuf], out: &Path) -> Vec<Value> {
    fs::create_dir_all(out).unwrap();
    let result = Command::new("node")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser"))
        .arg("look.mjs")
        .arg(browser)
        .arg(out)
        .args(pages)
        .output()
        .unwrap();
    assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
    let lines = String::from_utf8(result.stdout).unwrap();
    lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

#[test]
fn the_pages_are_whole_quiet_and_accessible() {
    let Some(browser) = browser() else { return };
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), (0..420).map(plan));
    assert!(made.input.is_file(), "the words are there to be read again");
    let bias = dir.path().join("bias");
    let evenhand = |args: &[&str]| {
        assert_cmd::Command::cargo_bin("evenhand").unwrap().args(args).arg("--quiet").assert().success();
    };
    let s = |p: &Path| p.to_str().unwrap().to_owned();
    evenhand(&["bias", &s(&made.run), "--by", "channel", "--permutations", "50", "--out", &s(&bias)]);
    let (coach, report) = (dir.path().join("coach"), dir.path().join("report"));
    evenhand(&["coach", &s(&made.run), "--out", &s(&coach)]);
    evenhand(&["report", &s(&made.run), "--bias", &s(&bias), "--out", &s(&report)]);
    let overview = coach.join("overview.html");
    fs::copy(report.join("index.html"), &overview).unwrap();
    let pages = [coach.join("agent-a3.html"), coach.join("agent-few.html"), coach.join("index.html"), overview];
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    let seen = looked_at(&browser, &pages, &out);
    assert_eq!(seen.len(), pages.len());
    for page in seen {
        let file = page["file"].as_str().unwrap();
        for wrong in ["messages", "requests", "violations", "wide", "cut"] {
            assert_eq!(page[wrong], serde_json::json!([]), "{wrong} in {file}");
        }
        printed(&page);
    }
    eprintln!("pictures: {}", out.display());
}

/// The PDF has as many pages as its text needs, and the text on them is that of the page.
fn printed(page: &Value) {
    let pdf = page["pdf"].as_str().unwrap();
    let bytes = fs::read(pdf).unwrap();
    assert!(bytes.starts_with(b"%PDF-"));
    let Ok(out) = Command::new("pdftotext").args([pdf, "-"]).output() else {
        eprintln!("SKIPPED: what is printed was not read; pdftotext (poppler-utils) is missing.");
        return;
    };
    let text = String::from_utf8(out.stdout).unwrap();
    // Every page of pdftotext ends with a form feed.
    let sheets = text.matches('\u{c}').count();
    let want = letters(page["shown"].as_str().unwrap());
    let got = letters(&text);
    assert!(got >= want, "{pdf}: {got} of {want} letters are on paper");
    assert!((1..=14).contains(&sheets) && want / sheets < 4500, "{pdf}: {sheets} pages for {want} letters");
    assert!(text.split('\u{c}').take(sheets).all(|sheet| letters(sheet) > 20), "{pdf} has an empty page");
}

fn plan(i: usize) -> Plan {
    let agent = if i % 40 == 39 { "few".to_owned() } else { format!("a{}", i % 8) };
    let mut plan = Plan::new(&agent, i);
    if agent == "a3" && !i.is_multiple_of(3) || i % 11 == 1 {
        plan.violated.push("missing-apology");
    }
    if i % 13 == 2 {
        plan.violated.push("no-next-step");
    }
    if i.is_multiple_of(4) {
        plan.problem = format!(
            "The router keeps dropping the connection every evening, {i} times by now. {}",
            "averylongword".repeat(20)
        );
    }
    plan
}
