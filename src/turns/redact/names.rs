//! Names of persons that the transcript itself gives: "my name is …", a greeting, a closing, an answer to "what is your name?", an attribute.
//!
//! Where a name is given it is replaced, and so is each of its words wherever else it stands in the transcript. Names of companies that
//! are greeted stay: a name greeted by the customer must be a common given name, or that of somebody who introduced themself.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Regex;

use super::{Found, Kind, near, question, stands_alone, words};
use crate::turns::{Role, Transcript, pattern};

/// How sure the words before a name make it one.
#[derive(Clone, Copy, PartialEq)]
enum Trust {
    /// The text says that it is a name; it may be in lower case.
    Said,
    /// A capitalised word there is a name.
    Sure,
    /// So it is in what the company says, and where it is a common given name.
    Company,
    /// Only where it is a common given name, or two words that nothing speaks against.
    Full,
    /// The same, and in what the company says any that stands by itself: an agent says who they are.
    Myself,
    /// The same, and in what the company says any at the end.
    Signed,
    /// Only where it is a common given name.
    Given,
}

struct Cue {
    pattern: Regex,
    trust: Trust,
    most: usize,
}

#[rustfmt::skip]
static CUES: LazyLock<Vec<Cue>> = LazyLock::new(|| {
    let cue = |text: &str, trust, most| Cue { pattern: pattern(text), trust, most };
    vec![
        cue(r"(?i)\bmy (?:(?:full|first|last|legal|maiden) |sur)?name(?:'s|’s| is|:) ", Trust::Said, 4),
        cue(r"(?i)\b(?:under|in) (?:the )?name(?: of|:)? ", Trust::Sure, 4),
        cue(r"(?i)(?:^|[,.;\n] ?)(?:full |first |last |sur|family |given )?name(?: is|:) ", Trust::Sure, 4),
        cue(r"(?i)\byou(?:'re|’re| are)(?: now)? (?:speaking|chatting|talking|connected) (?:with|to) ", Trust::Sure, 3),
        cue(r"(?i)\byou(?:'re|’re| are) through to ", Trust::Myself, 3),
        cue(r"(?i)\bcall me ", Trust::Given, 1),
        cue(r"(?i)\b(?:mr|mrs|ms|miss|mx|dr)\.? ", Trust::Sure, 3),
        cue(r"(?i)\bi(?:'m|’m| am) ", Trust::Myself, 3),
        cue(r"(?i)\b(?:this is|it's|it’s|it is) ", Trust::Given, 3),
        cue(r"(?i)(?:^|[.!?\n] ?)(?:hi|hiya|hey|hello|dear|good (?:morning|afternoon|evening)|morning|afternoon|evening)(?: again| there)?,? ", Trust::Company, 3),
        cue(r"(?i)(?:^|[.!?\n] ?)(?:welcome(?: back)?|thanks|thank you|many thanks|thank you so much|sorry|apologies|ok|okay|great|perfect|sure|of course),? ", Trust::Company, 2),
        cue(r"(?i)\b(?:regards|sincerely|faithfully|truly|best wishes|kind wishes|warmly|yours|grüße|grüßen|cordialement|saludos),?\s+(?:[-–—] ?)?", Trust::Sure, 3),
        cue(r"(?i)\b(?:thanks|thank you|cheers|best|many thanks|love|ta)[,.!]?[ ]*\n\s*(?:[-–—~*] ?)?", Trust::Sure, 3),
        cue(r"(?i)\b(?:thanks|thank you|cheers|best)[,.!]? (?:[-–—~*] ?)?", Trust::Full, 3),
        cue(r"[\n ](?:[-–—~*^/] ?)", Trust::Signed, 3),
        cue(r"[,!.?] ", Trust::Given, 2),
        cue(r"^", Trust::Given, 2),
    ]
});

/// A word that can be a name, or a particle inside one.
static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\p{L}[\p{L}\p{M}]*(?:['’\-]\p{L}[\p{L}\p{M}]+)*"));
static ASKED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:your|full|last|first|sur|account ?holder'?s?|the|whose|and|,)? ?(?:name\b|surname)|who am i (?:speaking|chatting|talking)|who is this",
    )
});
static NOT_ASKED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:user|file|host|domain|brand|product|item|model|hotel|show|shop|store)[ \-]?name|name of the (?:hotel|shop|store|product|item|show|person you)",
    )
});
static LEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\W*(?:(?:yes|sure|ok|okay|hi|hello|it's|it’s|it is|its|this is|the name is|of course|certainly|,|\.|!|-) ?)*",
    )
});

