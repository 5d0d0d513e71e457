//! # What it finds
//! A reply that came later than the channel's limit, or a customer who complains of waiting for a reply or on hold.
//! # Why it hurts the customer
//! Waiting without a word costs trust: 15 % of callers hang up within 40 seconds of waiting, and 32 % of customers on Twitter
//! want an answer within 30 minutes.
//! # Example
//! "I've been on hold for an hour." Or a chat reply after six minutes.
//! # Say instead
//! "Thank you for waiting six minutes, I was checking your order with the warehouse. Here is what I found: …"
//! # What it leaves alone
//! Waiting for a parcel, a flight or a refund. The limits are 2 minutes in chat and on hold, 60 minutes on social media and 24 hours by e-mail, and can be set.
//! # Measured
//! On 300 transcripts that were read twice (11 with a violation): precision 0.57 (0.33–0.79), recall
//! 0.73 (0.43–0.90), each with its 95 % interval.

use std::sync::LazyLock;

use regex::Regex;

use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::{Message, View};
use crate::lexicon;
use crate::signals::Cue;
use crate::signals::Label::Repeat;
use crate::turns::{fold, pattern, words};

pub(super) static RULE: Rule =
    Rule { id: "slow-response", source: include_str!("slow_response.rs"), context: false, check };

fn check(view: &View<'_>) -> Verdict {
    let channel = view.transcript().channel().unwrap_or_default().to_lowercase();
    let limits = view.limits();
    let limit = limits.reply_seconds.get(&channel).copied().unwrap_or(limits.reply_seconds_otherwise);
    let mut timed = false;
    let mut late: Option<(usize, u64)> = None;
    for pair in view.messages().windows(2) {
        let [asked, reply] = pair else { continue };
        if !reply.company {
            continue;
        }
        if let Some(gap) = view.gap(asks(view, asked), reply.first()) {
            timed = true;
            if gap.as_secs() > limit && late.is_none_or(|(_, s)| gap.as_secs() > s) {
                late = Some((reply.first(), gap.as_secs()));
            }
        }
    }
    let complaint = view.customer_turns().find(|&i| complains(view, i));
    if let Some(turn) = complaint {
        let seen = format!("The customer complains of waiting for a reply (turn {turn}).");
        return violated(turn, 0.5 + 0.5 * view.p(turn, Repeat), Severity::Medium, seen);
    }
    match late {
        Some((turn, seconds)) => {
            let severity = if seconds / 4 > limit { Severity::High } else { Severity::Medium };
            let seen =
                format!("The reply came after {} (turn {turn}); the limit here is {}.", span(seconds), span(limit));
            violated(turn, 1.0, severity, seen)
        }
        None if timed => Verdict::Ok,
        None => Verdict::NotApplicable,
    }
}

/// A complaint of waiting for a reply, by the classifier's cue or in the plainest words for it.
fn complains(view: &View<'_>, turn: usize) -> bool {
    nudges(view, turn)
        || (view.cue(turn, Cue::Waits) || says_so(view.text(turn))) && (view.negative(turn) || view.has(turn, Repeat))
}

/// Whether the words themselves say so.
fn says_so(text: &str) -> bool {
    WAITS.hits(text) || FOR_AN_ANSWER.is_match(&fold(text))
}

/// Waiting, and behind it what makes the wait one for an answer.
static FOR_AN_ANSWER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\bwait(?:ing|ed)?\b[^.!?]{0,40}\b(?:to (?:contact|call|ring|phone|email|answer|get back to|hear back|hear from|respond|reply)|for (?:a|an|any|your|their|some) (?:reply|response|answer|call|callback))\b",
    )
});

