//! One short entry for each conversation of a run, with its attributes as numbers. In: what a run folder says of a conversation. Out:
//! entries that can be grouped and counted in memory, some 80 bytes each.

use super::frame::Attribute;
use crate::signals::Sentiment;

/// Points of a sentiment arc: the customer's first turn, a quarter, half and three quarters of the way, and their last.
pub const ARC: usize = 5;

/// A conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// The one person who answered; none where nobody or several did.
    pub agent: Option<u32>,
    /// Whether several people answered.
    pub shared: bool,
    /// Whether the customer insulted somebody.
    pub abusive: bool,
    /// What it was about, its channel and the team, as levels of the ledger's attributes.
    pub issue: Option<u32>,
    /// The channel.
    pub channel: Option<u32>,
    /// The team.
    pub team: Option<u32>,
    /// The Monday of the week in which it began, in days from 1970-01-01.
    pub week: Option<i32>,
    /// A bit for each rule, by its place in [`RULES`](crate::findings::RULES), that applies.
    pub applies: u32,
    /// A bit for each rule that is violated.
    pub violated: u32,
    /// A bit for each rule whose evidence was said by automation.
    pub automated: u32,
    /// A bit for each rule that is violated as the program says, and not as people do who read the conversation.
    pub reversed: u32,
    /// Whether automation gave the first reply.
    pub bot_first: bool,
    /// Whether a finding is of high severity.
    pub severe: bool,
    /// Seconds until the first reply.
    pub response: Option<f64>,
    /// The customer's sentiment in their first and last turn, −1…1.
    pub sentiment: Option<(f64, f64)>,
    /// −1, 0 or 1 at each point of the arc.
    pub arc: Option<[i8; ARC]>,
    /// The customer's own rating.
    pub score: Option<f64>,
    /// After a problem: whether the company apologized, and whether it gave money, credit or a replacement.
    pub remedy: Option<(bool, bool)>,
}

/// All conversations of a run.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Names of the people.
    pub agents: Attribute,
    /// Names of the issues.
    pub issues: Attribute,
    /// Names of the channels.
    pub channels: Attribute,
    /// Names of the teams.
    pub teams: Attribute,
    /// The conversations, in the order of the run.
    pub entries: Vec<Entry>,
}

impl Entry {
    /// Whether a rule applies and says something of what a person did.
    pub fn asks(&self, rule: usize) -> bool {
        self.applies & !self.automated & 1 << rule != 0
    }

    /// Whether a rule is violated.
    pub fn violates(&self, rule: usize) -> bool {
        self.violated & 1 << rule != 0
    }
}

/// The arc of a customer's turns: at each point the turn nearest to that share of the way; none without a turn.
pub fn arc(turns: &[Sentiment]) -> Option<[i8; ARC]> {
    let last = turns.len().checked_sub(1)?;
    // Halves are rounded up.
    Some(std::array::from_fn(|point| turns[(2 * last * point + ARC - 1) / (2 * (ARC - 1))] as i8 - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Sentiment::{Neg, Neu, Pos};

    #[test]
    fn an_arc_begins_and_ends_with_its_turns() {
        assert_eq!(arc(&[]), None);
        assert_eq!(arc(&[Neg]), Some([-1; 5]));
        assert_eq!(arc(&[Neg, Pos]), Some([-1, -1, 1, 1, 1]));
        assert_eq!(arc(&[Neg, Neg, Neu, Neu, Pos]), Some([-1, -1, 0, 0, 1]));
        let long: Vec<Sentiment> = (0..101).map(|i| if i < 50 { Neg } else { Pos }).collect();
        assert_eq!(arc(&long), Some([-1, -1, 1, 1, 1]));
    }
}
