//! What a rule is: an id, its documentation, and one function from a view to a verdict.

use serde::{Deserialize, Serialize};

use super::view::View;
use crate::signals::Label;

/// One rule of the rulebook.
pub struct Rule {
    /// The pattern found, as in files: `missing-apology`.
    pub id: &'static str,
    /// The text of the rule's own file: its doc comment is the rule's documentation.
    pub source: &'static str,
    /// Whether it is about the customer and never a mistake of the company.
    pub context: bool,
    /// Judges one transcript.
    pub check: fn(&View<'_>) -> Verdict,
}

/// How much harm a violation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A blemish.
    Low,
    /// The customer notices.
    Medium,
    /// The customer may leave over it.
    High,
}

/// A rule's answer for one transcript.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Nothing triggers the rule.
    NotApplicable,
    /// It applies and is kept.
    Ok,
    /// It applies and is not kept.
    Violated(Violation),
}

/// Where and how a rule is not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// The evidence: the main turn first.
    pub turns: Vec<usize>,
    /// The label whose words in the main turn are quoted; without one, its beginning.
    pub evidence: Option<Label>,
    /// How much harm it does.
    pub severity: Severity,
    /// How sure the program is, 0…1.
    pub confidence: f32,
    /// What was seen, in one plain sentence.
    pub seen: String,
    /// What to do instead, fitted to the case.
    pub suggestion: String,
}

impl Verdict {
    /// The verdict's name as in files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotApplicable => "n/a",
            Self::Ok => "ok",
            Self::Violated(_) => "violated",
        }
    }
}
