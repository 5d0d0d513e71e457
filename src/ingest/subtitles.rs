//! `WebVTT` and SRT with speakers. In: a file. Out: one record.
//!
//! A speaker is named by a voice tag (`<v Name>`) or at the start of a line (`Name: text`); a cue that names nobody goes on with the speaker
//! before it, as subtitles do.

use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde_json::{Map, Value};

use super::speakers::labelled;
use super::spoken::{self, Cue};
use super::whole::{self, At};
use super::{Columns, Item, Record, Stream, html};

static TIMES: LazyLock<Regex> = LazyLock::new(|| {
    const TIME: &str = r"((?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3})";
    #[allow(clippy::unwrap_used, reason = "constant pattern, used in tests")]
    Regex::new(&format!(r"^\s*{TIME}\s*-->\s*{TIME}(?:\s.*)?$")).unwrap()
});
static VOICE: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used, reason = "constant pattern, used in tests")]
    Regex::new(r"<v(?:\.[^\s>]*)?\s+([^>]*)>").unwrap()
});

pub(super) fn fits(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let first = lines.next().unwrap_or_default();
    let numbered = !first.is_empty() && first.chars().all(|c| c.is_ascii_digit());
    first == "WEBVTT"
        || first.starts_with("WEBVTT ")
        || TIMES.is_match(if numbered { lines.next().unwrap_or_default() } else { first })
}

pub(super) fn open(
    stream: Stream,
    source: Arc<str>,
    name: &str,
    columns: &Columns,
) -> impl Iterator<Item = Item> + Send + use<> {
    let (name, columns) = (name.to_owned(), columns.clone());
    whole::of(stream, source, move |text| vec![parse(text, name, &columns).map(|r| (1, r))])
}

fn parse(text: &str, id: String, columns: &Columns) -> Result<Record, At> {
    let mut cues: Vec<Cue> = Vec::new();
    for (line, block) in blocks(text) {
        let first = block[0].trim();
        let about = ["NOTE", "STYLE", "REGION"].iter().any(|k| first == *k || first.starts_with(&format!("{k} ")));
        if about || (line == 1 && first.starts_with("WEBVTT")) {
            continue;
        }
        let Some(at) = block.iter().take(2).position(|l| l.contains("-->")) else {
            return Err((
                line,
                "a cue without its times (00:00:01.000 --> 00:00:02.000); the file may have been cut".to_owned(),
            ));
        };
        let times = TIMES.captures(block[at]).map(|c| (seconds(&c[1]), seconds(&c[2])));
        let Some((start, end)) = times else {
            return Err((
                line + at as u64,
                "the times of a cue cannot be read (00:00:01.000 --> 00:00:02.000)".to_owned(),
            ));
        };
        cue(&block[at + 1..], start, end, &mut cues);
    }
    if cues.is_empty() {
        return Err((0, "the file holds no cue".to_owned()));
    }
    let turns = spoken::turns(cues, columns).map_err(|reason| (0, reason))?;
    let attributes = Map::from_iter([("channel".to_owned(), Value::from("phone"))]);
    Ok(Record { id, attributes, turns, speakers: true, ..Record::default() })
}

/// The lines between blank ones, with the number of the first.
fn blocks(text: &str) -> Vec<(u64, Vec<&str>)> {
    let mut out: Vec<(u64, Vec<&str>)> = Vec::new();
    let mut fresh = true;
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            fresh = true;
        } else if fresh {
            out.push((i as u64 + 1, vec![line]));
            fresh = false;
        } else if let Some((_, block)) = out.last_mut() {
            block.push(line);
        }
    }
    out
}

/// What a cue's lines say, each piece with its speaker.
fn cue(lines: &[&str], start: Option<f64>, end: Option<f64>, out: &mut Vec<Cue>) {
    let mut push = |speaker: Option<&str>, text: &str| {
        let text = html::to_text(text);
        let speaker = speaker.map(|s| html::to_text(s).trim().to_owned());
        let speaker = speaker.or_else(|| out.last().map(|c| c.speaker.clone())).unwrap_or_default();
        if !text.is_empty() {
            out.push(Cue { speaker, start, end, text });
        }
    };
    let joined = lines.join("\n");
    if VOICE.is_match(&joined) {
        let mut pieces: Vec<(Option<&str>, usize, usize)> = Vec::new();
        let mut from = 0;
        let mut voice = None;
        for c in VOICE.captures_iter(&joined) {
            let (Some(all), Some(name)) = (c.get(0), c.get(1)) else { continue };
            pieces.push((voice, from, all.start()));
            (voice, from) = (Some(name.as_str()), all.end());
        }
        pieces.push((voice, from, joined.len()));
        pieces.into_iter().for_each(|(name, a, b)| push(name, &joined[a..b]));
        return;
    }
    for line in lines {
        let plain = line.trim().trim_start_matches(['-', '–', '>']).trim();
        match labelled(plain) {
            Some((name, text)) => push(Some(name), text),
            None => push(None, plain),
        }
    }
}

fn seconds(time: &str) -> Option<f64> {
    let time = time.replace(',', ".");
    time.split(':').try_fold(0.0, |sum, part| part.parse::<f64>().ok().map(|p| sum * 60.0 + p))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(text: &str) -> Vec<(String, String)> {
        let record = parse(text, "x".into(), &Columns::default()).unwrap();
        record.turns.into_iter().map(|t| (t.role, t.text)).collect()
    }

    #[test]
    fn voices_and_names_are_speakers() {
        let want = [
            ("agent".to_owned(), "Hello & welcome.".to_owned()),
            ("Maria".to_owned(), "Hi, my card is gone.".to_owned()),
        ];
        let vtt = "WEBVTT - call\n\nNOTE made by us\nmore\n\n1\n00:01.000 --> 00:02.000 align:start\n<v Agent>Hello &amp;\n\n00:02.000 --> 00:03.000\n<v Agent><i>welcome.</i></v><v.loud Maria>Hi, my card is gone.\n";
        assert_eq!(turns(vtt), want);
        let srt = "1\r\n00:00:01,000 --> 00:00:02,000\r\nAgent: Hello &amp;\r\n\r\n2\r\n00:00:02,000 --> 00:00:03,500\r\nwelcome.\r\n- Maria: Hi, my card\r\nis gone.\r\n";
        assert_eq!(turns(srt), want);
        assert!(fits(vtt) && fits(srt) && !fits("Agent: hi"));
    }

    #[test]
    fn a_broken_cue_is_told_with_its_line() {
        for (text, line, part) in [
            ("WEBVTT\n\n00:00:01.000 --> 00:0", 3, "times of a cue"),
            ("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nA: hi\n\n00:00:0", 6, "without its times"),
            ("WEBVTT\n\n", 0, "no cue"),
            ("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nhi there\n", 0, "who speaks"),
        ] {
            let (at, reason) = parse(text, "x".into(), &Columns::default()).unwrap_err();
            assert!(at == line && reason.contains(part), "{at}: {reason}");
        }
    }
}
