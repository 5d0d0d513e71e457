//! Answers already given. In: an encoded turn. Out: its answer, where the same tokens were classified a while ago.
//!
//! Service text repeats itself: greetings, thanks, canned replies. A turn's answer depends on its tokens alone, so one taken from here is
//! the one that would be computed, to the bit.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::backend::Encoded;
use super::classifier::Answered;

/// Turns of more tokens, their context included, seldom come again.
const TOKENS: usize = 64;
/// Answers in one generation: as many as a table of 4,096 places holds, less than 1 MB.
const GENERATION: usize = 3584;

/// A turn's tokens as the first half of their SHA-256: short, and no two turns in the world are expected to share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key([u8; 16]);

impl Key {
    /// None for a turn that is too long to be kept.
    fn of(row: &Encoded) -> Option<Self> {
        if row.ids.len() > TOKENS {
            return None;
        }
        let mut hash = Sha256::new();
        hash.update(row.own.to_le_bytes());
        row.ids.iter().for_each(|id| hash.update(id.to_le_bytes()));
        hash.finalize().first_chunk().copied().map(Self)
    }
}

/// The answers of the last turns, in two generations: what is asked for again moves to the younger one, and when that is full the elder is forgotten.
#[derive(Default)]
pub(super) struct Cache {
    generations: Mutex<[HashMap<Key, Answered>; 2]>,
}

impl Cache {
    /// The answer to these tokens, if they were classified before.
    pub(super) fn get(&self, row: &Encoded) -> Option<Answered> {
        let key = Key::of(row)?;
        let mut both = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = both[0].get(&key) {
            return Some(*answer);
        }
        let answer = both[1].remove(&key)?;
        Self::insert(&mut both, key, answer);
        Some(answer)
    }

    /// Keeps an answer for later.
    pub(super) fn keep(&self, row: &Encoded, answer: Answered) {
        if let Some(key) = Key::of(row) {
            let mut both = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
            Self::insert(&mut both, key, answer);
        }
    }

    fn insert(both: &mut [HashMap<Key, Answered>; 2], key: Key, answer: Answered) {
        if both[0].len() >= GENERATION {
            both[1] = std::mem::take(&mut both[0]);
        }
        both[0].insert(key, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::backend::{Answer, LOGITS};

    fn row(id: u32) -> Encoded {
        Encoded { ids: vec![id; 5], own: 3 }
    }

    fn answer(logit: f32) -> Answered {
        Answered { answer: Answer { logits: [logit; LOGITS], focus: [0; 24] }, deferred: false }
    }

    #[test]
    fn what_is_asked_for_again_stays_and_the_rest_is_forgotten() {
        let cache = Cache::default();
        cache.keep(&row(0), answer(0.5));
        assert_eq!(cache.get(&Encoded { own: 4, ..row(0) }), None, "the same tokens split otherwise are another turn");
        for i in 1..3 * GENERATION as u32 {
            cache.keep(&row(i), answer(1.0));
            if i % 1000 == 0 {
                assert_eq!(cache.get(&row(0)), Some(answer(0.5)), "after {i}");
            }
        }
        assert_eq!(cache.get(&row(1)), None);
        let both = cache.generations.lock().unwrap();
        assert!(both[0].len() <= GENERATION && both[1].len() <= GENERATION);
    }

    #[test]
    fn long_turns_are_not_kept() {
        let cache = Cache::default();
        let long = Encoded { ids: vec![7; TOKENS + 1], own: 3 };
        cache.keep(&long, answer(0.0));
        assert_eq!(cache.get(&long), None);
    }
}
