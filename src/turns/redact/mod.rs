//! Redaction. In: a text, or a transcript. Out: the text with personal data replaced by its kind, and a map back to the original.
//!
//! One file a kind. What has a check digit is checked; what has none must have the shape, or be called by its name in the text, so that
//! prices, dates and flight numbers stay. Names, and numbers that were given once, are known in every turn of their transcript.

mod address;
mod ids;
mod labelled;
mod names;
mod numbers;
mod phone;
mod web;
mod words;

use std::ops::Range;

use super::transcript::{Role, Transcript};
use labelled::{Asked, Values};
use names::Names;

/// What stands in place of personal data, between square brackets. Where two overlap, the first of them gives the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Url,
    Email,
    Iban,
    Card,
    Id,
    BirthDate,
    Order,
    Account,
    Phone,
    Address,
    Name,
}

impl Kind {
    fn tag(self) -> &'static str {
        match self {
            Self::Url => "URL",
            Self::Email => "EMAIL",
            Self::Iban => "IBAN",
            Self::Card => "CARD",
            Self::Id => "ID",
            Self::BirthDate => "BIRTHDATE",
            Self::Order => "ORDER",
            Self::Account => "ACCOUNT",
            Self::Phone => "PHONE",
            Self::Address => "ADDRESS",
            Self::Name => "NAME",
        }
    }
}

/// Personal data in a text: a byte range and its kind.
type Found = (Range<usize>, Kind);

/// A redacted text. Offsets of the original can be led into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text with `[EMAIL]`, `[PHONE]`, … in place of what was found.
    pub text: String,
    /// What was replaced: byte ranges of the original with their kinds, in order, not overlapping.
    pub replaced: Vec<(Range<usize>, &'static str)>,
}

impl Redacted {
    /// The part of the redacted text that stands for a byte range of the original; a replacement that the range cuts into is whole.
    pub fn part(&self, original: Range<usize>) -> &str {
        let place = |at: usize, end: bool| {
            let mut shift = 0isize;
            for (range, tag) in &self.replaced {
                let tag = tag.len() as isize + 2;
                if range.start < at && at < range.end {
                    let edge = range.start as isize + shift;
                    return (edge + if end { tag } else { 0 }) as usize;
                }
                if range.end <= at {
                    shift += tag - (range.end - range.start) as isize;
                }
            }
            (at as isize + shift) as usize
        };
        &self.text[place(original.start, false)..place(original.end, true)]
    }

    fn new(text: &str, mut found: Vec<Found>) -> Self {
        found.sort_by_key(|(r, kind)| (r.start, *kind));
        let mut merged: Vec<Found> = Vec::with_capacity(found.len());
        for (range, kind) in found {
            match merged.last_mut() {
                Some((last, first)) if range.start < last.end => {
                    last.end = last.end.max(range.end);
                    *first = kind.min(*first);
                }
                _ => merged.push((range, kind)),
            }
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (range, kind) in &merged {
            out.push_str(&text[at..range.start]);
            out.push('[');
            out.push_str(kind.tag());
            out.push(']');
            at = range.end;
        }
        out.push_str(&text[at..]);
        Self { text: out, replaced: merged.into_iter().map(|(r, kind)| (r, kind.tag())).collect() }
    }
}

/// Finds personal data in a `text` that stands by itself and replaces it by its kind. Names are left: it takes a conversation to know them.
pub fn redact(text: &str) -> Redacted {
    Redacted::new(text, structured(text, &Asked::default()))
}

/// The value of an attribute, redacted in the light of the attribute's name. Keys (`agent_id`, `…_id`) stay: segments and agents are told
/// apart by them.
pub fn redact_attribute(name: &str, value: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name).to_lowercase();
    if last == "id" || last.ends_with("_id") {
        return value.to_owned();
    }
    if names::is_name_of_attribute(&last) {
        return format!("[{}]", Kind::Name.tag());
    }
    if matches!(last.as_str(), "address" | "street" | "street_address") {
        return format!("[{}]", Kind::Address.tag());
    }
    let label = last.replace('_', " ");
    let whole = format!("{label}: {value}");
    redact(&whole).part(label.len() + 2..whole.len()).to_owned()
}

fn structured(text: &str, asked: &Asked) -> Vec<Found> {
    let mut found = Vec::new();
    web::find(text, &mut found);
    numbers::find(text, &mut found);
    ids::find(text, &mut found);
    labelled::find(text, asked, &mut found);
    phone::find(text, &mut found);
    address::find(text, &mut found);
    found
}

/// Redacts the turns of one transcript: knows its names, what was asked before each turn, and the numbers that were given in any.
pub struct Redactor<'a> {
    transcript: &'a Transcript,
    names: Names,
    values: Values,
}

impl<'a> Redactor<'a> {
    /// Reads the whole transcript.
    pub fn new(transcript: &'a Transcript) -> Self {
        let asked = |i| Asked::before(transcript, i);
        let values = Values::of(transcript.turns.iter().enumerate().map(|(i, t)| (t.text.as_str(), asked(i))));
        Self { transcript, names: Names::of(transcript), values }
    }

