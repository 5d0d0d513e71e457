//! # What it finds
//! The company refuses and gives a rule, a policy, its authority or "the system" as the reason, or no reason at all, and offers no other way.
//! # Why it hurts the customer
//! A rule explains the company's side only; without another way the customer is sent off with the problem they came with.
//! # Example
//! "Unfortunately that's our policy, so we can't change the date."
//! # Say instead
//! "I can't change the date on this fare. What I can do is cancel it for a voucher, or look for a later train at no cost."
//! # What it leaves alone
//! Plain facts ("no rooms are left that night"), checks that protect the customer, and refusals with an option, an
//! exception, an escalation or somebody else to turn to in the same or the next message.
//! # Measured
//! On 300 transcripts that were read twice (38 with a violation): precision 0.71 (0.55–0.84), recall
//! 0.66 (0.50–0.79), each with its 95 % interval.

use super::phrases::only_relays;
use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::{Message, View};
use crate::lexicon;
use crate::signals::Cue;
use crate::signals::Label::{
    Alternative, Apology, Commitment, Compensation, Denial, Frustration, Policy, Problem, Transfer,
};

pub(super) static RULE: Rule =
    Rule { id: "policy-over-people", source: include_str!("policy_over_people.rs"), context: false, check };

lexicon!(
    /// A check that protects the customer.
    PROTECTS: "for your security", "for your protection", "to protect your", "for security reasons", "keep your account safe",
    "verify your identity", "data protection", "for your safety", "safety reasons", "authenticate you", "keeps your", "keeps her", "keeps his", "keeps their", "safe from", "protects your", "protects you", "to keep you safe", "keep you safe", "against fraud", "to prevent fraud", "for everyones safety"
);

lexicon!(
    /// A fact about the world rather than a choice of the company.
    FACT: "no availability", "not available", "fully booked", "sold out", "out of stock", "is already taken", "are already taken", "are all taken", "there are no", "there is no", "theres no", "no rooms", "no room available", "no seats", "are left", "no options",
    "is unavailable", "no longer exists", "no flights", "weather", "doesnt fly", "dont fly to", "not open", "discontinued", "no record of", "cant find", "unable to find", "cannot find", "couldnt find", "no tables",
    "cant see", "cannot see", "dont see", "not able to accommodate", "not able to accomodate", "was not purchased", "wasnt purchased", "exceeds", "exceed", "was unsuccessful", "went wrong", "none left", "is gone", "are gone", "has been made since", "have been made since", "no longer made", "has closed", "has shut", "is closed", "are closed", "is shut", "are shut", "used up", "ran out", "have run out"
);

lexicon!(
    /// What can be done instead.
    OFFERS: "what i can do", "what we can do", "but i can", "but we can", "but i will", "but ill", "but we will", "but well be", "however i can", "however we can", "however i will", "however we will", "i can offer", "we can offer", "as an exception",
    "just this once", "what i could do", "what we could do", "another option", "other option is", "in your circumstances", "in this case i have", "in this case ive", "this time ive", "this time i have", "ive made an exception", "i have made an exception", "made an exception"
);

lexicon!(
    /// A limit in plain words.
    REFUSES: "cannot", "cant", "unable", "not able", "no control over", "not possible", "isnt possible", "not allowed", "non refundable", "nonrefundable", "not refundable", "only be", "dont offer", "do not offer", "not permitted", "not responsible",
    "not eligible", "no exceptions", "not something we", "wont be able", "not entitled", "not liable", "hands are tied", "nothing i can do", "nothing we can do", "nothing more i can", "nothing more we can", "thats what everybody pays", "what everyone pays"
);

/// How sure at least that the company refuses and offers nothing.
const WALLED: f32 = 0.2;

/// A refusal, or a rule held against a customer who complains.
fn limits(view: &View<'_>, message: &Message) -> bool {
    let complaint = || view.customer_before(message.first()).is_some_and(|i| view.any(i, &[Problem, Frustration]));
    let held_up = || REFUSES.hits(&view.message_text(message)) || !view.message_any(message, &[Apology]) && complaint();
    view.message_any(message, &[Denial]) || view.message_any(message, &[Policy]) && held_up()
}

