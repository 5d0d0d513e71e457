//! # What it finds
//! The conversation ends with the matter open, and the company's last two turns hold no step that somebody takes next.
//! # Why it hurts the customer
//! The customer is left to start again. It takes twelve good experiences to make up for one unresolved bad one (Newell-Legner).
//! # Example
//! Customer: "So when does it come?" Agent: "We understand your frustration."
//! # Say instead
//! "The depot traces it today. I'll write to you here by noon tomorrow, found or not."
//! # What it leaves alone
//! Matters that are settled, a "no" that the customer accepts, a step promised earlier that still stands, and questions for details ("DM us your number").
//! # Measured
//! On 300 transcripts that were read twice (52 with a violation): precision 0.57 (0.45–0.68), recall
//! 0.73 (0.60–0.83), each with its 95 % interval.

use super::over_automation::brings_person;
use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::{Message, View};
use crate::lexicon;
use crate::signals::Label::{
    Alternative, Apology, AskInfo, Check, Closing, Commitment, Compensation, Denial, Frustration, Gratitude, Greeting,
    NonApology, Policy, Problem, Repeat, Resolved, Timeframe, Transfer, WantsHuman,
};
use crate::signals::Sentiment;
use crate::turns::{Role, content_words, words};

pub(super) static RULE: Rule =
    Rule { id: "no-next-step", source: include_str!("no_next_step.rs"), context: false, check };

lexicon!(
    /// Something is wanted.
    WANTS: "can you", "can i", "could you", "could i", "please", "how do i", "how can i", "need", "want", "would like", "id like", "help", "when will", "where is", "what is", "why", "how long", "is there", "do you", "will you", "any chance",
    "trying to", "wondering", "possible"
);

fn check(view: &View<'_>) -> Verdict {
    let asked = view.customer_turns().find(|&i| wants(view, i));
    let (Some(asked), Some(last)) = (asked, view.company_turns().next_back()) else {
        return Verdict::NotApplicable;
    };
    if settled(view) {
        return Verdict::Ok;
    }
    // What came before the customer said anything is no step for them; "hi" is nothing yet.
    let first = view.customer_turns().find(|&i| i == asked || content_words(view.text(i)).len() >= 3).unwrap_or(asked);
    // A goodbye takes no step back: the last two turns that say something count.
    let tail: Vec<usize> = view
        .company_turns()
        .rev()
        .filter(|&i| !courtesy(view, i))
        .take(2)
        .filter(|&i| i > first || i == last)
        .collect();
    // A question is a step only while it waits for its answer.
    let waits = |i: usize| view.has(i, AskInfo) && !view.customer_turns().any(|c| c > i && i != last);
    let step = |i: usize| {
        let offers = view.any(i, &[Commitment, Timeframe, Transfer, Alternative, Compensation]) || waits(i);
        offers && !evades(view, i)
    };
    // A refusal takes back the offer before it.
    let stands = tail.first().is_some_and(|&i| step(i) || !view.has(i, Denial) && tail[1..].iter().any(|&b| step(b)));
    if stands || answered(view, last) {
        return Verdict::Ok;
    }
    let open = view.customer_turns().next_back().unwrap_or(asked);
    Verdict::Violated(Violation {
        turns: vec![last],
        evidence: None,
        severity: if view.any(open, &[Frustration, Problem]) { Severity::High } else { Severity::Medium },
        confidence: if view.any(open, &[Frustration, Problem]) { 0.8 } else { 0.6 },
        seen: format!("The matter is still open at the end, and the last reply names no next step (turn {last})."),
        suggestion: "Resolve (the R of L.E.A.R.N.): end with who does what by when: \"I'll ask the depot today and write to you by noon tomorrow.\"".to_owned(),
    })
}

/// A problem or a request.
pub(super) fn wants(view: &View<'_>, turn: usize) -> bool {
    view.any(turn, &[Problem, Frustration, Repeat, WantsHuman])
        || view.text(turn).contains('?')
        || WANTS.hits(view.text(turn))
}

/// Only a greeting, a goodbye or "anything else?".
fn courtesy(view: &View<'_>, turn: usize) -> bool {
    let says =
        [Commitment, Timeframe, Transfer, Alternative, Compensation, AskInfo, Denial, Policy, Apology, NonApology];
    view.any(turn, &[Closing, Check, Greeting]) && !view.any(turn, &says) && content_words(view.text(turn)).len() < 6
}