/// Particles inside a name.
#[rustfmt::skip]
const PARTICLES: &[&str] = &[
    "al", "bin", "ben", "da", "de", "del", "della", "der", "di", "do", "dos", "du", "el", "la", "le", "ter", "ten", "van", "von", "y", "zu", "den",
];

/// Attributes that hold a customer's name, by the last part of theirs.
const ATTRIBUTES: [&str; 8] =
    ["name", "customer_name", "customer", "contact_name", "requester", "full_name", "first_name", "last_name"];

/// Whether an attribute holds a customer's name.
pub(super) fn is_name_of_attribute(last: &str) -> bool {
    ATTRIBUTES.contains(&last)
}

/// The most words that are looked for in every turn of a transcript, about.
const MOST: usize = 10_000;

/// The names of a transcript.
pub(super) struct Names {
    /// Where each turn gives one.
    given: Vec<Vec<Range<usize>>>,
    words: Option<AhoCorasick>,
    known: Vec<String>,
}

impl Names {
    pub(super) fn of(transcript: &Transcript) -> Self {
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut given: Vec<Vec<Range<usize>>> = Vec::with_capacity(transcript.turns.len());
        for (i, turn) in transcript.turns.iter().enumerate() {
            let mut ranges = in_turn(&turn.text, turn.role);
            ranges.extend(question(transcript, i).and_then(|q| answer(q, &turn.text)));
            for range in ranges.iter().take(MOST.saturating_sub(known.len())) {
                learn(&turn.text[range.clone()], &mut known);
            }
            given.push(ranges);
        }
        for (name, value) in &transcript.attributes {
            let last = name.rsplit('.').next().unwrap_or(name);
            let holds = is_name_of_attribute(last) || last == "agent_name";
            if let Some(value) = value.as_str().filter(|v| holds && v.split(' ').count() <= 4) {
                learn(value, &mut known);
            }
        }
        let known: Vec<String> = known.into_iter().collect();
        let words = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&known);
        Self { given, words: words.ok().filter(|_| !known.is_empty()), known }
    }

    /// The names in a turn, a full name as one.
    pub(super) fn find(&self, turn: usize, text: &str, found: &mut Vec<Found>) {
        let mut ranges = self.given.get(turn).cloned().unwrap_or_default();
        if let Some(words) = &self.words {
            for m in words.find_iter(text).filter(|m| stands_alone(text, &m.range())) {
                let word = &self.known[m.pattern().as_usize()];
                if !words::is_ambiguous(word) || is_addressed(text, m.range()) {
                    ranges.push(m.range());
                }
            }
        }
        ranges.sort_by_key(|r| r.start);
        let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match joined.last_mut() {
                Some(last) if range.start <= last.end || matches!(&text[last.end..range.start], " " | "-" | ". ") => {
                    last.end = last.end.max(range.end);
                }
                _ => joined.push(range),
            }
        }
        found.extend(joined.into_iter().map(|r| (r, Kind::Name)));
    }
}

/// Keeps the words of a name as they may be written elsewhere.
fn learn(name: &str, known: &mut BTreeSet<String>) {
    for word in name.split(|c: char| !c.is_alphabetic() && !matches!(c, '\'' | '’' | '-')) {
        let lower = word.to_lowercase();
        if !(2..=60).contains(&word.chars().count())
            || PARTICLES.contains(&lower.as_str())
            || words::is_common(word) && !words::is_ambiguous(word)
        {
            continue;
        }
        let mut chars = lower.chars();
        let title: String = chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default();
        known.extend([word.to_owned(), title, word.to_uppercase()]);
        if !words::is_ambiguous(word) {
            known.insert(lower);
        }
    }
}

