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
//! On 300 transcripts that were read twice (13 with a violation): precision 0.53 (0.30–0.75), recall
//! 0.62 (0.36–0.82), each with its 95 % interval.

use super::rule::{Rule, Severity, Verdict, Violation};
use super::specific::specific_words;
use super::view::View;
use crate::signals::Cue;
use crate::signals::Label::{AskInfo, Blame, Denial, Policy};
use crate::turns::{Role, mentions_name};

pub(super) static RULE: Rule = Rule { id: "impersonal", source: include_str!("impersonal.rs"), context: false, check };

/// From how many words that name something an answer is about this case.
const SPECIFIC: usize = 5;

/// From how sure on the classifier's word is enough: to it most turns are personal.
const SURELY: f32 = 0.8;

fn check(view: &View<'_>) -> Verdict {
    let turns: Vec<usize> = view.company_turns().filter(|&i| view.role(i) == Role::Agent).collect();
    let (Some(&first), true) = (turns.first(), turns.len() >= 2) else {
        return Verdict::NotApplicable;
    };
    let personal = |&i: &usize| {
        let text = view.text(i);
        // An answer in other words takes the case up as well; a question of the procedure or a rule does not.
        let answers = view.customer_before(i).is_some()
            && !view.any(i, &[AskInfo, Denial, Policy, Blame])
            && specific_words(text) >= SPECIFIC;
        let taken_up = view.taken_up(text, i) > 0 && !view.cue(i, Cue::Generic);
        mentions_name(text) || taken_up || answers || view.sure(i, Cue::Personal) >= SURELY
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
                (
                    "ok",
                    "C neg problem | no signal since lunch\nA neu ask-info | Account number?\nC neu | 40518\nA neu | The mast by the harbour lost power at noon.",
                ),
                ("n/a", "C neu | old plan?\nA neu | One moment."),
            ],
        );
    }
}
