//! # What it finds
//! A canned or general text answers a specific concern: it stands nearly word for word in other transcripts or earlier in this
//! one, or could stand anywhere, and takes up nothing the customer said.
//! # Why it hurts the customer
//! A text block tells customers that nobody read theirs.
//! # Example
//! Customer: "The engineer left a hole in the wall." Agent: "Thank you for your feedback. We strive to provide the best service to all our customers."
//! # Say instead
//! "A hole in the wall is not how we leave a home. Could you send a photo? I'll have it repaired."
//! # What it leaves alone
//! Greetings, closings, routine questions and required notices may be canned.
//! # Measured
//! On 300 transcripts that were read twice (43 with a violation): precision 0.65 (0.51–0.77), recall
//! 0.70 (0.55–0.81), each with its 95 % interval.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::phrases::only_relays;
use super::rule::{Rule, Severity, Verdict, Violation};
use super::specific::specific_words;
use super::view::View;
use crate::signals::Cue;
use crate::signals::Label::{
    Alternative, Apology, AskInfo, Blame, Check, Closing, Commitment, Compensation, Denial, Frustration, Gratitude,
    Greeting, Informal, NonApology, Policy, Problem, Repeat, Timeframe, Transfer,
};
use crate::turns::{Role, content_words, fold, pattern, sentences, stem, words};

pub(super) static RULE: Rule =
    Rule { id: "scripted-reply", source: include_str!("scripted_reply.rs"), context: false, check };

/// Up to so many words that name something a text still fits any complaint.
const GENERAL: usize = 1;
/// The same where the classifier calls the text canned.
const GENERAL_WITH_CUE: usize = 2;

/// From how sure on the classifier's word is enough: readers draw the line at different places.
const SURELY: f32 = 0.9;

fn check(view: &View<'_>) -> Verdict {
    let agents: Vec<usize> = view.company_turns().filter(|&i| view.role(i) == Role::Agent).collect();
    if agents.is_empty() {
        return Verdict::NotApplicable;
    }
    for &turn in &agents {
        if let Some(before) = said_before(view, turn) {
            return violated(
                vec![turn, before],
                0.8,
                format!("The same text stands earlier in this conversation (turns {before} and {turn})."),
            );
        }
        let general = |confidence: f32| {
            let seen = format!("A general text answers a specific concern and takes up nothing of it (turn {turn}).");
            violated(vec![turn], confidence, seen)
        };
        if view.sure(turn, Cue::Generic) >= SURELY {
            return general(view.sure(turn, Cue::Generic));
        }
        if !concerned(view, turn) {
            continue;
        }
        let taken = view.taken_up(view.text(turn), turn);
        // One word in common is the topic; the case takes more.
        if TO_NOBODY.is_match(&fold(view.text(turn))) && taken <= 1 {
            let seen = format!("A letter to no one in particular answers a specific concern (turn {turn}).");
            return violated(vec![turn], 0.6, seen);
        }
        if acts(view, turn) || courteous(view, turn) || taken > 0 {
            continue;
        }
        if view.others(turn) >= view.limits().canned_in_others {
            let seen = format!(
                "This text stands in {} other conversations and takes up nothing the customer said (turn {turn}).",
                view.others(turn)
            );
            return violated(vec![turn], 0.8, seen);
        }
        let named = specific_words(view.text(turn));
        if named <= GENERAL || view.cue(turn, Cue::Generic) && named <= GENERAL_WITH_CUE {
            return general(0.6);
        }
    }
    Verdict::Ok
}

/// Whether the customer reported or felt something bad right before the turn: what a text block does not answer.
fn concerned(view: &View<'_>, turn: usize) -> bool {
    view.asked_before(turn).is_some_and(|m| view.message_any(m, &[Problem, Frustration, Repeat]))
}