/// Set off by a comma, behind a greeting or a title, or beside another capitalised word.
fn is_addressed(text: &str, range: Range<usize>) -> bool {
    let before = text[..range.start].trim_end();
    let after = &text[range.end..];
    let last = before.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
    let greeted = matches!(
        last.as_str(),
        "hi" | "hello"
            | "hey"
            | "dear"
            | "thanks"
            | "you"
            | "sorry"
            | "mr"
            | "mrs"
            | "ms"
            | "miss"
            | "dr"
            | "morning"
            | "afternoon"
    );
    let capital = text[range.clone()].chars().next().is_some_and(char::is_uppercase);
    let set_off = before.ends_with(',') && !after.starts_with(' ')
        || (before.is_empty() || before.ends_with(['.', '!', '?'])) && after.starts_with(',');
    capital && (greeted || set_off)
}

/// The names that a turn gives by itself.
fn in_turn(text: &str, role: Role) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    for cue in CUES.iter() {
        for m in cue.pattern.find_iter(text) {
            let Some(name) = name_at(text, m.end(), cue.most, cue.trust == Trust::Said) else { continue };
            let words: Vec<&str> = text[name.clone()].split(' ').collect();
            let given = words::is_given(words[0]);
            let full = words.len() >= 2 && ends_there(&text[name.end..]);
            let certain = match cue.trust {
                Trust::Said | Trust::Sure => true,
                Trust::Company => given || role.is_company(),
                Trust::Full => given || full,
                Trust::Myself => given || full || role.is_company() && ends_there(&text[name.end..]),
                Trust::Signed => given || full || role.is_company() && text[name.end..].trim().is_empty(),
                Trust::Given => given && ends_there(&text[name.end..]),
            };
            if certain {
                out.push(name);
            }
        }
    }
    // "Priya here"
    static HERE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\p{Lu}\p{L}+(?: \p{Lu}\p{L}+)?),? (?:here|speaking)\b"));
    for name in HERE.captures_iter(text).filter_map(|c| c.get(1)) {
        let first = name.as_str().split(' ').next().unwrap_or_default();
        if words::is_given(first) {
            out.push(name.range());
        }
    }
    out
}

/// Nothing that makes a name a part of something longer follows.
fn ends_there(after: &str) -> bool {
    let mut chars = after.chars();
    match chars.next() {
        None | Some(',' | '.' | '!' | '?' | ';' | ':' | '\n' | ')' | '-' | '–' | '—') => true,
        Some(' ') => chars.next().is_some_and(|c| !c.is_uppercase()),
        _ => false,
    }
}

/// One to `most` words from `at` on that can be a name: capitalised ones, or any uncommon ones where the text says that it is a name.
fn name_at(text: &str, at: usize, most: usize, any_case: bool) -> Option<Range<usize>> {
    let (mut end, mut start, mut count, mut from) = (at, None, 0, at);
    while count < most {
        let Some(word) = WORD.find(near(&text[from..], 100)) else { break };
        let word = word.as_str();
        let next = from + word.len();
        let particle = start.is_some() && PARTICLES.contains(&word);
        if !particle {
            // Who writes the first name small writes the second so.
            let small = any_case && count < 2 && text[start.unwrap_or(from)..].starts_with(char::is_lowercase);
            if !can_be_name(word, small) {
                break;
            }
            start.get_or_insert(from);
            (end, count) = (next, count + 1);
        }
        // An initial's full stop, a space.
        let rest = text[next..].strip_prefix('.').filter(|_| word.chars().count() == 1).unwrap_or(&text[next..]);
        let Some(rest) = rest.strip_prefix(' ') else { break };
        from = text.len() - rest.len();
    }
    // "Larkspur Support" is no person, whatever stands before the word that says so.
    let next_word =
        text[end..].strip_prefix(' ').and_then(|rest| WORD.find(near(rest, 100))).map(|m| m.as_str().to_lowercase());
    let company = next_word.is_some_and(|w| words::is_company_word(&w));
    start.map(|s| s..end).filter(|_| !company)
}

fn can_be_name(word: &str, any_case: bool) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let capital = word.chars().next().is_some_and(char::is_uppercase)
        || word.split(['-', '\'', '’']).any(|w| w.starts_with(char::is_uppercase));
    // `HarrierAir` is a brand; `McKay` and `O'Hara` are not.
    let inner = word.split(['-', '\'', '’']).any(|part| {
        let part = part.strip_prefix("Mc").or(part.strip_prefix("Mac")).unwrap_or(part);
        part.chars().any(char::is_lowercase) && part.chars().skip(1).any(char::is_uppercase)
    });
    let shouted = letters > 1 && word.chars().all(|c| !c.is_lowercase());
    let adverb = word.len() > 5 && word.ends_with("ly");
    (any_case || capital && !shouted)
        && letters >= 2
        && !inner
        && !adverb
        && (!words::is_common(word) || words::is_ambiguous(word) && capital)
}

