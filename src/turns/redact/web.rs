//! E-mail addresses, and links that open something private.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, Kind, words};
use crate::turns::pattern;

static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[\p{L}\p{N}_][\p{L}\p{N}._%+\-'’]*@(?:[\p{L}\p{N}\-]+\.)+\p{L}{2,}"));

/// With spaces around the sign, at a provider that everybody knows.
static SPACED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b[\p{L}\p{N}_][\p{L}\p{N}._%+\-]* ?@ ?(?:gmail|googlemail|yahoo|hotmail|outlook|icloud|aol|gmx|live|proton|protonmail)\.[a-z]{2,4}(?:\.[a-z]{2})?\b",
    )
});

/// Written out: `ana (at) example.com`, `ana at example dot com`.
static SPELT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b([\p{L}\p{N}_][\p{L}\p{N}._%+\-']*)(?: ?[(\[{]at[)\]}] ?(?:[\p{L}\p{N}\-]+(?:\.| ?[(\[{]dot[)\]}] ?| dot ))+| at (?:[\p{L}\p{N}\-]+ dot )+)[a-z]{2,}\b",
    )
});

static LINK: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?i)(?:\bhttps?://|\bwww\.|\b(?:[a-z0-9\-]+\.)+[a-z]{2,}/)[^\s<>"]+"#));

/// Words in the name of a parameter whose value opens, or names somebody.
#[rustfmt::skip]
const PRIVATE: &[&str] = &[
    "token", "key", "auth", "sess", "sid", "sig", "code", "pass", "pwd", "secret", "otp", "hash", "mail", "phone", "user", "account", "order",
    "customer", "invite", "reset", "verify", "ticket",
];

pub(super) fn find(text: &str, found: &mut Vec<Found>) {
    found.extend(EMAIL.find_iter(text).map(|m| (m.range(), Kind::Email)));
    found.extend(SPACED.find_iter(text).map(|m| (m.range(), Kind::Email)));
    // "Visit us at example dot com" is nobody's address.
    let spelt = SPELT.captures_iter(text).filter(|c| !words::is_common(&c[1]) && !words::is_place_word(&c[1]));
    found.extend(spelt.filter_map(|c| c.get(0)).map(|m| (m.range(), Kind::Email)));
    for m in LINK.find_iter(text) {
        let link = m.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}', '\'', '’', '”']);
        if is_private(link) {
            found.push((m.start()..m.start() + link.len(), Kind::Url));
        }
    }
}

fn is_private(link: &str) -> bool {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let (place, parameters) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    host.contains('@')
        || path.split(['/', ';', '=']).any(is_key)
        || parameters.split(['?', '#', '&', ';']).any(|p| match p.split_once('=') {
            Some((name, value)) => {
                let name = name.to_ascii_lowercase();
                !value.is_empty() && (PRIVATE.iter().any(|w| name.contains(w)) || is_key(value))
            }
            None => is_key(p),
        })
}

/// A long number, or letters and digits in no order that anybody would write.
fn is_key(part: &str) -> bool {
    let n = part.len();
    let number = n >= 9 && part.bytes().all(|b| b.is_ascii_digit());
    let changes =
        part.as_bytes().windows(2).filter(|w| w[0].is_ascii_digit() != w[1].is_ascii_digit() && *w != b"--").count();
    let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'%' | b'~'));
    number || (plain && n >= 16 && changes >= 3 && part.split(['-', '_', '.']).any(|w| w.len() >= 8 && mixed(w)))
}

fn mixed(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit()) && word.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_open_something_are_told_from_pages() {
        for yes in [
            "https://a.example/r?Token=x1",
            "a.example/i/0a9f8e7d6c5b4a3f2e1d",
            "https://ana:pw@a.example/",
            "www.a.example/p/123456789",
        ] {
            assert!(is_private(yes), "{yes}");
        }
        for no in [
            "https://a.example/help/returns",
            "a.example/2026/03/01/how-to",
            "https://a.example/p/wh-1000xm5-black?page=2",
        ] {
            assert!(!is_private(no), "{no}");
        }
    }

    #[test]
    fn a_page_named_aloud_is_no_address() {
        let mut found = Vec::new();
        find("look at example dot com or visit us at example dot org", &mut found);
        assert_eq!(found, []);
        find("ana at example dot com", &mut found);
        assert_eq!(found.len(), 1);
    }
}
