//! What could have been said instead, put together from the case's own words. In: a rule, its evidence and the turns around it. Out:
//! pieces: set phrases, words of the case exactly as they stand, and gaps where the case gives no fact.
//!
//! The order is that of L.E.A.R.N. (Listen, Empathize, Apologize, Resolve, Note) or, for an open problem, Acknowledge + Apologize +
//! Action + Next update. Nothing is made up: what the case does not say is left for the reader to fill in.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

use crate::signals::{Label, LabelSet};
use crate::turns::{Role, pattern, sentences, words};

/// A piece of a suggested wording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Piece {
    /// A set phrase.
    Phrase(String),
    /// Words of this case.
    Case(String),
    /// Something to fill in.
    Gap(String),
}

/// A turn as far as it is needed here.
#[derive(Debug, Clone)]
pub struct Said {
    /// Who speaks.
    pub role: Role,
    /// What was said, redacted.
    pub text: String,
    /// What is true of it.
    pub labels: LabelSet,
}

/// The longest words of a customer that are taken up, in characters.
const TAKEN_UP: usize = 110;
/// The longest sentence of the company that is kept.
const KEPT: usize = 220;

/// Suggests a wording for a finding; none for a rule that no wording helps. `evidence` has the main turn first, and `quote` stands in it.
pub fn rewrite(rule: &str, turns: &[Said], evidence: &[usize], quote: &str) -> Option<Vec<Piece>> {
    let main = *evidence.first()?;
    let said = turns.get(main)?;
    let asked = if said.role == Role::Customer {
        Some((main, quote))
    } else {
        (0..main).rev().find(|&i| turns[i].role == Role::Customer).map(|i| (i, turns[i].text.as_str()))
    };
    let case = Case { turns, heard: asked.and_then(|(_, text)| heard(text)), from: asked.map_or(0, |(i, _)| i) };
    worded(rule, &case, quote)
}

/// The wording for a rule: what is said in which order.
fn worded(rule: &str, case: &Case<'_>, quote: &str) -> Option<Vec<Piece>> {
    let mut out = Wording::default();
    match rule {
        "missing-apology" => out.listen(case).phrase("I'm sorry about that.").resolve(case),
        "no-empathy" => out
            .listen(case)
            .phrase("I can see that")
            .gap("what it meant for this customer")
            .phrase(", and I'm sorry.")
            .resolve(case),
        "unrecovered" => out.listen(case).phrase("I'm sorry that this is not put right yet.").resolve(case),
        "policy-over-people" => out
            .listen(case)
            .phrase("I know this is not the answer you hoped for. The reason is")
            .gap("the reason, in one plain sentence")
            .phrase(". What I can do is")
            .gap("another way, an exception, or who can decide")
            .phrase("."),
        "informal-denial" => out
            .listen(case)
            .phrase("I'm sorry, I cannot do this:")
            .gap("the reason, in one plain sentence")
            .phrase(". What I can do is")
            .gap("another way, or who can decide")
            .phrase("."),
        "blame" => out
            .listen(case)
            .phrase("I'm sorry that this went wrong. Here is how we put it right:")
            .gap("the next step, without whose fault it was")
            .phrase("."),
        "cold-open" => {
            out.phrase("Hello").gap("name").phrase(", and thank you for getting in touch.").listen(case);
            out.phrase("To help you with that:").case(&format!("“{}”", clipped(quote, KEPT)))
        }
        "impersonal" => out.phrase("Hello").gap("name").phrase(".").listen(case).resolve(case),
        "repeated-story" => match &case.heard {
            Some(heard) => out
                .phrase("Thank you, I have what you told us:")
                .case(&format!("“{heard}”"))
                .phrase(". You don't have to tell it again.")
                .resolve(case),
            None => out.phrase("Thank you, I have what you told us. You don't have to tell it again.").resolve(case),
        },
        "excess-transfer" => out
            .listen(case)
            .phrase("I'll hand this over with everything you told us, so that you don't have to start again, to")
            .gap("who, and how you stay in touch")
            .phrase(". You'll hear from us")
            .gap("by when")
            .phrase("."),
        "scripted-reply" => out.listen(case).gap("the answer to exactly that").phrase(".").resolve(case),
        "no-next-step" => out.listen(case).phrase("Here is what happens next:").resolve(case),
        "open-loop" => out
            .listen(case)
            .phrase("Does this settle it for you? If anything is left,")
            .gap("how to reach you")
            .phrase(". I'll check with you again")
            .gap("when")
            .phrase("."),
        _ => return None,
    };
    Some(out.0)
}

struct Case<'a> {
    turns: &'a [Said],
    /// What the customer said, short enough to be taken up.
    heard: Option<String>,
    /// Where they said it.
    from: usize,
}

#[derive(Default)]
struct Wording(Vec<Piece>);

