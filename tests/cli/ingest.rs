//! What goes in, however it is packed, and what is refused with which reason.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{evenhand, rows};

const TWO: &str = concat!(
    r#"{"id":"a","channel":"chat","segments":{"tier":"gold"},"scores":{"csat":4},"turns":[{"role":"customer","text":"I was charged twice.","at":"2026-03-01T09:00:05Z"},{"role":"agent","agent_id":"a7","text":"I'm so sorry, refunding it now."}]}"#,
    "\n",
    r#"{"id":"b","turns":[{"role":"customer","text":"Hi, do you open on Sunday, \"really\"?"},{"role":"agent","text":"Yes, from ten."}]}"#,
    "\n"
);
const TWO_CSV: &str = "transcript_id,turn,role,text,at,agent_id,channel,segments.tier,scores.csat\n\
a,0,customer,I was charged twice.,2026-03-01T09:00:05Z,,chat,gold,4\n\
a,1,agent,\"I'm so sorry, refunding it now.\",,a7,chat,gold,4\n\
b,1,agent,\"Yes, from ten.\",,,,,\n\
b,0,customer,\"Hi, do you open on Sunday, \"\"really\"\"?\",,,,,\n";

fn tables(input: &Path, out: &Path) -> [Vec<u8>; 3] {
    evenhand().arg("audit").arg(input).arg("--quiet").arg("--out").arg(out).assert().success();
    ["transcripts.jsonl", "turns.jsonl", "findings.jsonl"].map(|t| fs::read(out.join(t)).unwrap())
}

#[test]
fn plain_gzip_zstd_stdin_csv_and_bom_give_the_same_tables() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("plain.jsonl"), TWO).unwrap();
    fs::write(path("bom.jsonl"), format!("\u{feff}{TWO}")).unwrap();
    fs::write(path("two.csv"), TWO_CSV).unwrap();
    let mut gz = GzEncoder::new(fs::File::create(path("two.jsonl.gz")).unwrap(), Compression::default());
    gz.write_all(TWO.as_bytes()).unwrap();
    gz.finish().unwrap();
    let half = TWO.find('\n').unwrap() + 1;
    let frame =
        |text: &str| ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    fs::write(path("frames.jsonl.zst"), [frame(&TWO[..half]), frame(&TWO[half..])].concat()).unwrap();
    fs::write(path("crlf.csv"), TWO_CSV.replace('\n', "\r\n")).unwrap();
    let zst = ruzstd::encoding::compress_to_vec(TWO.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    fs::write(path("two.zst"), zst).unwrap();
    let want = tables(&path("plain.jsonl"), &path("out"));
    for name in ["bom.jsonl", "two.csv", "crlf.csv", "two.jsonl.gz", "two.zst", "frames.jsonl.zst"] {
        let same = tables(&path(name), &path("out")) == want;
        assert!(same, "{name} gives other tables");
    }
    evenhand().args(["audit", "-", "--quiet", "--out"]).arg(path("out")).write_stdin(TWO).assert().success();
    assert_eq!(fs::read(path("out").join("turns.jsonl")).unwrap(), want[1]);
}

#[test]
fn a_bad_record_is_rejected_with_line_and_reason_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let good = |id: &str| format!("{{\"id\":\"{id}\",\"turns\":[{{\"role\":\"customer\",\"text\":\"hello there\"}}]}}");
    let mut bytes = Vec::new();
    let deep = format!("{{\"id\":\"deep\",\"turns\":[],\"x\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let lines: Vec<Vec<u8>> = vec![
        good("one").into_bytes(),
        b"{\"id\":\"cut\",\"turns\":[{\"role\"".to_vec(),
        b"".to_vec(),
        good("one").into_bytes(),
        b"{\"id\":\"r\",\"turns\":[{\"role\":\"boss\",\"text\":\"x\"}]}".to_vec(),
        b"{\"id\":\"e\",\"turns\":[{\"role\":\"agent\",\"text\":\"  \"}]}".to_vec(),
        b"{\"id\":\"u\",\"turns\":[{\"role\":\"agent\",\"text\":\"\xff\"}]}".to_vec(),
        b"{\"turns\":[]}".to_vec(),
        format!("{{\"id\":\"big\",\"turns\":[{{\"role\":\"agent\",\"text\":\"{}\"}}]}}", "x".repeat(50 * 1024 * 1024))
            .into_bytes(),
        deep.into_bytes(),
        good("two").into_bytes(),
    ];
    for line in lines {
        bytes.extend(line);
        bytes.push(b'\n');
    }
    let input = dir.path().join("mixed.jsonl");
    fs::write(&input, bytes).unwrap();
    let out = dir.path().join("run");
    evenhand().arg("audit").arg(&input).arg("--strict").arg("--quiet").arg("--out").arg(&out).assert().code(4);
    let audited: Vec<String> =
        rows(&out.join("transcripts.jsonl")).iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(audited, ["one", "two"]);
    let rejects: Vec<(u64, String)> = rows(&out.join("rejects.jsonl"))
        .iter()
        .map(|r| (r["line"].as_u64().unwrap(), r["reason"].as_str().unwrap().to_owned()))
        .collect();
    let want = [
        (2, "ends inside a JSON value"),
        (4, "the id was read before"),
        (5, "turn 0 has an unknown role; use customer"),
        (6, "every turn is empty"),
        (7, "invalid UTF-8 at byte"),
        (8, "missing field `id`"),
        (9, "longer than 16 MB"),
        (10, "nested more than 128 deep"),
    ];
    assert_eq!(rejects.len(), want.len(), "{rejects:?}");
    for ((line, reason), (want_line, part)) in rejects.iter().zip(want) {
        assert!(*line == want_line && reason.contains(part), "{line}: {reason}");
    }
    let run: serde_json::Value = serde_json::from_slice(&fs::read(out.join("run.json")).unwrap()).unwrap();
    assert_eq!(
        run["counts"],
        serde_json::json!({"read": 10, "audited": 2, "rejected": 8, "skipped": 0, "turns": 2, "deferred": 0})
    );
}

