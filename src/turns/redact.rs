//! Redaction. In: a text. Out: the text with personal data replaced by its kind, and a map back to the original.
//!
//! Structured kinds only, each with its own check, so that prices, dates and flight numbers stay.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A redacted text. Offsets into it can be led back to the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text with `[EMAIL]`, `[PHONE]`, `[CARD]`, `[IBAN]`, `[URL]` in place of what was found.
    pub text: String,
    /// What was replaced: byte ranges of the original with their kinds, in order, not overlapping.
    pub replaced: Vec<(Range<usize>, &'static str)>,
}

struct Kind {
    tag: &'static str,
    /// Whether a beginning of a match may be one where the whole is none.
    shorter: bool,
    pattern: Regex,
    holds: fn(&str) -> bool,
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let kind = |tag, pattern: &str, holds| Kind {
        tag,
        shorter: matches!(tag, "CARD" | "IBAN"),
        #[allow(clippy::unwrap_used, reason = "constant patterns, compiled in a test")]
        pattern: Regex::new(pattern).unwrap(),
        holds,
    };
    vec![
        kind("EMAIL", r"(?i)[a-z0-9._%+\-]+@[a-z0-9\-]+(?:\.[a-z0-9\-]+)*\.[a-z]{2,}", |_| true),
        kind("URL", r"(?i)\bhttps?://\S*[?&](?:token|key|auth|session|sig|code|password)=\S*", |_| true),
        kind("IBAN", r"(?i)\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?\b", is_iban),
        kind("CARD", r"\b\d(?:[ \-]?\d){12,18}\b", is_card),
        kind(
            "PHONE",
            r"(?:\+\d{1,3}[ .\-]?)?(?:\(\d{2,5}\)[ .\-]?)?\d{2,8}(?:[ .\-]\d{2,8}){1,4}\b|\+\d{8,14}\b|\b0\d{9,10}\b",
            is_phone,
        ),
    ]
});

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
}

/// Finds personal data in `text` and replaces it by its kind.
pub fn redact(text: &str) -> Redacted {
    let mut found: Vec<(Range<usize>, &'static str)> = Vec::new();
    for kind in KINDS.iter() {
        let mut from = 0;
        while let Some(m) = kind.pattern.find_at(text, from) {
            let taken =
                held(kind, text, m.range()).filter(|r| found.iter().all(|(f, _)| r.end <= f.start || f.end <= r.start));
            from = taken.as_ref().map_or(m.end(), |r| r.end);
            if let Some(range) = taken {
                found.push((range, kind.tag));
            }
        }
    }
    found.sort_by_key(|(r, _)| r.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, tag) in &found {
        out.push_str(&text[at..range.start]);
        out.push('[');
        out.push_str(tag);
        out.push(']');
        at = range.end;
    }
    out.push_str(&text[at..]);
    Redacted { text: out, replaced: found }
}

/// The longest beginning of a match, in whole groups, that is of the kind: a card number with its expiry behind it is still one.
fn held(kind: &Kind, text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let whole = std::iter::once(range.end);
    let groups = text[range.clone()].rmatch_indices([' ', '-', '.']).map(|(i, _)| range.start + i).collect::<Vec<_>>();
    let groups = groups.into_iter().filter(|_| kind.shorter);
    whole
        .chain(groups)
        .map(|end| range.start..end)
        .find(|r| stands_alone(text, r.clone()) && (kind.holds)(&text[r.clone()]))
}

/// Not a piece of a longer word or number.
fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    !before.is_some_and(|c| c.is_alphanumeric()) && !after.is_some_and(|c| c.is_alphanumeric())
}

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

/// Luhn's check.
fn is_card(text: &str) -> bool {
    let digits = digits(text);
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, &d)| if i % 2 == 1 { if d > 4 { 2 * d - 9 } else { 2 * d } } else { d })
        .sum();
    (13..=19).contains(&digits.len()) && sum.is_multiple_of(10) && digits.iter().any(|&d| d != digits[0])
}

/// ISO 7064, mod 97-10.
fn is_iban(text: &str) -> bool {
    let plain: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    if !(15..=34).contains(&plain.len()) {
        return false;
    }
    let rotated = plain[4..].iter().chain(&plain[..4]);
    let rest = rotated.fold(0u32, |rest, c| match c.to_digit(36) {
        Some(v) if v > 9 => (rest * 100 + v) % 97,
        Some(v) => (rest * 10 + v) % 97,
        None => rest,
    });
    rest == 1
}

/// Nine to fifteen digits, with a leading plus or zero, or grouped as phone numbers are.
fn is_phone(text: &str) -> bool {
    let n = digits(text).len();
    let date = DATE.is_match(text);
    (9..=15).contains(&n) && !date && (text.starts_with(['+', '0', '(']) || n >= 10)
}

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used, reason = "constant pattern, compiled in a test")]
    Regex::new(r"^(?:19|20)\d\d[.\-]\d{1,2}[.\-]\d{1,2}|^\d{1,2}[.\-]\d{1,2}[.\-](?:19|20)\d\d").unwrap()
});

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(redact(text).text, want);
        }
    }

    #[test]
    fn prices_dates_flights_and_models_stay() {
        for text in [
            "$1,249.99 on 2026-03-01 for BA732",
            "order 4111 1111 1111 1112",
            "from 09:00 to 17:30",
            "iPhone 15 Pro 256",
            "the 24-48 hours",
            "12-03-2026 10 05",
            "ticket 1234567",
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
}