impl Wording {
    fn phrase(&mut self, text: &str) -> &mut Self {
        self.0.push(Piece::Phrase(text.to_owned()));
        self
    }

    fn case(&mut self, text: &str) -> &mut Self {
        self.0.push(Piece::Case(text.to_owned()));
        self
    }

    fn gap(&mut self, what: &str) -> &mut Self {
        self.0.push(Piece::Gap(what.to_owned()));
        self
    }

    fn listen(&mut self, case: &Case<'_>) -> &mut Self {
        self.phrase("You told us");
        match &case.heard {
            Some(heard) => self.case(&format!("“{heard}”")),
            None => self.gap("what the customer told you"),
        };
        self.phrase(".")
    }

    /// What is done about it, and when the customer hears of it.
    fn resolve(&mut self, case: &Case<'_>) -> &mut Self {
        match promised(case) {
            Some((sentence, timed)) => {
                self.case(&sentence);
                if timed { self } else { self.phrase("You'll hear from us").gap("by when").phrase(".") }
            }
            None => self.gap("what you are doing about it").phrase(". You'll hear from us").gap("by when").phrase("."),
        }
    }
}

/// Words that say nothing of the case.
#[rustfmt::skip]
const COURTEOUS: &[&str] = &[
    "hello", "hi", "hey", "dear", "good", "morning", "afternoon", "evening", "please", "thanks", "thank", "you", "a", "the", "question", "quick", "sir", "madam", "team", "there", "ok", "okay", "yes", "no",
];

/// How many words of a text say something of the case.
fn own_words(text: &str) -> usize {
    words(text).iter().filter(|w| !COURTEOUS.contains(&w.as_str())).count()
}

/// The sentence of a customer's turn that says most, without its closing mark.
fn heard(text: &str) -> Option<String> {
    let all: Vec<&str> = sentences(text).into_iter().map(|r| &text[r]).collect();
    // The first sentence that is more than a greeting, with a part of it where it is long. A question or a demand is not taken up where something is told too.
    let mut long = all.iter().filter(|s| words(s).len() >= 4 && own_words(s) >= 2);
    let told = long.clone().find(|s| !ASKS.is_match(s.trim())).or_else(|| long.next());
    let telling = told.or_else(|| all.iter().max_by_key(|s| words(s).len()))?;
    let line = telling.split('\n').map(str::trim).find(|l| words(l).len() >= 4).unwrap_or(telling);
    // Whom a public message is addressed to is not what it says.
    let line = line.trim_start_matches('.').trim_start();
    let line = line.strip_prefix('@').and_then(|l| l.split_once(char::is_whitespace)).map_or(line, |(_, rest)| rest);
    let heard = clipped(line, TAKEN_UP);
    let heard = heard.trim_end_matches(['.', '!', '?', ',', ';', ':']).replace(['“', '”', '"'], "’");
    // A name or a number alone, replaced or not, is nothing to take up.
    let own = heard.split_whitespace().filter(|w| !w.starts_with('[') && !words(w).is_empty()).count();
    (own >= 3 && own_words(&heard) >= 2).then_some(heard)
}

/// A question or a demand.
static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\?$|^(?:(?:and|so|but|well|ok|okay|please|hello|hi|hey|yes|no)\b,?\s*)*(?:do|does|did|can|could|will|would|is|are|was|were|have|has|why|what|when|where|which|who|how|get|give|send|tell|fix|stop|answer|call|put|let|make|sort|explain|refund|cancel|just)\b",
    )
});

/// The beginning of a text, up to a word, with an ellipsis where something is left out.
fn clipped(text: &str, limit: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = text.char_indices().nth(limit) else { return text };
    let end = text[..end].rfind(' ').unwrap_or(end);
    format!("{}…", text[..end].trim_end_matches([',', ';', ':', ' ', '.']))
}

/// Something done or promised in the first person.
static PROMISE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:i|we)(?:['’](?:ve|ll)| have| will)\s+(?:\w+ly\s+|just\s+|now\s+|also\s+|already\s+)?(\w+)")
});

/// A time by which something happens.
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:today|tonight|tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day|within \w+|in (?:an?|\d+|the next) \w+|by \d|at \d|\d+ ?(?:minutes?|hours?|days?|weeks?|am|pm))\b",
    )
});

/// Verbs that only ask, wait or talk: nothing is done by them.
#[rustfmt::skip]
const IDLE: &[&str] = &[
    "need", "be", "been", "had", "no", "not", "never", "to", "your", "a", "the", "received", "heard", "only", "have",
    "explained", "said", "told", "stated", "answered", "informed", "advised", "mentioned", "clarified", "nothing",
];

