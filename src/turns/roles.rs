//! Who is who. In: turns, whose speakers may stand for no role yet. Out: roles, and how much doubt there is about them.
//!
//! Wording is weighed: words that agents say much more often than customers, or the other way round, each with the logarithm of that ratio (cut at
//! 3) in the 23,627 turns of the training threads; a turn counts for 3 at most. The sum over a transcript, `e`, is positive where the
//! wording goes with the roles. Swapped roles are doubted by `tanh(−e/2)` where `e` is negative: `e` = −3 is a doubt of 0.91.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};

use super::{Role, Turn, words};
use crate::ingest::RawTurn;

/// How much doubt there is that each turn has the right role.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RoleDoubt {
    /// 0 (none) to 1.
    pub doubt: f32,
    /// What the doubt is about, where there is some.
    pub why: Option<RoleFault>,
}

/// What may be wrong with roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleFault {
    /// Only the customer speaks, or only the company: 0.5, or 1 where the wording is that of both.
    OneSided,
    /// The wording goes with the roles the other way round.
    Swapped,
    /// Nobody is named for some turns: the share of them.
    Missing,
    /// The speakers stand for no role; who is the agent was guessed from the wording.
    Guessed,
}

impl RoleFault {
    /// Every fault.
    pub const ALL: [Self; 4] = [Self::OneSided, Self::Swapped, Self::Missing, Self::Guessed];

    /// The fault's name as in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneSided => "one-sided",
            Self::Swapped => "swapped",
            Self::Missing => "missing",
            Self::Guessed => "guessed",
        }
    }
}

/// The weight of a turn is cut here.
const MOST: f32 = 3.0;
/// Wording is looked at in so many words of a turn …
const WORDS: usize = 200;
/// … and so many turns.
const TURNS: usize = 200;

/// What agents say, by weight.
#[rustfmt::skip]
const AGENT: &[(f32, &[&str])] = &[
    (3.0, &["sorry", "apologise", "apologize", "apologies", "unfortunately", "your account", "your order", "your booking", "your card", "your name",
        "your number", "for you", "help you", "can i help", "i can help", "to help", "for contacting", "anything else", "you please",
        "please provide", "dm us", "please dm", "to our", "working days", "i understand", "we can", "refunded", "im unable"]),
    (2.7, &["with your", "how can i help", "how may i help", "thank you for calling", "may i have", "let us know", "youre welcome", "im afraid"]),
    (2.2, &["to your", "youll", "speaking", "you can", "on your", "our"]),
    (1.5, &["your patience", "i can see", "your", "we", "of your", "in your"]),
];
/// What customers say, by weight.
#[rustfmt::skip]
const CUSTOMER: &[(f32, &[&str])] = &[
    (3.0, &["my card", "my bag", "how do i", "do i", "i want", "i was", "i said", "thx", "u", "ur", "i paid", "my flight", "when i", "if i", "of my",
        "i want to"]),
    (2.6, &["my son", "my wife", "my husband", "my daughter", "i just", "my phone", "cancel my", "for my", "my", "i booked", "i guess", "pls", "you guys"]),
    (2.2, &["on my", "i think", "thats it", "charged me", "my money", "my account", "i got", "told me", "thats all", "why is", "to my", "in my",
        "i have a"]),
    (1.9, &["ok", "i need to", "thank you so much", "is my", "lol", "still no", "yeah", "ive been", "my order", "cheers"]),
    (1.1, &["where is", "i dont", "i need", "me", "can i get"]),
];

/// Finds the phrases, each with the spaces around it; and the weight of each, positive for agents.
static PHRASES: LazyLock<(AhoCorasick, Vec<f32>)> = LazyLock::new(|| {
    let lists = AGENT.iter().map(|(w, p)| (*w, *p)).chain(CUSTOMER.iter().map(|(w, p)| (-w, *p)));
    let phrases: Vec<(f32, String)> =
        lists.flat_map(|(w, list)| list.iter().map(move |p| (w, format!(" {p} ")))).collect();
    #[allow(clippy::unwrap_used, reason = "constant phrases, used in tests")]
    let finder = AhoCorasick::new(phrases.iter().map(|(_, p)| p)).unwrap();
    (finder, phrases.into_iter().map(|(w, _)| w).collect())
});