/// The name that answers a question for one: at the start, short or capitalised.
fn answer(question: &str, text: &str) -> Option<Range<usize>> {
    if !ASKED.is_match(question) || NOT_ASKED.is_match(question) {
        return None;
    }
    let at = LEAD.find(text).map_or(0, |m| m.end());
    let short = text.split_whitespace().count() <= 4;
    let name = name_at(text, at, 4, short)?;
    let words: Vec<&str> = text[name.clone()].split(' ').collect();
    let given = words::is_given(words[0]);
    let capital = words[0].starts_with(char::is_uppercase);
    let alone = text[name.end..].trim_matches(|c: char| !c.is_alphanumeric()).is_empty();
    // Small words are a name where they are all that was answered to nothing but the question for one.
    let last =
        question.trim_end().trim_end_matches(['.', '?', '!']).rsplit(['.', '?', '!', '\n']).next().unwrap_or_default();
    let bare = !capital && alone && words.len() == 2 && ASKED.is_match(last);
    (given || bare || capital && (words.len() >= 2 || alone)).then_some(name).filter(|n| ends_there(&text[n.end..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{RawTurn, Record};
    use crate::turns::Redactor;

    fn redacted(turns: &[(&str, &str)]) -> Vec<String> {
        let turns: Vec<RawTurn> = turns
            .iter()
            .map(|(role, text)| RawTurn { role: (*role).into(), text: (*text).into(), ..RawTurn::default() })
            .collect();
        let n = turns.len();
        let transcript = Transcript::from_record(Record { id: "t".into(), turns, ..Record::default() }).unwrap();
        let redactor = Redactor::new(&transcript);
        (0..n).map(|i| redactor.turn(i).text).collect()
    }

    #[test]
    fn a_name_given_once_goes_everywhere() {
        let out = redacted(&[
            ("customer", "my name is ana petrov and my parcel is late"),
            ("agent", "Thank you, Ana. I'm Sade."),
            ("customer", "Ana's parcel, PETROV with a V. Thanks Sade"),
        ]);
        assert_eq!(
            out,
            [
                "my name is [NAME] and my parcel is late",
                "Thank you, [NAME]. I'm [NAME].",
                "[NAME]'s parcel, [NAME] with a V. Thanks [NAME]"
            ]
        );
    }

    #[test]
    fn an_agent_says_who_they_are() {
        let out = redacted(&[
            ("agent", "Hello, I'm Quillory, how can I help?"),
            ("customer", "my router is dead, Quillory"),
            ("agent", "You're through to Ozrune now, Quillory had to go ^Ozrune"),
            ("customer", "I'm Outraged. - Larkspur"),
        ]);
        assert_eq!(
            out,
            [
                "Hello, I'm [NAME], how can I help?",
                "my router is dead, [NAME]",
                "You're through to [NAME] now, [NAME] had to go ^[NAME]",
                "I'm Outraged. - Larkspur"
            ]
        );
    }

    #[test]
    fn an_answer_to_the_question_for_a_name_is_one() {
        let out = redacted(&[
            ("agent", "Could I have the name on the account?"),
            ("customer", "ruth adeyemi"),
            ("agent", "Thank you, Ruth. Will you hold?"),
        ]);
        assert_eq!(out[1..], ["[NAME]", "Thank you, [NAME]. Will you hold?"]);
    }

    #[test]
    fn companies_and_words_that_are_names_stay() {
        let texts = [
            ("customer", "Hi Larkspur, will you call? I am British. Thanks, Larkspur!"),
            ("agent", "Thank You for contacting Larkspur Support. Sorry About that."),
            ("customer", "My name is spelled wrong. It flies from Paris, France. This is Ridiculous."),
        ];
        assert_eq!(redacted(&texts), texts.map(|(_, t)| t));
        let out = redacted(&[("customer", "I'm Will Turner"), ("agent", "Hi Will. Will you call?")]);
        assert_eq!(out, ["I'm [NAME]", "Hi [NAME]. Will you call?"]);
    }
}