/// A bot that goes on asking or pointing elsewhere after a person was asked for: no step towards one.
fn evades(view: &View<'_>, turn: usize) -> bool {
    let wanted = || view.customer_turns().rfind(|&i| i < turn && view.has(i, WantsHuman));
    view.role(turn) == Role::Bot
        && !view.any(turn, &[Commitment, Compensation])
        && !brings_person(view.text(turn))
        && wanted().is_some_and(|asked| view.company_turns().all(|i| i < asked || view.role(i) == Role::Bot))
}

/// The customer's last message confirms, thanks or praises, without a new trouble in it.
pub(super) fn settled(view: &View<'_>) -> bool {
    let confirmed = view
        .customer_turns()
        .rev()
        .take(3)
        .take_while(|&i| !view.any(i, &[Problem, Frustration, Repeat]) || view.has(i, Resolved))
        .any(|i| view.has(i, Resolved));
    // "You too" after the thanks changes nothing.
    let bare = |m: &Message| {
        words(&view.message_text(m)).len() <= 3
            && m.turns.iter().all(|&i| view.signals(i).labels.iter().next().is_none())
    };
    let mut theirs = view.messages().iter().rev().filter(|m| !m.company);
    let last = match (theirs.next(), theirs.next()) {
        (Some(m), Some(before)) if bare(m) => Some(before),
        (m, _) => m,
    };
    confirmed
        || last.is_some_and(|m| {
            let good = m.turns.iter().any(|&i| view.has(i, Gratitude) || view.signals(i).sentiment == Sentiment::Pos);
            good && !view.message_any(m, &[Problem, Frustration, Repeat])
        })
}

/// The last message answers a question of a customer who reported no problem.
pub(super) fn answered(view: &View<'_>, last: usize) -> bool {
    let troubled = view.customer_turns().any(|i| view.any(i, &[Problem, Frustration]));
    let asked = view.customer_turns().rev().find(|&i| i < last);
    let asks_on = view.customer_turns().any(|i| i > last && wants(view, i));
    !troubled && !asks_on && !view.has(last, Denial) && asked.is_some_and(|i| !view.negative(i))
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
                    "C neg problem,frustration | Where is my sofa?!\nA neu empathy | We understand your frustration.",
                ),
                (
                    "violated 3",
                    "C neg problem | It is broken\nA neu ask-info | Which one?\nC neg | The blue one\nA neu | Thank you.\nC neg frustration | And now?",
                ),
                ("violated 1", "C neu | Can I move to Friday?\nA neu denial,policy | Unfortunately not."),
                (
                    "ok",
                    "C neg problem | Where is my sofa?\nA neu commitment,timeframe | I'll call the depot and write to you by noon.",
                ),
                (
                    "ok",
                    "C neg problem | It is broken\nA neu | Try the reset.\nC pos resolved,gratitude | That did it, thanks!",
                ),
                ("ok", "C neu | When do you open?\nA neu | At nine."),
                (
                    "violated 3",
                    "C neg problem | You cancelled it, I want the fee back\nA neu alternative | We can move you to June.\nC neg | I can't in June\nA neu denial | Fees can't be paid back.",
                ),
                ("violated 1", "C neu | Do children swim free?\nA neu | They do.\nC neu | And do they need a cap?"),
                (
                    "violated 3",
                    "C neg problem,wants-human | It is blocked, a person please\nB neu ask-info | Balance or cards?\nC neg wants-human | A person!\nB neu ask-info | Balance or cards?",
                ),
                (
                    "ok",
                    "C neg problem,wants-human | It is blocked, a person please\nB neu ask-info | Balance or cards?\nC neg wants-human | A person!\nB neu transfer | I'm connecting you to a colleague.",
                ),
                (
                    "ok",
                    "C neg problem | Where is my sofa?\nA neu commitment | I'll ring the depot.\nC neu | All right.\nA neu check | Anything else?\nC neu | no\nA neu closing | Goodbye.",
                ),
                (
                    "ok",
                    "C neg problem | It broke\nA neu | Bring it in.\nC pos gratitude | Thank you!\nA neu closing | Bye\nC neu | u too",
                ),
                (
                    "violated 3",
                    "C neu | hi\nB neu greeting,timeframe | Our team answers within 2 minutes.\nC neg problem | The boiler is out.\nA neu empathy | Oh dear.",
                ),
                (
                    "ok",
                    "C neu | The machine at the station kept my card.\nA neu apology,commitment | I've ordered you a new one.\nC neg problem | It's the second time this year.\nA neu empathy | That is annoying.",
                ),
                ("n/a", "C neg problem | Where is my sofa?"),
            ],
        );
    }
}
