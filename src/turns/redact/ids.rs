//! National identity and tax numbers that carry a check of their own, or a range that is never issued.

use std::sync::LazyLock;

use regex::Regex;

use super::numbers::luhn;
use super::{Found, Kind, digits, stands_alone};
use crate::turns::pattern;

struct Id {
    pattern: Regex,
    holds: fn(&str) -> bool,
}

/// Spaces, or none, between groups.
const S: &str = r"[ \u{a0}\u{202f}]?";

#[rustfmt::skip]
static IDS: LazyLock<Vec<Id>> = LazyLock::new(|| {
    let id = |text: &str, holds| Id { pattern: pattern(&format!(r"(?i)\b(?:{})\b", text.replace('_', S))), holds };
    vec![
        // United States: social security and individual taxpayer number.
        id(r"[0-9]{3}[ \-][0-9]{2}[ \-][0-9]{4}", united_states),
        // United Kingdom: national insurance number.
        id(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]_[0-9]{2}_[0-9]{2}_[0-9]{2}_[A-D]", united_kingdom),
        // Germany: tax identification number.
        id(r"[1-9][0-9]_[0-9]{3}_[0-9]{3}_[0-9]{3}", germany),
        // France: social security number.
        id(r"[12]_[0-9]{2}_(?:0[1-9]|1[0-2]|[2-9][0-9])_(?:[0-9]{2}|2[AB])_[0-9]{3}_[0-9]{3}_[0-9]{2}", france),
        // Spain: DNI and NIE.
        id(r"(?:[0-9]{8}|[XYZ][ \-]?[0-9]{7})[ \-]?[A-Z]", spain),
        // Italy: codice fiscale.
        id(r"[A-Z]{6}_[0-9LMNP-V]{2}_[A-EHLMPR-T]_[0-9LMNP-V]{2}_[A-Z][0-9LMNP-V]{3}_[A-Z]", italy),
        // Poland: PESEL.
        id(r"[0-9]{11}", poland),
        // Belgium: national register number.
        id(r"[0-9]{2}[. ]?[0-9]{2}[. ]?[0-9]{2}[\- ]?[0-9]{3}[. \-]?[0-9]{2}", belgium),
        // Sweden: personal identity number.
        id(r"(?:19|20)?[0-9]{6}[\-+][0-9]{4}", sweden),
        // Finland: personal identity code.
        id(r"[0-9]{6}[\-+A-FU-Y][0-9]{3}[0-9A-Y]", finland),
        // Switzerland: AHV number.
        id(r"756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}", switzerland),
        // Brazil: CPF.
        id(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", brazil),
        // India: Aadhaar.
        id(r"[2-9][0-9]{3} [0-9]{4} [0-9]{4}", verhoeff),
        // The Netherlands and Portugal: nine digits are common, so only behind their name.
        id(r"(?:BSN|burgerservicenummer|sofi-?nummer)\W{1,3}(?:is\W{1,2})?(?<number>[0-9]{4}[. ]?[0-9]{2}[. ]?[0-9]{3})", netherlands),
        id(r"(?:NIF|contribuinte)\W{1,3}(?:é\W|is\W)?(?<number>[1-35-9][0-9]{2}_[0-9]{3}_[0-9]{3})", portugal),
    ]
});

pub(super) fn find(text: &str, found: &mut Vec<Found>) {
    for id in IDS.iter() {
        for c in id.pattern.captures_iter(text) {
            // Where the number is known by the name before it, the name stays.
            let Some(m) = c.name("number").or(c.get(0)) else { continue };
            if stands_alone(text, &m.range()) && (id.holds)(m.as_str()) {
                found.push((m.range(), Kind::Id));
            }
        }
    }
}

/// Letters and digits only, in capitals.
fn plain(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_uppercase()).collect()
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| d * w).sum()
}

/// A day of a month; the month may carry a century or a gender.
fn is_day(month: u32, day: u32) -> bool {
    (1..=12).contains(&(month % 20)) && (1..=31).contains(&day)
}

fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |n, &d| n * 10 + u64::from(d))
}

/// Areas 000, 666 and 900 and above, group 00 and serial 0000 are never issued; 9xx with groups 50 to 99 are taxpayer numbers.
fn united_states(text: &str) -> bool {
    let d = digits(text);
    let (area, group, serial) = (number(&d[..3]), number(&d[3..5]), number(&d[5..]));
    let same = text.as_bytes()[3] == text.as_bytes()[6];
    same && serial != 0 && if area >= 900 { group >= 50 } else { area != 0 && area != 666 && group != 0 }
}

fn united_kingdom(text: &str) -> bool {
    !["BG", "GB", "NK", "KN", "TN", "NT", "ZZ"].iter().any(|never| plain(text).starts_with(never.as_bytes()))
}

/// One digit of the first ten comes twice or three times; ISO 7064, mod 11,10.
fn germany(text: &str) -> bool {
    let d = digits(text);
    let most = (0..10).map(|n| d[..10].iter().filter(|&&x| x == n).count()).max().unwrap_or(0);
    let product = d[..10].iter().fold(10, |product, &x| {
        let sum = match (x + product) % 10 {
            0 => 10,
            sum => sum,
        };
        sum * 2 % 11
    });
    (2..=3).contains(&most) && (11 - product) % 10 == d[10]
}