/// Whether the turn does, asks, refuses or offers something, or jests: such a turn is an answer, good or bad. Passing
/// feedback on is none.
fn acts(view: &View<'_>, turn: usize) -> bool {
    view.any(turn, &[Denial, Policy, AskInfo, Alternative, Compensation, Timeframe, Transfer, Blame, Informal])
        || view.has(turn, Commitment) && !only_relays(view.text(turn))
}

/// A courtesy in its place: a greeting, a word or two, a goodbye to thanks or to a mood, or a part of a message whose
/// other part is not here.
fn courteous(view: &View<'_>, turn: usize) -> bool {
    if words(view.text(turn)).len() < 3 || PART.is_match(view.text(turn)) {
        return true;
    }
    if view.any(turn, &[Apology, NonApology, Commitment]) {
        return false;
    }
    let mood = || {
        let to = view.asked_before(turn);
        to.is_some_and(|m| view.message_any(m, &[Gratitude]) || !view.message_any(m, &[Problem]))
    };
    if view.has(turn, Closing) { mood() } else { view.any(turn, &[Greeting, Check]) }
}

/// A salutation to whoever it may be.
static TO_NOBODY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*dear (?:(?:valued|esteemed|loyal|sir|madam)\b|(?:customer|client|guest|tenant|resident|student|member|applicant|passenger|traveller|traveler|patient|subscriber|user|reader|seller)s?\b)",
    )
});

/// "1/2" at the end, or the rest of a sentence at the beginning.
static PART: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[1-9]/[2-9]\)?\s*(?:[\^*]\w+)?$|^(?:\.\.\.|\u{2026})"));

/// The customer asks for the text again.
static ONCE_MORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:can|could|would|will|please)\b[^.!?]{0,25}\b(?:repeat|say|send|write) (?:me )?(?:that|it|them|those)\b|\blost what you (?:wrote|sent|said)\b",
    )
});

/// The earlier turn with nearly the same text, unless the repetition is in place: wished for, a courtesy, a question that the
/// customer passed over calmly, or an answer that takes up what the customer has said since.
fn said_before(view: &View<'_>, turn: usize) -> Option<usize> {
    let text = view.text(turn);
    let courtesy = view.any(turn, &[Greeting, Closing, Check]) && content_words(text).len() < 4;
    let wanted =
        !concerned(view, turn) && view.asked_before(turn).is_some_and(|m| ONCE_MORE.is_match(&view.message_text(m)));
    let asks = view.has(turn, AskInfo) || text.contains('?') && !view.has(turn, Check);
    let passed_over = view.asked_before(turn).is_none_or(|m| !view.message_text(m).contains('?'));
    let question = asks && !view.has(turn, Denial) && !concerned(view, turn) && passed_over;
    if courtesy || question || wanted {
        return None;
    }
    let again =
        |&b: &usize| alike(view.text(b), text) || concerned(view, turn) && shares_a_sentence(view.text(b), text);
    let before = view.company_turns().filter(|&b| b < turn).rev().take(50).find(again)?;
    let answered = view.customer_turns().any(|c| before < c && c < turn);
    let said: BTreeSet<String> = content_words(view.text(before)).into_iter().collect();
    let new: Vec<String> = content_words(text).into_iter().filter(|w| !said.contains(w)).collect();
    (answered && view.taken_up_since(&new.join(" "), before, turn) == 0).then_some(before)
}

/// Nearly the same words, and enough of them.
fn alike(a: &str, b: &str) -> bool {
    let set = |t: &str| -> BTreeSet<String> { words(t).iter().map(|w| stem(w).to_owned()).collect() };
    let (a, b) = (set(a), set(b));
    let all = a.union(&b).count();
    all >= 4 && a.intersection(&b).count() * 5 >= all * 4
}

/// A sentence with a message of its own stands in both.
fn shares_a_sentence(a: &str, b: &str) -> bool {
    let told = |text: &str| -> Vec<String> {
        let said = sentences(text).into_iter().map(|r| text[r].to_owned());
        said.filter(|s| content_words(s).len() >= 3 && !s.to_lowercase().contains("regards")).collect()
    };
    let (a, b) = (told(a), told(b));
    a.iter().any(|x| b.iter().any(|y| alike(x, y)))
}

