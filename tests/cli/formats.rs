//! Every format: a good file gives its transcripts, a bad one its rejects, and the rest goes on.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{evenhand, rows};

const FIXTURES: &str = "tests/fixtures/formats";

/// The files of a format, by the name of what they should give, and the format as doctor names it.
const GOOD: [(&str, &[&str], &str); 15] = [
    ("zendesk", &["zendesk.jsonl"], "zendesk"),
    ("zendesk_joined", &["zendesk_comments.jsonl", "zendesk_tickets.json"], "zendesk"),
    ("intercom", &["intercom.json"], "intercom"),
    ("contact_lens", &["contact_lens.json"], "contact-lens"),
    ("ccai", &["ccai.json"], "ccai"),
    ("convokit", &["convokit"], "convokit"),
    ("twcs", &["twcs.csv"], "twcs"),
    ("vtt", &["call.vtt"], "subtitles"),
    ("srt", &["call.srt"], "subtitles"),
    ("whisperx", &["whisperx.json"], "whisperx"),
    ("whatsapp_ios", &["whatsapp_ios.txt"], "whatsapp"),
    ("whatsapp_android", &["whatsapp_android.txt"], "whatsapp"),
    ("plain", &["plain.txt"], "plain"),
    ("parquet", &["pyarrow.parquet"], "parquet"),
    ("canonical", &["canonical.json"], "jsonl"),
];

/// What `convert` makes of some inputs: its lines, and its rejects as (file name, line, reason).
fn convert(inputs: &[PathBuf], more: &[&str]) -> (Vec<Value>, Vec<(String, u64, String)>) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.jsonl");
    let mut command = evenhand();
    command.arg("convert").args(inputs).args(more).arg("--quiet").arg("--out").arg(&out);
    let result = command.output().unwrap();
    let rejects = dir.path().join("out.jsonl.rejects.jsonl");
    let rejects = if rejects.exists() { rows(&rejects) } else { Vec::new() };
    let mut rejects: Vec<_> = rejects
        .iter()
        .map(|r| {
            let source = Path::new(r["source"].as_str().unwrap()).file_name().unwrap().to_string_lossy().into_owned();
            (source, r["line"].as_u64().unwrap(), r["reason"].as_str().unwrap().to_owned())
        })
        .collect();
    if !result.status.success() {
        // Nothing could be read: the one reason is on standard error.
        assert_eq!(result.status.code(), Some(3), "{}", String::from_utf8_lossy(&result.stderr));
        rejects.push(("stderr".to_owned(), 0, String::from_utf8_lossy(&result.stderr).into_owned()));
        return (Vec::new(), rejects);
    }
    (rows(&out), rejects)
}

fn fixtures(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|n| Path::new(FIXTURES).join(n)).collect()
}

