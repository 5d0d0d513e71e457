//! # What it finds
//! The first thing the customer hears from an agent goes straight to the business, mostly a demand or an instruction: no greeting, no thanks, nothing about what they said.
//! # Why it hurts the customer
//! The first sentence tells customers whether anybody heard them; a bare demand says that nobody did.
//! # Example
//! Customer: "My card was declined at the hotel." Agent: "Full name and date of birth."
//! # Say instead
//! "Hello, I'm Sam. A declined card at check-in, let me look at that. May I have your full name and date of birth?"
//! # What it leaves alone
//! A first question or answer that takes up the customer's own words, and conversations that a bot opens.
//! # Measured
//! On 300 transcripts that were read twice (24 with a violation): precision 0.74 (0.57–0.86), recall
//! 0.96 (0.80–0.99), each with its 95 % interval.

use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::signals::Cue;
use crate::turns::{Role, mentions_name};

pub(super) static RULE: Rule = Rule { id: "cold-open", source: include_str!("cold_open.rs"), context: false, check };

/// How sure a greeting or a word on the customer's matter must be; a half-seen one is enough, for the finding says that there is none.
const HALF_SEEN: f32 = 0.32;

fn check(view: &View<'_>) -> Verdict {
    let Some(message) = view.messages().iter().find(|m| m.company) else {
        return Verdict::NotApplicable;
    };
    let first = message.first();
    if view.role(first) != Role::Agent {
        return Verdict::NotApplicable;
    }
    let kind = view.surest(message.turns.iter().copied(), Cue::Kind);
    if kind >= HALF_SEEN || mentions_name(&view.message_text(message)) {
        return Verdict::Ok;
    }
    Verdict::Violated(Violation {
        turns: vec![first],
        evidence: None,
        severity: Severity::Low,
        confidence: 1.0 - kind,
        seen: format!(
            "The agent's first turn comes without a greeting or a word on what the customer said (turn {first})."
        ),
        suggestion: "Listen (the L of L.E.A.R.N.): greet, say back in a few words what the customer needs, then ask."
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use crate::findings::testing::cases;

    #[test]
    fn its_cases() {
        cases(
            &super::RULE,
            &[
                ("violated 1", "C neg problem | My card was declined.\nA neu ask-info | Full name and date of birth."),
                (
                    "violated 1",
                    "C neu | I want to move my appointment.\nA neu ask-info | Could I get your full name, please?",
                ),
                ("violated 1", "C neg problem | no internet\nA neu | Restart the router."),
                (
                    "ok",
                    "C neg problem | My card was declined.\nA neu greeting,ask-info +kind | Hello! Full name, please?",
                ),
                ("ok", "C neg problem | My card was declined.\nA neu ask-info +kind | Which card was declined?"),
                ("ok", "A neu greeting +kind | How can I help?\nC neu | My card."),
                (
                    "ok",
                    "C neu | my card\nA neu | Sam from the bank.\nA neu ask-info +kind | Which card may I look at for you?",
                ),
                ("ok", "C neu | my card\nA neu ask-info | Full name and date of birth, Mr Ames."),
                ("n/a", "C neu | hello\nB neu ask-info | Full name."),
            ],
        );
    }
}
