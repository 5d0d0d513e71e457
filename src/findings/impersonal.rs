//! # What it finds
//! Over the whole conversation the agent neither uses the customer's name nor takes up anything specific that the customer said.
//! # Why it hurts the customer
//! A reply that could stand under any message tells customers that nobody read theirs.
//! # Example
//! Customer: "My order 88 came with a cracked lid." Agent: "Please see our website." Agent: "Is there anything else?"
//! # Say instead
//! "Thanks for the photo of the cracked lid, Maya. A new one is on its way."
//! # What it leaves alone
//! Conversations with a single agent turn, and those where an answer fits the question in its own words.
//! # Measured
//! On 300 transcripts that were read twice (13 with a violation): precision 0.43 (0.26–0.63), recall
//! 0.77 (0.50–0.92), each with its 95 % interval.

use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::signals::Cue;
use crate::turns::{Role, mentions_name};

pub(super) static RULE: Rule = Rule { id: "impersonal", source: include_str!("impersonal.rs"), context: false, check };

fn check(view: &View<'_>) -> Verdict {
    let turns: Vec<usize> = view.company_turns().filter(|&i| view.role(i) == Role::Agent).collect();
    let (Some(&first), true) = (turns.first(), turns.len() >= 2) else {
        return Verdict::NotApplicable;
    };
    let personal = |&i: &usize| {
        let text = view.text(i);
        mentions_name(text) || view.taken_up(text, i) > 0 && !view.cue(i, Cue::Generic)
    };
    if turns.iter().any(personal) {
        return Verdict::Ok;
    }
    Verdict::Violated(Violation {
        evidence: None,
        severity: Severity::Low,
        confidence: 0.6 + 0.05 * turns.len().min(6) as f32,
        seen: format!("In {} turns the agent neither uses the customer's name nor takes up anything they said.", turns.len()),
        suggestion: "Note (the N of L.E.A.R.N.): repeat the one detail that makes this case the customer's own, such as the item, the place or the date."
            .to_owned(),
        turns: vec![first],
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
                (
                    "violated 1",
                    "C neg problem | The lid came cracked.\nA neu transfer | Please see our website.\nC neu | I did\nA neu check | Anything else?",
                ),
                (
                    "violated 0",
                    "A neu greeting | How may I help?\nC neu | parcel to Rome\nA neu ask-info | Account number?",
                ),
                ("violated 1", "C neg | no signal\nA neu | One moment.\nA neu closing | Have a nice day."),
                (
                    "ok",
                    "C neg problem | The lid came cracked.\nA neu | Is the cracked lid the only damage?\nC neu | yes\nA neu check | Anything else?",
                ),
                (
                    "ok",
                    "C neg problem | it came broken\nA neu greeting | Hi Maya, one moment.\nA neu check | Anything else?",
                ),
                (
                    "ok",
                    "C neu | the old plan for my mother\nA neu | One moment.\nA neu commitment | I've put your mother on the old plan.",
                ),
                ("n/a", "C neu | old plan?\nA neu | One moment."),
            ],
        );
    }
}
