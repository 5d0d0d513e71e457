//! # What it finds
//! The customer asks for a person and gets none in the next two replies, a bot repeats itself, or the customer complains that only machines answer.
//! # Why it hurts the customer
//! A machine that does not let go leaves the customer no way to be heard.
//! # Example
//! Customer: "Can I talk to a person?" Bot: "Please choose 1 or 2." Bot: "Please choose 1 or 2."
//! # Say instead
//! "I'm connecting you with a colleague now; the wait is about three minutes."
//! # What it leaves alone
//! A bot that hands over when asked, and a summary shown again for confirmation.
//! # Measured
//! On 300 transcripts that were read twice (6 with a violation): precision 0.75 (0.41–0.93), recall
//! 1.00 (0.61–1.00), each with its 95 % interval.

use std::collections::BTreeSet;

use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::lexicon;
use crate::signals::Label::{
    Alternative, AskInfo, Check, Closing, Commitment, Denial, Greeting, Policy, Transfer, WantsHuman,
};
use crate::turns::{Role, content_words, words};

pub(super) static RULE: Rule =
    Rule { id: "over-automation", source: include_str!("over_automation.rs"), context: false, check };

lexicon!(
    /// The customer speaks of machines.
    MACHINE: "bot", "bots", "chatbot", "chat bot", "talking to a machine", "talking to a robot", "talk to a machine", "a robot", "robots", "to a recording", "recorded message", "recorded messages", "automated", "auto reply", "auto replies",
    "autoreply", "automatic reply", "auto response", "copy paste", "copy and paste", "answering machine", "virtual assistant", "phone tree", "phone menu", "press 1", "press one", "machines", "voicemail again", "automatic"
);

lexicon!(
    /// A person is being fetched.
    HANDS_OVER: "transferring you", "transfer you now", "connecting you", "connect you", "put you through", "putting you through", "ill transfer you", "i will transfer you", "will now transfer",
    "being transferred", "have been transferred", "passing you", "handing you", "hand you over", "you are being", "joined the chat", "will call you", "colleague will", "agent will", "someone will"
);

fn check(view: &View<'_>) -> Verdict {
    let bots: Vec<usize> = view.company_turns().filter(|&i| view.role(i) == Role::Bot).collect();
    let spoken: Vec<usize> = view.customer_turns().filter(|&i| MACHINE.hits(view.text(i))).collect();
    if bots.is_empty() && spoken.is_empty() {
        return Verdict::NotApplicable;
    }
    if let Some(turn) =
        view.customer_turns().find(|&i| view.has(i, WantsHuman) && unanswered(view, i) && !accepts(view, i))
    {
        let seen = format!("The customer asks for a person (turn {turn}) and none comes in the next two replies.");
        return violated(vec![turn], view.p(turn, WantsHuman), seen);
    }
    if let Some((again, before)) = repeats(view, &bots) {
        return violated(vec![again, before], 0.8, format!("The bot repeats itself (turns {before} and {again})."));
    }
    if let Some(&turn) = spoken.iter().find(|&&i| {
        view.negative(i) && view.reply_to(i).is_none_or(|m| m.turns.iter().all(|&t| view.role(t) == Role::Bot))
    }) {
        return violated(
            vec![turn],
            0.6,
            format!("The customer complains of getting only automatic answers (turn {turn})."),
        );
    }
    Verdict::Ok
}

/// The customer takes up the bot's own offer of a person.
fn accepts(view: &View<'_>, turn: usize) -> bool {
    let offer = view.transcript().before(turn);
    offer.is_some_and(|b| {
        view.role(b).is_company() && view.any(b, &[Transfer, Alternative]) && PERSON.hits(view.text(b))
    })
}

lexicon!(
    /// A person who could take over.
    PERSON: "human", "human agent", "live agent", "representative", "colleague", "specialist", "person", "advisor", "adviser", "supervisor", "manager", "team member", "agent"
);

/// Whether a text fetches or names a person who takes over.
pub(super) fn brings_person(text: &str) -> bool {
    HANDS_OVER.hits(text) || PERSON.hits(text)
}

