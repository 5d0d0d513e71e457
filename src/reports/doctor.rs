//! What an input is like, before anything is judged, on one screen and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

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
        let mut s = String::new();
        let mut line = |text: &str, indent: &str| {
            let _ = writeln!(s, "{}", wrap(text, indent, WIDTH));
        };
        let files: Vec<String> = self.files.iter().map(|(format, n)| format!("{format} {n}")).collect();
        line(&format!("Files, by what they were recognised as: {}.", files.join(", ")), "");
        let roles: Vec<String> = self.roles.iter().map(|(role, n)| format!("{role} {n}")).collect();
        line(&format!("{} transcripts with {} turns ({}).", self.transcripts, self.turns, roles.join(", ")), "");
        if self.rejected > 0 {
            line(&format!("\n{} of {} records would be rejected:", self.rejected, self.read), "");
            for r in self.rejects.iter().take(SHOWN) {
                line(&format!("{} × {} (first: {}, line {})", r.count, r.reason, r.source, r.line), "  ");
            }
            if self.rejects.len() > SHOWN {
                line(&format!("and {} other reasons; --json lists them", self.rejects.len() - SHOWN), "  ");
            }
        } else {
            line("No record would be rejected.", "");
        }
        line("", "");
        let languages: Vec<String> = self.standing.languages.iter().map(|(l, n)| format!("{l} {n}")).collect();
        line(
            &format!("Languages: {}.", if languages.is_empty() { "none".to_owned() } else { languages.join(", ") }),
            "",
        );
        standing(&self.standing).iter().for_each(|l| line(l, ""));
        if self.standing.role_doubts.is_empty() {
            line("Roles: no doubt of 0.5 or more about who is customer and who agent.", "");
        }
        let personal: Vec<String> = self.personal_data.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
        if personal.is_empty() {
            line("Personal data: none of the kinds that are looked for.", "");
        } else {
            line(
                &format!(
                    "Personal data in {} turns: {}. An audit replaces it in all it writes, unless --no-redact is given.",
                    self.personal_turns,
                    personal.join(", ")
                ),
                "",
            );
        }
        if self.timed_turns * 2 < self.turns {
            line("Most turns have no time (\"at\"): the rule on slow replies cannot apply to them.", "");
        }
        let mut attributes: Vec<(&String, &u64)> = self.attributes.iter().collect();
        attributes.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), name.as_str()));
        let names: Vec<&str> = attributes.iter().take(SHOWN * 2).map(|(name, _)| name.as_str()).collect();
        if names.is_empty() {
            line("Attributes: none, so that nothing can be compared by segment.", "");
        } else {
            let more = if attributes.len() > names.len() { ", …" } else { "" };
            line(&format!("Attributes, for --by and --adjust: {}{more}.", names.join(", ")), "");
        }
        if let Some(seconds) = self.estimated_seconds {
            line(
                &format!(
                    "\nAn audit would take about {} here, by the speed of {} turns.",
                    duration(seconds),
                    self.sampled_turns
                ),
                "",
            );
        }
        s
    }
}

/// A time in words.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{:.0} seconds", s.ceil().max(1.0)),
        s if s < 5400.0 => format!("{:.0} minutes", s / 60.0),
        s => format!("{:.1} hours", s / 3600.0),
    }
}
