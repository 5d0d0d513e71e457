//! # What it finds
//! The customer has to tell, send or report something again, or is asked for what they already gave in this conversation.
//! # Why it hurts the customer
//! Telling it again costs the customer time and says that nobody kept what they told before.
//! # Example
//! "This is the third time I explain this." Or the agent asks for the order number two turns after it was given.
//! # Say instead
//! "I have the order number from your first message, and my colleague's notes. Let me go on from there."
//! # What it leaves alone
//! Waiting for a reply without telling again, and a question for a detail that was given only vaguely.
//! # Measured
//! On 300 transcripts that were read twice (14 with a violation): precision 0.50 (0.28–0.72), recall
//! 0.57 (0.33–0.79), each with its 95 % interval.

use std::sync::LazyLock;

use regex::Regex;

use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::lexicon;
use crate::signals::Cue;
use crate::signals::Label::{AskInfo, Check, Denial, Problem, Repeat};
use crate::turns::{content_words, fold, pattern, words};

pub(super) static RULE: Rule =
    Rule { id: "repeated-story", source: include_str!("repeated_story.rs"), context: false, check };

/// What a question asks for, by a word in it.
const SLOTS: &[(&str, &[&str])] = &[
    ("name", &["your name", "full name", "first name", "last name", "name on", "name and", "surname"]),
    ("account", &["account number", "account id", "account no"]),
    ("order", &["order number", "order id", "order no", "order ref"]),
    (
        "booking",
        &[
            "booking ref",
            "confirmation number",
            "confirmation code",
            "record locator",
            "reservation id",
            "reservation number",
            "booking number",
            "booking id",
            "pnr",
            "booking code",
        ],
    ),
    (
        "contract",
        &[
            "contract number",
            "contract no",
            "policy number",
            "membership number",
            "customer number",
            "client number",
            "subscription number",
        ],
    ),
    (
        "case",
        &["case number", "claim number", "ticket number", "reference number", "complaint number", "your reference"],
    ),
    ("parcel", &["tracking number", "parcel number", "shipment number", "consignment number"]),
    ("user", &["user id", "username", "user name"]),
    ("email", &["email address", "e-mail address", "your email"]),
    ("phone", &["phone number", "telephone number", "contact number", "mobile number"]),
    ("birth", &["date of birth", "dob", "birthday"]),
    (
        "address",
        &["your address", "full address", "postal address", "home address", "zip code", "postcode", "post code"],
    ),
    ("pin", &["your pin", "pin number", "security question", "security answer"]),
    ("flight", &["flight number", "flight no"]),
    ("size", &["party size", "how many people"]),
    ("day", &["what day", "which day"]),
    ("arrival", &["arriving", "arrival date"]),
    ("time", &["what time"]),
    ("date", &["purchase date", "date of purchase", "when did you buy"]),
];

fn check(view: &View<'_>) -> Verdict {
    if view.customer_turns().next().is_none() {
        return Verdict::NotApplicable;
    }
    let retells = |i: usize| view.cue(i, Cue::Retells) && !only_went(view.text(i)) || RETOLD.hits(view.text(i));
    if let Some(turn) = view.customer_turns().find(|&i| retells(i) && view.has(i, Repeat)) {
        let seen = format!("The customer says that they had to tell or do this before (turn {turn}).");
        return violated(vec![turn], view.p(turn, Repeat).max(0.5), seen);
    }
    let given = view.company_turns().find(|&i| view.cue(i, Cue::ReAsks) && !asks_for_another(view, i));
    if let Some((turn, before)) = given.and_then(|i| Some((i, view.customer_before(i)?))) {
        let seen =
            format!("The reply asks for something that the customer had just given (turns {before} and {turn}).");
        return violated(vec![turn, before], 0.5, seen);
    }
    if let Some((turn, before)) = asked_what_was_told(view) {
        let seen = format!(
            "The reply asks what the matter is, though the customer had just told it (turns {before} and {turn})."
        );
        return violated(vec![turn, before], 0.6, seen);
    }
    if let Some((answer, before)) = told_twice(view) {
        let seen = format!(
            "The customer is asked for what they had already told, and tells it again (turns {before} and {answer})."
        );
        return violated(vec![answer, before], 0.6, seen);
    }
    match asked_twice(view) {
        Some((again, before)) => {
            let seen = format!(
                "The agent asks for something that the customer was asked for and answered before (turns {before} and {again})."
            );
            violated(vec![again, before], 0.6, seen)
        }
        None => Verdict::Ok,
    }
}

