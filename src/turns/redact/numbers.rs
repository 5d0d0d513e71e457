//! Card numbers (Luhn's check) and IBANs (ISO 7064, mod 97-10), each with the lengths that are issued.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Found, Kind, digits, stands_alone};
use crate::turns::pattern;

/// What may stand between two groups.
const GAP: &str = r"[ .\-\u{a0}\u{2009}\u{202f}\u{2010}-\u{2013}]";

static RUN: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("[2-6](?:{GAP}{{0,2}}[0-9]){{12,18}}")));
static IBAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b[a-z]{2}[0-9]{2}"));

/// Countries of the IBAN registry with the length of theirs.
#[rustfmt::skip]
const LENGTHS: &[(&str, usize)] = &[
    ("AD", 24), ("AE", 23), ("AL", 28), ("AT", 20), ("AZ", 28), ("BA", 20), ("BE", 16), ("BG", 22), ("BH", 22), ("BI", 27), ("BR", 29),
    ("BY", 28), ("CH", 21), ("CR", 22), ("CY", 28), ("CZ", 24), ("DE", 22), ("DJ", 27), ("DK", 18), ("DO", 28), ("EE", 20), ("EG", 29),
    ("ES", 24), ("FI", 18), ("FK", 18), ("FO", 18), ("FR", 27), ("GB", 22), ("GE", 22), ("GI", 23), ("GL", 18), ("GR", 27), ("GT", 28),
    ("HR", 21), ("HU", 28), ("IE", 22), ("IL", 23), ("IQ", 23), ("IS", 26), ("IT", 27), ("JO", 30), ("KW", 30), ("KZ", 20), ("LB", 28),
    ("LC", 32), ("LI", 21), ("LT", 20), ("LU", 20), ("LV", 21), ("LY", 25), ("MC", 27), ("MD", 24), ("ME", 22), ("MK", 19), ("MN", 20),
    ("MR", 27), ("MT", 31), ("MU", 30), ("NI", 28), ("NL", 18), ("NO", 15), ("OM", 23), ("PK", 24), ("PL", 28), ("PS", 29), ("PT", 25),
    ("QA", 29), ("RO", 24), ("RS", 22), ("RU", 33), ("SA", 24), ("SC", 31), ("SD", 18), ("SE", 24), ("SI", 19), ("SK", 24), ("SM", 27),
    ("SO", 23), ("ST", 25), ("SV", 28), ("TL", 23), ("TN", 24), ("TR", 26), ("UA", 29), ("VA", 22), ("VG", 24), ("XK", 20),
];

pub(super) fn find(text: &str, found: &mut Vec<Found>) {
    for m in IBAN.find_iter(text) {
        found.extend(iban(text, m.start()).map(|r| (r, Kind::Iban)));
    }
    let mut from = 0;
    while let Some(m) = RUN.find_at(text, from) {
        let card = card(text, m.range());
        from = card.as_ref().map_or_else(|| next_group(text, m.range()), |r| r.end);
        found.extend(card.map(|r| (r, Kind::Card)));
    }
}

/// The end of the first group of a run, so that a number behind another one is still seen.
fn next_group(text: &str, run: Range<usize>) -> usize {
    text[run.clone()].find(|c: char| !c.is_ascii_digit()).map_or(run.end, |at| run.start + at)
}

/// The longest beginning of a run, in whole groups, that is a card number: its expiry may stand behind it.
fn card(text: &str, run: Range<usize>) -> Option<Range<usize>> {
    let run_text = &text[run.clone()];
    let ends = (13..=run_text.len())
        .rev()
        .filter(|&end| run_text.is_char_boundary(end) && run_text.as_bytes()[end - 1].is_ascii_digit());
    ends.map(|end| run.start..run.start + end).find(|r| stands_alone(text, r) && is_card(&text[r.clone()]))
}

/// Luhn's check, and a length that goes with the first digit.
fn is_card(text: &str) -> bool {
    let digits = digits(text);
    let lengths: &[usize] = match digits[0] {
        3 => &[14, 15, 16],
        4 => &[13, 16, 19],
        2 | 5 => &[16],
        _ => &[16, 17, 18, 19],
    };
    lengths.contains(&digits.len()) && luhn(&digits) && digits.iter().any(|&d| d != digits[0])
}

/// Luhn's check.
pub(super) fn luhn(digits: &[u32]) -> bool {
    let doubled = |d: u32| if d > 4 { 2 * d - 9 } else { 2 * d };
    let sum: u32 = digits.iter().rev().enumerate().map(|(i, &d)| if i % 2 == 1 { doubled(d) } else { d }).sum();
    sum.is_multiple_of(10)
}

/// The IBAN that begins at `start`, of its country's length, in groups or not.
fn iban(text: &str, start: usize) -> Option<Range<usize>> {
    let country = text[start..start + 2].to_ascii_uppercase();
    let (_, length) = LENGTHS.iter().find(|(c, _)| *c == country)?;
    let mut plain = Vec::with_capacity(*length);
    let mut gap = false;
    for (at, c) in text[start..].char_indices() {
        match c {
            c if c.is_ascii_alphanumeric() => {
                (gap, _) = (false, plain.push(c));
                if plain.len() == *length {
                    let range = start..start + at + 1;
                    return (stands_alone(text, &range) && mod_97(&plain)).then_some(range);
                }
            }
            ' ' | '-' | '.' | '\u{a0}' | '\u{202f}' if !gap => gap = true,
            _ => return None,
        }
    }
    None
}

/// ISO 7064, mod 97-10, with the first four characters at the end.
fn mod_97(plain: &[char]) -> bool {
    let rest = plain[4..].iter().chain(&plain[..4]).fold(0u32, |rest, c| match c.to_digit(36) {
        Some(v) if v > 9 => (rest * 100 + v) % 97,
        Some(v) => (rest * 10 + v) % 97,
        None => rest,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(&str, Kind)> {
        let mut found = Vec::new();
        find(text, &mut found);
        found.into_iter().map(|(r, k)| (&text[r], k)).collect()
    }

    #[test]
    fn cards_have_their_length_and_check() {
        assert_eq!(kinds("378282246310005"), [("378282246310005", Kind::Card)]);
        assert_eq!(kinds("5555-5555-5555-4444 exp 11-28"), [("5555-5555-5555-4444", Kind::Card)]);
        assert_eq!(kinds("2026 4111 1111 1111 1111"), [("4111 1111 1111 1111", Kind::Card)]);
        for no in ["4111 1111 1111 1112", "4111 1111 1111 111", "0000 0000 0000 0000", "44444444444444444444444"] {
            assert_eq!(kinds(no), [], "{no}");
        }
    }

    #[test]
    fn ibans_have_their_country_length_and_check() {
        assert_eq!(kinds("gb29nwbk60161331926819 thanks"), [("gb29nwbk60161331926819", Kind::Iban)]);
        assert_eq!(kinds("NO93-8601-1117-947"), [("NO93-8601-1117-947", Kind::Iban)]);
        for no in ["DE89 3704 0044 0532 0130 01", "ZZ89370400440532013000", "BE68 5390 0754 703"] {
            assert_eq!(kinds(no), [], "{no}");
        }
    }
}
