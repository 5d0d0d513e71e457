//! Zendesk: tickets with their comments, or tickets and comments in two files joined on the ticket's id. In: one stream or two. Out: records
//! and rejects.
//!
//! Internal notes (`public: false`) are left out. A comment by the requester is the customer's, one by another end user too where the ticket
//! brings its users; every other is an agent's. Where two files are joined, the comments go to a temporary file and 48 bytes for each stay in memory.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::documents::{Documents, Piece, names};
use super::gather::{Collected, Collecting, Gathered, Rows, kept};
use super::json::{self, Fault, Objects, Place, scalar};
use super::plan::Job;
use super::{Columns, FileHash, IngestError, Item, Origin, RawTurn, Record, Source, Stream, html, open};

const LISTS: &[&str] = &["tickets", "results"];
const NEEDED: &str = "a ticket has \"id\" and \"requester_id\", a comment \"author_id\" and \"body\"";

/// What a file holds of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    /// Tickets with their comments.
    Whole,
    /// Tickets alone.
    Tickets,
    /// Comments alone, each with its ticket's id.
    Comments,
}

/// What the file that begins with `head` holds, if it is Zendesk's.
pub(super) fn half(head: &[u8]) -> Option<Half> {
    told(head, true)
}

/// The same; a list of tickets or comments is looked into once, for strangers may write lists in lists without end.
fn told(head: &[u8], outer: bool) -> Option<Half> {
    let found = names(head);
    let has = |name: &str| found.iter().any(|(n, _)| n == name);
    let list = |name: &str| found.iter().any(|(n, first)| n == name && *first == b'[');
    let inside = |name: &str| {
        let at = memchr::memmem::find(head, format!("\"{name}\"").as_bytes())?;
        outer.then(|| told(&head[at..], false)).flatten()
    };
    match () {
        () if has("ticket") && list("comments") => Some(Half::Whole),
        () if list("comments") && (has("requester_id") || has("ticket_id")) => Some(Half::Whole),
        () if has("requester_id") => Some(Half::Tickets),
        () if has("author_id") && (has("body") || has("html_body") || has("plain_body")) => Some(Half::Comments),
        () if list("tickets") => inside("tickets").or(Some(Half::Tickets)),
        () if list("comments") => inside("comments").filter(|h| *h == Half::Comments),
        () => None,
    }
}

#[derive(Deserialize)]
struct Export {
    ticket: Option<Ticket>,
    #[serde(flatten)]
    flat: Flat,
}

#[derive(Deserialize)]
struct Flat {
    comments: Option<Vec<Comment>>,
    #[serde(default)]
    users: Vec<User>,
}

