//! How often each rule was violated, kept, or did not apply.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Verdicts of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RuleCounts {
    /// Transcripts in which it is violated.
    pub violated: u64,
    /// Transcripts in which it applies and is kept.
    pub ok: u64,
    /// Transcripts in which nothing triggers it.
    pub not_applicable: u64,
}

impl RuleCounts {
    /// Transcripts in which it applies: what a rate is over.
    pub fn applies(&self) -> u64 {
        self.violated + self.ok
    }
}

/// Counts of every rule by its id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RuleTally(pub BTreeMap<String, RuleCounts>);

impl RuleTally {
    /// Counts the verdicts of one transcript.
    pub fn add<'a>(&mut self, verdicts: impl IntoIterator<Item = (&'a str, &'a str)>) {
        for (rule, verdict) in verdicts {
            let counts = self.0.entry(rule.to_owned()).or_default();
            match verdict {
                "violated" => counts.violated += 1,
                "ok" => counts.ok += 1,
                _ => counts.not_applicable += 1,
            }
        }
    }

    /// The counts of a rule.
    pub fn of(&self, rule: &str) -> RuleCounts {
        self.0.get(rule).copied().unwrap_or_default()
    }
}
