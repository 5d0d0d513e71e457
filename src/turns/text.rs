//! Plain text tools: folding, words, sentences, names. No model, no rule.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// Lower case, with typographic quotes made plain and apostrophes left out, so that `Can’t` and `cant` read alike.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\'' | '’' | '‘' | '`' => {}
            '“' | '”' => out.push('"'),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// The folded words of a text, without punctuation.
pub fn words(text: &str) -> Vec<String> {
    fold(text).split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

#[rustfmt::skip]
const COMMON: &[&str] = &[
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because",
    "been", "before", "but", "by", "can", "cant", "could", "did", "didnt", "do", "does", "doesnt", "dont", "for",
    "from", "get", "got", "had", "has", "have", "havent", "he", "hello", "help", "her", "here", "hey", "hi", "him",
    "his", "how", "i", "id", "if", "ill", "im", "in", "is", "isnt", "it", "its", "ive", "just", "know", "let", "like",
    "me", "more", "my", "need", "no", "not", "now", "of", "ok", "okay", "on", "one", "or", "our", "out", "please",
    "she", "should", "so", "some", "sorry", "than", "thank", "thanks", "that", "thats", "the", "their", "them",
    "then", "there", "they", "this", "to", "too", "up", "us", "very", "want", "was", "we", "well", "were", "weve",
    "what", "when", "where", "which", "who", "why", "will", "with", "wont", "would", "yes", "you", "youre", "your",
    "youve", "look", "looking", "contact", "happy", "apologies", "apologize", "inconvenience", "hear", "understand",
    "assist", "assistance", "further", "anything", "else", "today", "day", "time", "back", "make", "sure", "see",
    "really", "thing", "way", "information", "details", "question", "questions", "issue", "problem", "experience",
    "service", "customer", "team",
];

/// The folded words of a text that carry its subject: common words, courtesies and single letters are left out.
pub fn content_words(text: &str) -> Vec<String> {
    words(text).into_iter().filter(|w| w.chars().count() > 1 && !COMMON.contains(&w.as_str())).collect()
}

/// A word without its commonest endings, so that "delayed", "delays" and "delay" meet.
pub fn stem(word: &str) -> &str {
    for ending in ["ings", "ing", "edly", "ers", "ies", "ed", "es", "ly", "s", "e", "y"] {
        if let Some(root) = word.strip_suffix(ending).filter(|r| r.len() >= 4) {
            return root;
        }
    }
    word
}

/// The byte ranges of the sentences of a text, without surrounding space.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    text.split_sentence_bound_indices()
        .filter_map(|(start, sentence)| {
            let lead = sentence.len() - sentence.trim_start().len();
            let trimmed = sentence.trim();
            (!trimmed.is_empty()).then(|| start + lead..start + lead + trimmed.len())
        })
        .collect()
}

/// Whether the text addresses somebody by name: a capitalised word after a greeting, or set off by a comma
/// at the start or end of a sentence ("Hi Ana", "Thanks, Ana.", "Ana, we …").
pub fn mentions_name(text: &str) -> bool {
    // Whoever signs names themself.
    let signed = SIGNED.iter().filter_map(|s| fold(text).rfind(s)).min();
    let text = signed.and_then(|at| text.get(..at)).unwrap_or(text);
    let range = sentences(text);
    range.iter().any(|r| {
        let sentence = &text[r.clone()];
        let parts: Vec<&str> = sentence.split([',', '.', '!', '?']).map(str::trim).filter(|p| !p.is_empty()).collect();
        let greeted = parts.first().is_some_and(|p| {
            let w: Vec<&str> = p.split_whitespace().collect();
            match w.as_slice() {
                [good, time, rest @ ..] if fold(good) == "good" && TIMES.contains(&fold(time).as_str()) => {
                    let name = rest.iter().find(|w| !TITLES.contains(&fold(w).trim_end_matches('.')));
                    name.is_some_and(|name| is_name(name) && !is_stop_word(&fold(name)))
                }
                [hello, name, ..] => GREETINGS.contains(&fold(hello).as_str()) && is_name(name),
                _ => false,
            }
        });
        let set_off = parts.len() > 1
            && parts.iter().any(|p| {
                let w: Vec<&str> = p.split_whitespace().collect();
                match w.as_slice() {
                    [name] => is_name(name),
                    [title, name] => TITLES.contains(&fold(title).trim_end_matches('.')) && is_name(name),
                    _ => false,
                }
            });
        greeted || set_off
    })
}

