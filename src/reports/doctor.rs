//! What an input is like, before anything is judged, on one screen and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::numbers::{counted, grouped};
use super::summary::standing;
use super::wrap::wrap;
use crate::tally::Standing;

const WIDTH: usize = 80;
/// Kinds of rejects and attributes that are shown.
const SHOWN: usize = 8;

/// What `evenhand doctor` found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Checkup {
    /// Files by the format they were recognised as; those that could not be opened are under `unreadable`.
    pub files: BTreeMap<String, u64>,
    /// Records found.
    pub read: u64,
    /// Transcripts that can be audited, those left out included.
    pub transcripts: u64,
    /// Their turns.
    pub turns: u64,
    /// Their turns by role.
    pub roles: BTreeMap<String, u64>,
    /// Records that would be rejected.
    pub rejected: u64,
    /// Why, the most frequent reason first.
    pub rejects: Vec<RejectGroup>,
    /// Languages, doubts about roles, what would be left out.
    pub standing: Standing,
    /// Personal data found in turns, by kind.
    pub personal_data: BTreeMap<String, u64>,
    /// Turns with personal data.
    pub personal_turns: u64,
    /// Attributes: transcripts that have each.
    pub attributes: BTreeMap<String, u64>,
    /// Turns with a time.
    pub timed_turns: u64,
    /// Seconds that an audit would take, by the speed of a sample; none where nothing would be judged.
    pub estimated_seconds: Option<f64>,
    /// Turns of that sample.
    pub sampled_turns: u64,
}

/// Rejects with the same reason, numbers aside.
#[derive(Debug, Clone, Serialize)]
pub struct RejectGroup {
    /// How many.
    pub count: u64,
    /// The first one's file …
    pub source: String,
    /// … line …
    pub line: u64,
    /// … and reason.
    pub reason: String,
}

impl Checkup {
    /// The findings as text of 80 columns.
    pub fn text(&self) -> String {
        let mut out = Vec::new();
        out.push((format!("Files, by what they were recognised as: {}.", counts(&self.files)), ""));
        let roles = counts(&self.roles);
        let transcripts = counted(self.transcripts, "transcript", "transcripts");
        out.push((format!("{transcripts} with {} ({roles}).", counted(self.turns, "turn", "turns")), ""));
        out.extend(self.rejected());
        out.push((String::new(), ""));
        out.push((format!("Languages: {}.", counts(&self.standing.languages)), ""));
        out.extend(standing(&self.standing).into_iter().map(|l| (l, "")));
        if self.standing.role_doubts.is_empty() {
            out.push(("Roles: no doubt of 0.5 or more about who is customer and who agent.".to_owned(), ""));
        }
        out.extend(self.content().into_iter().map(|l| (l, "")));
        let mut s = String::new();
        for (line, indent) in out {
            let _ = writeln!(s, "{}", wrap(&line, indent, WIDTH));
        }
        s
    }

    fn rejected(&self) -> Vec<(String, &'static str)> {
        if self.rejected == 0 {
            return vec![("No record would be rejected.".to_owned(), "")];
        }
        let (rejected, read) = (grouped(self.rejected), counted(self.read, "record", "records"));
        let mut out = vec![(format!("\n{rejected} of {read} would be rejected:"), "")];
        let shown = self.rejects.iter().take(SHOWN);
        out.extend(shown.map(|r| (format!("{} × {} (first: {}, line {})", r.count, r.reason, r.source, r.line), "  ")));
        if self.rejects.len() > SHOWN {
            out.push((format!("and {} other reasons; --json lists them", self.rejects.len() - SHOWN), "  "));
        }
        out
    }

    /// What the turns hold, and how long an audit of them takes.
    fn content(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.personal_data.is_empty() {
            out.push("Personal data: none of the kinds that are looked for.".to_owned());
        } else {
            out.push(format!(
                "Personal data in {}: {}. An audit replaces it in all it writes, unless --no-redact is given.",
                counted(self.personal_turns, "turn", "turns"),
                counts(&self.personal_data)
            ));
        }
        if self.timed_turns * 2 < self.turns {
            out.push("Most turns have no time (\"at\"): the rule on slow replies cannot apply to them.".to_owned());
        }
        let mut attributes: Vec<(&String, &u64)> = self.attributes.iter().collect();
        attributes.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), name.as_str()));
        let names: Vec<&str> = attributes.iter().take(SHOWN * 2).map(|(name, _)| name.as_str()).collect();
        let more = if attributes.len() > names.len() { ", …" } else { "" };
        out.push(match names.as_slice() {
            [] => "Attributes: none, so that nothing can be compared by segment.".to_owned(),
            names => format!("Attributes, for --by and --adjust: {}{more}.", names.join(", ")),
        });
        if let Some(seconds) = self.estimated_seconds {
            let time = duration(seconds);
            out.push(format!(
                "\nAn audit would take about {time} here, by the speed of {}.",
                counted(self.sampled_turns, "turn", "turns")
            ));
        }
        out
    }
}

/// Names with their counts.
fn counts(of: &BTreeMap<String, u64>) -> String {
    let all: Vec<String> = of.iter().map(|(name, n)| format!("{name} {n}")).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// A time in words.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{:.0} seconds", s.ceil().max(1.0)),
        s if s < 5400.0 => format!("{:.0} minutes", s / 60.0),
        s => format!("{:.1} hours", s / 3600.0),
    }
}
