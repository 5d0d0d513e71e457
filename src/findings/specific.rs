//! Whether a reply says anything that could not stand under every complaint. In: a text of the company. Out: its specific words.
//!
//! "We value your feedback and strive to do better" is made of words that fit any case; "the crew should have had water on board"
//! is not, even where it shares no word with what the customer wrote.

use crate::turns::{content_words, stem};

/// Beginnings of the words that service texts are made of whatever the case: courtesies, feelings, promises in
/// general, and the words for customer, company, message and time.
#[rustfmt::skip]
const SERVICE: &[&str] = &[
    "able", "absolute", "accept", "additional", "advise", "again", "agree", "aim", "allow", "always", "answer", "anyone",
    "apolog", "appreciat", "appropriate", "assur", "attention", "aware", "bear", "being", "believe", "best", "better",
    "bit", "board", "bring", "business", "bye", "can", "cannot", "car", "caring", "cause", "causing", "certain", "chat",
    "cheers", "choice", "choos", "chose", "client", "comfort", "coming", "comment", "commit", "communicat", "company",
    "compla", "concern", "continu", "cooperat", "cours", "dear", "deal", "deep", "delight", "desire", "difficult", "directl",
    "disappoint", "discomfort", "doing", "due", "during", "effort", "encounter", "endur", "enjoy", "ensur", "evening", "ever",
    "every", "expect", "experienc", "express", "extend", "extreme", "face", "fall", "fell", "feel", "felt", "feedback",
    "few", "find", "first", "forward", "free", "frustrat", "full", "future", "genuin", "getting", "give", "giving", "glad",
    "going", "good", "great", "guest", "hand", "happen", "hard", "having", "heard", "heart", "help", "high", "honest", "immediate",
    "hope", "hoping", "importan", "improv", "inconvenien", "input", "insight", "intend", "internal", "keep", "kind",
    "known", "lead", "learn", "leav", "left", "let", "level", "listen", "little", "live", "long", "lot", "love", "loyal",
    "made", "makes", "making", "manage", "many", "matter", "may", "mean", "meet", "member", "message", "might", "miss", "moment",
    "morning", "much", "must", "never", "new", "next", "nice", "night", "note", "offer", "opportunity", "over", "pass",
    "patien", "people", "perfect", "place", "please", "pleas", "point", "possib", "prais", "previous", "priorit", "process",
    "promis", "prompt", "proud", "provid", "put", "quality", "quick", "rather", "reach", "read", "reason", "receiv",
    "recent", "recogni", "regard", "regret", "relevant", "remain", "repl", "resolv", "respect", "respond", "respons",
    "rest", "result", "return", "review", "right", "said", "satisf", "say", "sent", "send", "serious", "serv", "shar",
    "short", "sincer", "situation", "small", "soon", "sort", "staff", "standard", "start", "still", "stri", "submit", "success", "such",
    "suggest", "support", "surpris", "take", "taking", "talk", "tell", "thanking", "thes", "thing", "those", "tim", "think", "thought", "told",
    "tomorrow", "tonight", "took", "touch", "treat", "tri", "trouble", "true", "truly", "trust", "try", "tweet", "unaccept",
    "understand", "understood", "unfortunate", "unhappy", "upset", "use", "using", "valu", "voic", "wait", "warm", "wasnt", "werent", "week",
    "welcom", "while", "wish", "within", "without", "wonder", "word", "work", "write", "writing", "wrote", "year",
];

/// How many words of a text name something: neither courtesy nor a name nor a sign-off.
pub(super) fn specific_words(text: &str) -> usize {
    let mut start = true;
    let kept: Vec<&str> = text
        .split_whitespace()
        .filter(|w| {
            let begins = std::mem::replace(&mut start, w.ends_with(['.', '!', '?', ':', '\u{2026}']));
            let named = w.starts_with(char::is_uppercase) && !begins;
            !named && !w.starts_with(['^', '*', '~', '@', '#', '[']) && !w.starts_with("http")
        })
        .collect();
    let mut words: Vec<String> =
        content_words(&kept.join(" ")).into_iter().filter(|w| !SERVICE.iter().any(|s| w.starts_with(s))).collect();
    words.iter_mut().for_each(|w| *w = stem(w).to_owned());
    words.sort_unstable();
    words.dedup();
    words.len()
}

#[cfg(test)]
mod tests {
    use super::specific_words;

    #[test]
    fn a_text_block_names_nothing() {
        for general in [
            "Thank you for your feedback, Maya. We value your comments and strive to provide the best service to all our customers.",
            "We're sorry for any inconvenience caused and hope to welcome you again soon. ^JP",
            "You're welcome. Have a great evening!",
            "We understand how you feel and will pass this on to the relevant team.",
        ] {
            assert!(specific_words(general) <= 1, "{general}: {}", specific_words(general));
        }
        for specific in [
            "The kitchen ran out of gluten-free bread before your table ordered.",
            "A hole in the wall is not how the fitters are meant to leave a home.",
            "The depot scanned it at noon, so the courier still has your parcel.",
        ] {
            assert!(specific_words(specific) >= 4, "{specific}: {}", specific_words(specific));
        }
    }
}
