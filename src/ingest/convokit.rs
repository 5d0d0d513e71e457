//! A `ConvoKit` corpus folder: `utterances.jsonl`, with `speakers.json` and `conversations.json` beside it. In: the utterances' stream. Out:
//! records and rejects.
//!
//! Utterances of a conversation may stand apart: they go to a temporary file, and 48 bytes for each stay in memory. Their order is that of
//! their times where all have one, else that of the file. A role is told from `role` in the metadata of the utterance or its speaker, else from
//! the speaker's name.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::documents::Documents;
use super::gather::{Collected, Collecting, Gathered, Rows, kept};
use super::json::{self, Fault, moment, scalar};
use super::speakers::name_roles;
use super::{Columns, FileHash, IngestError, Item, Origin, RawTurn, Record, Source, Stream, open};

const NEEDED: &str = "an utterance has \"conversation_id\", \"speaker\" and \"text\"";
/// The longest file of speakers or conversations that is read, in bytes: it is held in memory.
const MAX_BESIDE: u64 = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct Utterance {
    #[serde(alias = "root", default, deserialize_with = "scalar")]
    conversation_id: Option<String>,
    #[serde(alias = "user", default, deserialize_with = "scalar")]
    speaker: Option<String>,
    text: Option<String>,
    #[serde(default)]
    timestamp: Value,
    #[serde(default)]
    meta: Value,
}

pub(super) fn fits(has: &dyn Fn(&str) -> bool) -> bool {
    has("text") && (has("speaker") || has("user")) && (has("conversation_id") || has("root"))
}

pub(super) fn open(
    path: &Path,
    stream: Stream,
    columns: &Columns,
    files: &mut Vec<(PathBuf, FileHash)>,
) -> Result<Box<dyn Source + Send>, IngestError> {
    let mut pending = Vec::new();
    let mut beside = |names: &[&str]| -> BTreeMap<String, Value> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let Some(file) = names.iter().map(|n| folder.join(n)).find(|p| p.is_file()) else { return BTreeMap::new() };
        match table(&file) {
            Ok((table, hash)) => {
                files.push((file, hash));
                table
            }
            Err(reason) => {
                let origin = Origin { source: file.to_string_lossy().into(), line: 0 };
                pending.push(Item::Reject(origin.reject(reason)));
                BTreeMap::new()
            }
        }
    };
    let speakers = beside(&["speakers.json", "users.json"]);
    let conversations = beside(&["conversations.json"]);
    Ok(Box::new(Corpus {
        source: path.to_string_lossy().into(),
        state: State::Unread(Documents::new(stream, &[])),
        pending,
        speakers,
        conversations,
        columns: columns.clone(),
    }))
}

/// A file that is one object by id.
fn table(path: &Path) -> Result<(BTreeMap<String, Value>, FileHash), String> {
    let (stream, hash) = open::open(path).map_err(|e| e.to_string())?;
    let mut text = Vec::new();
    stream.take(MAX_BESIDE + 1).read_to_end(&mut text).map_err(|e| e.to_string())?;
    if text.len() as u64 > MAX_BESIDE {
        return Err(format!("the file is longer than {} MB and was not read", MAX_BESIDE / (1024 * 1024)));
    }
    let table = serde_json::from_slice(&text)
        .map_err(|e| json::explain(&e, 1, "an object by id is expected; it was left out"))?;
    Ok((table, hash))
}

struct Corpus {
    source: Arc<str>,
    state: State,
    pending: Vec<Item>,
    speakers: BTreeMap<String, Value>,
    conversations: BTreeMap<String, Value>,
    columns: Columns,
}

enum State {
    Unread(Documents),
    Reading(Collecting),
    Read(Gathered),
    Failed,
}

/// The conversation that an utterance belongs to.
fn key(bytes: &[u8]) -> Result<String, Fault> {
    let utterance: Utterance = json::parse(bytes, NEEDED)?;
    utterance.conversation_id.ok_or_else(|| Fault::Reason(format!("missing field `conversation_id`; {NEEDED}")))
}

