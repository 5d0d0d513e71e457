//! # What it finds
//! The customer is sent on twice or more, back to where they came from, or says that they have been sent around.
//! # Why it hurts the customer
//! Every transfer means waiting again and telling it again, with no one who owns the matter.
//! # Example
//! "Please call billing." … "Billing can't help, use the form on the website."
//! # Say instead
//! "I'll stay with this. I'm asking billing now and come back to you here by 4 p.m."
//! # What it leaves alone
//! One link or number that solves it, the same destination named twice, an offer that the customer does not take, and details asked for by DM.
//! # Measured
//! On 300 transcripts that were read twice (12 with a violation): precision 0.70 (0.40–0.89), recall
//! 0.58 (0.32–0.81), each with its 95 % interval.

use std::sync::LazyLock;

use regex::Regex;

use super::phrases::names_any;
use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::lexicon;
use crate::signals::Label::{Problem, Repeat, Transfer};
use crate::turns::{content_words, fold, pattern, stem, words};

pub(super) static RULE: Rule =
    Rule { id: "excess-transfer", source: include_str!("excess_transfer.rs"), context: false, check };

lexicon!(
    /// The customer tells of having been sent around.
    AROUND: "sent me to", "passed around", "bounced around", "bounced between", "passed from", "sent around", "sending me", "keep transferring", "transferred me", "transferred again", "got transferred", "been transferred", "being transferred",
    "transferred to", "they told me to contact", "told me to call", "told to call", "told to contact", "told me to contact", "told me to go", "they said to contact", "said to call", "say its you", "says its you", "run around", "runaround", "pillar to post", "round in circles",
    "going in circles", "stuck in the circle", "in a circle", "passed between", "put through again", "third department", "round the houses", "sends me to you", "in circles", "each other pointing", "sent me back", "referred me back", "pointing fingers", "different departments", "another department", "wrong department",
    "told by them", "directed me", "redirected me", "ping pong", "pass the buck", "passing the buck"
);

/// One place that sends the customer to the next.
static SENT_ON: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(?:asked me to (?:ask|call|ring|phone|contact|write|go|talk|speak|try|see|email|message)|(?:sent|referred|passed|directed|forwarded|transferred|put) me (?:on |over |back |through )?to",
        r"|(?:said|says?|tells?|told)(?: me| us)?(?: to)? (?:call|ring|phone|email|mail|message|try|ask|contact|see|webchat|chat|write|go|speak|talk)",
        r"|gave me (?:your|their|this) (?:number|address|name)|(?:who|which) (?:told|sent|referred) me)\b",
    ))
});

/// Where a transfer leads, by a word in it.
const PLACES: &[(&str, &[&str])] = &[
    ("dm", &["dm", "dms", "direct message", "private message", "inbox", "pm us"]),
    ("phone", &["call", "phone", "ring", "dial", "hotline", "calling", "helpline", "number"]),
    ("form", &["form", "forms", "fill in", "fill out"]),
    ("email", &["email", "e-mail", "mail us", "write to"]),
    ("airport", &["airport", "desk", "counter", "gate agent", "gate"]),
    (
        "human",
        &["human agent", "live agent", "representative", "human", "colleague", "specialist", "supervisor", "manager"],
    ),
    ("web", &["link", "website", "site", "online", "page", "app", "https", "here"]),
    ("team", &["team", "department", "reservations", "office", "branch", "store", "shop", "billing", "sales"]),
];

fn check(view: &View<'_>) -> Verdict {
    let around = |i: usize| AROUND.hits(view.text(i)) && (view.negative(i) || view.has(i, Repeat));
    let told = view.customer_turns().find(|&i| around(i) || sent_on(view, i) > 1);
    let sent: Vec<usize> = view.company_turns().filter(|&i| view.has(i, Transfer)).collect();
    if let Some(turn) = told {
        let turns: Vec<usize> = std::iter::once(turn).chain(sent).collect();
        return violated(
            turns,
            0.8,
            format!("The customer tells of having been sent from one place to another (turn {turn})."),
        );
    }
    if sent.is_empty() {
        return Verdict::NotApplicable;
    }
    if let Some((step, turn)) = sent.iter().find_map(|&t| Some((t, sent_back(view, t)?))) {
        return violated(
            vec![step, turn],
            0.6,
            format!("The customer is sent on (turn {step}) to where they say they have been (turn {turn})."),
        );
    }
    let mut places: Vec<Place> = Vec::new();
    let mut steps = Vec::new();
    for &turn in &sent {
        // An offer that the customer does not take is no transfer.
        let offered = OFFER.is_match(view.text(turn)) && !taken(view, turn);
        let place = Place::named(view.text(turn));
        if !offered && places.iter().all(|p| p.differs(&place)) {
            places.push(place);
            steps.push(turn);
        }
    }
    if steps.len() < 2 {
        return Verdict::Ok;
    }
    let confidence = steps.iter().map(|&i| view.p(i, Transfer)).fold(1.0, |a, b| a * b);
    let seen = format!("The customer is sent on {} times, to different places (turns {}).", steps.len(), list(&steps));
    violated(steps, confidence, seen)
}

