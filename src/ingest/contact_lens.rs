//! Amazon Connect Contact Lens, voice: `{Participants, Transcript: [{ParticipantId, BeginOffsetMillis, EndOffsetMillis, Content}],
//! ConversationCharacteristics, …}`. In: an object. Out: a record.
//!
//! The file names no agent and no time of day: offsets count from the start of the call.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::json::{self, Fault, Place, offset, scalar};
use super::{RawTurn, Record};

const NEEDED: &str = "an analysis has \"Participants\" and \"Transcript\" with \"ParticipantId\" and \"Content\"";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Analysis {
    #[serde(default)]
    participants: Vec<Participant>,
    transcript: Vec<Segment>,
    channel: Option<String>,
    language_code: Option<Value>,
    customer_metadata: Option<Metadata>,
    conversation_characteristics: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    #[serde(default, deserialize_with = "scalar")]
    contact_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Participant {
    participant_id: String,
    participant_role: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Segment {
    participant_id: String,
    content: String,
    begin_offset_millis: Option<f64>,
    end_offset_millis: Option<f64>,
}

pub(super) fn fits(_has: &dyn Fn(&str) -> bool, list: &dyn Fn(&str) -> bool) -> bool {
    list("Transcript") || list("Participants")
}

pub(super) fn record(bytes: &[u8], place: &Place<'_>) -> Result<Record, Fault> {
    let analysis: Analysis = json::parse(bytes, NEEDED)?;
    // Of two that stand for one id, the first.
    let roles: HashMap<&str, &str> =
        analysis.participants.iter().rev().map(|p| (p.participant_id.as_str(), p.participant_role.as_str())).collect();
    let role = |id: &str| -> String {
        let stated = roles.get(id).copied().unwrap_or(id);
        place.columns.role(stated).map_or_else(|| stated.to_lowercase(), str::to_owned)
    };
    let time = |millis: Option<f64>| millis.and_then(|m| offset(m / 1000.0));
    let turns: Vec<RawTurn> = analysis
        .transcript
        .iter()
        .map(|s| RawTurn {
            role: role(&s.participant_id),
            text: s.content.clone(),
            at: time(s.begin_offset_millis),
            until: time(s.end_offset_millis),
            agent_id: None,
        })
        .collect();
    let mut attributes = Map::new();
    let channel = match analysis.channel.as_deref() {
        Some("VOICE") | None => "phone".to_owned(),
        Some(other) => other.to_lowercase(),
    };
    attributes.insert("channel".to_owned(), Value::String(channel));
    json::put(&mut attributes, "language", analysis.language_code.as_ref());
    if let Some(found) = &analysis.conversation_characteristics {
        characteristics(found, &mut attributes);
    }
    let id = analysis.customer_metadata.and_then(|m| m.contact_id).unwrap_or_else(|| place.id.clone());
    Ok(Record { id, attributes, turns, ..Record::default() })
}

/// What was measured of the call, in seconds and counts.
fn characteristics(found: &Value, attributes: &mut Map<String, Value>) {
    let mut seconds = |name: &str, at: &str| {
        if let Some(millis) = found.pointer(at).and_then(Value::as_f64).filter(|m| m.is_finite()) {
            attributes.insert(format!("voice.{name}"), Value::from(millis / 1000.0));
        }
    };
    seconds("duration_seconds", "/TotalConversationDurationMillis");
    seconds("non_talk_seconds", "/NonTalkTime/TotalTimeMillis");
    seconds("talk_seconds", "/TalkTime/TotalTimeMillis");
    json::put(attributes, "voice.interruptions", found.pointer("/Interruptions/TotalCount"));
}
