//! Every reader on any bytes: it ends, it does not panic, and what is sound comes back as it was written.

use std::fs;
use std::path::{Path, PathBuf};

use evenhand::ingest::{self, Columns, Format, Item, Job, Reading};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{evenhand, rows};

const FORMATS: [(Format, &str); 14] = [
    (Format::Jsonl, "canonical.json"),
    (Format::Csv, "twcs.csv"),
    (Format::Parquet, "pyarrow.parquet"),
    (Format::Zendesk, "zendesk.jsonl"),
    (Format::Intercom, "intercom.json"),
    (Format::ContactLens, "contact_lens.json"),
    (Format::Ccai, "ccai.json"),
    (Format::Convokit, "convokit/utterances.jsonl"),
    (Format::Twcs, "twcs.csv"),
    (Format::Subtitles, "call.vtt"),
    (Format::Subtitles, "call.srt"),
    (Format::Whisperx, "whisperx.json"),
    (Format::Whatsapp, "whatsapp_ios.txt"),
    (Format::Plain, "plain.txt"),
];

/// Reads bytes as a format: how many records and how many rejects.
fn read(format: Format, bytes: &[u8]) -> (usize, usize) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("input");
    fs::write(&path, bytes).unwrap();
    let columns = Columns::default();
    let job = Job { paths: vec![path], name: "input".to_owned() };
    let opened = ingest::read(&job, Reading { format, columns: &columns }).unwrap();
    let items: Vec<Item> = opened.items.take(10_000).collect();
    let records = items.iter().filter(|i| matches!(i, Item::Record(_))).count();
    (records, items.len() - records)
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new("tests/fixtures/formats").join(name)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end_without_a_panic(bytes in vec(any::<u8>(), 0..400)) {
        for (format, _) in FORMATS {
            prop_assert!(read(format, &bytes).0 + read(Format::Auto, &bytes).0 < 10_000);
        }
    }

    #[test]
    fn a_damaged_file_ends_without_a_panic(at in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>()) {
        for (format, name) in FORMATS {
            let mut bytes = fixture(name);
            for (index, byte) in &at {
                let place = index.index(bytes.len());
                bytes[place] = *byte;
            }
            read(format, &bytes);
            bytes.truncate(cut.index(bytes.len()));
            read(format, &bytes);
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    "[ -~äöé😀\n\t\"]{1,40}".prop_filter("some text", |t| !t.trim().is_empty())
}

fn transcript() -> impl Strategy<Value = Value> {
    let turn = (
        prop::sample::select(vec!["customer", "agent", "bot", "system"]),
        text(),
        prop::option::of(0i64..2_000_000_000),
    );
    let attributes = (prop::option::of(text()), prop::option::of(-9_000i64..9_000), prop::option::of(any::<bool>()));
    (vec(turn, 1..5), attributes).prop_map(|(turns, (tier, csat, vip))| {
        let turns: Vec<Value> = turns
            .into_iter()
            .map(|(role, text, at)| {
                let mut turn = json!({"role": role, "text": text});
                if let Some(at) = at {
                    turn["at"] = json!(jiff::Timestamp::from_second(at).unwrap().to_string());
                }
                turn
            })
            .collect();
        let mut out = json!({"turns": turns});
        for (outer, inner, value) in [
            ("segments", "tier", tier.map(Value::from)),
            ("scores", "csat", csat.map(Value::from)),
            ("flags", "vip", vip.map(Value::from)),
        ] {
            if let Some(value) = value {
                out[outer] = json!({inner: value});
            }
        }
        out
    })
}

fn convert(input: &Path, out: &Path) {
    evenhand().arg("convert").arg(input).arg("--quiet").arg("--out").arg(out).assert().success();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn what_is_converted_comes_back(transcripts in vec(transcript(), 1..20)) {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| -> PathBuf { dir.path().join(name) };
        let lines: String = transcripts.iter().enumerate().map(|(i, t)| {
            let mut t = t.clone();
            t["id"] = json!(format!("t{i}"));
            format!("{t}\n")
        }).collect();
        fs::write(path("in.jsonl"), lines).unwrap();
        convert(&path("in.jsonl"), &path("one.jsonl"));
        convert(&path("one.jsonl"), &path("two.parquet"));
        convert(&path("two.parquet"), &path("three.jsonl"));
        let (one, three) = (rows(&path("one.jsonl")), rows(&path("three.jsonl")));
        prop_assert_eq!(one.len(), transcripts.len());
        prop_assert_eq!(one, three);
    }
}