/// How clear another way must be to take the edge off a refusal: a half-seen one is mostly a hint where to complain.
const CLEAR: f32 = 0.65;

fn check(view: &View<'_>) -> Verdict {
    let messages: Vec<&Message> = view.messages().iter().filter(|m| m.company).collect();
    let refusals: Vec<usize> = (0..messages.len()).filter(|&k| limits(view, messages[k])).collect();
    if refusals.is_empty() {
        return Verdict::NotApplicable;
    }
    let mut turns = Vec::new();
    let mut confidence = 0.0f32;
    for k in refusals {
        let message = messages[k];
        let text = view.message_text(message);
        let reason = view.message_any(message, &[Policy]);
        let fact = !reason && FACT.hits(&text);
        let softened = [Some(message), messages.get(k + 1).copied()].into_iter().flatten().any(|m| {
            view.p_max(m.turns.iter().copied(), Alternative) >= CLEAR
                || view.message_any(m, &[Compensation])
                || OFFERS.hits(&view.message_text(m))
                || view.message_any(m, &[Transfer])
                || m.turns.iter().any(|&i| view.has(i, Commitment) && !only_relays(view.text(i)))
        });
        let walled = view.surest(message.turns.iter().copied(), Cue::Wall);
        if walled < WALLED || fact || softened || PROTECTS.hits(&text) || view.answers_abuse(message.first()) {
            continue;
        }
        let main = message.turns.iter().copied().find(|&i| view.any(i, &[Denial, Policy])).unwrap_or(message.first());
        let p = view.p(main, Denial).max(view.p(main, Policy))
            * (1.0 - view.p_max(message.turns.iter().copied(), Alternative))
            * walled;
        if p > confidence {
            confidence = p;
            turns.insert(0, main);
        } else {
            turns.push(main);
        }
    }
    let Some(&main) = turns.first() else {
        return Verdict::Ok;
    };
    let ruled = view.has(main, Policy);
    Verdict::Violated(Violation {
        evidence: Some(if ruled { Policy } else { Denial }),
        severity: if ruled { Severity::High } else { Severity::Medium },
        confidence,
        seen: if ruled {
            format!("The request was refused with a rule as the reason and no other way was offered (turn {main}).")
        } else {
            format!("The request was refused and nothing else was offered (turn {main}).")
        },
        suggestion: "Resolve (the R of L.E.A.R.N.): say what can be done in the same message, such as another date or product, a part of it, an exception \
                     asked for on the customer's behalf, or who decides: \"I can't … here. What I can do is …\""
            .to_owned(),
        turns,
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
                    "C neu | Can I move to Friday?\nA neu denial,policy +wall | Unfortunately our terms do not allow changes.",
                ),
                ("violated 1", "C neu | Can you waive it?\nA neu denial +wall | I can't do that."),
                (
                    "violated 1,3",
                    "C neu | Refund please\nB neu denial,policy +wall | It is non-refundable under the fare rules.\nC neu | Please\nB neu denial,policy +wall | The policy is clear.",
                ),
                (
                    "ok",
                    "C neu | Can I move to Friday?\nA neu denial,policy,alternative +wall | Our terms do not allow it, but I can refund it as a voucher.",
                ),
                (
                    "ok",
                    "C neu | Could it be Saturday?\nA neu denial +wall | That isn't possible, all the visits that day are already taken.",
                ),
                (
                    "violated 1",
                    "C neu | Refund?\nA neu denial +wall | I can't refund it, the payment has already taken place.",
                ),
                ("ok", "C neu | A room tonight?\nA neu denial +wall | I'm afraid no rooms are left that night."),
                (
                    "ok",
                    "C neu | Can you waive it?\nA neu denial,policy +wall | I'm not allowed to.\nC neu | hm\nA neu alternative | My manager can: shall I ask her?",
                ),
                (
                    "ok",
                    "C neu | Could you extend it?\nA neu denial,policy +wall | The rules don't allow it, but I can send somebody to collect it.",
                ),
                (
                    "ok",
                    "C neu | Can I still cancel it?\nA neu denial | Not online any more, but at the counter until noon.",
                ),
                ("n/a", "C neu | Can I move to Friday?\nA pos commitment | Done!"),
            ],
        );
    }
}
