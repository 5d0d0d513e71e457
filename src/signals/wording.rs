//! Words that settle a label where the classifier is unsure. In: a turn and its signals. Out: the signals, corrected.
//!
//! Each correction says which words and why; everything else is left to the classifier.

use std::sync::LazyLock;

use regex::Regex;

use super::label::{Label, Sentiment, Signals};
use crate::lexicon;
use crate::turns::{fold, pattern};

lexicon!(
    /// Casual words: slang, clipped speech, jokes by formula.
    CASUAL: "gonna", "wanna", "gotta", "outta", "kinda", "sorta", "lemme", "gimme", "dunno", "nope", "nah", "yep", "yup", "yeah", "yay", "lol", "lmao", "haha", "hahaha", "hehe", "ha ha", "omg", "btw", "tbh", "ikr", "mate", "hun", "hunny", "dude", "bro", "pal",
    "buddy", "fella", "yall", "ya", "cuz", "cos", "oops", "whoops", "oopsie", "yikes", "ugh", "ooh", "aww", "awww", "woohoo", "hooray", "bummer", "no biggie",
    "press f", "gonna fly", "my bad", "ta ra", "ta-ra", "toodles", "legged it", "cheers mate", "chill", "no worries mate", "sweetie", "darlin", "you bet", "sure thing", "heya", "hiya", "howdy",
    "whats up", "sup", "thx", "pls", "plz", "u", "ur", "aint", "bogus", "stoked", "freebies", "a bit of a stretch", "but hey", "soz", "champ"
);

lexicon!(
    /// A refusal in jest.
    NO_WAY: "no can do", "no dice", "no way jose", "fat chance", "not a chance", "no chance", "tough luck", "hard no", "hard pass", "computer says no", "not gonna happen", "not gonna fly", "aint happening", "aint gonna", "in your dreams", "dream on",
    "when pigs fly", "nice try", "nuh uh", "no siree", "no bueno", "no such luck", "that ship has sailed", "rules are rules", "you snooze you lose", "too bad so sad", "sorry not sorry", "no ifs no buts", "no ifs or buts", "not in the cards",
    "isnt in the cards", "not on the cards", "isnt on the cards", "is off the table", "are off the table", "bit of a stretch", "a bridge too far", "above my pay grade", "thats the way the cookie crumbles", "them's the breaks", "hate to burst your bubble", "clean outta", "clean out of", "fresh outta", "better luck next time", "nada", "zilch"
);

lexicon!(
    /// Responsibility taken without the word sorry.
    OWNS: "thats on us", "this is on us", "this ones on us", "that ones on us", "that is on us", "entirely on us", "totally on us", "our mistake", "our error", "our own error", "our own mistake", "our oversight", "my mistake", "my error", "my oversight",
    "we got that wrong", "we got this wrong", "we got it wrong", "i got that wrong", "we dropped the ball", "we messed up", "i messed up", "we slipped up", "we let you down", "we failed you", "please forgive us", "forgive me", "i take full responsibility",
    "we take full responsibility", "shouldnt have happened to you", "should not have happened to you"
);

/// Sorry as a courtesy, and what follows the word where it is one.
static COURTESY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(?:sorry|apologies)\b[,.?!:]? ?(?:(?:but )?(?:what|which|who|whose|where|when|how) (?:was|is|are|were|did|do|exactly|number|name|day|time|one)\b|(?:could|can|would|may) (?:you|i)\b|i (?:didnt|did not|couldnt) (?:quite )?(?:catch|get|hear|follow|understand)",
        r"|i (?:missed|misheard|meant)\b|(?:was|did) (?:that|it|you)\b|(?:one|just a) (?:moment|second|sec)\b|say (?:that )?again|come again|to (?:interrupt|jump in|cut in|butt in|bother|be a pain)\b)",
    ))
});

/// Emoticons, and more than one exclamation mark in a row.
static MARKS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|\s)(?:[:;=]-?[)DPp(/|]|<3|\^_\^|xD)(?:\s|$|[.!,])|!!"));

/// Leaving, in the words people use for it.
static LEAVES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\bnever\b.{0,15}\b(?:fly|flying|use|using|book|booking|buy|buying|shop|shopping|travel|travelling|traveling|stay|staying|order|ordering|rent|renting|come|coming|do business|deal)\b.{0,30}\b(?:again|anymore)\b",
        r"|\b(?:wont|will not|would not|wouldnt|not|dont want to|unlikely to)\b.{0,12}\b(?:fly|flying|use|using|book|booking|buy|buying|shop|shopping|travel|travelling|traveling|stay|staying|order|ordering)\b.{0,30}\b(?:again|anymore|any more|any time soon|anytime soon|in future|in the future)\b",
        r"|\bnever again\b|\blast (?:time|flight|order|purchase) (?:i|we|ever|with)\b|\blost (?:a|my|me as a|another|yourselves a) (?:loyal |good |long time )?(?:customer|passenger|client|business|custom)\b|\byou(?:ve)? (?:just )?lost me\b",
        r"|\b(?:taking|take|took) (?:my|our) (?:business|money|custom) (?:elsewhere|to)\b|\bswitch(?:ing|ed)? (?:to|back to|over to|airlines|providers|provider|banks|carriers|carrier)\b|\b(?:going|go|went|moving|move) back to @\w+|\bdone with (?:you|yall|this airline|this company|them)\b",
        r"|\b(?:ombudsman|small claims|trading standards|my lawyer|my solicitor|see you in court|chargeback|legal action|suing)\b",
    ))
});

