//! What is done to a text before it is cut into tokens: emoji become words, links become one word, a very long text keeps its ends.
//!
//! The same as `models/train/text.py`: both must change together.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::turns::pattern;

/// Of a very long text, so many bytes at each end are looked at: more than the tokens kept can hold.
const END: usize = 4000;

static LINK: LazyLock<Regex> = LazyLock::new(|| pattern(r"https?://\S+|\[link\]"));

/// The words for emoji.
pub(super) struct Plain(BTreeMap<char, String>);

impl Plain {
    pub(super) fn new(emoji: &BTreeMap<char, String>) -> Self {
        Self(emoji.clone())
    }

    /// The text as the tokenizer gets it.
    pub(super) fn text(&self, text: &str) -> String {
        self.with_places(text).0
    }

    /// The same, and where its parts stood: pairs of a place in it and in the original, from which both run alike.
    pub(super) fn with_places(&self, text: &str) -> (String, Vec<(usize, usize)>) {
        let (mut out, mut places) = (String::with_capacity(text.len()), Vec::new());
        for (i, range) in ends(text).enumerate() {
            if i > 0 {
                out.push(' ');
            }
            let (part, start) = (&text[range.clone()], range.start);
            let mut at = 0;
            for link in LINK.find_iter(part) {
                self.push(&mut out, &mut places, &part[at..link.start()], start + at);
                places.push((out.len(), start + link.start()));
                out.push_str(" link ");
                at = link.end();
            }
            self.push(&mut out, &mut places, &part[at..], start + at);
        }
        (out, places)
    }

    /// Emoji by their words, without the joiners, selectors and skin tones that belong to them.
    fn push(&self, out: &mut String, places: &mut Vec<(usize, usize)>, part: &str, start: usize) {
        places.push((out.len(), start));
        for (i, c) in part.char_indices() {
            match c {
                '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => {}
                '\u{1f1e6}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' => {
                    out.push(' ');
                    out.push_str(self.0.get(&c).map_or("emoji", String::as_str));
                    out.push(' ');
                }
                c => {
                    out.push(c);
                    continue;
                }
            }
            places.push((out.len(), start + i + c.len_utf8()));
        }
    }
}

/// The place in the original that a place in the plain text came from.
pub(super) fn original(places: &[(usize, usize)], at: usize) -> usize {
    let (plain, start) = places.iter().rev().find(|(plain, _)| *plain <= at).copied().unwrap_or((0, 0));
    start + (at - plain)
}

/// The whole text, or its two ends.
fn ends(text: &str) -> impl Iterator<Item = Range<usize>> {
    let long = text.len() > 2 * END;
    let head = if long { text.floor_char_boundary(END) } else { text.len() };
    let tail = long.then(|| text.ceil_char_boundary(text.len() - END)..text.len());
    std::iter::once(0..head).chain(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_become_words_and_links_one_word() {
        let plain = Plain::new(&BTreeMap::from([('👍', "thumbs up".to_owned())]));
        assert_eq!(plain.text("ok 👍🏽!"), "ok  thumbs up !");
        assert_eq!(plain.text("🦔"), " emoji ");
        assert_eq!(plain.text("see https://a.example/b?c=1 or [link]"), "see  link  or  link ");
        assert_eq!(plain.text("naïve"), "naïve");
    }

    #[test]
    fn a_long_text_keeps_both_ends() {
        let plain = Plain::new(&BTreeMap::new());
        let cut = plain.text(&format!("start {} ende", "é".repeat(20_000)));
        assert!(cut.starts_with("start") && cut.ends_with("ende") && cut.len() < 8100);
        assert_eq!(plain.text("short"), "short");
    }

    #[test]
    fn places_lead_back_to_the_original() {
        let plain = Plain::new(&BTreeMap::from([('👍', "thumbs up".to_owned())]));
        let text = "ä 👍🏽 see https://a.example/b now";
        let (out, places) = plain.with_places(text);
        for word in ["see", "now"] {
            assert_eq!(original(&places, out.find(word).unwrap()), text.find(word).unwrap(), "{word}");
        }
    }
}
