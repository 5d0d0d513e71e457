//! docs/tour.md, typed line by line: every command ends well, writes the files that are named, and prints what is shown.

use std::fs;
use std::path::Path;
use std::process::Command;

/// One command of the page.
#[derive(Default)]
struct Step {
    command: String,
    /// Files that are there afterwards.
    writes: Vec<String>,
    /// Lines of the output that are shown, from 1; all of them where none are named.
    shows: Vec<(usize, usize)>,
    /// Where in the page the shown lines stand: the first, and the one after the last.
    place: (usize, usize),
}

/// The steps of the page: each a console block, with comments before it.
fn steps(page: &[&str]) -> Vec<Step> {
    let mut out = Vec::new();
    let mut step = Step::default();
    let mut lines = page.iter().enumerate();
    while let Some((_, line)) = lines.next() {
        let comment = |kind: &str| line.strip_prefix(&format!("<!-- {kind} "))?.strip_suffix(" -->");
        if let Some(files) = comment("writes") {
            step.writes = files.split(' ').map(str::to_owned).collect();
        }
        if let Some(ranges) = comment("shows").filter(|r| *r != "all") {
            let range = |r: &str| {
                let (from, to) = r.split_once('-').unwrap_or((r, r));
                (from.parse().unwrap(), to.parse().unwrap())
            };
            step.shows = ranges.split(' ').map(range).collect();
        }
        if *line == "```console" {
            let (at, command) = lines.next().unwrap();
            step.command = command.strip_prefix("$ ").unwrap().to_owned();
            let (end, _) = lines.find(|(_, l)| **l == "```").unwrap();
            step.place = (at + 1, end);
            out.push(std::mem::take(&mut step));
        }
    }
    out
}

/// The lines of an output that a step shows, with a … for those left out.
fn shown(step: &Step, output: &str) -> Vec<String> {
    let lines: Vec<&str> = output.lines().collect();
    if step.shows.is_empty() {
        return lines.iter().map(|l| (*l).to_owned()).collect();
    }
    let (mut out, mut last) = (Vec::new(), 0);
    for (from, to) in &step.shows {
        if *from > last + 1 {
            out.push("…".to_owned());
        }
        assert!(*to <= lines.len(), "{} prints {} lines only", step.command, lines.len());
        out.extend(lines[from - 1..*to].iter().map(|l| (*l).to_owned()));
        last = *to;
    }
    if last < lines.len() {
        out.push("…".to_owned());
    }
    out
}

/// A line without what depends on the machine's speed.
fn timeless(line: &str) -> String {
    if let Some((before, _)) = line.split_once("An audit would take") {
        return before.to_owned();
    }
    let timed = line.contains("turns a second");
    line.chars().filter(|c| !timed || !(c.is_ascii_digit() || *c == '.')).collect()
}

/// `UPDATE=1 cargo test --release --test cli tour` writes what is printed into the page.
#[cfg(unix)]
#[test]
fn the_tour_shows_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("docs/tour.md");
    let text = fs::read_to_string(&path).unwrap();
    let page: Vec<&str> = text.lines().collect();
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("examples")).unwrap();
    for entry in fs::read_dir(root.join("examples")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.path().join("examples").join(entry.file_name())).unwrap();
    }
    let program = assert_cmd::cargo::cargo_bin("evenhand");
    let search = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());

    let steps = steps(&page);
    let (mut new, mut at): (Vec<String>, usize) = (Vec::new(), 0);
    for step in &steps {
        let out =
            Command::new("sh").args(["-c", &step.command]).current_dir(&dir).env("PATH", &search).output().unwrap();
        assert!(out.status.success(), "{}: {}", step.command, String::from_utf8_lossy(&out.stderr));
        for file in &step.writes {
            let size =
                fs::metadata(dir.path().join(file)).unwrap_or_else(|e| panic!("{}: {file}: {e}", step.command)).len();
            assert!(size > 0 || file.ends_with("rejects.jsonl"), "{file} is empty");
        }
        let printed = shown(step, &String::from_utf8(out.stdout).unwrap());
        let stored = &page[step.place.0..step.place.1];
        let same = printed.iter().map(|l| timeless(l)).eq(stored.iter().map(|l| timeless(l)));
        new.extend(page[at..step.place.0].iter().map(|l| (*l).to_owned()));
        new.extend(if same { stored.iter().map(|l| (*l).to_owned()).collect() } else { printed });
        at = step.place.1;
    }
    new.extend(page[at..].iter().map(|l| (*l).to_owned()));
    let new = new.join("\n") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &new).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap();
    let differs = stored.lines().zip(new.lines()).find(|(a, b)| a != b);
    assert!(
        stored == new,
        "docs/tour.md shows other lines than are printed, first {differs:?}; look, then UPDATE=1 cargo test --release --test cli tour"
    );

    let asked = |name: &str| steps.iter().any(|s| s.command.starts_with(&format!("evenhand {name}")));
    for name in [
        "doctor",
        "audit",
        "rules",
        "bias",
        "sample",
        "labels import",
        "labels agreement",
        "labels estimate",
        "coach",
        "report",
    ] {
        assert!(asked(name), "the tour leaves out evenhand {name}");
    }
}