#[derive(Deserialize)]
struct Ticket {
    #[serde(default, deserialize_with = "scalar")]
    id: Option<String>,
    #[serde(default, deserialize_with = "scalar")]
    requester_id: Option<String>,
    via: Option<Via>,
    satisfaction_rating: Option<Value>,
    #[serde(default)]
    custom_fields: Option<Vec<Custom>>,
    comments: Option<Vec<Comment>>,
    #[serde(default)]
    users: Vec<User>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
struct Via {
    channel: Option<Value>,
}

#[derive(Deserialize)]
struct Custom {
    id: Value,
    value: Value,
}

#[derive(Deserialize)]
struct User {
    #[serde(default, deserialize_with = "scalar")]
    id: Option<String>,
    role: Option<String>,
}

#[derive(Deserialize)]
struct Comment {
    #[serde(default, deserialize_with = "scalar")]
    author_id: Option<String>,
    body: Option<String>,
    plain_body: Option<String>,
    html_body: Option<String>,
    public: Option<bool>,
    created_at: Option<String>,
}

/// What goes along from a ticket under its own name.
const KEPT: [&str; 7] = ["status", "priority", "type", "group_id", "brand_id", "organization_id", "created_at"];

/// The reader for one file, or for tickets and comments.
pub(super) fn open(
    job: &Job,
    stream: Stream,
    columns: &Columns,
    files: &mut Vec<(std::path::PathBuf, FileHash)>,
) -> Result<Box<dyn Source + Send>, IngestError> {
    let source: Arc<str> = job.paths[0].to_string_lossy().into();
    let Some(second) = job.paths.get(1) else {
        return Ok(Box::new(Objects::new(stream, source, &job.name, columns, LISTS, record)));
    };
    let (comments, hash) = open::open(second)?;
    files.push((second.clone(), hash));
    Ok(Box::new(Joined {
        tickets: Documents::new(stream, LISTS),
        source,
        comments_source: second.to_string_lossy().into(),
        comments: State::Unread(Documents::new(comments, &["comments"])),
        left: None,
        columns: columns.clone(),
    }))
}

fn record(bytes: &[u8], place: &Place<'_>) -> Result<Record, Fault> {
    let found = names(bytes);
    let has = |name: &str| found.iter().any(|(n, _)| n == name);
    if has("author_id") && !has("comments") {
        return Err(Fault::Reason(
            "a comment without its ticket; give the files of tickets and of comments together".to_owned(),
        ));
    }
    let (ticket, comments, users) = if has("ticket") {
        let export: Export = json::parse(bytes, NEEDED)?;
        let mut ticket = export.ticket.ok_or_else(|| format!("missing field `ticket`; {NEEDED}"))?;
        let comments = export.flat.comments.or(ticket.comments.take());
        let users = if export.flat.users.is_empty() { std::mem::take(&mut ticket.users) } else { export.flat.users };
        (ticket, comments, users)
    } else {
        let mut ticket: Ticket = json::parse(bytes, NEEDED)?;
        let (comments, users) = (ticket.comments.take(), std::mem::take(&mut ticket.users));
        (ticket, comments, users)
    };
    let comments = comments.ok_or_else(|| {
        "the ticket has no comments; export it with them, or give the files of tickets and of comments together"
            .to_owned()
    })?;
    convert(ticket, comments, &users, place.columns).map_err(Fault::Reason)
}

fn convert(ticket: Ticket, comments: Vec<Comment>, users: &[User], columns: &Columns) -> Result<Record, String> {
    let id = ticket.id.clone().ok_or_else(|| format!("missing field `id`; {NEEDED}"))?;
    let requester = ticket.requester_id.clone().ok_or_else(|| format!("missing field `requester_id`; {NEEDED}"))?;
    let end_user =
        |id: &str| users.iter().any(|u| u.id.as_deref() == Some(id) && u.role.as_deref() == Some("end-user"));
    let mut turns = Vec::new();
    for comment in comments.into_iter().filter(|c| c.public != Some(false)) {
        let author = comment.author_id.ok_or_else(|| format!("a comment lacks its author_id; {NEEDED}"))?;
        let customer = author == requester || end_user(&author);
        let text = match (comment.plain_body, comment.html_body, comment.body) {
            (Some(plain), ..) if !plain.trim().is_empty() => html::to_text(&plain),
            (_, Some(html), _) if !html.trim().is_empty() => html::to_text(&html),
            (_, _, Some(body)) => html::to_text(&body),
            _ => String::new(),
        };
        turns.push(RawTurn {
            role: columns.role(&author).unwrap_or(if customer { "customer" } else { "agent" }).to_owned(),
            text,
            at: comment.created_at,
            until: None,
            agent_id: (!customer).then_some(author),
        });
    }
    if turns.is_empty() {
        return Err("the ticket has no public comment".to_owned());
    }
    // Exports list the newest first as well as the oldest first.
    if turns.iter().all(|t| t.at.is_some()) {
        turns.sort_by(|a, b| a.at.cmp(&b.at));
    }
    Ok(Record { id, attributes: attributes(&ticket), turns, ..Record::default() })
}

fn attributes(ticket: &Ticket) -> Map<String, Value> {
    let mut out = Map::new();
    if let Some(Value::String(channel)) = ticket.via.as_ref().and_then(|v| v.channel.as_ref()) {
        let channel = match channel.as_str() {
            "native_messaging" | "messaging" | "chat" => "chat",
            "voice" | "phone" => "phone",
            "twitter" | "facebook" | "instagram_dm" | "any_channel" => "social",
            other => other,
        };
        out.insert("channel".to_owned(), Value::from(channel));
    }
    for name in KEPT {
        json::put(&mut out, if name == "created_at" { "started_at" } else { name }, ticket.rest.get(name));
    }
    let score = ticket.satisfaction_rating.as_ref().and_then(|r| r.get("score"));
    json::put(&mut out, "scores.satisfaction", score);
    for field in ticket.custom_fields.iter().flatten() {
        let id = field.id.as_str().map_or_else(|| field.id.to_string(), str::to_owned);
        json::put(&mut out, &format!("custom.{id}"), Some(&field.value));
    }
    out
}

/// Tickets from one file, their comments from another.
struct Joined {
    tickets: Documents,
    source: Arc<str>,
    comments_source: Arc<str>,
    comments: State,
    /// Lines of comments that belong to no ticket, the last first; known when all tickets were read.
    left: Option<Vec<u64>>,
    columns: Columns,
}

enum State {
    Unread(Documents),
    Reading(Collecting),
    Read(Gathered),
    Failed,
}

#[derive(Deserialize)]
struct Ids {
    #[serde(default, deserialize_with = "scalar")]
    ticket_id: Option<String>,
}

/// The ticket that a comment belongs to.
fn key(bytes: &[u8]) -> Result<String, Fault> {
    let ids: Ids = json::parse(bytes, NEEDED)?;
    ids.ticket_id.ok_or_else(|| Fault::Reason("the comment lacks ticket_id, which says where it belongs".to_owned()))
}

impl Joined {
    /// Reads the comments, as far as they are not read yet; a reject of theirs that comes up.
    fn read_comments(&mut self) -> Option<Item> {
        loop {
            match std::mem::replace(&mut self.comments, State::Failed) {
                State::Unread(documents) => match Collecting::new(documents, self.comments_source.clone()) {
                    Ok(collecting) => self.comments = State::Reading(collecting),
                    Err(e) => return Some(self.comments_reject(0, kept(&e))),
                },
                State::Reading(mut collecting) => match collecting.next(key) {
                    Collected::All(mut gathered) => {
                        gathered.index();
                        self.comments = State::Read(gathered);
                    }
                    Collected::Failed(item) => return Some(item),
                    Collected::Reject(item) => {
                        self.comments = State::Reading(collecting);
                        return Some(item);
                    }
                },
                done => {
                    self.comments = done;
                    return None;
                }
            }
        }
    }

