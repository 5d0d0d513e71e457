//! What is fuzzed: one function a target. In: any bytes. Out: nothing, or a panic that is a finding.
//!
//! `fuzz_targets/` calls these under libFuzzer, `tests/reliability/fuzz.rs` over the corpus and mutations of it.

use std::fs;
use std::path::Path;

use evenhand::ingest::{self, Columns, Format, Item, Job, Reading};
use evenhand::labels;
use evenhand::run::Config;
use evenhand::turns::{Redactor, Role, Transcript, Turn, mentions_name, redact, sentences, words};

/// A target's name and body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 18] = [
    ("any", any),
    ("ccai", |d| file(Format::Ccai, d)),
    ("config", config),
    ("contact_lens", |d| file(Format::ContactLens, d)),
    ("convokit", convokit),
    ("csv", |d| file(Format::Csv, d)),
    ("intercom", |d| file(Format::Intercom, d)),
    ("jsonl", |d| file(Format::Jsonl, d)),
    ("label_files", label_files),
    ("parquet", |d| file(Format::Parquet, d)),
    ("plain", |d| file(Format::Plain, d)),
    ("redaction", redaction),
    ("splitting", splitting),
    ("subtitles", |d| file(Format::Subtitles, d)),
    ("twcs", |d| file(Format::Twcs, d)),
    ("whatsapp", |d| file(Format::Whatsapp, d)),
    ("whisperx", |d| file(Format::Whisperx, d)),
    ("zendesk", zendesk),
];

/// Runs the target of that name.
///
/// # Panics
/// When the target finds something, or there is none of that name.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|t| t.0 == name);
    target.unwrap_or_else(|| panic!("no target {name}")).1(data);
}

/// Where inputs of several files are cut apart.
const CUT: &[u8] = b"\n%%%%\n";

/// The pieces of an input of several files.
fn pieces(data: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(CUT.len()).position(|w| w == CUT) {
        out.push(&rest[..at]);
        rest = &rest[at + CUT.len()..];
    }
    out.push(rest);
    out
}

/// A folder of this thread's own, so that not every input makes one.
fn with_folder(work: impl FnOnce(&Path)) {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
    }
    FOLDER.with(|folder| work(folder.path()));
}

fn file(format: Format, data: &[u8]) {
    read(format, &[("input", data)], &["input"]);
}

/// The format is told from the bytes, which may be packed.
fn any(data: &[u8]) {
    file(Format::Auto, data);
}

fn zendesk(data: &[u8]) {
    match pieces(data)[..] {
        [tickets, comments] => {
            let files = [("tickets.json", tickets), ("comments.json", comments)];
            read(Format::Zendesk, &files, &["tickets.json", "comments.json"]);
        }
        _ => file(Format::Zendesk, data),
    }
}

fn convokit(data: &[u8]) {
    let names = ["utterances.jsonl", "speakers.json", "conversations.json"];
    let files: Vec<(&str, &[u8])> = names.into_iter().zip(pieces(data)).collect();
    with_folder(|folder| names.iter().for_each(|n| drop(fs::remove_file(folder.join(n)))));
    read(Format::Convokit, &files, &names[..1]);
}

