//! What is said in a conversation stays in the tables, redacted.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{assert_code, audit, contents, conversations, program};

/// A word that stands nowhere but in the input.
const CANARY: &str = "Zwartkopje";
/// Personal data that must not reach the folder.
const PERSONAL: [&str; 4] = ["ana.petrov@example.org", "4111 1111 1111 1111", "Petrov", "07700 900123"];

fn assert_lacks(place: &str, bytes: &[u8], words: &[&str]) {
    let text = String::from_utf8_lossy(bytes);
    for word in words {
        assert!(!text.contains(word), "{word} stands in {place}");
    }
}

fn canary_input(dir: &Path) -> std::path::PathBuf {
    let good = format!(
        r#"{{"id":"a","turns":[{{"role":"customer","text":"{CANARY}! My name is Ana Petrov, nobody answers, this is a disgrace! ana.petrov@example.org, card 4111 1111 1111 1111, 07700 900123"}},{{"role":"agent","text":"That is our policy {CANARY}, Petrov."}}]}}"#
    );
    let bad = [
        good.replace("\"id\":\"a\"", "\"id\":\"b\"").replace("agent", CANARY),
        good.replace("\"id\":\"a\"", "\"id\":7.5e3,\"at\":[").to_owned(),
        good[..good.len() - 20].to_owned(),
        format!("{{\"id\":\"{CANARY}\",\"turns\":\"{CANARY}\"}}"),
        format!("{CANARY} {{}}"),
        good.replace("\"role\":\"agent\"", &format!("\"role\":\"agent\",\"at\":\"{CANARY}\"")),
        good.replace("\"role\":\"agent\"", &format!("\"role\":\"agent\",\"agent_id\":[\"{CANARY}\"]")),
    ];
    let input = dir.join("in.jsonl");
    fs::write(&input, format!("{good}\n{}\n", bad.join("\n"))).unwrap();
    fs::write(
        dir.join("in.csv"),
        format!("transcript_id,turn,role,text\nc,{CANARY},agent,{CANARY}\nd,0,agent,\"{CANARY}\n"),
    )
    .unwrap();
    input
}

#[test]
fn must_keep_what_was_said_out_of_logs_and_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let input = canary_input(dir.path());
    let out = dir.path().join("run");
    let output = Command::new(program())
        .arg("audit")
        .arg(&input)
        .arg(dir.path().join("in.csv"))
        .args(["--json", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    assert_code(&output, 0);
    assert_lacks("standard error", &output.stderr, &[CANARY, "Petrov"]);
    assert_lacks("the summary for machines", &output.stdout, &[CANARY, "Petrov"]);
    for file in ["run.json", "rejects.jsonl", "turns.jsonl"] {
        assert_lacks(file, &fs::read(out.join(file)).unwrap(), &[CANARY]);
    }
    assert!(fs::read_to_string(out.join("rejects.jsonl")).unwrap().lines().count() >= 8);
    let findings = fs::read_to_string(out.join("findings.jsonl")).unwrap();
    assert!(findings.contains(CANARY), "the canary sings where it may");
    for entry in fs::read_dir(&out).unwrap() {
        let path = entry.unwrap().path();
        assert_lacks(&path.display().to_string(), &fs::read(&path).unwrap(), &PERSONAL);
    }
}

#[test]
fn must_keep_what_was_said_out_of_panics_and_errors() {
    let dir = tempfile::tempdir().unwrap();
    let input = canary_input(dir.path());
    let out = dir.path().join("run");
    let mut panics = 0;
    for fault in ["panic", "error", "kill"] {
        for n in (1..30).filter(|n| fault == "panic" || n % 5 == 0) {
            let output = audit(&input, &out, &["--fault", &format!("{fault}@{n}")]);
            assert_lacks("standard error", &output.stderr, &[CANARY, "Petrov"]);
            panics += usize::from(String::from_utf8_lossy(&output.stderr).contains("internal error at src"));
            for file in ["job.json", "checkpoint.json"] {
                let bytes = fs::read(out.with_extension("partial").join(file)).unwrap_or_default();
                assert_lacks(file, &bytes, &[CANARY, "Petrov"]);
            }
        }
    }
    assert!(panics >= 25, "{panics}");
}

/// Nobody else may read what is not redacted.
#[cfg(unix)]
#[test]
fn must_keep_what_is_not_redacted_to_the_user() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let input = canary_input(dir.path());
    let out = dir.path().join("run");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert!(!audit(&input, &out, &["--slice", "1", "--fault", "kill@30"]).status.success());
    assert_eq!(mode(&out.with_extension("partial").join("spool.jsonl")), 0o600);
    assert_code(&audit(&input, &out, &[]), 0);
    assert_eq!(mode(&out.with_extension("rejects")), 0o600);
    assert!(!out.join("spool.jsonl").exists() && !out.join("rejects.raw").exists());
}

#[test]
fn must_open_no_connection() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.jsonl");
    fs::write(&input, conversations(2)).unwrap();
    // No line of ours connects to anything.
    let mut folders = vec![std::path::PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                for word in ["TcpStream::connect", "UdpSocket", "reqwest", "ureq::", "hyper::client"] {
                    assert!(!text.contains(word), "{}: {word}", path.display());
                }
            }
        }
    }
    // And without a network everything is as it is with one.
    let (with, without) = (dir.path().join("with"), dir.path().join("without"));
    assert_code(&audit(&input, &with, &[]), 0);
    let alone = |args: &[&str]| Command::new("unshare").args(args).arg("true").status().is_ok_and(|s| s.success());
    let Some(how) = [&["-n"][..], &["-r", "-n"]].into_iter().find(|args| alone(args)) else {
        println!("unshare is not allowed here: checked in the source only");
        return;
    };
    let mut command = Command::new("unshare");
    command.args(how).arg(program()).arg("audit").arg(&input).args(["--quiet", "--out"]).arg(&without);
    assert_code(&command.output().unwrap(), 0);
    assert_eq!(contents(&with), contents(&without));
}
