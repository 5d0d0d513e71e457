//! Intercom: one conversation an object; the first message stands in `source`, the others in `conversation_parts`. In: an object. Out: a
//! record.
//!
//! Notes are left out; bodies are HTML; parts without a body (assignments, openings) say nothing.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::json::{self, Fault, Place, moment, scalar};
use super::{RawTurn, Record, html};

pub(super) const LISTS: &[&str] = &["conversations", "data"];
const NEEDED: &str =
    "a conversation has \"id\", \"source\" and \"conversation_parts\", each message with an \"author\"";

#[derive(Deserialize)]
struct Conversation {
    #[serde(default, deserialize_with = "scalar")]
    id: Option<String>,
    created_at: Option<i64>,
    state: Option<Value>,
    priority: Option<Value>,
    ai_agent_participated: Option<Value>,
    admin_assignee_id: Option<Value>,
    source: Option<Message>,
    conversation_parts: Option<Parts>,
    conversation_rating: Option<Rating>,
    statistics: Option<Value>,
    custom_attributes: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Parts {
    conversation_parts: Vec<Message>,
}

#[derive(Deserialize)]
struct Rating {
    rating: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: Option<String>,
    part_type: Option<String>,
    body: Option<String>,
    created_at: Option<i64>,
    author: Author,
}

#[derive(Deserialize)]
struct Author {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "scalar")]
    id: Option<String>,
    #[serde(default)]
    from_ai_agent: Option<bool>,
}

pub(super) fn fits(has: &dyn Fn(&str) -> bool, list: &dyn Fn(&str) -> bool) -> bool {
    has("conversation_parts") || list("conversations") || (has("source") && has("contacts"))
}

pub(super) fn record(bytes: &[u8], place: &Place<'_>) -> Result<Record, Fault> {
    let c: Conversation = json::parse(bytes, NEEDED)?;
    let id = c.id.ok_or_else(|| format!("missing field `id`; {NEEDED}"))?;
    if c.conversation_parts.is_none() {
        return Err(Fault::Reason(
            "the conversation has no parts; a list of conversations leaves them out, so export each one".to_owned(),
        ));
    }
    let mut attributes = Map::new();
    let channel = match c.source.as_ref().and_then(|s| s.kind.as_deref()) {
        Some("email") => "email",
        Some("facebook" | "twitter" | "instagram") => "social",
        Some("phone_call" | "phone_switch") => "phone",
        _ => "chat",
    };
    attributes.insert("channel".to_owned(), Value::from(channel));
    let started = c.created_at.and_then(seconds);
    json::put(&mut attributes, "started_at", started.clone().map(Value::from).as_ref());
    let rating = c.conversation_rating.and_then(|r| r.rating);
    let reopens = c.statistics.as_ref().and_then(|s| s.get("count_reopens"));
    let assignee =
        c.admin_assignee_id.as_ref().map(|v| Value::from(v.as_str().map_or_else(|| v.to_string(), str::to_owned)));
    let assignee = assignee.filter(|a| a != "null" && a != "0");
    for (name, value) in [
        ("state", c.state.as_ref()),
        ("priority", c.priority.as_ref()),
        ("ai_agent_participated", c.ai_agent_participated.as_ref()),
        ("agent_id", assignee.as_ref()),
        ("scores.csat", rating.as_ref()),
        ("reopens", reopens),
    ] {
        json::put(&mut attributes, name, value);
    }
    for (name, value) in c.custom_attributes.iter().flatten() {
        json::put(&mut attributes, &format!("custom.{name}"), Some(value));
    }
    let first = c.source.map(|s| turn(s, started, place));
    let parts = c.conversation_parts.map(|p| p.conversation_parts).unwrap_or_default();
    let spoken = |m: &Message| {
        let note = m.part_type.as_deref().is_some_and(|t| t.contains("note"));
        !note && m.body.as_deref().is_some_and(|b| !b.trim().is_empty())
    };
    let rest = parts.into_iter().filter(spoken).map(|m| turn(m, None, place));
    Ok(Record { id, attributes, turns: first.into_iter().chain(rest).collect(), ..Record::default() })
}

fn turn(message: Message, started: Option<String>, place: &Place<'_>) -> RawTurn {
    let Message { body, created_at, author, .. } = message;
    let role = place.columns.role(&author.kind).unwrap_or(match author.kind.as_str() {
        _ if author.from_ai_agent == Some(true) => "bot",
        "user" | "lead" | "contact" | "visitor" => "customer",
        "admin" | "team" => "agent",
        other => other,
    });
    RawTurn {
        role: role.to_owned(),
        text: html::to_text(&body.unwrap_or_default()),
        at: created_at.and_then(seconds).or(started),
        until: None,
        agent_id: author.id.filter(|_| role == "agent"),
    }
}

fn seconds(epoch: i64) -> Option<String> {
    epoch.checked_mul(1_000_000).and_then(moment)
}