/// How much more a text sounds like an agent than like a customer, −3…3.
fn wording(text: &str) -> f32 {
    let said = format!(" {} ", words(text).into_iter().take(WORDS).collect::<Vec<_>>().join(" "));
    let (finder, weights) = &*PHRASES;
    let mut found: Vec<(usize, usize, usize)> =
        finder.find_overlapping_iter(&said).map(|m| (m.start(), m.end(), m.pattern().as_usize())).collect();
    // A phrase inside a longer one adds nothing, and each counts once.
    let all = found.clone();
    found.retain(|(s, e, p)| !all.iter().any(|(s2, e2, p2)| p != p2 && s2 <= s && e <= e2 && e2 - s2 > e - s));
    let once: BTreeSet<usize> = found.into_iter().map(|(_, _, p)| p).collect();
    once.into_iter().map(|p| weights[p]).sum::<f32>().clamp(-MOST, MOST)
}

/// Gives a role to every speaker that stands for none. Out: the doubt that this leaves, and the share of turns without a speaker.
pub(super) fn assign(turns: &mut [RawTurn]) -> (f32, f32) {
    let mut evidence: BTreeMap<String, f32> = BTreeMap::new();
    let (mut customer, mut company, mut spoken, mut unnamed) = (false, false, 0usize, 0usize);
    for turn in turns.iter_mut().filter(|t| !t.text.trim().is_empty()) {
        spoken += 1;
        match Role::parse(&turn.role) {
            Some(role) => {
                customer |= role == Role::Customer;
                company |= role.is_company();
            }
            None if turn.role.trim().is_empty() => unnamed += 1,
            None => *evidence.entry(turn.role.clone()).or_default() += wording(&turn.text),
        }
    }
    let (given, doubt) = name(&evidence, customer, company);
    for turn in turns.iter_mut() {
        if Role::parse(&turn.role).is_some() {
            continue;
        }
        let role = given.get(&turn.role).copied();
        // Who speaks for the company by name is that agent; a number given by the machine is nobody.
        let numbered = turn.role.to_uppercase().starts_with("SPEAKER");
        if role == Some(Role::Agent) && turn.agent_id.is_none() && !numbered {
            turn.agent_id = Some(turn.role.clone());
        }
        // What nobody is known to have said is evidence for nothing.
        turn.role = role.unwrap_or(Role::System).name().to_owned();
    }
    (doubt, if spoken == 0 { 0.0 } else { unnamed as f32 / spoken as f32 })
}

