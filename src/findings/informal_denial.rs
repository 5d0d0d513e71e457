//! # What it finds
//! A request is refused in a casual tone: slang, emoji, a joke.
//! # Why it hurts the customer
//! An informal tone when a request is denied hurts satisfaction for 78 % of customers; for a formal tone, 65 % say it has no
//! effect (Software Advice).
//! # Example
//! "nope, no can do hun 😂"
//! # Say instead
//! "I'm not able to take the fee off. Here is what I can do: …"
//! # What it leaves alone
//! Friendly talk in any turn that refuses nothing, and refusals in a warm but standard tone.
//! # Measured
//! On 300 transcripts that were read twice (4 with a violation): precision 0.60 (0.23–0.88), recall
//! 0.75 (0.30–0.95), each with its 95 % interval.

use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::signals::Label::{Alternative, Denial, Informal};

pub(super) static RULE: Rule =
    Rule { id: "informal-denial", source: include_str!("informal_denial.rs"), context: false, check };

fn check(view: &View<'_>) -> Verdict {
    let refusals: Vec<usize> =
        view.company_turns().filter(|&i| view.has(i, Denial) && !view.answers_abuse(i)).collect();
    if refusals.is_empty() {
        return Verdict::NotApplicable;
    }
    let turns: Vec<usize> = refusals.into_iter().filter(|&i| view.has(i, Informal)).collect();
    let Some(&main) = turns.first() else {
        return Verdict::Ok;
    };
    let bare = !view.has(main, Alternative);
    Verdict::Violated(Violation {
        evidence: Some(Informal),
        severity: if bare { Severity::High } else { Severity::Medium },
        confidence: turns.iter().map(|&i| view.p(i, Denial) * view.p(i, Informal)).fold(0.0, f32::max),
        seen: format!("The request was refused in a casual tone (turn {main})."),
        suggestion: "Say a refusal in plain, standard words, without jokes, slang or emoji, and follow it with what can be done: \"I'm not able to … \
                     What I can do is …\""
            .to_owned(),
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
                ("violated 1", "C neu | old price pls\nA neu denial,informal | nope, long gone lol"),
                (
                    "violated 1",
                    "C neu | A window seat?\nA neu denial,informal,alternative | Haha I wish! I can do an aisle 😊",
                ),
                ("violated 3", "C neu | a\nA neu denial | We can't.\nC neu | b\nA neu denial,informal | Nah mate"),
                ("ok", "C neu | old price please\nA neu denial | I'm afraid that price has ended."),
                (
                    "ok",
                    "C neu | old price please\nA neu informal | Hey hey! 😊\nA neu denial | I'm afraid that price has ended.",
                ),
                ("n/a", "C neu | hi\nA neu informal | heya! what's up 😊"),
                ("n/a", "C neu | Can I move it?\nA neu commitment | Done."),
            ],
        );
    }
}