fn violated(turns: Vec<usize>, confidence: f32, seen: String) -> Verdict {
    Verdict::Violated(Violation {
        turns,
        evidence: None,
        severity: Severity::Low,
        confidence,
        seen,
        suggestion: "Keep the text block for the frame and open with one sentence of your own that names this customer's concern.".to_owned(),
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
                    "C neg problem,frustration | The engineer left a hole in my wall!\nA neu +generic | We value your feedback and strive to do better every day.",
                ),
                (
                    "violated 3,1",
                    "C neg problem | It died again\nA neu denial | The guarantee has ended for goods of that kind.\nC neg problem | But it died twice in the guarantee?\nA neu denial | The guarantee has ended for goods of that kind.",
                ),
                (
                    "violated 1",
                    "C neg frustration | Crew laughed at my mother\nA neu +generic | Thank you for your patience and your comments today.",
                ),
                (
                    "ok",
                    "C neg problem,frustration | The engineer left a hole in my wall!\nA neu apology | We value your feedback. A hole in the wall is not right.",
                ),
                (
                    "ok",
                    "C neg problem | The engineer left a hole\nA neu greeting,ask-info | Thank you for contacting us, may I have your name?",
                ),
                (
                    "ok",
                    "C neg problem | It died again on Sunday\nA neu ask-info | May I have your account number please?\nC neu | it must be here on some letter\nA neu ask-info | May I have your account number please?",
                ),
                (
                    "ok",
                    "C neu | How do I set a PIN?\nA neu | Open the app, tap Cards, then Security.\nC neu | I lost what you wrote. Could you send it once more?\nA neu | Open the app, tap Cards, then Security.",
                ),
                ("ok", "C neu | hi\nA neu +generic closing | Thank you for contacting us today, have a nice day."),
                (
                    "violated 1",
                    "C neg problem | The soup came cold twice\nA neu greeting,closing | Thanks for writing, we value all feedback and hope to welcome you again.",
                ),
                (
                    "violated 3,1",
                    "C neg problem | The strap tore\nA neu policy | Straps are covered for two years.\nC neg frustration | It was the buckle!\nA neu policy | Straps are covered for two years.",
                ),
                (
                    "violated 1",
                    "C neg problem | The cover shrank, washed by the label\nA neu denial,policy | Dear customer, washing errors are excluded from the guarantee.",
                ),
                (
                    "violated 3,1",
                    "C neg problem | Where is my refund, it is two weeks\nA neu timeframe | Hi! Refunds take three working days.\nC neg frustration | It's been fourteen!\nA neu timeframe | Please be patient. Refunds take three working days.",
                ),
                (
                    "ok",
                    "C neg problem,frustration | Forty minutes in this queue!\nA neu greeting | Hi there, how may I help you today?",
                ),
                (
                    "ok",
                    "C neg problem | The soup came cold twice\nA neu | A bowl should never leave our kitchen like that.",
                ),
                ("ok", "C neg problem | The soup came cold twice\nA neu denial | We can't refund it."),
                (
                    "violated 1",
                    "C neu | How do I get into the beta, is it paid?\nA neu commitment,transfer +generic! | Please write to us and we will assist you with the beta.",
                ),
                (
                    "ok",
                    "C neu | How do I get into the beta, is it paid?\nA neu commitment,transfer +generic | Please write to us and we will assist you with the beta.",
                ),
                ("ok", "C neg frustration | This has been a long day.\nA neu closing | Thank you and goodbye."),
                (
                    "ok",
                    "C neu | the small court on Sunday?\nA neu denial | I'm afraid that the small court is taken for all of Sunday.\nC neu | the clay court?\nA neu denial | I'm afraid that the clay court is taken for all of Sunday.",
                ),
                (
                    "n/a",
                    "C neg problem | The engineer left a hole\nB neu +generic | We value your feedback and strive to do better.",
                ),
            ],
        );
    }
}