lexicon!(
    /// The plainest words for waiting on somebody.
    WAITS: "on hold", "ignoring me", "ignored my", "being ignored", "anyone there", "anybody there", "is anyone", "no reply", "no response", "no answer", "never respond", "never reply", "havent heard back",
    "waiting for someone to", "hours on the phone", "hour on the phone", "minutes on the phone", "mins on the phone", "hrs on the phone", "hours on phone", "hour on phone", "hrs on phone", "mins on phone", "minutes on phone", "nobody answers", "no one answers", "get through to", "sits unread", "still unread", "unread since", "left on read", "on read for", "nobody replies", "no one replies", "nobody replied", "no one replied", "nobody answered", "no one answered",
    "without an answer", "without a reply", "without any reply", "nobody picks up", "no one picks up", "nobody wrote back", "no one wrote back", "never wrote back", "never got back to me", "never called back", "nobody called back"
);

/// A call into silence: "hello?" behind the customer's own words, with no answer between.
fn nudges(view: &View<'_>, turn: usize) -> bool {
    let asked = view.messages().iter().find(|m| !m.company && m.turns[1..].contains(&turn)).map(Message::first);
    let silence = asked.is_some_and(|i| view.gap(i, turn).is_none_or(|gap| gap.as_secs() >= 60));
    let text = view.text(turn);
    silence && text.contains('?') && words(text).len() <= 4 && CALL.hits(text)
}

lexicon!(
    /// Words that ask whether anybody is there.
    CALL: "hello", "hi", "hey", "anyone", "anybody", "you there", "still there", "are you there"
);

/// The turn from which the wait counts: the last that says something, not a nudge ("hello?") behind it.
fn asks(view: &View<'_>, message: &Message) -> usize {
    let says = |&&i: &&usize| words(view.text(i)).len() > 2;
    message.turns.iter().rev().find(says).copied().unwrap_or(message.first())
}

/// A duration in words, down to the unit below its own.
fn span(seconds: u64) -> String {
    let (size, unit, below, small) = match seconds {
        0..60 => (1, "second", 1, ""),
        60..3600 => (60, "minute", 1, "second"),
        3600..86_400 => (3600, "hour", 60, "minute"),
        _ => (86_400, "day", 3600, "hour"),
    };
    let words = |n: u64, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
    match seconds % size / below {
        0 => words(seconds / size, unit),
        rest => format!("{} {}", words(seconds / size, unit), words(rest, small)),
    }
}

fn violated(turn: usize, confidence: f32, severity: Severity, seen: String) -> Verdict {
    Verdict::Violated(Violation {
        turns: vec![turn],
        evidence: None,
        severity,
        confidence,
        seen,
        suggestion: "When an answer takes time, say so at once and say when it comes: \"I'm checking with the depot and will be back by 3 p.m.\"".to_owned(),
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
                ("violated 2", "C @0 neu | is the parcel shop open\nC @30 neu | hello?\nA @140 neu | It is."),
                ("violated 1", "C neu | can you close my account\nC neu | hello?\nA neu | Yes."),
                ("ok", "C @0 neu | hello?\nA @9 neu greeting | Hi\nC @20 neu | are you there?\nA @30 neu | Yes."),
                ("violated 1", "C @0 neu | hi\nA @500 neu greeting | Hello"),
                ("violated 0", "C neg +waits repeat,frustration | On hold for an hour\nA neu apology | Sorry."),
                ("violated 0", "C neg repeat | I have waited 3 weeks for security to contact me.\nA neu | I see."),
                (
                    "n/a",
                    "C neg repeat | Tell the driver to call me, I have waited all day for the sofa.\nA neu | I see.",
                ),
                ("violated 3", "C @0 neu | hi\nA @10 neu greeting | Hello\nC @20 neu | fee?\nA @400 neu | None."),
                ("ok", "C @0 neu | hi\nA @60 neu greeting | Hello"),
                ("ok", "C @0 neg problem | waiting for my parcel for weeks\nA @60 neu apology | Sorry."),
                ("n/a", "C neg problem | my flight is 3 hours late\nA neu apology | Sorry."),
                ("n/a", "C neu | hi\nA neu greeting | Hello"),
            ],
        );
    }
}
