//! Phrases that the rules look for beside the labels. In: a text. Out: where a phrase of a list stands.
//!
//! Phrases are matched on folded text (lower case, no apostrophes) at word boundaries.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::turns::fold;

/// A list of phrases, compiled once.
pub struct Lexicon(LazyLock<AhoCorasick>);

/// A list of phrases as written in a rule's file.
pub type Phrases = &'static [&'static str];

impl Lexicon {
    /// A lexicon for a `static`: `Lexicon::new(|| &["on hold", …])`.
    pub const fn new(build: fn() -> AhoCorasick) -> Self {
        Self(LazyLock::new(build))
    }

    /// Compiles a list.
    pub fn compile(phrases: Phrases) -> AhoCorasick {
        #[allow(clippy::expect_used, reason = "constant lists, compiled in tests")]
        AhoCorasick::new(phrases).expect("a list of phrases")
    }

    /// Whether any phrase stands in the text.
    pub fn hits(&self, text: &str) -> bool {
        let folded = fold(text);
        self.0.find_overlapping_iter(&folded).any(|m| {
            let before = folded[..m.start()].chars().next_back();
            let after = folded[m.end()..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        })
    }
}

/// A `static` lexicon of the phrases given.
#[macro_export]
macro_rules! lexicon {
    ($(#[$doc:meta])* $name:ident: $($phrase:literal),* $(,)?) => {
        $(#[$doc])*
        static $name: $crate::signals::Lexicon =
            $crate::signals::Lexicon::new(|| $crate::signals::Lexicon::compile(&[$($phrase),*]));
    };
}

#[cfg(test)]
mod tests {
    lexicon!(PART: "human", "human agent");
    lexicon!(WAIT: "on hold", "been waiting", "cant wait to");

    #[test]
    fn phrases_are_found_at_word_boundaries_in_any_spelling() {
        assert!(WAIT.hits("I'm ON HOLD again"));
        assert!(WAIT.hits("Can’t wait to fly"));
        assert!(!WAIT.hits("put it upon holders"));
        assert!(PART.hits("human agents"), "a shorter phrase is not hidden by a longer one that does not fit");
    }
}