lexicon!(
    /// Telling it again, in the words people use for it.
    RETOLD: "as i said", "like i said", "as i wrote", "as i told you", "i just told you", "i already told", "ive already told", "already explained", "already sent", "already gave", "already given", "already provided", "already answered", "i literally just",
    "i just said", "read my message", "read the message", "read my messages", "read what i", "missing the point", "miss the point", "missed the point", "how many times", "scroll up", "keep repeating", "keep asking me", "keeps asking me", "keep explaining", "have to explain",
    "had to explain", "explain it again", "explain again", "explain this again", "tell you again", "over and over", "third time i", "fourth time i", "as above"
);

lexicon!(
    /// Having been somewhere or tried something.
    WENT: "already called", "i called", "ive called", "called them", "i contacted", "already contacted", "ive contacted", "i rang", "rang them", "already emailed", "tried that", "i tried", "already tried", "ive tried", "done that", "did that", "has sent", "been there"
);

lexicon!(
    /// Words for telling, and for once more.
    TELLS: "told", "tell", "said", "say", "says", "explain", "explained", "again", "asked", "wrote", "written", "reported", "repeat", "repeating", "gave", "given", "mentioned", "sent you", "third", "fourth", "every time", "times"
);

/// Whether the customer only says where they went or what they tried before: effort, but nothing told twice.
fn only_went(text: &str) -> bool {
    WENT.hits(text) && !TELLS.hits(text)
}

lexicon!(
    /// What is the matter?
    WHAT_IS_IT: "describe your issue", "describe the issue", "describe your problem", "describe the problem", "describe your concern", "what is the issue", "whats the issue", "what the issue is", "what is your issue", "what is the problem", "whats the problem",
    "what the problem is", "what is your problem", "reason for your call", "reason for your contact", "reason for contacting", "what is this about", "what it is about"
);

/// A question what the matter is, right after the customer told it.
fn asked_what_was_told(view: &View<'_>) -> Option<(usize, usize)> {
    let told = |i: usize| view.has(i, Problem) && content_words(view.text(i)).len() >= 4;
    view.company_turns()
        .filter(|&i| view.has(i, AskInfo) && WHAT_IS_IT.hits(view.text(i)))
        .find_map(|i| Some((i, view.customer_before(i).filter(|&c| told(c))?)))
}

lexicon!(
    /// The question brings something to choose from: it is another one.
    CHOICE: "which of", "which one", "which reservation", "which booking", "which order", "which account", "corresponds", "here are your", "here are the", "you have the following", "one of these"
);

fn violated(turns: Vec<usize>, confidence: f32, seen: String) -> Verdict {
    Verdict::Violated(Violation {
        turns,
        evidence: None,
        severity: Severity::Medium,
        confidence,
        seen,
        suggestion: "Note (the N of L.E.A.R.N.): say what you already have, \"I have your order number and what happened on Monday\", and ask only for what is missing."
            .to_owned(),
    })
}

/// An answer of so many content words is more than a yes.
const WHOLE: usize = 6;

/// An answer to the company's question that only says again what an earlier turn of the customer said.
fn told_twice(view: &View<'_>) -> Option<(usize, usize)> {
    view.messages().windows(2).find_map(|pair| {
        let [asked, answer] = pair else { return None };
        let (ask, text) = (view.message_text(asked), view.message_text(answer));
        let asks = asked.company && view.message_any(asked, &[AskInfo]) && !view.message_any(asked, &[Denial, Check]);
        let said = content_words(&text);
        // "Yes" and the whole story: the question had taken up next to nothing of it.
        let whole = said.len() >= WHOLE && view.taken_up(&ask, asked.first()) <= 1;
        let confirms = words(&text).first().is_some_and(|w| agrees(w)) && !whole;
        if !asks || CONFIRMS.hits(&ask) || CHOICE.hits(&ask) || confirms {
            return None;
        }
        let before = view.customer_turns().filter(|&i| i < asked.first()).find(|&i| repeats(&said, view.text(i)))?;
        Some((answer.first(), before))
    })
}