    fn comments_reject(&self, line: u64, reason: impl Into<String>) -> Item {
        Item::Reject(Origin { source: self.comments_source.clone(), line }.reject(reason))
    }

    fn convert(&mut self, bytes: &[u8]) -> Result<Record, Fault> {
        let ticket: Ticket = json::parse(bytes, NEEDED)?;
        let id = ticket.id.clone().ok_or_else(|| format!("missing field `id`; {NEEDED}"))?;
        let State::Read(gathered) = &mut self.comments else {
            return Err(Fault::Reason("the comments could not be read".to_owned()));
        };
        let rows = gathered.take(&id).ok_or_else(|| "no comment has this ticket's id".to_owned())?;
        let rows = rows.map_err(|e| format!("the comments could not be read back: {e}"))?;
        let comments = self.comments_of(rows)?;
        convert(ticket, comments, &[], &self.columns).map_err(Fault::Reason)
    }

    fn comments_of(&self, rows: Rows) -> Result<Vec<Comment>, String> {
        let mut out = Vec::new();
        for (line, bytes) in rows {
            if bytes.is_empty() {
                return Err("the ticket's comments are longer than 16 MB".to_owned());
            }
            #[derive(Deserialize)]
            struct Many {
                comments: Vec<Comment>,
            }
            let many = names(&bytes).iter().any(|(n, _)| n == "comments");
            let found = if many {
                json::parse::<Many>(&bytes, NEEDED).map(|m| m.comments)
            } else {
                json::parse::<Comment>(&bytes, NEEDED).map(|c| vec![c])
            };
            out.extend(found.map_err(|f| format!("a comment of it in {}: {}", self.comments_source, f.reason(line)))?);
        }
        Ok(out)
    }
}

impl Iterator for Joined {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if let Some(item) = self.read_comments() {
            return Some(item);
        }
        let State::Read(gathered) = &self.comments else { return None };
        if let Some(left) = &mut self.left {
            let line = left.pop()?;
            return Some(self.comments_reject(line, "comments of a ticket that is not in the file of tickets"));
        }
        let Some((line, piece)) = self.tickets.next() else {
            let mut left = gathered.left();
            left.reverse();
            self.left = Some(left);
            return self.next();
        };
        let origin = Origin { source: self.source.clone(), line };
        let bytes = match piece {
            Piece::Fault(reason) => return Some(Item::Reject(origin.reject(reason))),
            Piece::Object(bytes) => bytes.to_vec(),
        };
        Some(match self.convert(&bytes) {
            Ok(record) => {
                let attributes = self.columns.attributes(record.attributes);
                Item::Record(Record { attributes, origin, ..record })
            }
            Err(fault) => Item::Reject(origin.reject(fault.reason(line))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_half_that_a_file_holds_is_told() {
        for (text, want) in [
            (r#"{"ticket":{"id":1},"comments":[{"author_id":2}]}"#, Some(Half::Whole)),
            (r#"{"tickets":[{"id":1,"requester_id":2,"comments":[]}]}"#, Some(Half::Whole)),
            (r#"{"tickets":[{"id":1,"requester_id":2,"status":"open"}]}"#, Some(Half::Tickets)),
            (r#"{"comments":[{"id":1,"author_id":2,"body":"x","ticket_id":1}]}"#, Some(Half::Comments)),
            (r#"{"id":1,"author_id":2,"body":"x","ticket_id":1}"#, Some(Half::Comments)),
            (r#"{"id":1,"turns":[]}"#, None),
            (r#"{"tickets":[{"tickets":[{"id":1}]}]}"#, Some(Half::Tickets)),
            (r#"{"comments":[{"comments":[{"id":1}]}]}"#, None),
        ] {
            assert_eq!(half(text.as_bytes()), want, "{text}");
        }
    }
}
