//! Near-duplicates across the whole input, in bounded memory: which texts of the company are canned.
//!
//! A text is folded, stripped of names, numbers and links, and cut into three-word shingles. Of their hashes sixteen minima are kept
//! in four bands (MinHash, Broder 1997): two texts that share a band are nearly the same. [`Canned`] counts in how many transcripts
//! a band was seen. Most bands are seen once: those are only marked in a filter (Bloom 1970), which is emptied now and then, and counted from the second time
//! on, with lossy counting (Manku and Motwani 2002): what is frequent is counted, what is rare may be forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use crate::turns::{Transcript, words};

const BANDS: usize = 4;
const PER_BAND: usize = 4;
/// Texts with fewer words are too plain to be called canned.
const MIN_WORDS: usize = 6;
/// Bands counted at most: about 30 MB.
const CAPACITY: usize = 1_000_000;
/// Bits of the filter: 2 MB.
const BITS: u64 = 1 << 24;
/// Bits of one band.
const MARKS: u64 = 6;
/// After so many new bands the filter is emptied. By then it takes one new band in a thousand for one that it knows, whose count is one too high; what was seen
/// once before and once after is not known as seen twice.
const MARKED: usize = 1_000_000;

/// The bands of a text; empty where it is too short.
fn fingerprints(text: &str) -> Vec<u64> {
    let words: Vec<String> =
        words(&stripped(text)).into_iter().filter(|w| !w.chars().any(|c| c.is_ascii_digit())).collect();
    if words.len() < MIN_WORDS {
        return Vec::new();
    }
    let mut minima = [u64::MAX; BANDS * PER_BAND];
    for shingle in words.windows(3) {
        let mut hash = Fnv::default();
        shingle.iter().for_each(|w| {
            hash.write(w.as_bytes());
            hash.write_u8(0);
        });
        let base = hash.finish();
        for (i, minimum) in minima.iter_mut().enumerate() {
            *minimum = (*minimum).min(mix(base ^ mix(i as u64 + 1)));
        }
    }
    minima.chunks(PER_BAND).enumerate().map(|(b, m)| m.iter().fold(mix(b as u64), |h, v| mix(h ^ v))).collect()
}

/// Without handles, links, a name after a greeting, and a sign-off of initials.
fn stripped(text: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut greeted = false;
    for word in text.split_whitespace() {
        let initials = word.starts_with(['^', '*', '~'])
            || word.starts_with("http")
            || word.starts_with('@')
            || word.starts_with('[');
        let capital = word.chars().next().is_some_and(char::is_uppercase);
        if !(initials || greeted && capital) {
            out.push(word);
        }
        greeted = matches!(word.to_lowercase().trim_matches(','), "hi" | "hey" | "hello" | "dear" | "thanks" | "sorry");
    }
    out.join(" ")
}

/// FNV-1a: the same on every machine.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = (self.0 ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The finaliser of SplitMix64.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Bands seen once.
#[derive(Debug)]
struct Once {
    bits: Vec<u64>,
    marked: usize,
}

impl Once {
    fn new() -> Self {
        Self { bits: vec![0; (BITS / 64) as usize], marked: 0 }
    }

    /// Marks a band; whether it was marked before.
    fn again(&mut self, band: u64) -> bool {
        if self.marked == MARKED {
            *self = Self::new();
        }
        let step = mix(band) | 1;
        let mut again = true;
        for i in 0..MARKS {
            let bit = band.wrapping_add(step.wrapping_mul(i)) % BITS;
            let (word, bit) = (&mut self.bits[(bit / 64) as usize], 1 << (bit % 64));
            again &= *word & bit != 0;
            *word |= bit;
        }
        self.marked += usize::from(!again);
        again
    }
}

/// In how many transcripts each band was seen.
#[derive(Debug)]
pub struct Canned {
    once: Once,
    /// Of the bands seen more than once.
    counts: BTreeMap<u64, Seen>,
    capacity: usize,
    bucket: u32,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    count: u32,
    /// The bucket in which counting began: so often, and once for each time the filter was emptied, it may have been seen and forgotten before.
    since: u32,
}

impl Default for Canned {
    fn default() -> Self {
        Self { once: Once::new(), counts: BTreeMap::new(), capacity: CAPACITY, bucket: 0 }
    }
}