/// Words of an apology that withhold it: sorry that you feel so, or sorry if.
static WITHHELD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?:\bsorry|\bapologi[sz]e|\bapologies|\bregret)\b,? (?:if|to (?:hear|learn|know|read) (?:of )?(?:if )?(?:that )?(?:your disappointment|you (?:feel|felt|remain|see it))|(?:that )?(?:you feel|you felt|you see it|you think",
        r"|(?:youre|you are|you were) (?:so |still |not )?(?:unhappy|disappointed|upset|happy|dissatisfied|discontent))|for your (?:confusion|disappointment)|(?:if|for any \w+ if))\b",
    ))
});

/// Words of any apology.
static SORRY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:sorry|apologi[sz]e|apologies|apology|regret)\b"));

/// From what probability a problem is seen in an angry turn: readers take anger at a company to be about something it did.
const HINT: f32 = 0.3;

/// What is left of the probability of an apology that was withheld in so many words.
const WITHHELD_P: f32 = 0.1;

fn add(signals: &mut Signals, label: Label) {
    signals.labels.insert(label);
    signals.p[label as usize] = signals.p[label as usize].max(0.5);
}

/// Corrects the signals of a company's turn.
pub(super) fn settle_company(text: &str, signals: &mut Signals) {
    if CASUAL.hits(text) || MARKS.is_match(text) || text.chars().any(is_emoji) {
        add(signals, Label::Informal);
    }
    if NO_WAY.hits(text) {
        add(signals, Label::Informal);
        add(signals, Label::Denial);
    }
    apologies(text, signals);
}

/// Corrects the signals of a customer's turn.
pub(super) fn settle_customer(text: &str, signals: &mut Signals) {
    let angry = signals.sentiment == Sentiment::Neg;
    if angry && signals.has(Label::Frustration) && signals.p(Label::Problem) >= HINT {
        add(signals, Label::Problem);
    }
    if angry && LEAVES.is_match(&fold(text)) {
        add(signals, Label::Churn);
    }
}

/// What the words of an apology are: one, one that is withheld, or a courtesy.
fn apologies(text: &str, signals: &mut Signals) {
    let folded = fold(text);
    let said = SORRY.find_iter(&folded).count();
    let drop = |signals: &mut Signals, label: Label| {
        signals.labels.remove(label);
        signals.p[label as usize] = signals.p[label as usize].min(WITHHELD_P);
    };
    // The only apology of the turn is none.
    if said > 0 && WITHHELD.find_iter(&folded).count() == said {
        add(signals, Label::NonApology);
        drop(signals, Label::Apology);
    } else if said > 0 && COURTESY.find_iter(&folded).count() == said {
        drop(signals, Label::Apology);
        drop(signals, Label::NonApology);
    }
    if OWNS.hits(text) {
        add(signals, Label::Apology);
    }
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{26ff}' | '\u{2763}' | '\u{2764}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turns::Role;

    fn settled(role: Role, text: &str, sentiment: Sentiment, p: &[(Label, f32)]) -> Signals {
        let mut signals = Signals::certain(sentiment, p.iter().filter(|(_, p)| *p >= 0.5).map(|(l, _)| *l).collect());
        p.iter().for_each(|(l, p)| signals.p[*l as usize] = *p);
        let settle = if role.is_company() { settle_company } else { settle_customer };
        settle(text, &mut signals);
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
    fn a_refusal_in_jest_is_one() {
        let signals = settled(Role::Agent, "Right. Well. Computer says no, ha.", Sentiment::Neu, &[]);
        assert!(signals.has(Label::Denial) && signals.has(Label::Informal));
        assert!(settled(Role::Agent, "We're fresh outta those.", Sentiment::Neu, &[]).has(Label::Denial));
        assert!(!settled(Role::Customer, "Computer says no", Sentiment::Neg, &[]).has(Label::Denial));
    }

    #[test]
    fn a_courtesy_is_no_apology_and_taking_it_on_is_one() {
        let p = [(Label::Apology, 0.9)];
        for text in [
            "He's on his way. Sorry, what was the flat number again?",
            "Sorry, could you repeat that?",
            "Sorry, I didn't catch the last digit.",
            "Sorry to interrupt.",
        ] {
            assert!(!settled(Role::Agent, text, Sentiment::Neu, &p).has(Label::Apology), "{text}");
        }
        for text in
            ["Sorry, could you bear with us? I'm sorry it broke.", "Sorry the lamp broke, what is the order number?"]
        {
            assert!(settled(Role::Agent, text, Sentiment::Neu, &p).has(Label::Apology), "{text}");
        }
        for text in ["That's on us. I've logged it with the depot.", "We got that wrong, Kim."] {
            assert!(settled(Role::Agent, text, Sentiment::Neu, &[]).has(Label::Apology), "{text}");
        }
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
