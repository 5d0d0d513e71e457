//! # What it finds
//! The customer shows annoyance, anger or distress, or tells of a loss or hardship, and no later turn of the company acknowledges how it feels
//! or what it did to them.
//! # Why it hurts the customer
//! Customers who are upset want to be heard before they are helped; a correct answer alone leaves them feeling handled.
//! # Example
//! Customer: "I sat on the floor of the airport all night with two kids." Agent: "Please send your booking code."
//! # Say instead
//! "A night on the floor with two children is awful, and I'm sorry we left you there. Please send your booking code and I'll …"
//! # What it leaves alone
//! An apology that names what happened ("sorry your bag was left behind"). A bare "sorry for the
//! inconvenience" or "I understand" is not empathy.
//! # Measured
//! On 300 transcripts that were read twice (93 with a violation): precision 0.81 (0.71–0.87), recall
//! 0.81 (0.71–0.87), each with its 95 % interval.

use super::phrases::names_it;
use super::rule::{Rule, Severity, Verdict, Violation};
use super::topic::topic;
use super::view::View;
use crate::lexicon;
use crate::signals::Cue;
use crate::signals::Label::{Apology, Churn, Empathy, Frustration, Problem};
use crate::signals::Sentiment;

pub(super) static RULE: Rule = Rule { id: "no-empathy", source: include_str!("no_empathy.rs"), context: false, check };

lexicon!(
    /// A loss that calls for a word whatever the tone.
    LOSS: "passed away", "died", "funeral", "bereavement", "in hospital", "cancer", "miscarriage", "my late husband", "my late wife", "my late mother", "my late father", "lost my job"
);

lexicon!(
    /// Hardship, told without anger.
    HARDSHIP: "hospital", "surgery", "stolen", "stranded", "crying", "in tears",
    "cant afford", "lost my", "robbed", "hacked", "emergency", "scared", "worried", "desperate", "disabled", "newborn"
);

/// From how sure on a reply was heard: a kind word in passing is soon taken for it.
const HEARD: f32 = 0.7;

fn check(view: &View<'_>) -> Verdict {
    let upset = |i: usize| {
        let annoyed = view.has(i, Frustration) && view.signals(i).sentiment != Sentiment::Pos;
        annoyed || LOSS.hits(view.text(i)) || view.negative(i) && (view.has(i, Problem) || HARDSHIP.hits(view.text(i)))
    };
    let Some((turn, reply)) =
        view.customer_turns().filter(|&i| upset(i)).find_map(|i| Some((i, view.reply_to(i)?.first())))
    else {
        return Verdict::NotApplicable;
    };
    let later: Vec<usize> = view.company_turns().filter(|&i| i > turn).collect();
    let heard = |&i: &usize| {
        view.has(i, Empathy) || view.sure(i, Cue::Heard) >= HEARD || view.has(i, Apology) && names_it(view.text(i))
    };
    if later.iter().any(heard) {
        return Verdict::Ok;
    }
    let bare = later.iter().any(|&i| view.has(i, Apology));
    let p = if view.has(turn, Frustration) { view.p(turn, Frustration) } else { 0.6 };
    let upsetting =
        view.customer_turns().filter(|&i| upset(i)).count() > 1 || view.customer_turns().any(|i| view.has(i, Churn));
    let extent = if bare { "the apology stays general" } else { "no reply acknowledges it" };
    Verdict::Violated(Violation {
        turns: vec![turn, reply],
        evidence: Some(Frustration),
        severity: if upsetting && !bare { Severity::High } else { Severity::Medium },
        confidence: p * (1.0 - view.p_max(later.iter().copied(), Empathy)) * (1.0 - view.surest(later, Cue::Heard)),
        seen: format!("The customer is upset (turn {turn}) and {extent}."),
        suggestion: format!(
            "Empathize (the E of L.E.A.R.N.) in the first reply: name {} and what it meant for this customer before the next step.",
            topic(view.text(turn))
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
                    "violated 0,1",
                    "C neg frustration,problem | Four hours on the floor. Great job.\nA neu ask-info | Booking code?",
                ),
                (
                    "violated 0,1",
                    "C neg frustration,problem | Again no engineer!!\nA neu apology | Sorry for any inconvenience.",
                ),
                (
                    "violated 0,1",
                    "C neg | My father died and I can't use the ticket, I'm in tears\nA neu ask-info | Ticket number?",
                ),
                ("ok", "C neg frustration,problem | Four hours!\nA neu empathy | Four hours is awful."),
                (
                    "ok",
                    "C neg frustration,problem | Where is my bag\nA neu apology | We're sorry your bag was left behind.",
                ),
                (
                    "ok",
                    "C neg frustration,problem | Four hours on the floor\nA neu +heard | Nobody should have to wait like that.",
                ),
                ("n/a", "C neu problem | The app does not open.\nA neu ask-info | Which phone?"),
                ("n/a", "C pos gratitude,frustration | A long day, but you saved it!\nA pos | Gladly."),
                ("n/a", "C neg frustration | Four hours!"),
            ],
        );
    }
}
