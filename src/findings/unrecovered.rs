//! # What it finds
//! A customer with a problem leaves upset, and after their last angry turn (or at all) the company offers no remedy.
//! # Why it hurts the customer
//! It takes twelve good experiences to make up for one unresolved bad one (Newell-Legner).
//! # Example
//! Customer, last: "Never again." Company: nothing, or "Sorry you feel that way."
//! # Say instead
//! "I'm sorry we lost you a day. I've taken the fee off, and I'll call the depot myself. You'll hear from me by six."
//! # What it leaves alone
//! Customers whose last turn is calm, and offers that stand: a fix, a promise, money, another option, an escalation.
//! # Measured
//! On 300 transcripts that were read twice (66 with a violation): precision 0.64 (0.52–0.74), recall
//! 0.70 (0.58–0.79), each with its 95 % interval.

use super::phrases::only_relays;
use super::rule::{Rule, Severity, Verdict, Violation};
use super::topic::topic;
use super::view::View;
use crate::signals::Cue;
use crate::signals::Label::{Alternative, Churn, Commitment, Compensation, Denial, Problem};

pub(super) static RULE: Rule =
    Rule { id: "unrecovered", source: include_str!("unrecovered.rs"), context: false, check };

/// From what sum on an offer stands: how likely it is one, and how sure the turn carries the matter on. One that nobody carries on does not.
const STANDS: f32 = 1.2;

fn check(view: &View<'_>) -> Verdict {
    let problem = view.customer_turns().find(|&i| view.has(i, Problem));
    let (Some(problem), Some(last)) = (problem, view.customer_turns().next_back()) else {
        return Verdict::NotApplicable;
    };
    if !view.cue(last, Cue::EmpathyOwed) {
        return Verdict::Ok;
    }
    let after: Vec<usize> = view.company_turns().filter(|&i| i > last).collect();
    let looked_at = if after.is_empty() { view.company_turns().collect() } else { after };
    let refused = view.company_turns().any(|i| view.has(i, Denial));
    let remedy = |&i: &usize| {
        // Passing feedback on after a refusal is none at all.
        let promise = if refused && only_relays(view.text(i)) { 0.0 } else { view.p(i, Commitment) };
        let offer = promise.max(view.p(i, Compensation)).max(view.p(i, Alternative));
        offer + view.sure(i, Cue::FollowUp) >= STANDS
    };
    if looked_at.iter().any(remedy) {
        return Verdict::Ok;
    }
    let severity = if view.has(last, Churn) { Severity::High } else { Severity::Medium };
    let answer = looked_at.last().copied();
    Verdict::Violated(Violation {
        turns: std::iter::once(last).chain(answer).collect(),
        evidence: None,
        severity,
        confidence: view.sure(last, Cue::EmpathyOwed) * view.p(problem, Problem),
        seen: format!("The customer leaves upset (turn {last}) and was offered no remedy."),
        suggestion: format!(
            "Recover before closing: Acknowledge + Apologize + Action plan + next update time, for {}.",
            topic(view.text(problem))
        ),
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
                    "violated 2,1",
                    "C neg problem | It never came\nA neu apology | Sorry.\nC neg churn +empathy-owed | Never again.",
                ),
                (
                    "violated 0,1",
                    "C neg problem +empathy-owed | It never came\nA neu non-apology | Sorry you feel that way.",
                ),
                (
                    "violated 2,3",
                    "C neg problem | dead\nA neu commitment | We'll send one.\nC neg frustration +empathy-owed | you said that last week\nA neu closing | Have a good day.",
                ),
                (
                    "ok",
                    "C neg problem +empathy-owed | It never came\nA neu apology,commitment +follow-up | Sorry, a new one is on its way.",
                ),
                ("ok", "C neg problem | It never came\nA neu apology | Sorry.\nC neu | ok thanks"),
                (
                    "ok",
                    "C neg problem +empathy-owed | It never came\nA neu compensation +follow-up | Here is your money back.",
                ),
                (
                    "violated 0,1",
                    "C neg problem +empathy-owed | It never came\nA neu commitment | Your comments have been passed on.",
                ),
                ("n/a", "C neg frustration | ugh monday\nA neu | True."),
                ("n/a", "A neu greeting | Hello."),
            ],
        );
    }
}
