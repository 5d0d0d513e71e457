//! Phrases that several rules look for.

use std::sync::LazyLock;

use regex::Regex;

use crate::lexicon;
use crate::turns::{fold, pattern, words};

lexicon!(
    /// Feedback is passed on: nothing happens for this customer.
    RELAY: "your feedback", "your comments", "the feedback", "feed this back", "feed that back", "feed it back", "fed back", "feedback your", "feed your", "pass this along", "pass that along", "pass it along", "pass along", "passed along", "passing along",
    "pass this on", "pass that on", "pass it on", "pass on", "passed on", "passing on", "passing this on", "pass your", "share your", "share this", "share that", "share with", "shared with", "sharing this", "sharing your",
    "forward your", "forwarded", "forward this", "forwarding", "relay", "relayed", "relaying", "let the team know", "let our team know", "let them know", "make a note", "made a note", "noted", "document your", "documented", "take this on board", "take it on board"
);

lexicon!(
    /// Something is done for this customer beside the feedback.
    ACTS: "refund", "refunded", "rebook", "rebooked", "credit", "voucher", "replacement", "send you", "sending", "call you", "calling you", "contact you", "in touch", "reach out to you", "get back to you", "follow up", "update you",
    "come back to you", "investigate", "looking into", "look into", "escalate", "escalated", "escalating", "fix", "fixed", "cancel", "cancelled", "booked", "changed", "working to", "working on"
);

/// What is refused is not done: "we will not refund the fee".
static REFUSED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(?:(?:will|can|do|could|would) not|cannot|cant|wont|dont|couldnt|wouldnt|unable to|not able to)",
        r"(?: (?:be able to|offer|give|issue|any|a|the|you|your|this|that)){0,3} (?:refund|rebook|credit|voucher|replace|cancel|change|fix)\w*",
    ))
});

/// Whether a text only passes feedback on.
pub(super) fn only_relays(text: &str) -> bool {
    RELAY.hits(text) && !ACTS.hits(&REFUSED.replace_all(&fold(text), " "))
}

/// What is said right after "sorry": up to the end of the clause.
static SORRY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?:sorry|apologi[sz]e|apologies|apology|regret)\b([^.,!?;:\n^*]*)"));

/// Words that apologize or take responsibility.
static REGRET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)\b(?:sorry|apologi[sz](?:e|ed|ing)|apologies|apology|regret",
        r"|our (?:fault|mistake|error)|on us|let you down|should(?:n.t| not)? have)\b",
    ))
});

/// An apology for how the conversation goes: a question put politely, a late answer, an interruption.
static MANNERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)\b(?:sorry|apologies|apologi[sz]e) to (?:keep you(?: waiting| holding| on hold)?(?: here|[.,!]|$)|(?:bother|interrupt|trouble you|butt in|jump in)\b)",
        r"|\b(?:sorry|apologies|apologi[sz]e) (?:for|about) (?:the|our|my) (?:late|slow|delayed) (?:reply|response|answer|typing)(?P<more> and)?",
        r"|(?:^|[.!?]\s+)(?:sorry|apologies), (?:(?:which|who|where|when|was that|is that|what (?:is|was|did|do))\b|(?:could|can) you (?:repeat|say|spell|confirm)\b)[^.!]*\?",
    ))
});

/// Whether a text apologizes for nothing but how the conversation goes.
pub(super) fn apologizes_for_manners(text: &str) -> bool {
    let manners = MANNERS.captures_iter(text).filter(|c| c.name("more").is_none()).count();
    manners > 0 && REGRET.find_iter(text).count() <= manners
}

