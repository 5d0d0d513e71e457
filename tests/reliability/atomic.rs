//! A run folder is there whole, or as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{assert_code, audit, contents, conversations, copy, program, seeded};

/// An older run, a new input, and what each of them looks like.
struct Scene {
    dir: tempfile::TempDir,
    input: PathBuf,
    out: PathBuf,
    old: Vec<Vec<u8>>,
    new: Vec<Vec<u8>>,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let (first, input) = (path("first.jsonl"), path("second.jsonl"));
        fs::write(&first, conversations(1)).unwrap();
        fs::write(&input, conversations(2)).unwrap();
        assert_code(&audit(&first, &path("old"), &[]), 0);
        assert_code(&audit(&input, &path("new"), &[]), 0);
        let (old, new) = (contents(&path("old")).unwrap(), contents(&path("new")).unwrap());
        assert_ne!(old, new);
        let out = path("run");
        copy(&path("old"), &out);
        Self { dir, input, out, old, new }
    }

    /// The old folder or the new one, whole; puts the old one back.
    fn check(&self, at: &str) -> bool {
        let now = contents(&self.out);
        let new = now.as_ref() == Some(&self.new);
        assert!(new || now.as_ref() == Some(&self.old), "after {at} the folder is neither the old nor the new one");
        if new {
            copy(&self.dir.path().join("old"), &self.out);
        }
        new
    }
}

#[test]
fn must_leave_the_old_folder_or_the_new_one_when_killed() {
    let scene = Scene::new();
    let (mut n, mut replaced) = (0, 0);
    // At every operation on the disk, until none is left to be killed at …
    loop {
        n += 1;
        let output = audit(&scene.input, &scene.out, &["--fault", &format!("kill@{n}")]);
        replaced += usize::from(scene.check(&format!("a kill at operation {n}")));
        if output.status.success() {
            break;
        }
    }
    assert!(n > 30 && replaced >= 1, "{n} operations, {replaced} times replaced");
    // … and at seeded moments.
    let mut random = seeded(7);
    for _ in 0..20 {
        let mut child = Command::new(program())
            .arg("audit")
            .arg(&scene.input)
            .args(["--quiet", "--out"])
            .arg(&scene.out)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let wait = Duration::from_millis(random(400));
        sleep(wait);
        let _ = child.kill();
        child.wait().unwrap();
        scene.check(&format!("SIGKILL after {wait:?}"));
    }
    // Whatever was left behind does not stand in the way.
    assert_code(&audit(&scene.input, &scene.out, &[]), 0);
    assert!(scene.check("a whole run"));
    assert!(!scene.out.with_extension("partial").exists());
    println!("killed at {} operations and 20 moments", n - 1);
}

