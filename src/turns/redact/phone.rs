//! Telephone numbers by their shape: with a country code, with a trunk zero, as they are written in North America, and in threes.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Found, Kind, digits, stands_alone, words};
use crate::turns::pattern;

struct Shape {
    pattern: Regex,
    holds: fn(&str) -> bool,
}

const GAP: &str = r"[ .\-/\u{a0}\u{202f}\u{2010}-\u{2013}]{0,2}";

static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let shape = |text: &str, holds| Shape { pattern: pattern(&text.replace("GAP", GAP)), holds };
    vec![
        shape(r"(?:\+|\b00) ?[1-9][0-9]{0,2}(?:GAP\(0?[0-9]{0,5}\))?(?:GAP[0-9]+){1,8}", international),
        shape(r"\(0[0-9]{1,5}\)(?:GAP[0-9]{2,}){1,4}|\b0[1-9][0-9]{0,4}(?:GAP[0-9]{2,}){1,5}", national),
        shape(
            r"(?:\b1[ .\-])?(?:\([2-9][0-9]{2}\) ?[.\-]?|\b[2-9][0-9]{2}[ .\-])[2-9][0-9]{2}[ .\-][0-9]{4}\b",
            |_| true,
        ),
        shape(r"\b[5-9][0-9]{2}[ \-][0-9]{3}[ \-][0-9]{3}\b", |t| !t.contains("000")),
    ]
});

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:19|20)[0-9]{2}[./\-][0-9]{1,2}[./\-][0-9]{1,2}|^[0-9]{1,2}[./\-][0-9]{1,2}[./\-](?:19|20)?[0-9]{2}(?:$|[^0-9])",
    )
});

pub(super) fn find(text: &str, found: &mut Vec<Found>) {
    for shape in SHAPES.iter() {
        for m in shape.pattern.find_iter(text) {
            let range = m.range();
            if (shape.holds)(m.as_str()) && !DATE.is_match(m.as_str()) && is_whole(text, &range) {
                found.push((range, Kind::Phone));
            }
        }
    }
}

/// Not a piece of a longer number, and not counted in any unit.
fn is_whole(text: &str, range: &Range<usize>) -> bool {
    let mut before = text[..range.start].chars().rev();
    let joined = before.next().is_some_and(|c| matches!(c, '.' | ',' | '-' | '/' | ':'))
        && before.next().is_some_and(|c| c.is_ascii_digit());
    let mut after = text[range.end..].chars();
    let goes_on = after.next().is_some_and(|c| matches!(c, '.' | ',' | ':' | '-' | ' ' | '/'))
        && after.next().is_some_and(|c| c.is_ascii_digit());
    stands_alone(text, range) && !joined && !goes_on && !words::is_counted(text, range)
}

/// Eight to fifteen digits (ITU-T E.164), and North American ones eleven.
fn international(text: &str) -> bool {
    let digits = digits(text);
    let digits = if text.starts_with('0') { &digits[2..] } else { &digits[..] };
    match digits {
        [1, area, ..] => digits.len() == 11 && *area > 1,
        _ => (8..=15).contains(&digits.len()),
    }
}

fn national(text: &str) -> bool {
    (9..=12).contains(&digits(text).len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_many_countries_and_their_look_alikes() {
        for yes in
            ["+49 30 12345678", "0171/1234567", "06 12 34 56 78", "+44 (0)20 7946 0958", "212.555.0142", "612 345 678"]
        {
            let mut found = Vec::new();
            find(yes, &mut found);
            assert_eq!(found, [(0..yes.len(), Kind::Phone)], "{yes}");
        }
        for no in [
            "192.168.178.1",
            "+20 %",
            "0.125 0.250",
            "01.03.2026-15.03.2026",
            "500 000 000",
            "612 345 678 Ft",
            "978-0-306-40615-7",
        ] {
            let mut found = Vec::new();
            find(no, &mut found);
            assert_eq!(found, [], "{no}");
        }
    }
}
