//! The language of a transcript. In: its turns. Out: a code such as `en` or `es`, or `unknown`.
//!
//! The customer's and the company's words are looked at apart, at most 1,500 bytes of each: where one side writes another language than the
//! other, that language is the transcript's, since half of it would be misread. Trigrams alone take short English for French now and then, so that
//! words come first: a text in which one word in twelve is one that hardly another language has is English, and one with many words that English
//! shares with others is not taken for another language.

use whatlang::{Lang, Script};

use super::{Role, Turn, fold};

/// How much of each side is looked at, in bytes.
const PREFIX: usize = 1500;
/// Fewer letters than this tell nothing in the Latin script, which many languages share.
const LETTERS: usize = 15;
/// How sure the trigrams must be (whatlang's confidence, 0…1) …
const SURE: f64 = 0.25;
/// … or, over so many words of which none is English, this sure.
const WORDS: usize = 7;
const LESS_SURE: f64 = 0.1;
/// The share of words that only English has from which on a text is English.
const ENGLISH_SHARE: f64 = 0.08;
/// The share of words that English shares with others up to which a text can be in another language; each such word counts once.
const SHARED_SHARE: f64 = 0.1;

/// Where the language cannot be told: too short, or no words.
pub const UNKNOWN: &str = "unknown";
/// Another language than English, but which one is not sure.
const OTHER: &str = "other";

/// Common words that hardly stand in another language written with the same letters.
#[rustfmt::skip]
const ENGLISH: &[&str] = &[
    "the", "and", "you", "your", "yours", "are", "have", "havent", "with", "this", "that", "thats", "these", "those", "not", "what",
    "whats", "my", "its", "im", "ive", "ill", "but", "can", "cant", "please", "thank", "thanks", "been", "they", "them", "their", "how",
    "when", "where", "would", "could", "should", "from", "our", "dont", "doesnt", "didnt", "isnt", "wont", "there", "theres", "just",
    "why", "get", "got", "getting", "need", "want", "help", "which", "who", "were", "youre", "youve", "weve", "any", "still", "again",
    "after", "before", "because", "about", "only", "did", "does", "being", "out", "up", "back", "now", "an", "his", "she",
];

/// Words that are common in English, and stand in other languages too, or are of the trade.
#[rustfmt::skip]
const SHARED: &[&str] = &[
    "of", "is", "was", "it", "at", "on", "for", "to", "in", "had", "be", "so", "all", "no", "me", "i", "a", "we", "u", "ur", "w", "like",
    "as", "if", "or", "says", "said", "bag", "flight", "app", "hours", "hi", "hello", "too", "gate", "charged", "refund", "order", "ticket",
    "see", "go", "by", "us", "hey", "ok", "lol", "pls", "yr", "yrs", "hrs", "since", "over", "off", "one", "two", "more", "here",
    "good", "him", "her", "he", "has", "will", "do",
];

/// The language that turns are written in; `stated` is what the input says of it (`en-US`), which counts where the text is too short.
pub(super) fn detect(turns: &[Turn], stated: Option<&str>) -> String {
    let side = |company: bool| {
        let mut text = String::new();
        for turn in turns.iter().filter(|t| t.role != Role::System && t.role.is_company() == company) {
            words_of(&turn.text, &mut text);
            if text.len() >= PREFIX {
                break;
            }
        }
        text
    };
    let (customer, company) = (side(false), side(true));
    let found = [of(&customer), of(&company)];
    let told = found.iter().flatten().find(|l| **l != "en").or(found.iter().flatten().next()).copied();
    let told = told.or_else(|| of(&format!("{customer}{company}")));
    let stated = || stated.and_then(|s| s.split(['-', '_']).next()).filter(|s| (2..=3).contains(&s.len()));
    told.map(str::to_owned).or_else(|| stated().map(str::to_lowercase)).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// Adds the plain words of a text: names of accounts, links and numbers have no language.
fn words_of(text: &str, out: &mut String) {
    for word in text.split_whitespace() {
        if out.len() >= PREFIX {
            break;
        }
        let plain = !word.contains(['@', '#', '/', '[']) && !word.chars().any(|c| c.is_ascii_digit());
        if plain {
            out.extend(word.chars().take(40));
            out.push(' ');
        }
    }
}

/// The language of a text, where it can be told.
fn of(text: &str) -> Option<&'static str> {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let latin = text.chars().filter(|c| c.is_alphabetic() && is_latin(*c)).count();
    let foreign = letters >= 4 && latin * 2 < letters;
    let words: Vec<String> =
        fold(text).split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect();
    let english = words.iter().filter(|w| ENGLISH.contains(&w.as_str())).count();
    let part = |n: usize| n as f64 / words.len().max(1) as f64;
    if !foreign && english > 0 && part(english) >= ENGLISH_SHARE {
        return Some("en");
    }
    let info = whatlang::detect(text)?;
    if foreign {
        // Another script is another language, whatever its name.
        return Some(if info.confidence() >= SURE { code(info.lang()) } else { OTHER }).filter(|l| *l != "en");
    }
    let shared = SHARED.iter().filter(|s| words.iter().any(|w| w == *s)).count();
    let sure = info.confidence() >= SURE || (english == 0 && words.len() >= WORDS && info.confidence() >= LESS_SURE);
    match () {
        () if letters < LETTERS || !sure || info.script() != Script::Latin => None,
        () if info.lang() != Lang::Eng && part(shared) > SHARED_SHARE => None,
        () => Some(code(info.lang())),
    }
}