/// 97 less the number mod 97; Corsica's letters stand for 19 and 18.
fn france(text: &str) -> bool {
    let text = String::from_utf8_lossy(&plain(text)).replace("2A", "19").replace("2B", "18");
    let d = digits(&text);
    d.len() == 15 && 97 - number(&d[..13]) % 97 == number(&d[13..])
}

fn spain(text: &str) -> bool {
    let text = plain(text);
    let lead = match text[0] {
        b'X' => 0,
        b'Y' => 1,
        b'Z' => 2,
        digit => u64::from(digit - b'0'),
    };
    let n = text[1..8].iter().fold(lead, |n, b| n * 10 + u64::from(b - b'0'));
    text.len() == 9 && b"TRWAGMYFPDXBNJZSQVHLCKE"[(n % 23) as usize] == text[8]
}

fn italy(text: &str) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let text = plain(text);
    let value = |b: u8| u32::from(if b.is_ascii_digit() { b - b'0' } else { b - b'A' });
    let sum: u32 =
        text[..15].iter().enumerate().map(|(i, &b)| if i % 2 == 0 { ODD[value(b) as usize] } else { value(b) }).sum();
    sum % 26 == value(text[15])
}

fn poland(text: &str) -> bool {
    let d = digits(text);
    let sum = weighted(&d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    is_day(10 * d[2] + d[3], 10 * d[4] + d[5]) && sum.is_multiple_of(10)
}

/// 97 less the first nine digits mod 97, with a 2 before them for those born since 2000.
fn belgium(text: &str) -> bool {
    let d = digits(text);
    let (body, check) = (number(&d[..9]), number(&d[9..]));
    is_day(10 * d[2] + d[3], 10 * d[4] + d[5]) && [body, 2_000_000_000 + body].iter().any(|n| 97 - n % 97 == check)
}

fn sweden(text: &str) -> bool {
    let d = digits(text);
    let d = &d[d.len() - 10..];
    let day = 10 * d[4] + d[5];
    is_day(10 * d[2] + d[3], if day > 60 { day - 60 } else { day }) && luhn(d)
}

fn finland(text: &str) -> bool {
    let text = plain(text);
    // A letter between date and number is the century's.
    let tail = &text[text.len() - 4..];
    let digits: String = text[..6].iter().chain(&tail[..3]).map(|&b| char::from(b)).collect();
    let d = super::digits(&digits);
    let check = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    d.len() == 9 && is_day(10 * d[2] + d[3], 10 * d[0] + d[1]) && check[(number(&d) % 31) as usize] == tail[3]
}

/// The check digit of EAN-13.
fn switzerland(text: &str) -> bool {
    weighted(&digits(text), &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

fn brazil(text: &str) -> bool {
    let d = digits(text);
    let check = |n: usize| {
        let weights: Vec<u32> = (2..=(n as u32 + 1)).rev().collect();
        weighted(&d[..n], &weights) * 10 % 11 % 10 == d[n]
    };
    d.iter().any(|x| *x != d[0]) && check(9) && check(10)
}

fn netherlands(text: &str) -> bool {
    let d = digits(text);
    d.len() == 9 && (weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) + 10 * d[8]).is_multiple_of(11)
}

fn portugal(text: &str) -> bool {
    let d = digits(text);
    let check = match 11 - weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 {
        10 | 11 => 0,
        check => check,
    };
    d[8] == check
}

/// Verhoeff's check (1969): the dihedral group of order 10.
fn verhoeff(text: &str) -> bool {
    const SWAP: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - 5 + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let swapped = |i: usize, d: u32| (0..i % 8).fold(d, |d, _| SWAP[d as usize]);
    digits(text).iter().rev().enumerate().fold(0, |sum, (i, &d)| times(sum, swapped(i, d))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        find(text, &mut found);
        found.sort_by_key(|(r, _)| r.start);
        found.into_iter().map(|(r, _)| &text[r]).collect()
    }

    /// Numbers that the issuers themselves give as examples, or that are commonly printed as such.
    #[test]
    fn numbers_with_a_right_check_are_found_and_others_stay() {
        for (right, wrong) in [
            ("123-45-6789", "666-45-6789"),
            ("AB123456C", "GB123456C"),
            ("86 095 742 719", "86 095 742 718"),
            ("2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
            ("12345678Z", "12345678A"),
            ("X1234567L", "X1234567M"),
            ("RSSMRA85T10A562S", "RSSMRA85T10A562T"),
            ("44051401359", "44051401358"),
            ("85.07.30-033.28", "85.07.30-033.29"),
            ("811218-9876", "811218-9877"),
            ("131052-308T", "131052-308U"),
            ("756.9217.0769.85", "756.9217.0769.86"),
            ("529.982.247-25", "529.982.247-26"),
            ("2341 2341 2346", "2341 2341 2347"),
        ] {
            assert_eq!(found(right), [right]);
            assert_eq!(found(wrong), [""; 0], "{wrong}");
        }
        assert_eq!(found("my BSN is 111222333"), ["111222333"]);
        assert_eq!(found("my BSN is 111222334, 111222333"), [""; 0]);
        assert_eq!(found("NIF 123456789"), ["123456789"]);
        assert_eq!(found("AB 12 34 56 C"), ["AB 12 34 56 C"]);
    }
}
