//! # What it finds
//! A canned or general text answers a specific concern: it stands nearly word for word in other transcripts or earlier in this
//! one, or could stand anywhere, and takes up nothing the customer said.
//! # Why it hurts the customer
//! A text block tells customers that nobody read theirs.
//! # Example
//! Customer: "The engineer left a hole in the wall." Agent: "Thank you for your feedback. We strive to provide the best service to all our customers."
//! # Say instead
//! "A hole in the wall is not how we leave a home. Could you send a photo? I'll have it repaired."
//! # What it leaves alone
//! Greetings, closings, routine questions and required notices may be canned.
//! # Measured
//! On 300 transcripts that were read twice (43 with a violation): precision 0.43 (0.30–0.57), recall
//! 0.47 (0.33–0.61), each with its 95 % interval.

use std::collections::BTreeSet;

use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::signals::Cue;
use crate::signals::Label::{AskInfo, Check, Closing, Denial, Frustration, Greeting, Problem};
use crate::turns::{Role, content_words, stem, words};

pub(super) static RULE: Rule =
    Rule { id: "scripted-reply", source: include_str!("scripted_reply.rs"), context: false, check };

fn check(view: &View<'_>) -> Verdict {
    let agents: Vec<usize> = view.company_turns().filter(|&i| view.role(i) == Role::Agent).collect();
    if agents.is_empty() {
        return Verdict::NotApplicable;
    }
    let limit = view.limits().canned_in_others;
    for &turn in &agents {
        let text = view.text(turn);
        if !concerned(view, turn) || words(text).len() < 5 {
            continue;
        }
        let routine = view.any(turn, &[Greeting, Closing, Check, AskInfo]) && !view.any(turn, &[Denial]);
        // A courtesy, or a question of the procedure, may come again in the same words.
        let courtesy = view.any(turn, &[Greeting, Closing, Check]) && content_words(text).len() < 4
            || view.any(turn, &[AskInfo]) && !view.any(turn, &[Denial]);
        let said = || view.company_turns().filter(|&b| b < turn).rev().take(50).find(|&b| alike(view.text(b), text));
        if let Some(before) = (!courtesy).then(said).flatten() {
            return violated(
                vec![turn, before],
                0.8,
                format!("The same text stands earlier in this conversation (turns {before} and {turn})."),
            );
        }
        if view.taken_up(text, turn) > 0 {
            continue;
        }
        if view.others(turn) >= limit && !routine {
            let seen = format!(
                "This text stands in {} other conversations and takes up nothing the customer said (turn {turn}).",
                view.others(turn)
            );
            return violated(vec![turn], 0.8, seen);
        }
        if view.cue(turn, Cue::Generic) && !routine {
            return violated(
                vec![turn],
                0.6,
                format!("A general text answers a specific concern and takes up nothing of it (turn {turn})."),
            );
        }
    }
    Verdict::Ok
}

/// Whether the customer said something specific and troubled right before the turn.
fn concerned(view: &View<'_>, turn: usize) -> bool {
    view.asked_before(turn).is_some_and(|m| {
        view.message_any(m, &[Problem, Frustration]) || content_words(&view.message_text(m)).len() >= 4
    })
}

/// Nearly the same words, and enough of them.
fn alike(a: &str, b: &str) -> bool {
    let set = |t: &str| -> BTreeSet<String> { words(t).iter().map(|w| stem(w).to_owned()).collect() };
    let (a, b) = (set(a), set(b));
    let all = a.union(&b).count();
    all >= 5 && a.intersection(&b).count() * 5 >= all * 4
}

fn violated(turns: Vec<usize>, confidence: f32, seen: String) -> Verdict {
    Verdict::Violated(Violation {
        turns,
        evidence: None,
        severity: Severity::Low,
        confidence,
        seen,
        suggestion: "Keep the text block for the frame and open with one sentence of your own that names this customer's concern.".to_owned(),
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
                    "C neg problem,frustration | The engineer left a hole in my wall!\nA neu +generic | We value your feedback and strive to do better every day.",
                ),
                (
                    "violated 3,1",
                    "C neg problem | It died again\nA neu denial | The guarantee has ended for goods of that kind.\nC neg problem | But it died twice in the guarantee?\nA neu denial | The guarantee has ended for goods of that kind.",
                ),
                (
                    "violated 1",
                    "C neg frustration | Crew laughed at my mother\nA neu +generic | Thank you for your patience and your comments today.",
                ),
                (
                    "ok",
                    "C neg problem,frustration | The engineer left a hole in my wall!\nA neu apology | We value your feedback. A hole in the wall is not right.",
                ),
                (
                    "ok",
                    "C neg problem | The engineer left a hole\nA neu greeting,ask-info | Thank you for contacting us, may I have your name?",
                ),
                (
                    "ok",
                    "C neg problem | It died again on Sunday\nA neu ask-info | May I have your account number please?\nC neu | it must be here on some letter\nA neu ask-info | May I have your account number please?",
                ),
                ("ok", "C neu | hi\nA neu +generic closing | Thank you for contacting us today, have a nice day."),
                (
                    "n/a",
                    "C neg problem | The engineer left a hole\nB neu +generic | We value your feedback and strive to do better.",
                ),
            ],
        );
    }
}