/// Whether a word answers yes or no, to a question that puts what was told up for confirmation.
fn agrees(word: &str) -> bool {
    matches!(
        word,
        "yes" | "yeah" | "yep" | "yup" | "no" | "nope" | "correct" | "right" | "sure" | "ok" | "okay" | "exactly"
    )
}

/// Whether an answer's words nearly all stand in an earlier turn: a long number and little else, or several words.
fn repeats(said: &[String], earlier: &str) -> bool {
    let earlier = content_words(earlier);
    let known = said.iter().filter(|w| earlier.contains(w)).count();
    let number = |w: &&String| w.len() >= 4 && w.chars().any(|c| c.is_ascii_digit());
    let mut numbers = said.iter().filter(number).peekable();
    let same_number = said.len() <= 6 && numbers.peek().is_some() && numbers.all(|n| earlier.contains(n));
    same_number || (4..=20).contains(&said.len()) && known * 4 >= said.len() * 3
}

/// A slot asked for although the customer had already given it, or had said that they do not have it.
fn asked_twice(view: &View<'_>) -> Option<(usize, usize)> {
    let asks: Vec<(usize, Vec<&str>)> =
        view.company_turns().filter(|&i| view.has(i, AskInfo)).map(|i| (i, slots(view.text(i)))).collect();
    asks.iter().enumerate().find_map(|(k, (again, wanted))| {
        let ask = view.text(*again);
        if CHOICE.hits(ask) || has_it(ask) {
            return None;
        }
        let told =
            || view.customer_turns().find(|&i| i < *again && wanted.iter().any(|slot| gives(view.text(i), slot)));
        let open = asks[..k].iter().filter(|(before, _)| !CHOICE.hits(view.text(*before)));
        let answered = open.into_iter().find_map(|(before, had)| {
            let slot = wanted.iter().find(|s| had.contains(s))?;
            let answer = view.customer_turns().find(|i| before < i && i < again)?;
            let text = view.text(answer);
            // Of several things asked for, the answer must name the one, or be known by its shape.
            let born = **slot == *"birth"
                && BORN.is_match(text)
                && !had.iter().any(|s| ["date", "day", "arrival", "time"].contains(s));
            let named = had.len() == 1 || slots(text).contains(slot) || born;
            (named && (fills(text) || LACKS.hits(text) && !KNOWS.hits(ask))).then_some(*before)
        });
        if AGAIN.hits(ask) {
            return told().filter(|_| !CONFIRMS.hits(ask)).map(|before| (*again, before));
        }
        answered.or_else(told).map(|before| (*again, before))
    })
}

/// Whether a text thanks for the details and asks for nothing.
fn has_it(text: &str) -> bool {
    HAS.hits(text) && !text.contains('?') && !WANTS.hits(text)
}

lexicon!(
    /// What was asked for has come.
    HAS: "for providing", "for sharing", "for confirming"
);

lexicon!(
    /// Something is asked for without a question mark.
    WANTS: "please send", "please provide", "please give", "please confirm", "please share", "send me", "send us", "need", "could you", "can you", "tell me", "give me", "let me know"
);

/// Whether the question is for a detail that the customer would have named, and did not; they named another one.
fn asks_for_another(view: &View<'_>, turn: usize) -> bool {
    let wanted = slots(view.text(turn));
    let known = |slot: &&&str| GIVEN.iter().any(|(name, _)| name == *slot);
    let given = |slot: &str| view.customer_turns().any(|i| i < turn && gives(view.text(i), slot));
    let named = view.customer_before(turn).map_or(Vec::new(), |i| slots(view.text(i)));
    !named.is_empty()
        && wanted.iter().any(|slot| known(&slot))
        && !wanted.iter().any(|slot| given(slot) || named.contains(slot))
}

/// Whether the customer gives the detail unasked: "my PIN is 0000", "booking ref ABC123", "I'm Ana Ruiz".
fn gives(text: &str, slot: &str) -> bool {
    GIVEN.iter().any(|(name, pattern)| *name == slot && pattern.is_match(text))
}