/// A file of the given name in a folder of its own.
fn file(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn ids(found: &[Value]) -> Vec<&str> {
    found.iter().map(|r| r["id"].as_str().unwrap()).collect()
}

/// `UPDATE=1` writes what comes out anew; it is to be read before it is kept.
#[test]
fn each_format_gives_its_transcripts() {
    for (name, files, _) in GOOD {
        let (found, _) = convert(&fixtures(files), &[]);
        let text: String = found.iter().map(|r| format!("{r}\n")).collect();
        let path = Path::new(FIXTURES).join("expected").join(format!("{name}.jsonl"));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(text, fs::read_to_string(&path).unwrap(), "{name}");
    }
}

#[test]
fn each_format_is_recognised_under_any_name_and_can_be_forced() {
    for (name, files, format) in GOOD.iter().filter(|(_, f, _)| f.len() == 1 && f[0] != "convokit") {
        let dir = tempfile::tempdir().unwrap();
        let copy = file(&dir, "export.bin", &fs::read(fixtures(files)[0].clone()).unwrap());
        let result = evenhand().args(["doctor", "--json", "--quiet"]).arg(&copy).assert().success();
        let checkup: Value = serde_json::from_slice(&result.get_output().stdout).unwrap();
        assert_eq!(checkup["files"], serde_json::json!({*format: 1}), "{name}");
        let (forced, _) = convert(std::slice::from_ref(&copy), &["--format", format]);
        assert_eq!(forced, convert(&[copy], &[]).0, "{name}");
    }
}

#[test]
fn a_byte_order_mark_windows_lines_and_compression_change_nothing() {
    for (name, files, _) in GOOD.iter().filter(|(_, f, k)| f.len() == 1 && f[0] != "convokit" && *k != "parquet") {
        let path = fixtures(files)[0].clone();
        let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        let file_name = path.file_name().unwrap().to_string_lossy().into_owned();
        let want = convert(&[path], &[]).0;
        for changed in
            [format!("\u{feff}{text}"), text.replace('\n', "\r\n"), format!("\u{feff}{}", text.replace('\n', "\r\n"))]
        {
            let dir = tempfile::tempdir().unwrap();
            let (found, rejects) = convert(&[file(&dir, &file_name, changed.as_bytes())], &[]);
            assert!(found == want && rejects.is_empty(), "{name}: {found:?} {rejects:?}");
        }
        let dir = tempfile::tempdir().unwrap();
        let packed = ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
        assert_eq!(convert(&[file(&dir, &format!("{file_name}.zst"), &packed)], &[]).0, want, "{name}");
    }
}

#[test]
fn a_cut_file_gives_a_reject_and_what_was_whole() {
    // Where the file is cut (bytes from its end), the transcripts that are left, and a reject's file, line and reason.
    for (name, cut, left, line, reason) in [
        ("zendesk.jsonl", 40, &["501"][..], 2, "may have been cut"),
        ("intercom.json", 120, &["ic-1"], 18, "may have been cut"),
        ("contact_lens.json", 60, &[], 0, "may have been cut"),
        ("ccai.json", 60, &[], 0, "may have been cut"),
        ("whisperx.json", 100, &[], 0, "may have been cut"),
        ("call.vtt", 70, &[], 0, "cue"),
        ("plain.txt", 20, &["plain-1", "plain-2"], 0, ""),
    ] {
        let bytes = fs::read(Path::new(FIXTURES).join(name)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (found, rejects) = convert(&[file(&dir, name, &bytes[..bytes.len() - cut])], &[]);
        assert_eq!(ids(&found), left, "{name}");
        if !reason.is_empty() {
            let held = rejects.iter().any(|(_, l, r)| r.contains(reason) && (line == 0 || *l == line));
            assert!(held, "{name}: {rejects:?}");
        }
    }
    let bytes = fs::read(Path::new(FIXTURES).join("pyarrow.parquet")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (_, rejects) = convert(&[file(&dir, "cut.parquet", &bytes[..bytes.len() - 9])], &[]);
    assert!(rejects[0].2.contains("not a Parquet file, or a damaged one"), "{rejects:?}");
}

#[test]
fn wrong_types_and_records_of_another_kind_are_rejected_where_they_stand() {
    let zendesk = fs::read_to_string(Path::new(FIXTURES).join("zendesk.jsonl")).unwrap();
    let zendesk: Vec<&str> = zendesk.lines().collect();
    let (one, two) = (zendesk[0], zendesk[1]);
    // File name, text, the ids that are read, and the line and reason of each reject.
    type Case<'a> = (&'a str, String, &'a [&'a str], Vec<(u64, &'a str)>);
    let cases: Vec<Case<'_>> = vec![
        (
            "z.jsonl",
            [one, r#"{"id":7,"requester_id":1,"comments":"none"}"#, r#"{"id":"c","turns":[]}"#, r#"{"id":8,"requester_id":[1],"comments":[]}"#,
                r#"{"id":9,"requester_id":1,"comments":[{"author_id":1,"body":"x","public":false}]}"#, r#"{"id":10,"requester_id":1,"status":"open"}"#,
                r#"{"id":1,"author_id":2,"body":"alone"}"#, one, two]
            .join("\n"),
            &["501", "502"],
            vec![
                (2, "wrong type at line 2"),
                (3, "the ticket has no comments"),
                (4, "wrong type at line 4"),
                (5, "no public comment"),
                (6, "the ticket has no comments"),
                (7, "a comment without its ticket"),
                (8, "the id was read before"),
            ],
        ),
        (
            "i.jsonl",
            r#"{"id":"1","source":{"body":"hi","author":{"type":"user"}},"conversation_parts":{"conversation_parts":[]}}
{"id":"2","source":{"body":7,"author":{"type":"user"}},"conversation_parts":{"conversation_parts":[]}}
{"id":"3","source":{"body":"hi","author":{"type":"user"}}}
{"id":"4","source":{"body":"hi","author":{"type":"ghost"}},"conversation_parts":{"conversation_parts":[]}}
{"source":{"body":"hi","author":{"type":"user"}},"conversation_parts":{"conversation_parts":[]}}"#
                .to_owned(),
            &["1"],
            vec![(2, "wrong type at line 2"), (3, "has no parts"), (4, "unknown role"), (5, "missing field `id`")],
        ),
        (
            "call.jsonl",
            r#"{"entries":[{"text":"hi","role":"CUSTOMER"}]}
{"entries":[{"text":"hi","role":"CUSTOMER","start_timestamp_usec":"noon"}]}
{"entries":[{"text":"hi","role":"BOSS"}]}
{"entries":[{"role":"CUSTOMER"}]}"#
                .to_owned(),
            &["call"],
            vec![(2, "wrong type at line 2"), (3, "unknown role"), (4, "missing field `text`")],
        ),
        (
            "w.jsonl",
            r#"{"segments":[{"start":0,"end":1,"text":"Agent here, sorry","speaker":"Agent"},{"text":"my bill","speaker":"Customer"}]}
{"segments":[{"start":"zero","end":1,"text":"hi","speaker":"Agent"}]}
{"segments":[{"start":0,"end":1,"text":"hi"}]}"#
                .to_owned(),
            &["w"],
            vec![(2, "wrong type at line 2"), (3, "nothing says who speaks")],
        ),
    ];
    for (name, text, left, want) in cases {
        let dir = tempfile::tempdir().unwrap();
        let (found, rejects) = convert(&[file(&dir, name, text.as_bytes())], &[]);
        assert_eq!(ids(&found), left, "{name}: {rejects:?}");
        assert_eq!(rejects.len(), want.len(), "{name}: {rejects:?}");
        for ((source, line, reason), (want_line, part)) in rejects.iter().zip(want) {
            assert!(source == name && *line == want_line && reason.contains(part), "{name}: {line}: {reason}");
        }
    }
}

#[test]
fn an_empty_file_holds_nothing_and_stops_nothing() {
    let good = Path::new(FIXTURES).join("canonical.json");
    let ten = ["e.jsonl", "e.json", "e.csv", "e.parquet", "e.vtt", "e.srt", "e.txt"];
    for name in ten {
        let dir = tempfile::tempdir().unwrap();
        let (found, rejects) = convert(&[file(&dir, name, b""), good.clone()], &[]);
        assert_eq!(found.len(), 2, "{name}");
        assert!(rejects.iter().all(|(source, ..)| source == name), "{name}: {rejects:?}");
    }
    for format in [
        "zendesk",
        "intercom",
        "contact-lens",
        "ccai",
        "convokit",
        "twcs",
        "whisperx",
        "whatsapp",
        "subtitles",
        "plain",
        "parquet",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let empty = file(&dir, "e", b"");
        let out = dir.path().join("o.jsonl");
        let code = evenhand()
            .arg("convert")
            .arg(&empty)
            .args(["--format", format, "--quiet", "--out"])
            .arg(&out)
            .output()
            .unwrap()
            .status;
        assert!(matches!(code.code(), Some(0 | 3)), "{format}: {code}");
    }
}

#[test]
fn comments_without_a_ticket_and_tickets_without_comments_are_told() {
    let (found, rejects) = convert(&fixtures(&["zendesk_tickets.json", "zendesk_comments.jsonl"]), &[]);
    assert_eq!(ids(&found), ["601", "602"]);
    let told: Vec<(&str, u64)> = rejects.iter().map(|(s, l, _)| (s.as_str(), *l)).collect();
    assert_eq!(told, [("zendesk_tickets.json", 6), ("zendesk_comments.jsonl", 5)], "{rejects:?}");
}

#[test]
fn columns_attributes_and_roles_can_be_renamed() {
    let dir = tempfile::tempdir().unwrap();
    let csv = file(&dir, "t.csv", b"conv,n,who,message,plan\nx,0,Consumer,hello,gold\nx,1,Advisor,hi,gold\n");
    let maps = [
        "transcript_id=conv",
        "turn=n",
        "role=who",
        "text=message",
        "segments.tier=plan",
        "customer=Consumer",
        "agent=Advisor",
    ];
    let args: Vec<&str> = maps.iter().flat_map(|m| ["--map", m]).collect();
    let (found, rejects) = convert(std::slice::from_ref(&csv), &args);
    let want = serde_json::json!([{"id":"x","segments":{"tier":"gold"},"turns":[{"role":"customer","text":"hello"},{"role":"agent","text":"hi"}]}]);
    assert_eq!((Value::from(found), rejects.len()), (want.clone(), 0));
    let config = file(
        &dir,
        "evenhand.toml",
        b"[columns]\ntranscript_id = 'conv'\nturn = 'n'\nrole = 'who'\ntext = 'message'\n'segments.tier' = 'plan'\ncustomer = 'Consumer'\nagent = ['Advisor', 'Rep']\n",
    );
    assert_eq!(Value::from(convert(&[csv], &["--config", config.to_str().unwrap()]).0), want);
    let json = file(
        &dir,
        "t.jsonl",
        br#"{"conv":"x","plan":"gold","talk":[{"who":"consumer","message":"hello"},{"who":"ADVISOR","message":"hi"}]}"#,
    );
    let mut args = args;
    args.extend(["--map", "turns=talk"]);
    assert_eq!(Value::from(convert(&[json], &args).0), want);
    evenhand().args(["convert", "x", "--out", "y.jsonl", "--map", "text"]).assert().code(2);
}

#[test]
fn json_lines_csv_and_parquet_say_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (canonical, _) = convert(&[PathBuf::from("examples/larkspur.jsonl")], &[]);
    let parquet = dir.path().join("all.parquet");
    evenhand().args(["convert", "examples/larkspur.jsonl", "--quiet", "--out"]).arg(&parquet).assert().success();
    let (back, rejects) = convert(std::slice::from_ref(&parquet), &[]);
    assert!(rejects.is_empty() && back.len() == canonical.len());
    // Attributes come back in the order of their columns, so they are compared by name.
    assert!(back.iter().zip(&canonical).all(|(a, b)| a == b));
    let again = dir.path().join("again.parquet");
    evenhand().arg("convert").arg("examples/larkspur.jsonl").args(["--quiet", "--out"]).arg(&again).assert().success();
    assert_eq!(fs::read(parquet).unwrap(), fs::read(again).unwrap());
}

#[test]
fn the_output_names_its_format_or_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("x.xlsx");
    let result = evenhand().args(["convert", "examples/larkspur.jsonl", "--out"]).arg(&out).assert().code(2);
    assert!(String::from_utf8_lossy(&result.get_output().stderr).contains(".jsonl or .parquet"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
