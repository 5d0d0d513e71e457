//! Numbers that are private because the text says what they are: an order, an account, a passport, a telephone, a date of birth.
//!
//! The word stands before the number in the same clause, or in the company's question just before. What was given once is known
//! wherever else it stands in the transcript.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Regex;

use super::{Found, Kind, near, question, stands_alone, words};
use crate::turns::{Transcript, pattern};

/// A word for a number, and whether "number" or the like came with it.
static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)
        \b(?:
          (?P<phone> (?:tele)?phone | mobile | cell(?:phone)? | tel | landline | whats\s?app | call\ me | text\ me | reach\ (?:me|you) | ring\ me
            | (?:contact|best|call\s?back|callback)\ number | telefon(?:nummer)? | handy(?:nummer)? | téléphone | teléfono | telefono )
        | (?P<order> orders? | booking | reservation | confirmation | reference | ref | invoice | tracking | ticket | case | claim | complaint
            | shipment | parcel | consignment | return | rma | receipt | pnr | locator | transaction | incident
            | (?:bestell|auftrags|buchungs|rechnungs|vorgangs|sendungs)(?:nummer|nr) | commande | pedido | ordine | bestelling )
        | (?P<account> account | acct | a/c | customer | client | member(?:ship)? | policy | contract | subscriber | subscription | loyalty
            | frequent\ flyer | meter | iban | (?:kunden|vertrags|konto)(?:nummer|nr) | compte | cuenta | conto | cliente | klant(?:nummer)? )
        | (?P<id> passport | driving\ licen[cs]e | driver'?s\ licen[cs]e | ssn | social\ security | bsn | national\ insurance | nino | nhs
            | tax(?:payer)?\ (?:id|number) | steuer(?:-?id|nummer) | ausweis(?:nummer)? | dni | nie | nif | cpf | pesel )
        | (?P<born> date\ of\ birth | d\.?o\.?b\b\.? | birth\ ?da(?:y|te) | born(?:\ on)? | geboren(?:\ am)? | geburtsdatum )
        | (?P<post> post(?:al)?\ ?code | zip(?:\ ?code)? )
        )\b
        (?P<number> [\ \-]{0,2}(?: \#(?:\W|$)? | (?:numbers?|num|no|nr|nº|n°|id|code|ref(?:erence)?|nummer)\b\.? ) )?",
    )
});

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^[^0-9\n]{0,12}?\b(
          [0-9]{1,4}[./\-][0-9]{1,2}[./\-][0-9]{1,4}
        | [0-9]{1,2}(?:st|nd|rd|th)?\.?\ (?:of\ )?\p{L}{3,9}\.?,?\ (?:19|20)?[0-9]{2}
        | (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\p{L}*\.?\ [0-9]{1,2}(?:st|nd|rd|th)?,?\ (?:19|20)[0-9]{2}
        | [0-9]{8} )\b",
    )
});

static POSTCODE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^(?: is| was|:|,| -)? ?\b([a-z]{1,2}[0-9][a-z0-9]? ?[0-9][a-z]{2}|[0-9]{4,5}(?: ?[a-z]{2}\b|-[0-9]{3,4})?|[a-z][0-9][a-z] ?[0-9][a-z][0-9])\b",
    )
});

/// A word of a text, without the punctuation around it.
static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"[\p{L}\p{N}](?:[\p{L}\p{N}./_\-:,]*[\p{L}\p{N}])?"));

/// What the company asked for in the turn before, in the order of its words.
#[derive(Default)]
pub(super) struct Asked(Vec<Kind>);

impl Asked {
    pub(super) fn before(transcript: &Transcript, turn: usize) -> Self {
        let Some(question) = question(transcript, turn) else { return Self::default() };
        Self(LABEL.captures_iter(question).filter_map(|c| Label::of(&c)).map(|l| l.kind).collect())
    }

    fn number(&self) -> Option<Kind> {
        self.0.iter().copied().find(|k| matches!(k, Kind::Order | Kind::Account | Kind::Phone | Kind::Id))
    }
}

struct Label {
    kind: Kind,
    /// "number", "no.", "#", … came with it, or it means a number by itself.
    number: bool,
    /// Where the label ends.
    end: usize,
    /// Where it begins.
    start: usize,
}

impl Label {
    fn of(c: &regex::Captures<'_>) -> Option<Self> {
        let kinds = [
            ("phone", Kind::Phone),
            ("order", Kind::Order),
            ("account", Kind::Account),
            ("id", Kind::Id),
            ("born", Kind::BirthDate),
            ("post", Kind::Address),
        ];
        let (word, kind) = kinds.into_iter().find_map(|(name, kind)| Some((c.name(name)?, kind)))?;
        let own = matches!(kind, Kind::Phone | Kind::Id)
            || word.as_str().to_lowercase().ends_with(['r']) && word.as_str().len() > 9;
        let whole = c.get(0)?;
        Some(Self { kind, number: own || c.name("number").is_some(), end: whole.end(), start: whole.start() })
    }
}

