//! What reviewers found. In: label files (JSON Lines or CSV) as the sheet or the review page give them back. Out: a store in which nothing
//! is ever changed or lost, and from it each reviewer's present answer.

mod cell;
mod read;
mod store;

pub use cell::{neutral, restored};
pub use read::{Line, read};
pub use store::{Current, Imported, Store, is_database};

use sha2::{Digest, Sha256};

use crate::findings::{Doc, RULES};

/// A reviewer's answer for one rule on one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Nothing triggers the rule.
    NotApplicable,
    /// It applies and is kept.
    Ok,
    /// It applies and is not kept.
    Violated,
}

impl Answer {
    /// All of them, from nothing to judge to a mistake: the order of the ordinal alpha.
    pub const ALL: [Self; 3] = [Self::NotApplicable, Self::Ok, Self::Violated];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotApplicable => "n/a",
            Self::Ok => "ok",
            Self::Violated => "violated",
        }
    }

    /// The answer of that name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_lowercase().as_str() {
            "violated" => Some(Self::Violated),
            "ok" => Some(Self::Ok),
            "n/a" | "na" => Some(Self::NotApplicable),
            _ => None,
        }
    }
}

/// One label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The conversation.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// Who.
    pub reviewer: String,
    /// What.
    pub value: Answer,
    /// The turns that show it, from 0.
    pub turns: Vec<u64>,
    /// In their words.
    pub note: String,
    /// When, as a time in UTC; none where the file does not say.
    pub at: Option<String>,
    /// The version of the rulebook they had before them.
    pub rulebook: String,
}

/// A conversation that was drawn, as a sample's file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// The sample's name; empty where the file has none.
    pub sample: String,
    /// The conversation.
    pub id: String,
    /// Its stratum.
    pub stratum: String,
    /// The probability with which it was to be drawn.
    pub probability: f64,
    /// The design's name; empty where the file has none.
    pub design: String,
    /// How many conversations were drawn from.
    pub population: Option<u64>,
}

/// Why labels cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is no label file.
    #[error("{path}: {reason}")]
    NotLabels {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The store failed.
    #[error("{path}: {source}")]
    Store {
        /// The file.
        path: std::path::PathBuf,
        /// SQLite's reason.
        source: rusqlite::Error,
    },
}

/// The version of the rulebook: a hash of what the rules' documentation says.
pub fn rulebook() -> String {
    let mut hash = Sha256::new();
    for rule in RULES {
        hash.update(rule.id);
        for (heading, text) in Doc::of(rule).parts.iter().filter(|(h, _)| *h != "Measured") {
            hash.update(heading);
            hash.update(text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    hex::encode(&hash.finalize()[..6])
}
