//! # What it finds
//! The company puts the fault on the customer, talks down, or is sarcastic or rude.
//! # Why it hurts the customer
//! A customer who asked for help is made to defend themselves; the matter itself stands where it was.
//! # Example
//! "If you had read the email you would have known."
//! # Say instead
//! "The change was announced by email in May; I can see how it got lost. Here is how we set it right: …"
//! # What it leaves alone
//! A neutral cause ("the order has number 12, not 21"), kind advice for next time, and a calm limit set after the customer insults the agent.
//! # Measured
//! The 300 transcripts that readers judged have no case of it: how often it is right is not known yet.

use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::signals::Label::Blame;

pub(super) static RULE: Rule = Rule { id: "blame", source: include_str!("blame.rs"), context: false, check };

fn check(view: &View<'_>) -> Verdict {
    if view.company_turns().next().is_none() {
        return Verdict::NotApplicable;
    }
    let turns: Vec<usize> = view.company_turns().filter(|&i| view.has(i, Blame) && !view.answers_abuse(i)).collect();
    let Some(&main) = turns.first() else {
        return Verdict::Ok;
    };
    Verdict::Violated(Violation {
        evidence: Some(Blame),
        severity: Severity::High,
        confidence: view.p_max(turns.iter().copied(), Blame),
        seen: format!("The reply puts the fault on the customer or talks down to them (turn {main})."),
        suggestion: "Explain the cause without blaming the customer, and go on to the way out: \"The form was missing a date. I've added it, so …\"".to_owned(),
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
                ("violated 1", "C neg problem | It never came.\nA neu blame | Well, you typed the address wrong."),
                (
                    "violated 1,3",
                    "C neu | a\nA neu blame | As I already said.\nC neu | b\nA neu blame | Read it again.",
                ),
                ("violated 2", "C neu | hello\nA neu | Hi.\nA neg blame | Did you even read the mail?"),
                ("ok", "C neg problem | It never came.\nA neu | The order has 12, not 21; I've changed it."),
                ("ok", "C neg abuse | you absolute idiot\nA neu blame | Please don't speak to me like that."),
                ("ok", "C neu | hi\nA neu greeting | Hello!"),
                ("n/a", "C neg problem | It never came."),
            ],
        );
    }
}
