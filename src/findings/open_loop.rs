//! # What it finds
//! The company has the last word on a problem or request and leaves it hanging: nothing confirmed, nothing checked, no follow-up promised.
//! # Why it hurts the customer
//! The customer cannot tell whether it is over or whether anybody is still on it, and has to ask again.
//! # Example
//! Agent, at the end: "Your comments have been forwarded."
//! # Say instead
//! "Does that settle it for you? If not, I'll look again tomorrow morning and write to you."
//! # What it leaves alone
//! An information question that was answered, "DM us, we'll carry on there", and matters that the customer called settled.
//! # Measured
//! On 300 transcripts that were read twice (70 with a violation): precision 0.76 (0.65–0.85), recall
//! 0.79 (0.68–0.87), each with its 95 % interval.

use super::no_next_step::{answered, settled, wants};
use super::phrases::only_relays;
use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::signals::Label::{AskInfo, Check, Commitment, Compensation, Problem, Transfer};

pub(super) static RULE: Rule = Rule { id: "open-loop", source: include_str!("open_loop.rs"), context: false, check };

fn check(view: &View<'_>) -> Verdict {
    let asked = view.customer_turns().find(|&i| wants(view, i));
    let last = view.messages().last().filter(|m| m.company);
    let (Some(_), Some(last)) = (asked, last) else {
        return Verdict::NotApplicable;
    };
    let promises = |&i: &usize| view.any(i, &[Commitment, Compensation]) && !only_relays(view.text(i));
    let closed = view.message_any(last, &[Check, AskInfo]) || last.turns.iter().any(promises);
    if closed || settled(view) || answered(view, last.last()) {
        return Verdict::Ok;
    }
    let trouble = view.customer_turns().any(|i| view.has(i, Problem));
    Verdict::Violated(Violation {
        turns: vec![last.last()],
        evidence: None,
        severity: if trouble && !view.message_any(last, &[Transfer]) { Severity::Medium } else { Severity::Low },
        confidence: 0.75,
        seen: format!(
            "The conversation ends with the company's turn {}, which neither checks that the matter is solved nor promises to follow up.",
            last.last()
        ),
        suggestion: "Check before closing, \"Does that settle it?\", or promise the follow-up with a time.".to_owned(),
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
                    "C neg problem | Crew was rude\nA neu apology | Sorry about that. Your comments have been forwarded.",
                ),
                ("violated 1", "C neg problem | Billed twice\nA neu apology,transfer | Sorry, please call billing."),
                (
                    "violated 3",
                    "C neg problem | It is dead\nA neu ask-info | Which one?\nC neu | blue\nA neu | It is old.",
                ),
                ("ok", "C neg problem | Billed twice\nA neu apology,commitment | Sorry, I've refunded it."),
                ("ok", "C neg problem | It is dead\nA neu check | Did the reset help?"),
                ("ok", "C neu | When do you open?\nA neu | At nine."),
                ("n/a", "C neg problem | It is dead\nA neu | Try it now\nC neg | still dead"),
            ],
        );
    }
}