fn is_latin(c: char) -> bool {
    c.is_ascii() || ('\u{c0}'..='\u{24f}').contains(&c) || ('\u{1e00}'..='\u{1eff}').contains(&c)
}

/// ISO 639-1 where there is one, of languages that whatlang knows by ISO 639-3.
fn code(lang: Lang) -> &'static str {
    #[rustfmt::skip]
    const SHORT: &[(&str, &str)] = &[
        ("eng", "en"), ("spa", "es"), ("fra", "fr"), ("deu", "de"), ("ita", "it"), ("por", "pt"), ("nld", "nl"), ("pol", "pl"), ("tur", "tr"),
        ("swe", "sv"), ("dan", "da"), ("nob", "nb"), ("fin", "fi"), ("rus", "ru"), ("ukr", "uk"), ("bel", "be"), ("bul", "bg"), ("srp", "sr"),
        ("hrv", "hr"), ("slv", "sl"), ("slk", "sk"), ("ces", "cs"), ("hun", "hu"), ("ron", "ro"), ("ell", "el"), ("heb", "he"), ("yid", "yi"),
        ("ara", "ar"), ("pes", "fa"), ("urd", "ur"), ("hin", "hi"), ("ben", "bn"), ("pan", "pa"), ("guj", "gu"), ("mar", "mr"), ("tam", "ta"),
        ("tel", "te"), ("kan", "kn"), ("mal", "ml"), ("ori", "or"), ("sin", "si"), ("nep", "ne"), ("tha", "th"), ("khm", "km"), ("mya", "my"),
        ("vie", "vi"), ("ind", "id"), ("jav", "jv"), ("tgl", "tl"), ("cmn", "zh"), ("jpn", "ja"), ("kor", "ko"), ("kat", "ka"), ("hye", "hy"),
        ("aze", "az"), ("uzb", "uz"), ("tuk", "tk"), ("lav", "lv"), ("lit", "lt"), ("est", "et"), ("mkd", "mk"), ("cat", "ca"), ("epo", "eo"),
        ("lat", "la"), ("afr", "af"), ("zul", "zu"), ("sna", "sn"), ("aka", "ak"), ("amh", "am"), ("cym", "cy"),
    ];
    let long = lang.code();
    SHORT.iter().find(|(l, _)| *l == long).map_or(long, |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(role: Role, text: &str) -> Turn {
        Turn { role, text: text.to_owned(), at: None, agent_id: None }
    }

    #[test]
    fn one_side_in_another_language_decides() {
        let turns = [
            turn(Role::Customer, "I was charged twice, can you help me with that please?"),
            turn(
                Role::Agent,
                "Lamento mucho las molestias. He devuelto el segundo cargo y lo verá en su cuenta en tres días.",
            ),
        ];
        assert_eq!(detect(&turns, Some("en-US")), "es");
        assert_eq!(detect(&turns[..1], Some("es")), "en", "what is written counts, not what is said of it");
    }

    #[test]
    fn what_is_too_short_is_unknown_or_as_stated() {
        let turns = [turn(Role::Customer, "ok"), turn(Role::Agent, "👍 12345 @brand")];
        assert_eq!(detect(&turns, None), UNKNOWN);
        assert_eq!(detect(&turns, Some("es-US")), "es");
        assert_eq!(detect(&[turn(Role::Customer, "我的包裹在哪里？")], None), "zh");
    }
}