/// A date of birth as it is typed, where no other date was asked for.
static BORN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b[0-9]{1,2}[./-][0-9]{1,2}[./-](?:19|20)[0-9]{2}\b|\b(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}\b")
});

/// How a detail is given, by slot.
static GIVEN: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    vec![
        (
            "name",
            pattern(
                r"(?:[Mm]y (?:full )?name is|[Nn]ame: ?|I'm|[Tt]his is) [A-Z][a-z]+ [A-Z][a-z]+|(?i:surname|last name)(?: is|'s|:) [A-Z][a-z]+",
            ),
        ),
        ("account", pattern(r"(?i)\baccount (?:number|no\.?|id|#)? ?(?:is|:|#)? ?#?\d{5,}|\d{5,} is my account")),
        ("pin", pattern(r"(?i)\bpin (?:is )?(?:actually )?:? ?\d{4}\b")),
        ("order", pattern(r"(?i)\border (?:number|no\.?|id|#)? ?(?:is|:|#)? ?#?[A-Z]{0,4}-?\d[\d-]{3,}")),
        (
            "booking",
            pattern(
                r"\b(?i:booking|reservation|confirmation|record locator|pnr|ref|reference)\b.{0,14}\b(?:[A-Z]+\d[A-Z0-9]*|\d+[A-Z][A-Z0-9]*|[A-Z]{6})\b",
            ),
        ),
        ("flight", pattern(r"\b(?i:flight|flt) ?#?(?:[A-Z]{2})? ?\d{2,4}\b")),
        (
            "contract",
            pattern(
                r"(?i)\b(?:contract|policy|membership|customer|client|subscription)\b.{0,40}?\b[A-Z]{0,4}-?\d[\d-]{2,}",
            ),
        ),
        ("case", pattern(r"(?i)\b(?:case|claim|ticket|complaint|reference|ref)\b.{0,20}?\b[A-Z]{0,4}-?\d[\d-]{2,}")),
        ("parcel", pattern(r"(?i)\b(?:tracking|parcel|shipment|consignment)\b.{0,20}?\b[A-Z]{0,4}-?\d[A-Z\d-]{4,}")),
        ("birth", pattern(r"(?i)\bborn (?:on )?(?:the )?\d|\b(?:date of birth|dob)\b.{0,6}\d")),
        ("user", pattern(r"(?i)\buser ?(?:id|name) is \S+")),
        ("email", pattern(r"\S@\w+\.\w|\[EMAIL\]|__email__")),
    ]
});

lexicon!(
    /// What was given is looked at, not overlooked.
    CONFIRMS: "again", "another", "different", "correct", "verify", "confirm", "double check", "match", "incorrect", "wrong", "invalid", "cant find", "couldnt find", "not found", "doesnt work", "didnt work", "is that"
);

lexicon!(
    /// The customer does not have what was asked for.
    LACKS: "dont have", "do not have", "cant remember", "cant recall", "dont remember", "dont recall", "forgot", "dont know", "not sure", "lost it", "no idea"
);

lexicon!(
    /// The company knows that it is missing.
    KNOWS: "look for", "locate", "find", "once you", "if you", "when you", "without", "unfortunately", "still need", "cannot", "unable", "alternatively", "instead"
);

lexicon!(
    /// The first answer was looked at and did not do.
    AGAIN: "again", "another", "different", "correct", "verify", "confirm", "double check", "match", "incorrect", "wrong", "invalid", "doesnt", "couldnt", "cant find", "not found", "error", "misunderstanding", "sorry"
);

/// What a question asks for; in a long text only its questions count.
fn slots(text: &str) -> Vec<&'static str> {
    let folded = fold(text);
    if folded.len() > 400 {
        return Vec::new();
    }
    SLOTS.iter().filter(|(_, asks)| asks.iter().any(|a| folded.contains(a))).map(|(name, _)| *name).collect()
}