pub(super) fn find(text: &str, asked: &Asked, found: &mut Vec<Found>) {
    for label in LABEL.captures_iter(text).filter_map(|c| Label::of(&c)) {
        let after = near(&text[label.end..], 60);
        let range = match label.kind {
            Kind::BirthDate => {
                DATE.captures(after).and_then(|c| c.get(1)).map(|m| label.end + m.start()..label.end + m.end())
            }
            Kind::Address => {
                POSTCODE.captures(after).and_then(|c| c.get(1)).map(|m| label.end + m.start()..label.end + m.end())
            }
            _ => value(text, &label),
        };
        found.extend(range.map(|r| (r, label.kind)));
    }
    if asked.0.contains(&Kind::BirthDate) {
        let date = WORD
            .find_iter(text)
            .find_map(|w| DATE.captures(near(&text[w.start()..], 60))?.get(1).map(|m| (w.start(), m.range())));
        found.extend(date.map(|(at, r)| (at + r.start..at + r.end, Kind::BirthDate)));
    }
    if let Some(kind) = asked.number() {
        let mut from = 0;
        for word in WORD.find_iter(text) {
            let range = (word.start() >= from).then(|| reference(text, word.range(), Need::Long)).flatten();
            from = range.as_ref().map_or(from, |r| r.end);
            found.extend(range.map(|r| (r, kind)));
        }
    }
}

/// How much a word must look like a number of somebody's.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    /// The label says that a number comes.
    Some,
    /// The number was asked for: six digits, or capitals with digits.
    Long,
    /// The label is a common word: five digits, or capitals with digits right behind it.
    Label { adjacent: bool },
}

/// The number behind a label, in the same clause.
fn value(text: &str, label: &Label) -> Option<Range<usize>> {
    let clause = near(&text[label.end..], 200);
    let clause = &clause[..clause.find(['\n', '!', '?', ';']).unwrap_or(clause.len())];
    let wants = !is_verb(text, label.start);
    for (i, word) in WORD.find_iter(clause).take(6).enumerate() {
        let range = label.end + word.start()..label.end + word.end();
        let between = &text[label.end..range.start];
        // A full stop ends the clause, except that of "no.".
        if between.trim_start_matches(['.', ' ']).contains(". ") || between.len() > 40 {
            return None;
        }
        let plain = between.chars().filter(|c| c.is_alphanumeric()).count();
        let linked = plain == 0
            || matches!(
                between.trim_matches([' ', ':', ',']),
                "is" | "was" | "ist" | "est" | "es" | "è" | "é" | "on" | "at" | "under"
            );
        let need =
            if label.number && (linked || i < 5) { Need::Some } else { Need::Label { adjacent: linked && wants } };
        if label.kind == Kind::Phone {
            if let Some(range) = phone(text, &range) {
                return Some(range);
            }
        } else if let Some(range) = reference(text, range.clone(), need) {
            return Some(range);
        }
        // Another label has a number of its own.
        if LABEL.find(&clause[word.start()..]).is_some_and(|m| m.start() == 0) {
            return None;
        }
    }
    None
}

/// "to order", "can I order": what follows is wanted, not had.
fn is_verb(text: &str, label: usize) -> bool {
    let before = text[..label].trim_end();
    let last = before.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
    matches!(
        last.as_str(),
        "to" | "i" | "we" | "you" | "can" | "could" | "would" | "will" | "please" | "and" | "they" | "ll"
    )
}

/// Seven digits or more in groups.
fn phone(text: &str, first: &Range<usize>) -> Option<Range<usize>> {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\+?[0-9]{2,}(?:[ .\-/()]{1,2}[0-9]{2,})*"));
    let m = NUMBER.find(near(&text[first.start..], 60))?;
    let range = first.start..first.start + m.end();
    let n = m.as_str().bytes().filter(u8::is_ascii_digit).count();
    let date = DATE.is_match(m.as_str());
    ((7..=15).contains(&n) && !date && stands_alone(text, &range) && !words::is_counted(text, &range)).then_some(range)
}

/// The longest number of an order or an account, in bytes.
const LONGEST: usize = 60;