const SIGNED: &[&str] = &["regards", "sincerely", "yours faithfully", "best wishes", "kind wishes"];

#[rustfmt::skip]
const GREETINGS: &[&str] = &[
    "hi", "hey", "hello", "dear", "thanks", "thank", "morning", "hiya", "sorry", "welcome", "okay", "ok",
];
const TIMES: &[&str] = &["morning", "afternoon", "evening", "day"];
#[rustfmt::skip]
const TITLES: &[&str] = &[
    "mr", "mrs", "ms", "miss", "dr", "mx", "sir",
];
#[rustfmt::skip]
const NOT_NAMES: &[&str] = &[
    "there", "all", "team", "sorry", "thanks", "hello", "hi", "hey", "yes", "no", "ok", "okay", "please",
    "unfortunately", "however", "great", "sure", "absolutely", "certainly", "well", "oh", "so", "and", "but", "dm",
    "for", "sir", "madam", "maam", "customer", "apologies", "again", "understood", "done", "perfect", "right",
    "alright", "i", "we", "you", "currently", "also", "instead", "meanwhile", "cheers", "regards", "monday",
    "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march", "april",
    "may", "june", "july", "august", "september", "october", "november", "december", "additionally", "otherwise",
    "usually", "generally", "good", "welcome", "thank",
];

/// Whether a folded word is too common to carry a subject.
pub(super) fn is_stop_word(word: &str) -> bool {
    COMMON.contains(&word)
}

/// Whether a folded word stands where a name would, and is none.
pub(super) fn is_courtesy(word: &str) -> bool {
    NOT_NAMES.contains(&word)
}

/// Names that end as adverbs do.
const LIKE_ADVERBS: &[&str] = &[
    "emily", "kelly", "sally", "molly", "polly", "billy", "holly", "beverly", "kimberly", "carly", "shelly", "nelly",
    "willy", "tilly", "milly", "dolly", "reilly", "connelly", "everly", "charly", "karly",
];

fn is_name(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let mut chars = word.chars();
    let capital = chars.next().is_some_and(char::is_uppercase);
    let rest: Vec<char> = chars.collect();
    let adverb = word.ends_with("ly") && word.len() > 4 && !LIKE_ADVERBS.contains(&fold(word).as_str());
    capital
        && !adverb
        && rest.len() >= 2
        && rest.iter().all(|c| c.is_lowercase() || *c == '-' || *c == '\'')
        && !NOT_NAMES.contains(&fold(word).as_str())
}

/// A pattern that is known to compile: the tests use every one.
pub(crate) fn pattern(pattern: &str) -> regex::Regex {
    #[allow(clippy::unwrap_used, reason = "constant patterns, each compiled in a test")]
    regex::Regex::new(pattern).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_makes_apostrophes_and_case_alike() {
        assert_eq!(fold("Can’t"), fold("CANT"));
        assert_eq!(words("We’re on it — 24/7!"), ["were", "on", "it", "24", "7"]);
    }

    #[test]
    fn content_words_keep_the_subject() {
        assert_eq!(content_words("Hi, I want my parcel from Leeds, please"), ["parcel", "leeds"]);
    }

    #[test]
    fn sentences_lie_on_character_boundaries() {
        let text = "  Ça va? Non.  😀 ok";
        for r in sentences(text) {
            assert_eq!(text[r.clone()].trim(), &text[r]);
        }
        assert_eq!(sentences("").len(), 0);
    }

    #[test]
    fn names_are_seen_where_somebody_is_addressed() {
        for yes in [
            "Hi Ana, let me look.",
            "Thanks, Tom.",
            "Mrs Okafor, I have it here",
            "We're on it, Priya!",
            "Sorry Dan",
            "Emily, one moment",
            "Good morning Dana it's here",
            "Good evening Mr Smith",
        ] {
            assert!(mentions_name(yes), "{yes}");
        }
        for no in [
            "Hi there, let me look.",
            "Unfortunately, we cannot.",
            "Please call us on Monday.",
            "Sadly, we cannot.",
            "Good morning, how may I help?",
            "Good Evening Sir how may I help?",
            "Good Morning How may I help you?",
            "Good afternoon Thank you for calling",
            "Good morning This is Ana",
            "Warm regards, Marta",
            "Sure, one moment",
            "I see",
        ] {
            assert!(!mentions_name(no), "{no}");
        }
    }
}
