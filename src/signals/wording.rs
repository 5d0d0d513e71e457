//! Words that settle a label where the classifier is unsure. In: a turn and its signals. Out: the signals, corrected.
//!
//! Each correction says which words and why; everything else is left to the classifier.

use std::sync::LazyLock;

use regex::Regex;

use super::label::{Label, Sentiment, Signals};
use crate::lexicon;
use crate::turns::{Role, fold};

lexicon!(
    /// Casual words: slang, clipped speech, jokes by formula.
    CASUAL: "gonna", "wanna", "gotta", "outta", "kinda", "sorta", "lemme", "gimme", "dunno", "nope", "nah", "yep", "yup", "yeah", "yay", "lol", "lmao", "haha", "hahaha", "hehe", "ha ha", "omg", "btw", "tbh", "ikr", "mate", "hun", "hunny", "dude", "bro", "pal",
    "buddy", "fella", "yall", "ya", "cuz", "cos", "oops", "whoops", "oopsie", "yikes", "ugh", "ooh", "aww", "awww", "woohoo", "hooray", "bummer", "no biggie", "no can do", "no dice", "no way jose", "fat chance", "not a chance",
    "nice try", "tough luck", "hard no", "hard pass", "computer says no", "press f", "gonna fly", "my bad", "ta ra", "ta-ra", "toodles", "legged it", "cheers mate", "chill", "no worries mate", "sweetie", "darlin", "you bet", "sure thing", "heya", "hiya", "howdy",
    "whats up", "sup", "thx", "pls", "plz", "u", "ur", "aint", "bogus", "stoked", "freebies", "a bit of a stretch"
);

/// Emoticons, and more than one exclamation mark in a row.
static MARKS: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used, reason = "constant pattern, used in tests")]
    Regex::new(r"(?:^|\s)(?:[:;=]-?[)DPp(/|]|<3|\^_\^|xD)(?:\s|$|[.!,])|!!").unwrap()
});

/// Leaving, in the words people use for it.
static LEAVES: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used, reason = "constant pattern, used in tests")]
    Regex::new(concat!(
        r"\bnever\b.{0,15}\b(?:fly|flying|use|using|book|booking|buy|buying|shop|shopping|travel|travelling|traveling|stay|staying|order|ordering|rent|renting|come|coming|do business|deal)\b.{0,30}\b(?:again|anymore)\b",
        r"|\b(?:wont|will not|would not|wouldnt|not|dont want to|unlikely to)\b.{0,12}\b(?:fly|flying|use|using|book|booking|buy|buying|shop|shopping|travel|travelling|traveling|stay|staying|order|ordering)\b.{0,30}\b(?:again|anymore|any more|any time soon|anytime soon|in future|in the future)\b",
        r"|\bnever again\b|\blast (?:time|flight|order|purchase) (?:i|we|ever|with)\b|\blost (?:a|my|me as a|another|yourselves a) (?:loyal |good |long time )?(?:customer|passenger|client|business|custom)\b|\byou(?:ve)? (?:just )?lost me\b",
        r"|\b(?:taking|take|took) (?:my|our) (?:business|money|custom) (?:elsewhere|to)\b|\bswitch(?:ing|ed)? (?:to|back to|over to|airlines|providers|provider|banks|carriers|carrier)\b|\b(?:going|go|went|moving|move) back to @\w+|\bdone with (?:you|yall|this airline|this company|them)\b",
        r"|\b(?:ombudsman|small claims|trading standards|my lawyer|my solicitor|see you in court|chargeback|legal action|suing)\b",
    ))
    .unwrap()
});

/// Words of an apology that withhold it: sorry that you feel so, or sorry if.
static WITHHELD: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used, reason = "constant pattern, used in tests")]
    Regex::new(concat!(
        r"(?:\bsorry|\bapologi[sz]e|\bapologies|\bregret)\b,? (?:if|to (?:hear|learn|know|read) (?:of )?(?:if )?(?:that )?(?:your disappointment|you (?:feel|felt|remain|see it))|(?:that )?(?:you feel|you felt|you see it|you think",
        r"|(?:youre|you are|you were) (?:so |still |not )?(?:unhappy|disappointed|upset|happy|dissatisfied|discontent))|for your (?:confusion|disappointment)|(?:if|for any \w+ if))\b",
    ))
    .unwrap()
});

/// Words of any apology.
static SORRY: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used, reason = "constant pattern, used in tests")]
    Regex::new(r"\b(?:sorry|apologi[sz]e|apologies|apology|regret)\b").unwrap()
});

