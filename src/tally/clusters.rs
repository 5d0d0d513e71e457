//! Texts that speak of the same thing, put together by the words they share. In: one text a conversation. Out: groups, the largest first.
//!
//! A text is the set of its telling words, cut to their stems; one with fewer than three is in no group. Words of most texts and of hardly any are left out; each other
//! weighs ln(1 + texts / texts with it) (inverse document frequency; Spärck Jones 1972), and a text keeps its [`TERMS`] weightiest.
//! A text joins the group with which its cosine is largest, if that is [`ALIKE`] or more, else it begins one (leader clustering; Hartigan
//! 1975); then, three times over, groups become the means of their texts and every text goes to the nearest. It is about words, not
//! meaning: the same trouble in other words is another group. The order of the texts may decide between near equals; nothing else does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::turns::{content_words, stem};

/// Words kept of a text, and of a group.
pub const TERMS: usize = 12;
/// The least cosine of a text and its group.
pub const ALIKE: f64 = 0.45;
/// The fewest texts of a group.
pub const LEAST: usize = 4;
/// The fewest telling words of a text that can be like another.
const TELLING: usize = 3;
/// The share of all texts above which a word tells nothing.
const COMMON: f64 = 0.6;
/// Times that texts are sent to the nearest group.
const ROUNDS: usize = 3;
/// Words of a text that are looked at.
const LOOKED_AT: usize = 200;

/// A group of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Its weightiest words, as they are most often written.
    pub words: Vec<String>,
    /// The numbers of its texts, the most typical first.
    pub members: Vec<usize>,
}

/// Texts as they come in; only their words are kept.
#[derive(Debug, Default)]
pub struct Texts {
    stems: HashMap<String, u32>,
    /// For each stem the ways it is written, with how often.
    written: Vec<BTreeMap<String, u32>>,
    texts: Vec<Vec<u32>>,
}

type Vector = Vec<(u32, f64)>;

impl Texts {
    /// Takes in a text; its number is how many came before.
    pub fn add(&mut self, text: &str) {
        let mut own = BTreeSet::new();
        for word in content_words(text).into_iter().take(LOOKED_AT) {
            if word.chars().any(|c| c.is_ascii_digit()) || word.chars().count() < 3 || word.chars().count() > 30 {
                continue;
            }
            let next = self.written.len() as u32;
            let id = *self.stems.entry(stem(&word).to_owned()).or_insert(next);
            if id == next {
                self.written.push(BTreeMap::new());
            }
            *self.written[id as usize].entry(word).or_default() += 1;
            own.insert(id);
        }
        self.texts.push(own.into_iter().collect());
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The groups of at least [`LEAST`] texts.
    pub fn clusters(&self) -> Vec<Cluster> {
        let vectors = self.vectors();
        let mut groups = lead(&vectors);
        let mut home = Vec::new();
        for _ in 0..ROUNDS {
            let index = Index::of(&groups);
            home = vectors.iter().map(|v| index.nearest(v, groups.len())).collect::<Vec<_>>();
            groups = means(&vectors, &home, groups.len());
        }
        let mut members: Vec<Vec<(usize, f64)>> = vec![Vec::new(); groups.len()];
        for (text, at) in home.iter().enumerate() {
            if let Some((group, cosine)) = at {
                members[*group].push((text, *cosine));
            }
        }
        let mut out: Vec<Cluster> = members
            .into_iter()
            .zip(&groups)
            .filter(|(m, _)| m.len() >= LEAST)
            .map(|(mut m, group)| {
                m.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                Cluster { words: self.named(group), members: m.into_iter().map(|(text, _)| text).collect() }
            })
            .collect();
        out.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then_with(|| a.members.cmp(&b.members)));
        out
    }

    fn vectors(&self) -> Vec<Vector> {
        let n = self.texts.len() as f64;
        let mut with = vec![0_u32; self.written.len()];
        self.texts.iter().flatten().for_each(|&t| with[t as usize] += 1);
        let least = LEAST.max(self.texts.len() / 2000) as u32;
        let most = (n * COMMON).max(f64::from(least)) as u32;
        let weight = |t: u32| (n / f64::from(with[t as usize])).ln_1p();
        let one = |terms: &Vec<u32>| {
            let telling = terms.iter().filter(|&&t| (least..=most).contains(&with[t as usize]));
            let vector = unit(telling.map(|&t| (t, weight(t))).collect());
            if vector.len() < TELLING { Vec::new() } else { vector }
        };
        self.texts.iter().map(one).collect()
    }

