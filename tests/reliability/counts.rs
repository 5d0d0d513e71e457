//! Nothing is lost: what is read is audited or rejected, and what is rejected is kept.

use std::fmt::Write;
use std::fs;

use serde_json::Value;

use super::{assert_code, audit, conversations, seeded};

/// Ways to spoil a line.
fn spoilt(line: &str, how: u64) -> Vec<u8> {
    match how {
        0 => line.as_bytes()[..line.len() / 2].to_vec(),
        1 => line.replace("\"customer\"", "\"stranger\"").into_bytes(),
        2 => line.replace("\"turns\"", "\"turn\"").into_bytes(),
        3 => [line.as_bytes(), b"\xff\xfe"].concat(),
        4 => b"[1, 2, 3]".to_vec(),
        5 => line.replace("\"id\":\"", "\"id\":\"  \",\"was\":\"").into_bytes(),
        _ => b"just some words".to_vec(),
    }
}

#[test]
fn must_account_for_every_record_and_keep_the_bytes_of_the_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = seeded(3);
    let (mut input, mut bad, mut lines) = (Vec::new(), Vec::new(), 0);
    for line in conversations(12).lines().filter(|l| !l.contains("broken")) {
        input.extend_from_slice(line.as_bytes());
        input.push(b'\n');
        let spoilt = spoilt(line, random(7));
        bad.extend_from_slice(&spoilt);
        bad.push(b'\n');
        input.extend_from_slice(&spoilt);
        input.extend_from_slice(b"\n \n");
        lines += 2;
    }
    // A double.
    let first = conversations(1);
    input.extend_from_slice(first.as_bytes());
    bad.extend_from_slice(first.as_bytes());
    lines += 1;
    let path = dir.path().join("in.jsonl");
    fs::write(&path, input).unwrap();
    let out = dir.path().join("run");
    assert_code(&audit(&path, &out, &["--strict"]), 4);
    let run: Value = serde_json::from_slice(&fs::read(out.join("run.json")).unwrap()).unwrap();
    let count = |name: &str| run["counts"][name].as_u64().unwrap_or(0);
    assert_eq!(count("read"), lines);
    assert_eq!(count("read"), count("audited") + count("rejected") + count("skipped"));
    let rows = |table: &str| fs::read_to_string(out.join(table)).unwrap().lines().count() as u64;
    assert_eq!((rows("transcripts.jsonl"), rows("rejects.jsonl")), (count("audited"), count("rejected")));
    assert_eq!(rows("turns.jsonl"), count("turns"));
    let kept = fs::read(dir.path().join("run.rejects")).unwrap();
    assert_eq!(String::from_utf8_lossy(&kept), String::from_utf8_lossy(&bad));
    // Each row says where its record stands.
    let rejects = fs::read_to_string(out.join("rejects.jsonl")).unwrap();
    let mut end = 0;
    for row in rejects.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()) {
        let [from, to] = [0, 1].map(|i| usize::try_from(row["raw"][i].as_u64().unwrap()).unwrap());
        assert_eq!(from, end);
        end = if kept[to - 1] == b'\n' { to } else { to + 1 };
    }
    assert_eq!(end, kept.len());
    // The next run without rejects leaves none from before.
    fs::write(&path, first).unwrap();
    assert_code(&audit(&path, &out, &[]), 0);
    assert!(!dir.path().join("run.rejects").exists());
}

#[test]
fn must_account_for_every_row_of_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::from("transcript_id,turn,role,text\n");
    for i in 0..6 {
        let role = if i % 3 == 2 { "nobody" } else { "customer" };
        let _ = writeln!(text, "t{i},0,{role},\"hello, \"\"{i}\"\"\"\nt{i},1,agent,hi");
    }
    let path = dir.path().join("in.csv");
    fs::write(&path, text).unwrap();
    let out = dir.path().join("run");
    assert_code(&audit(&path, &out, &[]), 0);
    let run: Value = serde_json::from_slice(&fs::read(out.join("run.json")).unwrap()).unwrap();
    assert_eq!((run["counts"]["read"].as_u64(), run["counts"]["rejected"].as_u64()), (Some(6), Some(2)));
    let kept = fs::read_to_string(dir.path().join("run.rejects")).unwrap();
    assert_eq!(
        kept,
        "t2,0,nobody,\"hello, \"\"2\"\"\"\nt2,1,agent,hi\nt5,0,nobody,\"hello, \"\"5\"\"\"\nt5,1,agent,hi\n"
    );
}
