//! `WhisperX`: one recording an object, `{segments: [{start, end, text, speaker?, words?}], language?}`. In: an object. Out: a record.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Record;
use super::json::{self, Fault, Place};
use super::spoken::{self, Cue};

const NEEDED: &str = "a recording has \"segments\" with \"start\", \"end\" and \"text\"";

#[derive(Deserialize)]
struct Recording {
    segments: Vec<Segment>,
    language: Option<Value>,
}

#[derive(Deserialize)]
struct Segment {
    start: Option<f64>,
    end: Option<f64>,
    text: String,
    speaker: Option<String>,
    #[serde(default)]
    words: Vec<Word>,
}

#[derive(Deserialize)]
struct Word {
    speaker: Option<String>,
}

pub(super) fn fits(has: &dyn Fn(&str) -> bool, list: &dyn Fn(&str) -> bool) -> bool {
    list("segments") && !has("id")
}

pub(super) fn record(bytes: &[u8], place: &Place<'_>) -> Result<Record, Fault> {
    let recording: Recording = json::parse(bytes, NEEDED)?;
    let cues = recording.segments.into_iter().map(|s| {
        let speaker = s.speaker.filter(|n| !n.trim().is_empty()).or_else(|| most_words(&s.words)).unwrap_or_default();
        Cue { speaker, start: s.start, end: s.end, text: s.text }
    });
    let turns = spoken::turns(cues.collect(), place.columns)?;
    let mut attributes = Map::new();
    attributes.insert("channel".to_owned(), Value::from("phone"));
    json::put(&mut attributes, "language", recording.language.as_ref());
    Ok(Record { id: place.id.clone(), attributes, turns, speakers: true, ..Record::default() })
}

/// Who spoke most of the words, where that is known.
fn most_words(words: &[Word]) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    words.iter().filter_map(|w| w.speaker.as_deref()).for_each(|s| *counts.entry(s).or_default() += 1);
    counts.into_iter().max_by_key(|(name, n)| (*n, std::cmp::Reverse(*name))).map(|(name, _)| name.to_owned())
}