/// Neither an agent's turn nor a hand-over among the next two messages of the company.
fn unanswered(view: &View<'_>, turn: usize) -> bool {
    let next = view.messages().iter().filter(|m| m.company && m.first() > turn).take(2).flat_map(|m| m.turns.iter());
    !next.copied().any(|i| view.role(i) == Role::Agent || HANDS_OVER.hits(view.text(i)))
}

/// A bot's turn that says nearly what an earlier one of its turns said.
fn repeats(view: &View<'_>, bots: &[usize]) -> Option<(usize, usize)> {
    // A summary shown for confirmation says again what was said, and should.
    let says = |i: usize| {
        view.has(i, Denial)
            || !view.any(i, &[Greeting, Closing, Commitment, AskInfo]) && (view.has(i, Policy) || !view.has(i, Check))
    };
    let sets: Vec<(usize, BTreeSet<String>)> = bots
        .iter()
        .filter(|&&i| says(i) && !view.text(i).contains("**"))
        .map(|&i| (i, content_words(view.text(i)).into_iter().collect()))
        .collect();
    let verbatim = bots.iter().enumerate().find_map(|(k, &again)| {
        let same = |b: &&usize| words(view.text(**b)) == words(view.text(again));
        let small_talk = view.any(again, &[Greeting, Closing]) || words(view.text(again)).len() < 4;
        (!small_talk).then(|| bots[..k].iter().rev().take(50).find(same).map(|&b| (again, b))).flatten()
    });
    verbatim.or_else(|| {
        sets.iter().enumerate().find_map(|(k, (again, words))| {
            let refuses = |i: usize| view.has(i, Denial);
            let earlier = sets[..k].iter().rev().take(50).find(|(before, earlier)| {
                alike(earlier, words) || refuses(*before) && refuses(*again) && same_refusal(earlier, words)
            })?;
            Some((*again, earlier.0))
        })
    })
}

/// Over half of the words shared, and enough of them.
fn alike(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    let shared = a.intersection(b).count();
    let all = a.union(b).count();
    all >= 4 && shared * 20 >= all * 11
}

/// A refusal given again, somewhat reworded: three fifths of the shorter one's words are in the longer one.
fn same_refusal(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    let shared = a.intersection(b).count();
    shared >= 5 && shared * 5 >= a.len().min(b.len()) * 3
}

fn violated(turns: Vec<usize>, confidence: f32, seen: String) -> Verdict {
    Verdict::Violated(Violation {
        turns,
        evidence: None,
        severity: Severity::Medium,
        confidence,
        seen,
        suggestion: "Let a person take over at the first request, with the story so far, and say how long it takes."
            .to_owned(),
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
                    "B neu greeting | Hello, I'm Lark.\nC neu wants-human | A person please.\nB neu | Billing or delivery?\nC neu | person\nB neu | Billing or delivery?",
                ),
                ("violated 1", "B neu greeting | Hello.\nC neu wants-human | Agent!"),
                (
                    "violated 3,1",
                    "C neu | waive the late fee\nB neu denial,policy | The late fee cannot be waived once the invoice has closed under our terms.\nC neu | I was in hospital\nB neu denial,policy | Under our terms a late fee cannot be waived after an invoice has closed, even for illness.",
                ),
                (
                    "violated 3,1",
                    "C neu | late fee?\nB neu | Your invoice lists every late fee under charges.\nC neu | but why\nB neu | Your invoice lists every late fee under charges.",
                ),
                (
                    "ok",
                    "B neu greeting | Hello.\nC neu wants-human | A person please.\nB neu transfer,commitment | I'm connecting you now.",
                ),
                ("ok", "B neu greeting | Hello.\nC neu wants-human | A person please.\nA neu greeting | Hi, Mo here."),
                (
                    "violated 3,1",
                    "C neu | gfhj\nB neu ask-info | Sorry, I did not understand. Please rephrase.\nC neu | late fee\nB neu ask-info | Sorry, I did not understand. Please rephrase.",
                ),
                ("n/a", "C neg problem | my washing machine broke"),
                ("n/a", "C neu wants-human | Your manager please.\nA neu | One moment."),
                ("n/a", "C neu | hello\nA neu greeting | Hi"),
            ],
        );
    }
}
