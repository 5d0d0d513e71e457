//! # What it finds
//! The customer reports a problem, and from there to the end nobody apologizes for it.
//! # Why it hurts the customer
//! A refund or coupon alone leaves 37 % of customers satisfied; with an apology it is 74 % (Arizona State, W. P. Carey).
//! # Example
//! Customer: "I was charged twice." Agent: "Send me your account number and I'll refund one."
//! # Say instead
//! "I'm sorry about the double charge. Send me your account number and I'll refund one."
//! # What it leaves alone
//! Questions and requests without a problem; trouble that is not the company's doing; a customer who was told sorry already when they were upset. "Sorry for the inconvenience" counts as an
//! apology; "sorry you feel that way", "sorry to keep you" where the wait was not the trouble, "unfortunately" and "thank you for your patience" do not.
//! # Measured
//! On 300 transcripts that were read twice (70 with a violation): precision 0.78 (0.67–0.86), recall
//! 0.84 (0.74–0.91), each with its 95 % interval.

use super::phrases::apologizes_for_manners;
use super::rule::{Rule, Severity, Verdict, Violation};
use super::topic::topic;
use super::view::View;
use crate::lexicon;
use crate::signals::Cue;
use crate::signals::Label::{Apology, Frustration, NonApology, Problem, Repeat};
use crate::signals::Sentiment;

pub(super) static RULE: Rule =
    Rule { id: "missing-apology", source: include_str!("missing_apology.rs"), context: false, check };

lexicon!(
    /// The trouble is, or may be, the wait.
    WAITED: "wait", "waiting", "waited", "late", "delay", "delayed", "slow", "on hold", "no reply", "no answer", "nobody answers", "hours", "days", "weeks"
);

fn check(view: &View<'_>) -> Verdict {
    let Some((problem, reply)) =
        view.customer_turns().filter(|&i| wronged(view, i)).find_map(|i| Some((i, view.reply_to(i)?.first())))
    else {
        return Verdict::NotApplicable;
    };
    let later: Vec<usize> = view.company_turns().filter(|&i| i > problem).collect();
    // An apology for something else does not settle it; where the wait is the trouble, one for the wait does.
    let late = view.cue(problem, Cue::Waits) || view.has(problem, Repeat) || WAITED.hits(view.text(problem));
    let elsewhere = |i: usize| !late && apologizes_for_manners(view.text(i));
    if later.iter().any(|&i| view.has(i, Apology) && !elsewhere(i)) || was_sorry_before(view, problem) {
        return Verdict::Ok;
    }
    let what = topic(view.text(problem));
    let withheld = later.iter().find(|&&i| view.has(i, NonApology));
    let manners = later.iter().find(|&&i| view.has(i, Apology));
    let seen = match (withheld, manners) {
        (_, Some(i)) => format!(
            "No apology found for the problem that the customer reported (turn {problem}); turn {i} apologizes only for the wait or for a question."
        ),
        (Some(i), None) => format!(
            "No apology found after the customer reported a problem (turn {problem}); turn {i} sounds like an apology but takes no responsibility."
        ),
        (None, None) => format!("No apology found after the customer reported a problem (turn {problem})."),
    };
    let severity = if view.has(problem, Frustration) { Severity::High } else { Severity::Medium };
    Verdict::Violated(Violation {
        turns: vec![problem, reply],
        evidence: Some(Problem),
        severity,
        confidence: view.p(problem, Problem)
            * view.sure(problem, Cue::ApologyOwed)
            * (1.0 - view.p_max(later.into_iter().filter(|&i| !elsewhere(i)), Apology)),
        seen,
        suggestion: format!(
            "Apologize (the A of L.E.A.R.N.) before the next step, and name it: \"I'm sorry about {what}. …\""
        ),
    })
}

/// A problem of the company's doing, unless in passing in a thank-you, or anger in a turn that may well be about one.
fn wronged(view: &View<'_>, turn: usize) -> bool {
    let thanks = view.signals(turn).sentiment == Sentiment::Pos && !view.has(turn, Frustration);
    let told = view.has(turn, Problem) && !thanks
        || view.has(turn, Frustration) && view.negative(turn) && view.p(turn, Problem) >= MAYBE;
    told && view.cue(turn, Cue::ApologyOwed)
}

/// Whether somebody apologized already, to a customer who was upset or in trouble: it may have been this problem, told less plainly.
fn was_sorry_before(view: &View<'_>, problem: usize) -> bool {
    let upset = view.customer_turns().find(|&i| view.any(i, &[Problem, Frustration]));
    let sorry = |i: usize| view.has(i, Apology) && !apologizes_for_manners(view.text(i));
    upset.is_some_and(|first| view.company_turns().any(|i| first < i && i < problem && sorry(i)))
}

/// From what probability of a problem on anger counts as being about one.
const MAYBE: f32 = 0.3;

#[cfg(test)]
mod tests {
    use crate::findings::testing::cases;

    #[test]
    fn its_cases() {
        cases(
            &super::RULE,
            &[
                (
                    "violated 0,1",
                    "C neg problem +apology-owed | You charged me twice.\nA neu ask-info | Please send your account number.",
                ),
                (
                    "violated 1,2",
                    "C neu | Hi\nC neg problem +apology-owed | The router died again.\nA neu non-apology | Sorry you feel that way.\nC neu | ok\nA neu commitment | A new one is on its way.",
                ),
                (
                    "violated 2,3",
                    "A neu apology | Sorry to keep you waiting.\nC neu | np\nC neg problem +apology-owed | My parcel came open.\nA neu ask-info | Which one?",
                ),
                (
                    "ok",
                    "C neg problem +apology-owed | You charged me twice.\nA neu ask-info | Number?\nC neu | 12\nA neu apology | Sorry about that, refunded.",
                ),
                (
                    "ok",
                    "C neu problem +apology-owed | It will not start.\nA neu apology | Sorry for the inconvenience.",
                ),
                (
                    "violated 0,1",
                    "C neu problem +apology-owed | The export eats the last column.\nA neu apology,commitment | Sorry to keep you. A fix is out at noon.",
                ),
                (
                    "ok",
                    "C neg frustration | Must the drivers honk all night?\nA neu apology | We're sorry it disturbs you.\nC neg problem,frustration +apology-owed | It was your driver, again.\nA neu | Thank you for telling us.",
                ),
                (
                    "violated 2,3",
                    "C neu | Is the pool open?\nA neu apology | Sorry, closed today.\nC neg problem,frustration +apology-owed | The room was not cleaned.\nA neu ask-info | Which room?",
                ),
                (
                    "ok",
                    "C neg problem +apology-owed +waits | Two days and nobody answers.\nA neu apology | Apologies for the late reply.",
                ),
                ("n/a", "C neu | How much is a parcel to Rome?\nA neu | Nine pounds."),
                (
                    "n/a",
                    "C pos gratitude,problem +apology-owed | Late, but the crew was lovely, thank you!\nA pos | We'll tell them.",
                ),
                ("n/a", "C neg problem | Strangers got into my mail, help!\nA neu ask-info | Which address?"),
                ("n/a", "A neu greeting | Hello!\nC neg problem +apology-owed | My parcel came open."),
            ],
        );
    }
}