    /// The three weightiest words of a group.
    fn named(&self, group: &Vector) -> Vec<String> {
        let mut terms = group.clone();
        terms.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let often = |t: u32| {
            let ways = self.written[t as usize].iter();
            ways.max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0))).map_or_else(String::new, |(w, _)| w.clone())
        };
        terms.iter().take(3).map(|(t, _)| often(*t)).collect()
    }
}

/// The weightiest terms, by term, scaled to length 1.
fn unit(mut terms: Vector) -> Vector {
    terms.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    terms.truncate(TERMS);
    let length = terms.iter().map(|(_, w)| w * w).sum::<f64>().sqrt();
    terms.sort_by_key(|(t, _)| *t);
    if length > 0.0 {
        terms.iter_mut().for_each(|(_, w)| *w /= length);
    }
    terms
}

/// For each term the groups that have it, with its weight there.
#[derive(Default)]
struct Index(HashMap<u32, Vec<(usize, f64)>>);

impl Index {
    fn of(groups: &[Vector]) -> Self {
        let mut out = Self::default();
        groups.iter().enumerate().for_each(|(i, g)| out.put(i, g));
        out
    }

    fn put(&mut self, group: usize, vector: &Vector) {
        for &(term, weight) in vector {
            self.0.entry(term).or_default().push((group, weight));
        }
    }

    /// The group with the largest cosine, if that is large enough; of equals the first.
    fn nearest(&self, vector: &Vector, groups: usize) -> Option<(usize, f64)> {
        let mut sums: HashMap<usize, f64> = HashMap::with_capacity(64.min(groups));
        for (term, weight) in vector {
            for (group, other) in self.0.get(term).into_iter().flatten() {
                *sums.entry(*group).or_default() += weight * other;
            }
        }
        #[allow(
            clippy::iter_over_hash_type,
            reason = "the largest is the same in any order: ties go to the lower number"
        )]
        let best = sums.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        best.filter(|(_, cosine)| *cosine >= ALIKE)
    }
}

/// Every text joins the nearest leader, or becomes one.
fn lead(vectors: &[Vector]) -> Vec<Vector> {
    let mut index = Index::default();
    let mut leaders: Vec<Vector> = Vec::new();
    for vector in vectors.iter().filter(|v| !v.is_empty()) {
        if index.nearest(vector, leaders.len()).is_none() {
            index.put(leaders.len(), vector);
            leaders.push(vector.clone());
        }
    }
    leaders
}

/// The mean of each group's texts; a group without texts is gone.
fn means(vectors: &[Vector], home: &[Option<(usize, f64)>], groups: usize) -> Vec<Vector> {
    let mut sums: Vec<BTreeMap<u32, f64>> = vec![BTreeMap::new(); groups];
    for (vector, at) in vectors.iter().zip(home) {
        if let Some((group, _)) = at {
            vector.iter().for_each(|(t, w)| *sums[*group].entry(*t).or_default() += w);
        }
    }
    sums.into_iter().map(|s| unit(s.into_iter().collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Texts {
        let mut out = Texts::default();
        list.iter().for_each(|t| out.add(t));
        out
    }

    #[test]
    fn the_same_trouble_comes_together_and_the_rest_stays_apart() {
        let mut list = Vec::new();
        for i in 0..8 {
            list.push(
                ["The router keeps dropping every evening", "router dropping in the evenings, router rebooted"][i % 2],
            );
            list.push(["You billed me twice for the sim card", "sim card billed twice"][i % 2]);
        }
        let odd = [
            "parrot",
            "volcano",
            "teapot",
            "umbrella",
            "saxophone",
            "walrus",
            "pyramid",
            "glacier",
            "harbour",
            "lantern",
        ];
        let all: Vec<&str> = list.into_iter().chain(odd).chain(odd).chain(odd).collect();
        let found = texts(&all).clusters();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|c| c.members.len() == 8));
        let words: Vec<&str> = found.iter().flat_map(|c| c.words.iter().map(String::as_str)).collect();
        assert!(words.contains(&"router") && words.contains(&"sim"), "{words:?}");
        assert_eq!(found, texts(&all).clusters(), "the same every time");
    }

    #[test]
    fn any_text_will_do() {
        assert!(texts(&[]).clusters().is_empty());
        assert!(texts(&["", "  ", "😀 😀", "12 34", "a b c"]).clusters().is_empty());
        let same = vec!["nothing works anywhere ever"; 50];
        assert!(texts(&same).clusters().len() <= 1);
    }
}
