//! Input that is made to do harm is refused with a reason, and the rest goes on.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::{assert_code, audit, conversations};

/// The rows of the rejects.
fn rejects(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("rejects.jsonl")).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn must_refuse_json_nested_a_million_deep() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("deep.jsonl");
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(1_000_000), close.repeat(1_000_000));
    let mut text = conversations(1);
    for inner in [deep("[", "]"), deep("{\"a\":", "}"), "[".repeat(1_000_000)] {
        text.push_str(&format!("{{\"id\":\"d\",\"x\":{inner},\"turns\":[]}}\n"));
        text.push_str(&format!("{inner}\n"));
    }
    text.push_str(&conversations(2).lines().nth(1).map(|l| format!("{l}\n")).unwrap());
    fs::write(&input, text).unwrap();
    let out = dir.path().join("run");
    assert_code(&audit(&input, &out, &[]), 0);
    let rows = rejects(&out);
    assert_eq!(rows.len(), 6, "and the conversations on both sides are audited");
    let deep = rows.iter().filter(|r| r["reason"].as_str().unwrap().contains("nested more than 128 deep")).count();
    assert!(deep >= 3, "{rows:?}");
    assert_eq!(fs::read_to_string(out.join("transcripts.jsonl")).unwrap().lines().count(), 2);
}

/// A zstd frame of blocks that repeat one byte: 4 bytes stand for 128 KB.
fn zstd_bomb(blocks: usize) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for i in 0..blocks {
        let header = u32::from(i + 1 == blocks) | 1 << 1 | (128 * 1024) << 3;
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.push(b'[');
    }
    out
}

#[test]
fn must_refuse_what_unpacks_to_far_more_than_transcripts_do() {
    let dir = tempfile::tempdir().unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b'\n'; 1 << 20];
    for _ in 0..400 {
        gzip.write_all(&zeros).unwrap();
    }
    for (name, bytes) in [("bomb.jsonl.gz", gzip.finish().unwrap()), ("bomb.csv.zst", zstd_bomb(8_000))] {
        let input = dir.path().join(name);
        File::create(&input).unwrap().write_all(&bytes).unwrap();
        assert!(bytes.len() < 500_000);
        let out = dir.path().join("run");
        let output = audit(&input, &out, &[]);
        assert_code(&output, 3);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("unpacks to more than 250 times its size"), "{name}: {said}");
    }
}