/// Words that name nothing: an apology of these alone is a bare one.
#[rustfmt::skip]
const BARE: &[&str] = &[
    "a", "about", "again", "all", "also", "and", "any", "are", "at", "be", "been", "being", "but", "can", "caused",
    "causing", "concern", "concerns", "confusion", "could", "did", "didnt", "difficulties", "difficulty", "deeply",
    "disappointed", "disappointment", "discomfort", "encountered", "experience", "experienced", "experiences",
    "experiencing", "extremely", "feel", "feeling", "feels", "for", "further", "get", "had", "happen", "happened",
    "has", "have", "having", "hear", "hearing", "help", "here", "how", "if", "in", "inconvenience", "inconvenienced",
    "inconveniences", "is", "issue", "issues", "it", "its", "just", "know", "learn", "learning", "let", "look",
    "matter", "may", "might", "my", "not", "of", "on", "our", "please", "problem", "problems", "read", "really",
    "recent", "say", "see", "send", "sincerely", "situation", "so", "sorry", "such", "terribly", "that", "thats",
    "the", "there", "these", "this", "to", "today", "trouble", "troubles", "truly", "unhappy", "us", "very", "was",
    "way", "we", "were", "weve", "what", "with", "you", "your", "youre", "youve", "able", "information", "details",
    "into", "dm", "hi", "im", "ive", "id", "me", "once", "more", "than", "as", "by", "from",
];

/// Whether a text has one of the phrases, at word boundaries.
pub(super) fn names_any(text: &str, phrases: &[&str]) -> bool {
    let folded = fold(text);
    phrases.iter().any(|p| {
        folded.match_indices(p).any(|(at, _)| {
            let before = folded[..at].chars().next_back();
            let after = folded[at + p.len()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        })
    })
}

/// Whether an apology names what happened or what it did to the customer.
pub(super) fn names_it(text: &str) -> bool {
    SORRY.captures_iter(text).any(|c| {
        // A capital inside the clause is most often the customer's name.
        let lower: Vec<&str> = c[1].split_whitespace().filter(|w| !w.starts_with(char::is_uppercase)).collect();
        words(&fold(&lower.join(" "))).iter().any(|w| w.len() > 1 && !BARE.contains(&w.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_apology_names_nothing() {
        for bare in [
            "We're sorry for any inconvenience, Lisa.",
            "Sorry to hear that.",
            "I apologize about this.",
            "Sorry about the trouble this has caused",
            "I'm sorry to hear that Niall. Our luggage team is on it.",
            "Apologies for the confusion",
        ] {
            assert!(!names_it(bare), "{bare}");
        }
        for named in [
            "We're sorry for the delay.",
            "So sorry you missed your connection!",
            "I apologize that the engineer never came.",
        ] {
            assert!(names_it(named), "{named}");
        }
    }

    #[test]
    fn an_apology_for_manners_is_none_for_what_went_wrong() {
        for manners in [
            "Sorry to keep you waiting here.",
            "Sorry, which line was that?",
            "Hi, apologies for the late reply. Done.",
            "Sorry for my slow typing. I've refunded it.",
        ] {
            assert!(apologizes_for_manners(manners), "{manners}");
        }
        for meant in [
            "Sorry about the line! Which one is it?",
            "Sorry to keep you, and sorry the lamp came broken.",
            "Sorry to keep you! The broken lamp is entirely our fault.",
            "Apologies for the late reply and for the broken lamp.",
            "I'm so sorry, what a fright. Our seamstress can come tomorrow.",
            "So sorry, could you send a photo of it?",
            "Sorry to keep you on board.",
            "We're sorry for the delay.",
            "Which line was that?",
        ] {
            assert!(!apologizes_for_manners(meant), "{meant}");
        }
    }

    #[test]
    fn passing_feedback_on_is_no_remedy() {
        assert!(only_relays("We'll make sure your feedback is passed on to the team."));
        assert!(!only_relays("I've passed this on and the depot will call you by noon."));
        assert!(!only_relays("I've refunded the fee."));
        assert!(only_relays("We will not refund any of the fee. We will pass your remarks on."));
        assert!(only_relays("We can\u{2019}t refund that, but we'll pass it on."));
        assert!(!only_relays("We will not only refund the fee, your comments are passed on too."));
    }
}
