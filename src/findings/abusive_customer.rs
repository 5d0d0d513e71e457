//! # What it finds
//! The customer insults or threatens a person. It is context and never a mistake of the agent.
//! # Why it hurts the customer
//! It is marked so that the agent's calm limit is not held against them, and so that the agent can be looked after.
//! # Example
//! "You're a useless moron, put someone with a brain on."
//! # Say instead
//! "I want to help with this. I can do that if we keep it respectful."
//! # What it leaves alone
//! Swearing at the situation and contempt for the company ("worst airline ever").
//! # Measured
//! On 300 transcripts that were read twice (6 with a violation): precision 0.57 (0.25–0.84), recall
//! 0.67 (0.30–0.90), each with its 95 % interval.

use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::signals::Label::Abuse;

pub(super) static RULE: Rule =
    Rule { id: "abusive-customer", source: include_str!("abusive_customer.rs"), context: true, check };

fn check(view: &View<'_>) -> Verdict {
    let turns: Vec<usize> = view.customer_turns().filter(|&i| view.has(i, Abuse)).collect();
    let Some(&main) = turns.first() else {
        return Verdict::NotApplicable;
    };
    Verdict::Violated(Violation {
        evidence: Some(Abuse),
        severity: Severity::Low,
        confidence: view.p_max(turns.iter().copied(), Abuse),
        seen: format!("The customer insults or threatens a person (turn {main}); this is context, not a mistake of the agent."),
        suggestion: "Set one calm limit and keep to the matter; hand over or end the contact if it goes on, and look after the agent.".to_owned(),
        turns,
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
                ("violated 0", "C neg abuse | you morons\nA neu | I understand."),
                ("violated 0,2", "C neg abuse | idiot\nA neu | Please.\nC neg abuse | shut up clown"),
                ("violated 1", "A neu greeting | Hi!\nC neg abuse,frustration | are you stupid"),
                ("n/a", "C neg frustration | this is a damn joke\nA neu apology | Sorry."),
                ("n/a", "C neg frustration | worst airline ever\nA neu apology | Sorry."),
                ("n/a", "A neu greeting | Hi!"),
            ],
        );
    }
}