/// A word, with the groups that belong to it, that can be the number of an order or an account.
fn reference(text: &str, first: Range<usize>, need: Need) -> Option<Range<usize>> {
    let range = grown(text, first);
    let word = &text[range.clone()];
    if word.len() > LONGEST {
        return None;
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = letters > 0 && !word.chars().any(char::is_lowercase);
    let code = capitals && letters + digits >= 5 && digits >= 2;
    let enough = match need {
        Need::Some => {
            digits >= 5
                || (digits >= 3 && letters + digits >= 4)
                || code
                || (capitals && letters + digits == 6 && digits > 0)
        }
        Need::Long => digits >= 6 || (code && digits >= 3) || (code && letters + digits == 6),
        Need::Label { adjacent } => digits >= 6 || (adjacent && (digits >= 5 || (code && digits >= 2))),
    };
    // Letters in lower case make a word: "2nd", "24h", "iPhone15".
    let plain = letters == 0 || capitals || (digits >= 5 && letters <= 4);
    (enough && plain && !is_other(word) && !words::is_counted(text, &range)).then_some(range)
}

/// `LK 55 20 917`, `1234 5678`: groups of digits behind a group of digits or a few capitals.
fn grown(text: &str, first: Range<usize>) -> Range<usize> {
    let mut range = first;
    let group = |w: &str| w.len() <= 8 && w.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let start = &text[range.clone()];
    let lead = start.len() <= 4 && start.bytes().all(|b| b.is_ascii_uppercase());
    if !lead && !group(start) {
        return range;
    }
    while let Some(word) = text[range.end..]
        .strip_prefix([' ', '\u{a0}'])
        .and_then(|rest| WORD.find(near(rest, 60)).filter(|m| m.start() == 0))
    {
        let gap = text[range.end..].chars().next().map_or(1, char::len_utf8);
        let end = range.end + gap + word.end();
        // A single digit is a group where nothing follows that it could count.
        let counts = word.len() == 1 && text[end..].trim_start().starts_with(char::is_alphabetic);
        if !group(word.as_str()) || counts || end - range.start > LONGEST {
            break;
        }
        range.end = end;
    }
    range
}

/// A date, a time, a year or an amount.
fn is_other(word: &str) -> bool {
    static OTHER: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^(?:(?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])|[0-9]{1,4}[./\-][0-9]{1,2}(?:[./\-][0-9]{1,4})?|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?|[0-9]{1,3}(?:[.,][0-9]{3})*(?:[.,][0-9]{1,2})?|(?:19|20)[0-9]{2}[/\-](?:19|20)?[0-9]{2}|.*[:,].*)$",
        )
    });
    OTHER.is_match(word)
}

/// The most numbers that are looked for in every turn of a transcript.
const MOST: usize = 10_000;

/// The numbers of a transcript that were named once.
pub(super) struct Values {
    known: Option<AhoCorasick>,
    kinds: Vec<Kind>,
}

impl Values {
    pub(super) fn of<'a>(turns: impl Iterator<Item = (&'a str, Asked)>) -> Self {
        let mut values: BTreeMap<String, Kind> = BTreeMap::new();
        for (text, asked) in turns {
            let mut found = Vec::new();
            find(text, &asked, &mut found);
            for (range, kind) in found.into_iter().filter(|(_, k)| !matches!(k, Kind::BirthDate)) {
                let value = &text[range];
                let plain: String = value.chars().filter(|c| c.is_alphanumeric()).collect();
                if plain.len() >= 6 && values.len() < MOST {
                    values.entry(plain).or_insert(kind);
                    values.entry(value.to_owned()).or_insert(kind);
                }
            }
        }
        let known = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(values.keys());
        // More numbers than can be searched for at once: each is still found where it is named.
        Self { known: known.ok().filter(|_| !values.is_empty()), kinds: values.into_values().collect() }
    }

    pub(super) fn find(&self, text: &str, found: &mut Vec<Found>) {
        let Some(known) = &self.known else { return };
        let whole = known.find_iter(text).filter(|m| stands_alone(text, &m.range()));
        found.extend(whole.map(|m| (m.range(), self.kinds[m.pattern().as_usize()])));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, Kind)> {
        let mut found = Vec::new();
        find(text, &Asked::default(), &mut found);
        found.into_iter().map(|(r, k)| (&text[r], k)).collect()
    }

    #[test]
    fn a_number_is_what_the_text_calls_it() {
        for (text, want) in [
            ("Regards, Tomasz Wilk, account LK 55 20 917", ("LK 55 20 917", Kind::Account)),
            ("my order number for the laptop is 44190", ("44190", Kind::Order)),
            ("booking ref: K7M2PX please", ("K7M2PX", Kind::Order)),
            ("invoice #123456 is wrong", ("123456", Kind::Order)),
            ("passport number C01X00T47", ("C01X00T47", Kind::Id)),
            ("call me on 555-0142", ("555-0142", Kind::Phone)),
            ("DOB: 04/02/1979", ("04/02/1979", Kind::BirthDate)),
            ("zip 78701", ("78701", Kind::Address)),
        ] {
            assert_eq!(found(text), [want], "{text}");
        }
    }

    #[test]
    fn counts_dates_and_prices_near_the_word_stay() {
        for no in [
            "order 2 pizzas and 3 colas",
            "can I order the XPS9320 in silver",
            "the order was 45.90",
            "my order of 12 March 2026",
            "booking from 12:30 to 14:00",
            "account closed in 2024. 123456 people saw it",
            "my account was charged 120000 yen",
        ] {
            assert_eq!(found(no), [], "{no}");
        }
    }
}
