//! # What it finds
//! The first thing the customer hears from an agent is a demand or an instruction: no greeting, no thanks, nothing about what they said.
//! # Why it hurts the customer
//! The first sentence tells customers whether anybody heard them; a bare demand says that nobody did.
//! # Example
//! Customer: "My card was declined at the hotel." Agent: "Full name and date of birth."
//! # Say instead
//! "Hello, I'm Sam. A declined card at check-in, let me look at that. May I have your full name and date of birth?"
//! # What it leaves alone
//! A first question or answer that takes up the customer's own words, and conversations that a bot opens.
//! # Measured
//! On 300 transcripts that were read twice (24 with a violation): precision 0.84 (0.65–0.94), recall
//! 0.88 (0.69–0.96), each with its 95 % interval.

use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::lexicon;
use crate::signals::Label::{
    Apology, AskInfo, Blame, Check, Closing, Denial, Empathy, Greeting, NonApology, Policy, Transfer,
};
use crate::signals::Sentiment;
use crate::turns::{Role, mentions_name};

pub(super) static RULE: Rule = Rule { id: "cold-open", source: include_str!("cold_open.rs"), context: false, check };

lexicon!(
    /// Words that take the customer in.
    WARM: "thank", "thanks", "hi", "hello", "hey", "good morning", "good afternoon", "good evening", "welcome", "sorry", "apologies", "apologize", "happy to",
    "glad", "of course", "sure", "certainly", "absolutely", "no problem", "understand", "i see", "great", "congratulations", "appreciate", "oh no", "love",
    "oh", "good luck", "happy", "agree", "noted", "got it", "all right", "alright", "unfortunately", "yes", "youre right", "let me", "help you", "well look", "ill look", "please know"
);

fn check(view: &View<'_>) -> Verdict {
    let Some(message) = view.messages().iter().find(|m| m.company) else {
        return Verdict::NotApplicable;
    };
    let first = message.first();
    if view.role(first) != Role::Agent {
        return Verdict::NotApplicable;
    }
    let text = view.message_text(message);
    let kind = view.message_any(message, &[Greeting, Apology, NonApology, Empathy, Closing, Check])
        || message.turns.iter().any(|&i| view.signals(i).sentiment == Sentiment::Pos);
    let demands = view.message_any(message, &[AskInfo, Blame, Denial, Policy, Transfer]) || IMPERATIVE.hits(&text);
    if kind || WARM.hits(&text) || mentions_name(&text) || view.taken_up(&text, first) > 0 || !demands {
        return Verdict::Ok;
    }
    Verdict::Violated(Violation {
        turns: vec![first],
        evidence: None,
        severity: Severity::Low,
        confidence: 0.9 - 0.5 * view.p(first, Greeting),
        seen: format!(
            "The agent's first turn goes straight to a demand, without a greeting or a word on what the customer said (turn {first})."
        ),
        suggestion: "Listen (the L of L.E.A.R.N.): greet, say back in a few words what the customer needs, then ask."
            .to_owned(),
    })
}

lexicon!(
    /// An instruction.
    IMPERATIVE: "please", "send", "provide", "call", "visit", "fill", "go to", "contact", "dm", "check", "restart", "need your", "need the", "give me"
);

#[cfg(test)]
mod tests {
    use crate::findings::testing::cases;

    #[test]
    fn its_cases() {
        cases(
            &super::RULE,
            &[
                ("violated 1", "C neg problem | My card was declined.\nA neu ask-info | Full name and date of birth."),
                (
                    "violated 1",
                    "C neu | I want to move my appointment.\nA neu ask-info | Could I get your full name, please?",
                ),
                ("violated 1", "C neg problem | no internet\nA neu | Restart the router."),
                ("ok", "C neg problem | My card was declined.\nA neu greeting,ask-info | Hello! Full name, please?"),
                ("ok", "C neg problem | My card was declined.\nA neu ask-info | Which card was declined?"),
                ("ok", "A neu greeting | How can I help?\nC neu | My card."),
                ("n/a", "C neu | hello\nB neu ask-info | Full name."),
            ],
        );
    }
}