/// From what probability a problem is seen in an angry turn: readers take anger at a company to be about something it did.
const HINT: f32 = 0.3;

/// What is left of the probability of an apology that was withheld in so many words.
const WITHHELD_P: f32 = 0.1;

/// Corrects the signals of a turn.
pub(super) fn settle(role: Role, text: &str, signals: &mut Signals) {
    let add = |signals: &mut Signals, label: Label| {
        signals.labels.insert(label);
        signals.p[label as usize] = signals.p[label as usize].max(0.5);
    };
    if role.is_company() {
        if CASUAL.hits(text) || MARKS.is_match(text) || text.chars().any(is_emoji) {
            add(signals, Label::Informal);
        }
        let folded = fold(text);
        let withheld = WITHHELD.find_iter(&folded).count();
        // The only apology of the turn is none.
        if withheld > 0 && withheld == SORRY.find_iter(&folded).count() {
            add(signals, Label::NonApology);
            signals.labels.remove(Label::Apology);
            signals.p[Label::Apology as usize] = signals.p[Label::Apology as usize].min(WITHHELD_P);
        }
        return;
    }
    let angry = signals.sentiment == Sentiment::Neg;
    if angry && signals.has(Label::Frustration) && signals.p(Label::Problem) >= HINT {
        add(signals, Label::Problem);
    }
    if angry && LEAVES.is_match(&fold(text)) {
        add(signals, Label::Churn);
    }
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{26ff}' | '\u{2763}' | '\u{2764}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(role: Role, text: &str, sentiment: Sentiment, p: &[(Label, f32)]) -> Signals {
        let mut signals = Signals::certain(sentiment, p.iter().filter(|(_, p)| *p >= 0.5).map(|(l, _)| *l).collect());
        p.iter().for_each(|(l, p)| signals.p[*l as usize] = *p);
        settle(role, text, &mut signals);
        signals
    }

    #[test]
    fn casual_words_make_a_turn_of_the_company_informal() {
        for text in [
            "No can do on that one, sadly.",
            "That's not gonna fly.",
            "Sorry 😂",
            "See you soon :)",
            "You're welcome!!",
            "Yikes, that's not good.",
        ] {
            assert!(settled(Role::Agent, text, Sentiment::Neu, &[]).has(Label::Informal), "{text}");
        }
        for text in [
            "Hey Joseph. Unfortunately we can't.",
            "Have a great day!",
            "I'm on it, it'll be done by 5.",
            "Ultimate plan: 20/50",
            "Thank you, Yuma team",
        ] {
            assert!(!settled(Role::Agent, text, Sentiment::Neu, &[]).has(Label::Informal), "{text}");
        }
    }

    #[test]
    fn leaving_is_seen_in_angry_words_only() {
        for text in [
            "You guys are full of it, will never fly with you again",
            "Lost a loyal customer today.",
            "That's the last time I order here",
            "Switching to BlueJet",
            "never again",
        ] {
            assert!(settled(Role::Customer, text, Sentiment::Neg, &[]).has(Label::Churn), "{text}");
        }
        assert!(!settled(Role::Customer, "never again will I doubt you", Sentiment::Pos, &[]).has(Label::Churn));
        assert!(!settled(Role::Customer, "never had this trouble before", Sentiment::Neg, &[]).has(Label::Churn));
    }

    #[test]
    fn anger_with_a_hint_of_a_problem_is_about_one() {
        let p = [(Label::Frustration, 0.9), (Label::Problem, 0.4)];
        assert!(settled(Role::Customer, "unreal", Sentiment::Neg, &p).has(Label::Problem));
        assert!(!settled(Role::Customer, "unreal", Sentiment::Neu, &p).has(Label::Problem));
    }

    #[test]
    fn sorry_for_the_feeling_alone_is_no_apology() {
        let p = [(Label::Apology, 0.9)];
        for text in [
            "We're sorry you're unhappy with the fit.",
            "Sorry if the tone came across wrong.",
            "I'm sorry to hear you feel that way.",
        ] {
            let signals = settled(Role::Agent, text, Sentiment::Neu, &p);
            assert!(signals.has(Label::NonApology) && !signals.has(Label::Apology), "{text}");
        }
        for text in [
            "We're sorry the fit is wrong.",
            "Sorry to hear that.",
            "I'm sorry you are disappointed, and I apologize for the leak.",
        ] {
            let signals = settled(Role::Agent, text, Sentiment::Neu, &p);
            assert!(!signals.has(Label::NonApology) && signals.has(Label::Apology), "{text}");
        }
    }
}