#[test]
fn a_damaged_archive_and_a_bad_first_line_do_not_hide_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(TWO.as_bytes()).unwrap();
    let mut bytes = gz.finish().unwrap();
    bytes.truncate(bytes.len() - 12);
    fs::write(dir.path().join("cut.jsonl.gz"), bytes).unwrap();
    fs::write(dir.path().join("first.jsonl"), format!("Export of 1 March\n{TWO}")).unwrap();
    fs::write(dir.path().join("empty.jsonl"), "").unwrap();
    let out = dir.path().join("run");
    evenhand().arg("audit").arg(dir.path()).arg("--quiet").arg("--out").arg(&out).assert().success();
    assert!(rows(&out.join("transcripts.jsonl")).len() >= 2);
    let rejects = rows(&out.join("rejects.jsonl"));
    let of = |name: &str| rejects.iter().filter(|r| r["source"].as_str().unwrap().ends_with(name)).count();
    assert!(of("first.jsonl") >= 1 && of("cut.jsonl.gz") >= 1 && of("empty.jsonl") == 0, "{rejects:?}");
}

#[test]
fn csv_faults_reject_their_transcript_only() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("t.csv");
    let mut csv = b"transcript_id,turn,role,text\na,0,customer,hello\nb,0,customer,hi\nb,2,agent,yo\nc,0,customer\nd,x,customer,hi\n".to_vec();
    csv.extend(b"e,0,customer,\xff\nf,0,customer,fine\na,1,agent,late\n");
    fs::write(&input, csv).unwrap();
    let out = dir.path().join("run");
    evenhand().arg("audit").arg(&input).arg("--quiet").arg("--out").arg(&out).assert().success();
    let audited: Vec<String> =
        rows(&out.join("transcripts.jsonl")).iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(audited, ["a", "f"]);
    let reasons: Vec<String> =
        rows(&out.join("rejects.jsonl")).iter().map(|r| r["reason"].as_str().unwrap().to_owned()).collect();
    let want = [
        "gap or a double",
        "3 cells and none for text",
        "turn is not a whole number",
        "invalid UTF-8 in text",
        "the id was read before",
    ];
    assert_eq!(reasons.len(), want.len(), "{reasons:?}");
    assert!(reasons.iter().zip(want).all(|(r, w)| r.contains(w)), "{reasons:?}");
}

#[test]
fn an_unclosed_quote_ends_the_file_without_filling_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("t.csv");
    let mut csv = b"transcript_id,turn,role,text\na,0,customer,hello\nb,0,customer,\"open\n".to_vec();
    csv.extend(b"b,1,agent,line\n".repeat(3_000_000));
    fs::write(&input, csv).unwrap();
    let out = dir.path().join("run");
    // The transcript before the break may go on behind it, so it is not judged either: nothing is left.
    let result = evenhand().arg("audit").arg(&input).arg("--out").arg(&out).assert().code(3);
    let stderr = String::from_utf8_lossy(&result.get_output().stderr).into_owned();
    assert!(stderr.contains("longer than 16 MB") && stderr.contains("quote"), "{stderr}");
    assert!(!out.exists());
}

#[test]
fn input_that_cannot_be_read_at_all_is_exit_3() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    evenhand().args(["audit", "no-such-file.jsonl", "--out"]).arg(&out).assert().code(3);
    let input = dir.path().join("x.jsonl");
    fs::write(&input, "not json\n").unwrap();
    let result = evenhand().arg("audit").arg(&input).arg("--out").arg(&out).assert().code(3);
    let stderr = String::from_utf8_lossy(&result.get_output().stderr).into_owned();
    assert!(stderr.contains("x.jsonl") && stderr.contains("line 1"), "{stderr}");
}