/// Reads `files`, of which the job names `jobs`: every record is a sound transcript or refused with a reason, and every reject has one.
fn read(format: Format, files: &[(&str, &[u8])], jobs: &[&str]) {
    with_folder(|folder| {
        for (name, bytes) in files {
            fs::write(folder.join(name), bytes).expect("written");
        }
        let columns = Columns::default();
        let job = Job { paths: jobs.iter().map(|n| folder.join(n)).collect(), name: "input".to_owned() };
        let Ok(opened) = ingest::read(&job, Reading { format, columns: &columns }) else { return };
        // Packed files have other lines than their bytes, and Parquet has rows.
        let plain = opened.format != Format::Parquet
            && files.iter().all(|(_, b)| !b.starts_with(&[0x1f, 0x8b]) && !b.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
        let lines: usize = files.iter().map(|(_, b)| b.iter().filter(|b| matches!(b, b'\n' | b'\r')).count() + 1).sum();
        for item in opened.items.take(10_000) {
            let line = match item {
                Item::Reject(reject) => {
                    assert!(!reject.reason.trim().is_empty(), "a reject without a reason");
                    reject.line
                }
                Item::Record(record) => {
                    let line = record.origin.line;
                    match Transcript::from_record(record) {
                        Ok(transcript) => sound(&transcript),
                        Err(reason) => assert!(!reason.trim().is_empty(), "refused without a reason"),
                    }
                    line
                }
            };
            assert!(!plain || line <= lines as u64, "line {line} of {lines}");
        }
    });
}

/// What every later stage may rely on.
fn sound(transcript: &Transcript) {
    assert!(!transcript.id.trim().is_empty() && !transcript.language.is_empty());
    assert!(transcript.turns.iter().any(|t| !t.text.trim().is_empty()), "a transcript of empty turns");
    assert!((0.0..=1.0).contains(&transcript.roles.doubt), "doubt {}", transcript.roles.doubt);
    let redactor = Redactor::new(transcript);
    for (i, turn) in transcript.turns.iter().enumerate().take(50) {
        keeps_the_rest(&turn.text, &redactor.turn(i));
    }
}

/// What was not replaced stands as it stood, and offsets lead from one text to the other.
fn keeps_the_rest(text: &str, r: &evenhand::turns::Redacted) {
    let (mut at, mut out) = (0, String::new());
    for (range, tag) in &r.replaced {
        assert!(at <= range.start && range.start < range.end, "replacements overlap");
        out.push_str(&text[at..range.start]);
        out.push_str(&format!("[{tag}]"));
        at = range.end;
    }
    out.push_str(&text[at..]);
    assert_eq!(out, r.text);
    assert_eq!(r.part(0..text.len()), r.text);
}

/// A text by itself, and its lines as the turns of a conversation.
fn redaction(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    keeps_the_rest(&text, &redact(&text));
    let role = |i: usize| if i.is_multiple_of(2) { Role::Agent } else { Role::Customer };
    let turns = text.lines().take(50).enumerate();
    let turns = turns.map(|(i, t)| Turn { role: role(i), text: t.to_owned(), at: None, agent_id: None }).collect();
    let transcript = Transcript { id: "t".to_owned(), turns, ..Transcript::default() };
    let redactor = Redactor::new(&transcript);
    for (i, turn) in transcript.turns.iter().enumerate() {
        keeps_the_rest(&turn.text, &redactor.turn(i));
    }
}

/// Sentences lie one behind the other, and nothing but space is lost between them.
fn splitting(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (mut at, mut kept) = (0, String::new());
    for range in sentences(&text) {
        assert!(at <= range.start && range.start < range.end, "sentences overlap");
        let sentence = &text[range.clone()];
        assert_eq!(sentence, sentence.trim());
        kept.push_str(sentence);
        at = range.end;
    }
    let dense = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    assert_eq!(dense(&kept), dense(&text));
    assert!(words(&text).iter().all(|w| w.chars().all(char::is_alphanumeric)));
    mentions_name(&text);
}

/// The settings file, and each line as what stands behind `--map`.
fn config(data: &[u8]) {
    with_folder(|folder| {
        let path = folder.join("evenhand.toml");
        fs::write(&path, data).expect("written");
        match Config::read(&path) {
            Ok(config) => {
                assert!(config.limits.canned_in_others > 0 && config.limits.reply_seconds.values().all(|s| *s > 0));
                assert!(config.max_role_doubt.is_none_or(|d| (0.0..=1.0).contains(&d)));
                assert_eq!(config.hash(), config.clone().hash());
            }
            Err(e) => assert!(!e.to_string().is_empty()),
        }
    });
    let mut columns = Columns::default();
    for pair in String::from_utf8_lossy(data).lines().take(100) {
        if columns.add(pair).is_err() {
            return;
        }
        assert!(columns.check().is_ok());
    }
}

/// Reviewers' labels and filled sheets.
fn label_files(data: &[u8]) {
    with_folder(|folder| {
        let path = folder.join("labels.csv");
        fs::write(&path, data).expect("written");
        if let Ok(lines) = labels::read(&path, Some("ana")) {
            assert!(lines.windows(2).all(|w| w[0].0 <= w[1].0), "lines run backwards");
        }
    });
}
