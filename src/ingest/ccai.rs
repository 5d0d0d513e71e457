//! Google Contact Center AI: one conversation an object, `{conversation_info?, entries: [{text, role, user_id, start_timestamp_usec}]}`. In: an
//! object. Out: a record.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::json::{self, Fault, Place, moment, scalar};
use super::{RawTurn, Record};

pub(super) const LISTS: &[&str] = &["conversations"];
const NEEDED: &str = "a conversation has \"entries\" with \"text\" and \"role\"";

#[derive(Deserialize)]
struct Conversation {
    #[serde(default)]
    conversation_info: Info,
    entries: Vec<Entry>,
}

#[derive(Deserialize, Default)]
struct Info {
    #[serde(default)]
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Category {
    display_name: Option<Value>,
}

#[derive(Deserialize)]
struct Entry {
    text: String,
    role: String,
    #[serde(default, deserialize_with = "scalar")]
    user_id: Option<String>,
    start_timestamp_usec: Option<i64>,
}

pub(super) fn fits(_has: &dyn Fn(&str) -> bool, list: &dyn Fn(&str) -> bool) -> bool {
    list("entries")
}

pub(super) fn record(bytes: &[u8], place: &Place<'_>) -> Result<Record, Fault> {
    let conversation: Conversation = json::parse(bytes, NEEDED)?;
    let turns = conversation.entries.into_iter().map(|e| {
        let role = place.columns.role(&e.role).unwrap_or(match e.role.to_uppercase().as_str() {
            "AGENT" | "HUMAN_AGENT" => "agent",
            "AUTOMATED_AGENT" => "bot",
            "CUSTOMER" | "END_USER" => "customer",
            _ => "",
        });
        let role = if role.is_empty() { e.role } else { role.to_owned() };
        let agent_id = e.user_id.filter(|_| role == "agent");
        RawTurn { role, text: e.text, at: e.start_timestamp_usec.and_then(moment), until: None, agent_id }
    });
    let mut attributes = Map::new();
    let issue = conversation.conversation_info.categories.first().and_then(|c| c.display_name.as_ref());
    json::put(&mut attributes, "issue", issue);
    Ok(Record { id: place.id.clone(), attributes, turns: turns.collect(), ..Record::default() })
}