/// Who of the unknown speakers is the agent, who the customer. The doubt is 1 − tanh(margin/2), where the margin is between the two
/// sides, or that of a speaker alone.
fn name(evidence: &BTreeMap<String, f32>, customer: bool, company: bool) -> (BTreeMap<String, Role>, f32) {
    let mut ranked: Vec<(&String, f32)> = evidence.iter().map(|(n, e)| (n, *e)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let side = |e: f32| if e > 0.0 { Role::Agent } else { Role::Customer };
    let unsure = |margin: f32| 1.0 - (margin.abs() / 2.0).tanh();
    let mut doubt = 0.0f32;
    let mut given = BTreeMap::new();
    let (first, last) = (ranked.first().copied(), ranked.last().copied());
    match (first, last) {
        (None, _) | (_, None) => {}
        (Some(only), _) if ranked.len() == 1 && customer != company => {
            // The other side is known: this one is what is missing. Wording that speaks against it is a doubt of swapped roles.
            given.insert(only.0.clone(), if customer { Role::Agent } else { Role::Customer });
        }
        (Some(top), Some(bottom)) => {
            for (name, e) in &ranked {
                let role = match () {
                    () if ranked.len() > 1 && !company && *name == top.0 => Role::Agent,
                    () if ranked.len() > 1 && !customer && *name == bottom.0 => Role::Customer,
                    () => side(*e),
                };
                let margin = if ranked.len() > 1 && !company && !customer && (*name == top.0 || *name == bottom.0) {
                    top.1 - bottom.1
                } else {
                    *e
                };
                doubt = doubt.max(unsure(margin));
                given.insert((*name).clone(), role);
            }
        }
    }
    (given, doubt)
}

/// The doubt about the roles of a transcript: the largest of its kinds. Below 0.005 there is none. The wording is English: in
/// another language (`english` false) it says nothing.
pub(super) fn doubt(turns: &[Turn], english: bool, guessed: f32, missing: f32) -> RoleDoubt {
    let spoken = || turns.iter().filter(|t| t.role != Role::System && !t.text.trim().is_empty());
    let (mut company, mut customer, mut against) = (0usize, 0usize, 0.0f32);
    let mut ways = (false, false);
    for turn in spoken().take(TURNS) {
        let weight = if english { wording(&turn.text) } else { 0.0 };
        ways = (ways.0 || weight >= MOST, ways.1 || weight <= -MOST);
        if turn.role.is_company() {
            company += 1;
            against -= weight;
        } else {
            customer += 1;
            against += weight;
        }
    }
    let one_sided = match () {
        () if company > 0 && customer > 0 => 0.0,
        () if ways == (true, true) => 1.0,
        () => 0.5,
    };
    let swapped = (against.max(0.0) / 2.0).tanh();
    let kinds = [
        (swapped, RoleFault::Swapped),
        (one_sided, RoleFault::OneSided),
        (guessed, RoleFault::Guessed),
        (missing, RoleFault::Missing),
    ];
    let most = kinds.into_iter().reduce(|a, b| if b.0 > a.0 { b } else { a });
    let rounded = |d: f32| (d * 100.0).round() / 100.0;
    match most {
        Some((d, why)) if rounded(d) > 0.0 => RoleDoubt { doubt: rounded(d), why: Some(why) },
        _ => RoleDoubt::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALK: [(&str, &str); 4] = [
        ("SPEAKER_00", "Thank you for calling Larkspur, how can I help you?"),
        ("SPEAKER_01", "Yeah, I was charged twice on my bill."),
        ("SPEAKER_00", "I'm sorry about that. Could you please give me your account number?"),
        ("SPEAKER_01", "ok I think it's 5512"),
    ];

    fn raw(talk: &[(&str, &str)]) -> Vec<RawTurn> {
        talk.iter()
            .map(|(role, text)| RawTurn { role: (*role).into(), text: (*text).into(), ..RawTurn::default() })
            .collect()
    }

    fn turns(talk: &[(&str, &str)]) -> Vec<Turn> {
        talk.iter()
            .map(|(r, t)| Turn { role: Role::parse(r).unwrap(), text: (*t).into(), at: None, agent_id: None })
            .collect()
    }

    #[test]
    fn the_agent_is_told_from_the_wording() {
        let mut talk = raw(&TALK);
        let (doubt, missing) = assign(&mut talk);
        let roles: Vec<&str> = talk.iter().map(|t| t.role.as_str()).collect();
        assert_eq!(roles, ["agent", "customer", "agent", "customer"]);
        assert!(doubt < 0.05 && missing == 0.0, "{doubt}");
        let mut vague = raw(&[("Ana", "good day"), ("Bo", "good day"), ("", "hm")]);
        let (doubt, missing) = assign(&mut vague);
        assert!(doubt > 0.9 && (missing - 1.0 / 3.0).abs() < 1e-6, "{doubt} {missing}");
        assert_eq!(vague[2].role, "system");
    }

    #[test]
    fn swapped_and_one_sided_roles_are_doubted() {
        let right = TALK.map(|(who, text)| (if who.ends_with('0') { "agent" } else { "customer" }, text));
        let wrong = TALK.map(|(who, text)| (if who.ends_with('0') { "customer" } else { "agent" }, text));
        assert_eq!(doubt(&turns(&right), true, 0.0, 0.0), RoleDoubt::default());
        let swapped = doubt(&turns(&wrong), true, 0.0, 0.0);
        assert!(swapped.why == Some(RoleFault::Swapped) && swapped.doubt > 0.95, "{swapped:?}");
        let one = doubt(&turns(&right.map(|(_, text)| ("agent", text))), true, 0.0, 0.0);
        assert_eq!((one.why, one.doubt), (Some(RoleFault::OneSided), 1.0));
        let alone = doubt(&turns(&right[1..2]), true, 0.0, 0.0);
        assert_eq!((alone.why, alone.doubt), (Some(RoleFault::OneSided), 0.5));
        assert_eq!(doubt(&turns(&wrong), false, 0.0, 0.0), RoleDoubt::default());
    }
}