#[test]
fn must_name_the_file_and_keep_the_old_folder_when_the_disk_fails() {
    let scene = Scene::new();
    for (fault, words) in [("error", "input/output error"), ("full", "no storage space")] {
        let mut n = 0;
        loop {
            n += 1;
            let output = audit(&scene.input, &scene.out, &["--fault", &format!("{fault}@{n}")]);
            if output.status.success() {
                break;
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_code(&output, 1);
            assert!(said.contains(words), "{said}");
            assert!(said.contains(scene.dir.path().join("run").to_str().unwrap()), "names no file: {said}");
            scene.check(&format!("{fault} at operation {n}"));
            // Every fifth: the two differ in nothing but their words.
            n += u64::from(fault == "full") * 4;
        }
        assert!(n > 30);
        scene.check("a whole run");
    }
}

/// A limit on the size of files is a full disk that needs no privileges.
#[cfg(unix)]
#[test]
fn must_survive_a_disk_that_is_really_full() {
    let scene = Scene::new();
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" audit \"$1\" --quiet --out \"$2\"";
    let output =
        Command::new("bash").args(["-c", script]).arg(program()).arg(&scene.input).arg(&scene.out).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_code(&output, 1);
    assert!(said.contains("spool.jsonl") && said.contains("File too large"), "{said}");
    assert!(!scene.check("a full disk"));
}

#[test]
fn must_leave_nothing_where_nothing_can_be_read() {
    let scene = Scene::new();
    let bad = scene.dir.path().join("bad.jsonl");
    fs::write(&bad, "nothing\n").unwrap();
    assert_code(&audit(&bad, &scene.out, &[]), 3);
    assert!(!scene.check("an input that cannot be read"));
    assert!(!scene.out.with_extension("partial").exists());
}

#[test]
fn must_not_touch_a_folder_that_is_no_run() {
    let scene = Scene::new();
    let other = scene.dir.path().join("letters");
    for place in [other.clone(), other.with_extension("partial")] {
        fs::create_dir(&place).unwrap();
        fs::write(place.join("mine.txt"), "keep").unwrap();
        assert_code(&audit(&scene.input, &other, &[]), 2);
        assert_eq!(fs::read_to_string(place.join("mine.txt")).unwrap(), "keep");
        fs::remove_dir_all(&place).unwrap();
    }
}

#[test]
fn must_not_lose_what_lies_in_a_folder_or_file_that_it_writes() {
    let scene = Scene::new();
    let run = &scene.out;
    assert_code(&audit(&scene.input, run, &[]), 0);
    let kept = |name: &str| fs::read_to_string(run.join(name)).unwrap();
    fs::write(run.join("notes.txt"), "keep").unwrap();
    let refused = audit(&scene.input, run, &[]);
    assert_code(&refused, 2);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("notes.txt"));
    assert_eq!(kept("notes.txt"), "keep");
    fs::rename(run.join("notes.txt"), run.join(".DS_Store")).unwrap();
    assert_code(&audit(&scene.input, run, &[]), 0);

    let mut rejects = run.clone().into_os_string();
    rejects.push(".rejects");
    fs::create_dir(&rejects).unwrap();
    assert_code(&audit(&scene.input, run, &[]), 2);
    fs::remove_dir(&rejects).unwrap();
    assert_code(&audit(&scene.input, run, &[]), 0);

    let own = Command::new(program()).args(["convert", "--out"]).args([&scene.input, &scene.input]).output().unwrap();
    assert_code(&own, 2);

    let sheet = scene.dir.path().join("sample.csv");
    let draw = || {
        let out = scene.dir.path().join("sample.jsonl");
        Command::new(program()).args(["sample", "--size", "2", "--out"]).args([&out, run]).output().unwrap()
    };
    assert_code(&draw(), 0);
    assert_code(&draw(), 0);
    for other in ["id,reviewer,blame\nc-1,ana,violated\n", "month,income\nMay,3\n"] {
        fs::write(&sheet, other).unwrap();
        assert_code(&draw(), 2);
        assert_eq!(fs::read_to_string(&sheet).unwrap(), other);
    }

    let page = scene.dir.path().join("index.html");
    fs::write(&page, "my site").unwrap();
    let bias = ["bias", "--by", "channel", "--out"];
    let refused = Command::new(program()).args(bias).args([scene.dir.path(), run]).output().unwrap();
    assert_code(&refused, 2);
    assert_eq!(fs::read_to_string(&page).unwrap(), "my site");
}

#[test]
#[cfg(unix)]
fn must_write_where_a_link_leads() {
    let scene = Scene::new();
    let (link, real) = (scene.dir.path().join("link"), scene.dir.path().join("elsewhere"));
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    assert_code(&audit(&scene.input, &link, &[]), 0);
    assert!(link.is_symlink() && real.join("run.json").is_file());
}

#[test]
fn must_not_write_where_another_run_writes() {
    let scene = Scene::new();
    let mut first = Command::new(program())
        .args(["audit", "-", "--quiet", "--out"])
        .arg(&scene.out)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(&scene.out.with_extension("partial").join("unfinished"));
    let second = audit(&scene.input, &scene.out, &[]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_code(&second, 2);
    assert!(String::from_utf8_lossy(&second.stderr).contains("being written by another run"));
}

/// Waits until a file is there.
fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "{} does not come", path.display());
        sleep(Duration::from_millis(5));
    }
}