impl Corpus {
    fn reject(&self, line: u64, reason: impl Into<String>) -> Item {
        Item::Reject(Origin { source: self.source.clone(), line }.reject(reason))
    }

    fn convert(&self, rows: Rows) -> Result<Record, Fault> {
        let mut utterances = Vec::new();
        for (_, bytes) in &rows {
            if bytes.is_empty() {
                return Err(Fault::Reason("the conversation is longer than 16 MB".to_owned()));
            }
            utterances.push(json::parse::<Utterance>(bytes, NEEDED)?);
        }
        let id = utterances.first().and_then(|u| u.conversation_id.clone()).unwrap_or_default();
        if utterances.iter().all(|u| seconds(&u.timestamp).is_some()) {
            utterances.sort_by(|a, b| {
                seconds(&a.timestamp).partial_cmp(&seconds(&b.timestamp)).unwrap_or(std::cmp::Ordering::Equal)
            });
        }
        let mut turns: Vec<RawTurn> = Vec::new();
        for u in utterances {
            let speaker = u.speaker.unwrap_or_default();
            let role = said_role(&u.meta).or_else(|| self.speakers.get(&speaker).and_then(said_role));
            turns.push(RawTurn {
                role: role.unwrap_or_else(|| speaker.clone()),
                text: u.text.unwrap_or_default(),
                at: seconds(&u.timestamp).and_then(|s| moment((s * 1e6) as i64)),
                until: None,
                agent_id: Some(speaker),
            });
        }
        name_roles(&mut turns, &self.columns);
        turns.iter_mut().filter(|t| t.role != "agent").for_each(|t| t.agent_id = None);
        let mut attributes = Map::new();
        let meta = self.conversations.get(&id).map(|c| c.get("meta").unwrap_or(c));
        for (name, value) in meta.and_then(Value::as_object).into_iter().flatten() {
            json::put(&mut attributes, name, Some(value));
        }
        let attributes = self.columns.attributes(attributes);
        Ok(Record { id, attributes, turns, speakers: true, ..Record::default() })
    }
}

impl Iterator for Corpus {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if let Some(item) = self.pending.pop() {
            return Some(item);
        }
        let rows = loop {
            match std::mem::replace(&mut self.state, State::Failed) {
                State::Failed => return None,
                State::Unread(documents) => match Collecting::new(documents, self.source.clone()) {
                    Ok(collecting) => self.state = State::Reading(collecting),
                    Err(e) => return Some(self.reject(0, kept(&e))),
                },
                State::Reading(mut collecting) => match collecting.next(key) {
                    Collected::All(gathered) => self.state = State::Read(gathered),
                    Collected::Failed(item) => return Some(item),
                    Collected::Reject(item) => {
                        self.state = State::Reading(collecting);
                        return Some(item);
                    }
                },
                State::Read(mut gathered) => {
                    let group = gathered.next_group();
                    self.state = State::Read(gathered);
                    break group?;
                }
            }
        };
        let rows = match rows {
            Ok(rows) => rows,
            Err(e) => {
                self.state = State::Failed;
                return Some(self.reject(0, format!("the utterances could not be read back: {e}")));
            }
        };
        let line = rows.first().map_or(0, |(line, _)| *line);
        let origin = Origin { source: self.source.clone(), line };
        Some(match self.convert(rows) {
            Ok(record) => Item::Record(Record { origin, ..record }),
            Err(fault) => Item::Reject(origin.reject(fault.reason(line))),
        })
    }
}

/// Seconds since 1970, written as a number or as text.
fn seconds(value: &Value) -> Option<f64> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (seconds.is_finite() && seconds.abs() < 1e11).then_some(seconds)
}

/// What the metadata say of the role: `role`, `type`, or `is_agent`.
fn said_role(of: &Value) -> Option<String> {
    let meta = of.get("meta").unwrap_or(of);
    let named = ["role", "speaker_role", "speaker_type", "type"].iter().find_map(|name| meta.get(name)?.as_str());
    let agent = || meta.get("is_agent").and_then(Value::as_bool).map(|yes| if yes { "agent" } else { "customer" });
    named.or_else(agent).filter(|r| !r.trim().is_empty()).map(str::to_owned)
}