/// The customer's turn around a transfer that tells of having been there already, or that nobody helps there.
fn sent_back(view: &View<'_>, step: usize) -> Option<usize> {
    view.customer_turns().find(|&i| {
        let near = i > step || view.customer_before(step) == Some(i);
        let text = view.text(i);
        let from_there = i < step && CAME_FROM.hits(text) && shares_a_word(text, view.text(step));
        let same = shares_a_word(text, view.text(step));
        // Right before the step, what was of no use must be the place that the step names.
        let no_help = view.negative(i) && NO_HELP.hits(text) && (i > step || same);
        let been = BEEN.hits(text) && (view.has(i, Repeat) || view.negative(i) && same);
        let bounced = i > step && SAYS_YOU.hits(text);
        near && (been || no_help || bounced) || from_there
    })
}

/// Whether a place may be named in both: some telling word of one stands in the other.
fn shares_a_word(a: &str, b: &str) -> bool {
    let other = content_words(b);
    content_words(a).iter().any(|w| other.iter().any(|o| stem(o) == stem(w)))
}

lexicon!(
    /// The customer says who sent them here.
    CAME_FROM: "come from your", "came from your", "put me on to you", "put me onto you", "put me through to you", "sent me here", "sent me to you", "passed me to you", "passed me on to you", "told me to ask you", "told me to contact you",
    "told me to call you", "told me to write to you", "referred me to you", "said to ask you", "said to contact you", "said to call you", "told me to ring you", "told me to phone you", "said to ring you", "gave me your number"
);

lexicon!(
    /// The place that the customer was sent to sends them back.
    SAYS_YOU: "says contact you", "say contact you", "said contact you", "says to contact you", "said to contact you", "said to call you", "says call you", "told me to contact you", "told me to call you", "told me to ask you", "says its you",
    "said its you", "sends me here", "sent me here", "sends me back", "sent me back", "put me through to you", "sends me to this chat", "sent me to you", "sends me to you", "raise it with you", "take it up with you", "thats you"
);

lexicon!(
    /// A place where no help was to be had.
    NO_HELP: "not helpful", "wasnt helpful", "isnt helpful", "unhelpful", "no help", "were no use", "was no use", "hang up", "hung up", "hangs up", "will not ring", "wont ring", "doesnt ring", "engaged tone", "no answer", "nobody answers", "no one answers",
    "nobody picks up", "no one picks up", "line is dead", "number is dead", "cant get through", "couldnt help me", "cant help me", "wouldnt help me", "nobody there", "no one there"
);

lexicon!(
    /// Having been somewhere for help before.
    BEEN: "already called", "already spoken to", "already talked", "already asked", "already emailed", "already contacted", "already tried", "already been", "i called", "i did", "ive called", "ive spoken", "ive emailed", "ive contacted",
    "ive asked", "ive tried", "spoke with", "spoke to", "thats who", "they told me", "told me", "they said", "she said", "he said", "i asked", "asked the", "we were told", "have been told", "waiting for", "called them", "emailed them", "contacted them",
    "no help", "couldnt help", "wouldnt help", "cant help", "said to", "filled", "submitted"
);

fn list(turns: &[usize]) -> String {
    turns.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

struct Place {
    kind: &'static str,
    /// Last digits of the number to call, where it is given.
    number: Option<String>,
}

impl Place {
    fn named(text: &str) -> Self {
        let kind = PLACES.iter().find(|(_, words)| names_any(text, words)).map_or("elsewhere", |(name, _)| name);
        let number = NUMBER.find(text).filter(|_| kind == "phone").map(|n| {
            let digits: String = n.as_str().chars().filter(char::is_ascii_digit).collect();
            digits[digits.len().saturating_sub(7)..].to_owned()
        });
        Self { kind, number }
    }

    /// Another place: of another kind, or another number to call where both are given.
    fn differs(&self, other: &Self) -> bool {
        self.kind != other.kind || self.number.is_some() && other.number.is_some() && self.number != other.number
    }
}

/// A number to call.
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:\+|\b0|\b1[- ]|\([0-9]{3,5}\) ?|\b[2-9][0-9]{2}[- ])[0-9][0-9 -]{4,}[0-9]"));