/// What the company itself promised after the customer spoke: the sentence as it stands, and whether it says when.
fn promised(case: &Case<'_>) -> Option<(String, bool)> {
    let mut best: Option<(String, bool)> = None;
    let later = case.turns.iter().skip(case.from + 1).filter(|t| t.role == Role::Agent);
    for turn in later.filter(|t| t.labels.has(Label::Commitment) && !t.labels.any(&[Label::Denial, Label::Blame])) {
        for sentence in sentences(&turn.text).into_iter().map(|r| turn.text[r].trim()) {
            let acts = PROMISE.captures(sentence).is_some_and(|c| !IDLE.contains(&c[1].to_lowercase().as_str()));
            if !acts || sentence.ends_with('?') || sentence.contains('\n') || sentence.chars().count() > KEPT {
                continue;
            }
            let timed = turn.labels.has(Label::Timeframe) && TIME.is_match(sentence);
            if timed {
                return Some((sentence.to_owned(), true));
            }
            best.get_or_insert((sentence.to_owned(), false));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::RULES;

    fn said(role: Role, text: &str, labels: &[Label]) -> Said {
        Said { role, text: text.to_owned(), labels: labels.iter().copied().collect() }
    }

    fn plain(pieces: &[Piece]) -> String {
        let show = |p: &Piece| match p {
            Piece::Phrase(t) | Piece::Case(t) => t.clone(),
            Piece::Gap(t) => format!("[{t}]"),
        };
        pieces.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_case_s_own_facts_are_used_and_nothing_else() {
        let turns = [
            said(Role::Customer, "Hi. You charged me twice for May! I want it back.", &[Label::Problem]),
            said(Role::Agent, "Send me your number.", &[Label::AskInfo]),
            said(Role::Customer, "4471", &[]),
            said(
                Role::Agent,
                "Thanks. I've refunded one of the two, and it is with your bank by Friday.",
                &[Label::Commitment, Label::Timeframe],
            ),
        ];
        let out = rewrite("missing-apology", &turns, &[0, 1], "Hi. You charged me twice for May!").unwrap();
        assert_eq!(
            plain(&out),
            "You told us “You charged me twice for May” . I'm sorry about that. I've refunded one of the two, and it is with your bank by Friday."
        );
        for piece in &out {
            if let Piece::Case(words) = piece {
                let words = words.trim_matches(['“', '”']);
                assert!(turns.iter().any(|t| t.text.contains(words)), "{words}");
            }
        }
    }

    #[test]
    fn what_the_case_does_not_say_is_a_gap() {
        let turns = [
            said(Role::Customer, "My parcel came open.", &[Label::Problem]),
            said(Role::Agent, "I'll need your order number. We've no record of it.", &[Label::Commitment]),
        ];
        let out = plain(&rewrite("unrecovered", &turns, &[0, 1], "My parcel came open.").unwrap());
        assert!(out.contains("[what you are doing about it]") && out.contains("[by when]"), "{out}");
    }

    #[test]
    fn a_question_a_demand_and_a_brush_off_are_not_taken_up_where_something_was_told() {
        assert_eq!(
            heard("Did you read a word I wrote? The boiler is cold since Monday.").unwrap(),
            "The boiler is cold since Monday"
        );
        assert_eq!(
            heard("Please send somebody round now! The ceiling came down last night.").unwrap(),
            "The ceiling came down last night"
        );
        assert_eq!(heard("Can I still return it?").unwrap(), "Can I still return it");
        let turns = [
            said(Role::Customer, "The fitter left after ten minutes.", &[Label::Problem, Label::Frustration]),
            said(Role::Agent, "I have explained the position and have nothing to add.", &[Label::Commitment]),
        ];
        let text = plain(&rewrite("no-empathy", &turns, &[0, 1], &turns[0].text).unwrap());
        assert!(!text.contains("explained"), "{text}");
    }

    #[test]
    fn whom_a_message_is_addressed_to_is_left_out() {
        assert_eq!(heard(".@Larkspur the router died again today").as_deref(), Some("the router died again today"));
        assert_eq!(heard("@Larkspur"), None);
        assert_eq!(heard("[NAME]. It was Aberdeen. In winter.").as_deref(), Some("It was Aberdeen"));
        assert_eq!(heard("[NAME] [PHONE]"), None);
        assert_eq!(heard("Hello, a question please"), None);
    }

    #[test]
    fn any_rule_and_any_text_will_do() {
        for text in ["", "   ", "😀", "\u{0}…", &"x".repeat(5000), "no"] {
            let turns = [said(Role::Customer, text, &[]), said(Role::Agent, text, &[Label::Commitment])];
            for rule in RULES {
                for evidence in [&[0_usize, 1][..], &[1], &[], &[7]] {
                    let _ = rewrite(rule.id, &turns, evidence, text);
                }
            }
        }
        assert!(rewrite("slow-response", &[said(Role::Agent, "hi", &[])], &[0], "hi").is_none());
    }
}