impl Canned {
    /// Takes in the company's texts of one transcript.
    pub fn add(&mut self, transcript: &Transcript) {
        let company = transcript.turns.iter().filter(|t| t.role.is_company());
        let bands: BTreeSet<u64> = company.flat_map(|t| fingerprints(&t.text)).collect();
        for band in bands {
            if let Some(seen) = self.counts.get_mut(&band) {
                seen.count += 1;
            } else if self.once.again(band) {
                self.counts.insert(band, Seen { count: 2, since: self.bucket });
            }
        }
        while self.counts.len() > self.capacity {
            self.bucket += 1;
            let bucket = self.bucket;
            self.counts.retain(|_, seen| seen.count + seen.since > bucket + 1);
        }
    }

    /// For each turn, in how many other transcripts nearly the same text stands.
    pub fn others(&self, transcript: &Transcript) -> Vec<u32> {
        let count = |text: &str| {
            let seen = fingerprints(text).into_iter().filter_map(|b| self.counts.get(&b)).map(|s| s.count).max();
            seen.map_or(0, |n| n.saturating_sub(1))
        };
        transcript.turns.iter().map(|t| if t.role.is_company() { count(&t.text) } else { 0 }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turns::{Role, Turn};

    fn shared(a: &str, b: &str) -> bool {
        let a = fingerprints(a);
        fingerprints(b).iter().any(|x| a.contains(x))
    }

    #[test]
    fn the_same_text_with_another_name_and_number_is_the_same() {
        let a =
            "Hi Ana, thank you for contacting us today. Your case 4471 was sent to the team that looks after this. ^KM";
        let b =
            "Hi Bo, thank you for contacting us today. Your case 9902 was sent to the team that looks after this. ^TR";
        assert!(shared(a, b));
    }

    #[test]
    fn a_band_is_known_from_the_second_time_on() {
        let mut once = Once::new();
        let known = |once: &mut Once, bands: std::ops::Range<u64>| bands.filter(|&i| once.again(mix(i))).count();
        assert_eq!(known(&mut once, 0..1000), 0);
        assert_eq!(known(&mut once, 0..1000), 1000);
        let last = MARKED as u64 - 100_000;
        let early = known(&mut once, 1000..last);
        let late = known(&mut once, last..MARKED as u64);
        assert!(late < 100, "{late} of 100,000 new bands were taken for known ones");
        let more = MARKED as u64..(MARKED + early + late) as u64 + 100;
        known(&mut once, more);
        assert!(once.marked < 200, "it was emptied");
        assert!(known(&mut once, 0..1000) < 10);
    }

    #[test]
    fn what_is_frequent_is_counted_in_bounded_memory() {
        let turn = |text: String| Turn { role: Role::Agent, text, at: None, agent_id: None };
        let transcript =
            |turns| Transcript { id: "t".into(), attributes: BTreeMap::new(), turns, ..Transcript::default() };
        let canned = "Thank you for your patience, our colleagues are looking into the matter for you.";
        let mut counts = Canned { capacity: 200, ..Canned::default() };
        for i in 0..500 {
            let pair = i / 2;
            let own = (1..7).map(|k| w(pair, k)).collect::<Vec<_>>().join(" ");
            counts.add(&transcript(vec![turn(canned.to_owned()), turn(own)]));
            assert!(counts.counts.len() <= 200);
        }
        let others = counts.others(&transcript(vec![
            turn(canned.to_owned()),
            turn("Something nobody ever wrote before in any case.".into()),
        ]));
        assert_eq!(others, [499, 0]);
    }

    /// A made-up word.
    fn w(i: u64, k: u64) -> String {
        let letter = |n: u64| char::from(b'a' + (n % 26) as u8);
        let x = mix(i * 31 + k);
        (0..6).map(|j| letter(x >> (8 * j))).collect()
    }

    #[test]
    fn texts_on_other_matters_are_not() {
        let a = "Thank you for letting us know, the engineer comes on Tuesday morning with a new router for your flat.";
        let b = "Thank you for letting us know, I have taken the late fee off and your bill is now twelve pounds.";
        assert!(!shared(a, b));
        assert!(fingerprints("ok thanks").is_empty());
    }
}