    /// A turn of the transcript, redacted.
    pub fn turn(&self, turn: usize) -> Redacted {
        let text = &self.transcript.turns[turn].text;
        let mut found = structured(text, &Asked::before(self.transcript, turn));
        self.values.find(text, &mut found);
        self.names.find(turn, text, &mut found);
        Redacted::new(text, found)
    }
}

/// The company's turn that a turn of the customer answers.
fn question(transcript: &Transcript, turn: usize) -> Option<&str> {
    let before = &transcript.turns[transcript.before(turn)?];
    (transcript.turns[turn].role == Role::Customer && before.role.is_company()).then_some(before.text.as_str())
}

/// Not a piece of a longer word or number.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

/// The beginning of a text, so that a long one is not searched to its end again and again.
fn near(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::turns::Turn;

    #[test]
    fn structured_personal_data_goes() {
        for (text, want) in [
            ("write to ana.b+x@mail.example.org please", "write to [EMAIL] please"),
            ("call +44 20 7946 0958 now", "call [PHONE] now"),
            ("call (212) 555-0142.", "call [PHONE]."),
            ("card 4111 1111 1111 1111 ok", "card [CARD] ok"),
            ("to DE89 3704 0044 0532 0130 00", "to [IBAN]"),
            ("4111 1111 1111 1111 12/27, cvv 123", "[CARD] 12/27, cvv 123"),
            ("ring +44 7700 900123 or 07700 900123", "ring [PHONE] or [PHONE]"),
            ("pay BE68 5390 0754 7034 with thanks", "pay [IBAN] with thanks"),
            ("see https://x.example/a?token=abc123", "see [URL]"),
            ("order 4111 1111 1111 1112", "order [ORDER]"),
            ("born on 4 Feb 1979 in Ohio", "born on [BIRTHDATE] in Ohio"),
        ] {
            assert_eq!(redact(text).text, want);
        }
    }

    #[test]
    fn prices_dates_flights_and_models_stay() {
        for text in [
            "$1,249.99 on 2026-03-01 for BA732",
            "from 09:00 to 17:30",
            "iPhone 15 Pro 256",
            "the 24-48 hours",
            "12-03-2026 10 05",
        ] {
            assert_eq!(redact(text).text, text);
        }
    }

    #[test]
    fn ranges_point_at_the_original() {
        let text = "ä a@b.co é";
        let r = redact(text);
        assert_eq!(&text[r.replaced[0].0.clone()], "a@b.co");
        assert_eq!(r.part(0..text.len()), "ä [EMAIL] é");
        assert_eq!(r.part(5..text.len()), "[EMAIL] é", "a cut through the address shows none of it");
        assert_eq!(r.part(0..5), "ä [EMAIL]");
    }

    #[test]
    fn attributes_are_read_with_their_names() {
        for (name, value, want) in [
            ("customer.phone", "5550142", "[PHONE]"),
            ("account_number", "40071882", "[ACCOUNT]"),
            ("date_of_birth", "1979-02-04", "[BIRTHDATE]"),
            ("customer_name", "Ana Petrov", "[NAME]"),
            ("note", "write to ana@example.org", "write to [EMAIL]"),
            ("segments.tier", "gold", "gold"),
            ("agent_id", "ana@example.org", "ana@example.org"),
            ("started_at", "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z"),
            ("issue", "billing", "billing"),
        ] {
            assert_eq!(redact_attribute(name, value), want, "{name}");
        }
    }

    #[test]
    fn what_overlaps_is_one() {
        let text = "https://x.example/?mail=ana@example.org&token=1";
        assert_eq!(redact(text).replaced, [(0..text.len(), "URL")]);
    }

    #[test]
    fn a_long_text_takes_no_longer_than_its_length() {
        let start = std::time::Instant::now();
        for piece in [
            "4 ",
            "11 ",
            "a",
            "order ",
            "account 12 kg ",
            "my name is ",
            "Hi Ana, ",
            "a@",
            "http://a?",
            "+1 ",
            "0-",
            "DE89 ",
            "1 Oak ",
            "x. ",
            "12 oak lane ",
            "Ana Petrov ",
            "1/2/2020 ",
            "(0)",
            "Thanks,\n",
            "at ",
            "ana at a dot ",
        ] {
            let text = piece.repeat(50_000 / piece.len());
            let turn = |role, text| Turn { role, text, at: None, agent_id: None };
            let turns = vec![
                turn(Role::Agent, "What is your name, date of birth, phone and account number?".to_owned()),
                turn(Role::Customer, text),
            ];
            let transcript = Transcript { id: "t".to_owned(), turns, ..Transcript::default() };
            Redactor::new(&transcript).turn(1);
        }
        assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    }

    proptest::proptest! {
        #[test]
        fn any_text_keeps_what_was_not_replaced(text in "\\PC*|[0-9 +.\\-()A-Z@]{0,60}") {
            let r = redact(&text);
            let mut kept = String::new();
            let mut at = 0;
            for (range, _) in &r.replaced {
                assert!(at <= range.start && range.start < range.end);
                kept.push_str(&text[at..range.start]);
                at = range.end;
            }
            kept.push_str(&text[at..]);
            let tags: usize = r.replaced.iter().map(|(_, tag)| tag.len() + 2).sum();
            assert_eq!(kept.len() + tags, r.text.len());
            assert_eq!(r.part(0..text.len()), r.text);
        }
    }
}