/// Whether the customer's answer takes up what was offered.
fn taken(view: &View<'_>, turn: usize) -> bool {
    let answer = view.customer_turns().find(|&i| i > turn);
    answer.is_some_and(|i| {
        let yes = words(view.text(i)).into_iter().next();
        yes.is_some_and(|w| matches!(w.as_str(), "yes" | "yeah" | "yep" | "please" | "ok" | "okay" | "sure"))
    })
}

/// How many places the customer says sent them on.
fn sent_on(view: &View<'_>, turn: usize) -> usize {
    if !(view.negative(turn) || view.any(turn, &[Problem, Repeat])) {
        return 0;
    }
    let text = fold(view.text(turn));
    let another = |at: &regex::Match<'_>| {
        let own = ["i", "we"].contains(&text[..at.start()].split_whitespace().next_back().unwrap_or_default());
        let next = text[at.end()..].split_whitespace().next().unwrap_or_default();
        !own && !["again", "later", "already", "not", "was", "is", "address"].contains(&next)
    };
    SENT_ON.find_iter(&text).filter(another).count()
}

/// A hand-over that is only put to the customer.
static OFFER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)\bI can transfer\b|would you like me to do that\?\s*$",
        r"|\b(?:would you like me to|shall I|should I|do you want me to) (?:transfer|put you|connect|pass you|hand you)",
    ))
});

fn violated(turns: Vec<usize>, confidence: f32, seen: String) -> Verdict {
    Verdict::Violated(Violation {
        turns,
        evidence: None,
        severity: Severity::Medium,
        confidence,
        seen,
        suggestion: "Resolve (the R of L.E.A.R.N.) from where you are: make the contact on the customer's behalf, or hand over with the story told and say who takes it."
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
                    "violated 1,3",
                    "C neg problem | wrong bill\nA neu transfer | Please call billing.\nC neu | they can't\nA neu transfer | Then use the form on the website.",
                ),
                (
                    "violated 0,1",
                    "C neg frustration | The shop sent me to you and you say it's the shop\nA neu transfer | Please visit the shop.",
                ),
                (
                    "violated 1,0",
                    "C neu | I've just come from your meter lot, who put me on to you\nA neu transfer | That is one for the meter team.",
                ),
                (
                    "violated 0",
                    "C neg problem | shop said ring, the phone said try webchat, so hi\nA neu ask-info | Hi, the number?",
                ),
                ("ok", "C neg problem | they said to ring you\nA neu transfer | Please call billing."),
                (
                    "ok",
                    "C neg problem | the app says try again later, then it says try again later\nA neu transfer | Please call billing.",
                ),
                (
                    "ok",
                    "C neg problem | the lift is out\nA neu transfer | Please call our helpline.\nC neu | what number?\nA neu transfer | You can call 0300 555 0142.",
                ),
                (
                    "violated 1,3",
                    "C neg problem | a cracked screen\nA neu transfer | I'm connecting you with Claims, our team.\nC neu | ok\nA neu transfer | Shall I put you through to the glass desk?\nC neu | yes please",
                ),
                ("violated 2", "C neu | hi\nA neu greeting | Hello\nC neg | I keep being passed around"),
                (
                    "ok",
                    "C neg problem | wrong bill\nA neu transfer | Please call billing.\nC neu | sure\nA neu transfer | The number to call is on the bill.",
                ),
                (
                    "violated 1,3",
                    "C neg problem | the lift is out\nA neu transfer | Please call 0300 555 0142.\nC neu | engaged\nA neu transfer | Please call 0300 555 0177 then.",
                ),
                (
                    "ok",
                    "C neg problem | a cracked screen\nA neu transfer | I'm connecting you with Claims.\nC neu | ok\nA neu transfer | I can take it, or shall I put you through to the glass desk?",
                ),
                ("ok", "C neg problem | wrong bill\nA neu transfer | Please call billing."),
                (
                    "ok",
                    "C neg problem | parcel gone\nA neu transfer | Please contact the courier.\nC neu | I'll ask them, then",
                ),
                ("n/a", "C neg problem | wrong bill\nA neu ask-info | DM us the number."),
                (
                    "violated 1,2",
                    "C neg problem | parcel gone\nA neu transfer | Please contact the courier.\nC neu | The courier says contact you",
                ),
                (
                    "violated 1,2",
                    "C neg problem | can't board\nA neu transfer | Please see the ticket desk.\nC neg | he spoke to the ticket desk, no chance\nA neu transfer | Then the ticket desk again.",
                ),
                ("ok", "C neg problem | they are not helpful at all\nA neu transfer | Please call billing."),
                ("n/a", "C neu | hello"),
            ],
        );
    }
}