/// Whether an answer gives a detail rather than putting it off.
fn fills(answer: &str) -> bool {
    let words = words(answer);
    let gives = answer.chars().any(|c| c.is_ascii_digit()) || answer.contains('@') || words.len() <= 3;
    let refuses = words.iter().any(|w| {
        matches!(
            w.as_str(),
            "dont" | "no" | "not" | "cant" | "why" | "what" | "where" | "forgot" | "remember" | "sorry"
        )
    });
    gives && !refuses && !words.is_empty()
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
                    "violated 2",
                    "C neg problem | The boiler is out.\nA neu ask-info | What is wrong?\nC neg +retells repeat | As I said, the boiler is out.",
                ),
                (
                    "violated 1,0",
                    "C neg problem | Hi, order 88-30417, the lamp came cracked\nA neu apology,ask-info | Sorry the lamp came broken. Could you give me the order number?",
                ),
                ("violated 0", "C neg +retells repeat,frustration | Third time I report this pothole."),
                (
                    "violated 3,1",
                    "C neu | hi\nA neu ask-info | Your order number?\nC neu | 4471\nA neu ask-info | Could I have the order number?",
                ),
                (
                    "violated 1,0",
                    "C neg problem | Order 4471 came open.\nA neu +re-asks ask-info | What is your order number?",
                ),
                ("ok", "C neg repeat | Still waiting for a reply.\nA neu apology | Sorry."),
                (
                    "violated 2,0",
                    "C neu | I have a problem getting to my return flight on booking code RRK8\nA neu ask-info | Hi, is there something we can help with?\nC neu | Yes. I have a problem getting to my return flight on booking code RRK8.",
                ),
                (
                    "ok",
                    "C neu | Could the driver bring the red sofa to 14 Mill Lane, Tarrow on Friday?\nA neu ask-info | So Friday, to the Tarrow address?\nC neu | Yes, Friday, the red sofa, to 14 Mill Lane in Tarrow",
                ),
                (
                    "ok",
                    "C neu | hi\nA neu ask-info | Your date of birth and date of purchase?\nC neu | Bought it 02.11.2024\nA neu ask-info | Thanks. And your date of birth?",
                ),
                (
                    "ok",
                    "C neu | Sure, my reservation id is 77120\nB neu +re-asks ask-info | Could you give me your user ID as well?",
                ),
                (
                    "ok",
                    "C neu | hi\nB neu ask-info | Your user ID, please?\nC neu | k_4471\nB neu ask-info | Thank you for providing your user ID. I will look it up.",
                ),
                (
                    "ok",
                    "C neu | hi\nA neu ask-info | Your order number?\nC neu | I don't have it\nA neu ask-info | Could you look for the order number?",
                ),
                (
                    "violated 3,1",
                    "C neu | move it\nB neu ask-info | Your full name and date of birth?\nC neu | Ruth Ade, 12.03.1986\nA neu ask-info | Hello Ruth, what is your date of birth?",
                ),
                ("ok", "C neg problem | The boiler is out.\nA neu ask-info | Which model?"),
                ("ok", "C neu | 4471\nA neu ask-info | Thank you, and the date of birth?"),
                (
                    "violated 1,0",
                    "C neg problem | The dishwasher stops in the rinse and leaves water\nA neu ask-info | Please describe your issue.",
                ),
                (
                    "violated 2,0",
                    "C neu | my meter reading is 40718 but the bill says 47018\nA neu ask-info | Could you send the reading you took?\nC neu | 40718",
                ),
                (
                    "violated 2,0",
                    "C neu | Can you bring it to my sister instead? 14 Mill Lane, Tarrow\nA neu commitment,ask-info | Happy to. Where should the driver take it?\nC neu | 14 mill lane in tarrow",
                ),
                (
                    "ok",
                    "C neu | my meter reading is 40718\nA neu ask-info | Is the reading correct?\nC neu | yes, 40718",
                ),
                (
                    "ok",
                    "C neu | my meter reading is 40718\nA neu ask-info | Could you send a photo of the meter too?\nC neu | done, it also shows 8 digits in red",
                ),
                ("violated 0", "C neg repeat | As I wrote, the tap drips."),
                ("ok", "C neg +retells repeat | I already called them and it rings out."),
                (
                    "ok",
                    "C neu | hi\nB neu ask-info | Your order number?\nC neu | I don't have it\nB neu ask-info | Which one of these is the order number: 77120 or 77133?",
                ),
                ("n/a", "A neu greeting | Hello!"),
            ],
        );
    }
}
