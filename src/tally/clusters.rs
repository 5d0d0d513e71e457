//! Texts that speak of the same thing, put together by their words and by the encoder's vectors of these. In: one text a conversation, and
//! the vector of a word. Out: groups, the largest first.
//!
//! A text is the set of its telling words, cut to their stems; one with fewer than three is in no group. Words of most texts and of hardly
//! any are left out; each other weighs ln(1 + texts / texts with it) (inverse document frequency; Spärck Jones 1972), and a text keeps its
//! [`TERMS`] weightiest. Two texts are as alike as the mean of two cosines says: that of their words, and that of their vectors (see
//! [`Meaning`]). A text joins the group to which it is most alike, if that is [`ALIKE`] or more, else it begins one (leader clustering;
//! Hartigan 1975); the groups looked at are the [`NEAR`] nearest by words. Then, three times over, groups become the means of their texts
//! and every text goes to the nearest. Last, a group whose mean vector is [`SAME`] or more alike to that of a larger one joins it: there
//! the same trouble in other words comes together. The order of the texts may decide between near equals; nothing else does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::meaning::{Meaning, Weighted, add, dot, unit};
use crate::turns::{content_words, stem};

/// Words kept of a text, and of a group.
pub const TERMS: usize = 12;
/// How alike a text and its group are at least.
pub const ALIKE: f64 = 0.4;
/// The least cosine of the mean vectors of two groups that are one.
pub const SAME: f32 = 0.65;
/// Groups, nearest by words, whose vectors are looked at.
pub const NEAR: usize = 8;
/// Groups that are held against each other, the largest.
const HELD: usize = 2000;
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

    /// The groups of at least [`LEAST`] texts; `vector` gives a word's vector, all of one length.
    pub fn clusters(&self, vector: impl Fn(&str) -> Option<Vec<f32>>) -> Vec<Cluster> {
        let texts = self.vectors();
        let mut told = vec![false; self.written.len()];
        texts.iter().flatten().for_each(|(t, _)| told[*t as usize] = true);
        let of = |(term, told): (usize, bool)| if told { vector(&self.way(term as u32)) } else { None };
        let meaning = Meaning::new(told.into_iter().enumerate().map(of).collect(), &texts);
        let mut groups = lead(&texts, &meaning);
        for _ in 0..ROUNDS {
            groups = sent(&texts, &groups, &meaning);
        }
        groups.retain(|g| g.members.len() >= LEAST);
        groups.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then_with(|| a.members.cmp(&b.members)));
        let mut groups = joined(groups, &texts, &meaning);
        groups.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then_with(|| a.members.cmp(&b.members)));
        groups
            .par_iter()
            .map(|g| Cluster { words: self.named(&g.words), members: g.typical(&texts, &meaning) })
            .collect()
    }

    fn vectors(&self) -> Vec<Weighted> {
        let n = self.texts.len() as f64;
        let mut with = vec![0_u32; self.written.len()];
        self.texts.iter().flatten().for_each(|&t| with[t as usize] += 1);
        let least = LEAST.max(self.texts.len() / 2000) as u32;
        let most = (n * COMMON).max(f64::from(least)) as u32;
        let weight = |t: u32| (n / f64::from(with[t as usize])).ln_1p();
        let one = |terms: &Vec<u32>| {
            let telling = terms.iter().filter(|&&t| (least..=most).contains(&with[t as usize]));
            let vector = weightiest(telling.map(|&t| (t, weight(t))).collect());
            if vector.len() < TELLING { Vec::new() } else { vector }
        };
        self.texts.iter().map(one).collect()
    }

    /// The three weightiest words of a group.
    fn named(&self, group: &Weighted) -> Vec<String> {
        let mut terms = group.clone();
        terms.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        terms.iter().take(3).map(|(t, _)| self.way(*t)).collect()
    }

    /// A stem as it is most often written.
    fn way(&self, term: u32) -> String {
        let ways = self.written[term as usize].iter();
        ways.max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0))).map_or_else(String::new, |(w, _)| w.clone())
    }
}

/// The weightiest terms, by term, scaled to length 1.
fn weightiest(mut terms: Weighted) -> Weighted {
    terms.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    terms.truncate(TERMS);
    let length = terms.iter().map(|(_, w)| w * w).sum::<f64>().sqrt();
    terms.sort_by_key(|(t, _)| *t);
    if length > 0.0 {
        terms.iter_mut().for_each(|(_, w)| *w /= length);
    }
    terms
}

/// Texts with their mean.
struct Group {
    words: Weighted,
    /// The mean of their vectors, scaled to length 1, and the length of their sum.
    vector: Vec<f32>,
    length: f32,
    members: Vec<usize>,
}

impl Group {
    fn of(members: Vec<usize>, texts: &[Weighted], meaning: &Meaning) -> Self {
        let mut words: BTreeMap<u32, f64> = BTreeMap::new();
        let mut vector = meaning.of(&Vec::new());
        for &m in &members {
            texts[m].iter().for_each(|(t, w)| *words.entry(*t).or_default() += w);
            add(&mut vector, 1.0, &meaning.of(&texts[m]));
        }
        let length = unit(&mut vector);
        Self { words: weightiest(words.into_iter().collect()), vector, length, members }
    }

    /// The members, the most alike to the mean first.
    fn typical(&self, texts: &[Weighted], meaning: &Meaning) -> Vec<usize> {
        let mean: BTreeMap<u32, f64> = self.words.iter().copied().collect();
        let mut members: Vec<(usize, f64)> = self
            .members
            .iter()
            .map(|&m| {
                let words = texts[m].iter().map(|(t, w)| w * mean.get(t).copied().unwrap_or(0.0)).sum();
                (m, alike(words, &meaning.of(&texts[m]), &self.vector))
            })
            .collect();
        members.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        members.into_iter().map(|(m, _)| m).collect()
    }
}

/// The mean of two cosines: that of the words, and that of the vectors; the first alone where either has no vector.
fn alike(words: f64, a: &[f32], b: &[f32]) -> f64 {
    let blank = |v: &[f32]| v.iter().all(|x| *x == 0.0);
    if blank(a) || blank(b) { words } else { (words + f64::from(dot(a, b))) / 2.0 }
}

/// For each term the groups that have it, with its weight there.
#[derive(Default)]
struct Index(HashMap<u32, Vec<(usize, f64)>>);

impl Index {
    fn of(groups: &[Group]) -> Self {
        let mut out = Self::default();
        groups.iter().enumerate().for_each(|(i, g)| out.put(i, &g.words));
        out
    }

    fn put(&mut self, group: usize, words: &Weighted) {
        for &(term, weight) in words {
            self.0.entry(term).or_default().push((group, weight));
        }
    }

    /// The group that a text is most alike to, if it is alike enough; of equals the first.
    fn nearest(&self, text: &Weighted, groups: &[Group], meaning: &Meaning) -> Option<usize> {
        let mut sums: HashMap<usize, f64> = HashMap::with_capacity(64.min(groups.len()));
        for (term, weight) in text {
            for (group, other) in self.0.get(term).into_iter().flatten() {
                *sums.entry(*group).or_default() += weight * other;
            }
        }
        // Sorted at once: the order in which a hash map hands them out says nothing.
        let mut near: Vec<(usize, f64)> = sums.into_iter().filter(|(_, cosine)| *cosine >= 2.0 * ALIKE - 1.0).collect();
        let first = |a: &(usize, f64), b: &(usize, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if near.len() > NEAR {
            near.select_nth_unstable_by(NEAR, first);
            near.truncate(NEAR);
        }
        near.sort_by(first);
        let vector = if near.is_empty() { Vec::new() } else { meaning.of(text) };
        let told = near.into_iter().map(|(group, words)| (group, alike(words, &vector, &groups[group].vector)));
        let best = told.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        best.filter(|(_, alike)| *alike >= ALIKE).map(|(group, _)| group)
    }
}

/// Every text joins the nearest leader, or becomes one.
fn lead(texts: &[Weighted], meaning: &Meaning) -> Vec<Group> {
    let mut index = Index::default();
    let mut leaders: Vec<Group> = Vec::new();
    for (i, text) in texts.iter().enumerate().filter(|(_, t)| !t.is_empty()) {
        if index.nearest(text, &leaders, meaning).is_none() {
            index.put(leaders.len(), text);
            leaders.push(Group::of(vec![i], texts, meaning));
        }
    }
    leaders
}

/// Every text goes to the nearest group, and the groups become the means of what came; one to which a single text came is gone.
fn sent(texts: &[Weighted], groups: &[Group], meaning: &Meaning) -> Vec<Group> {
    let index = Index::of(groups);
    let home: Vec<Option<usize>> = texts.par_iter().map(|t| index.nearest(t, groups, meaning)).collect();
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
    for (text, at) in home.into_iter().enumerate() {
        if let Some(group) = at {
            members[group].push(text);
        }
    }
    members.retain(|m| m.len() > 1);
    members.into_par_iter().map(|m| Group::of(m, texts, meaning)).collect()
}

/// Groups whose mean vectors are alike become one; they come with the largest first.
fn joined(groups: Vec<Group>, texts: &[Weighted], meaning: &Meaning) -> Vec<Group> {
    let mut out: Vec<Group> = Vec::new();
    let mut grown = Vec::new();
    for (place, group) in groups.into_iter().enumerate() {
        let held = if place < HELD { out.as_slice() } else { &[] };
        let cosines = held.iter().map(|o| dot(&o.vector, &group.vector)).enumerate();
        let best = cosines.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        match best.filter(|(_, cosine)| *cosine >= SAME) {
            Some((at, _)) => {
                let home = &mut out[at];
                home.members.extend(group.members);
                home.vector.iter_mut().for_each(|v| *v *= home.length);
                add(&mut home.vector, group.length, &group.vector);
                home.length = unit(&mut home.vector);
                grown.push(at);
            }
            None => out.push(group),
        }
    }
    grown.sort_unstable();
    grown.dedup();
    for at in grown {
        let mut members = std::mem::take(&mut out[at].members);
        members.sort_unstable();
        out[at] = Group::of(members, texts, meaning);
    }
    out
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
        let found = texts(&all).clusters(|_| None);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|c| c.members.len() == 8));
        let words: Vec<&str> = found.iter().flat_map(|c| c.words.iter().map(String::as_str)).collect();
        assert!(words.contains(&"router") && words.contains(&"sim"), "{words:?}");
        assert_eq!(found, texts(&all).clusters(|_| None), "the same every time");
    }

    #[test]
    fn the_same_trouble_in_other_words_comes_together() {
        let kinds = [
            ["the parcel never arrived at home", "no parcel arrived, home again"],
            ["my package was never delivered, courier lost", "courier lost the package, not delivered"],
            ["password reset locks the login page", "locked login after the password reset"],
        ];
        let all: Vec<&str> = (0..60).map(|i| kinds[i % 3][i / 3 % 2]).collect();
        // A word's vector says its subject and a little of itself, and most of all what every word says.
        let vector = |word: &str| {
            let subject = ["parcel", "arrived", "home", "package", "deliver", "courier", "lost"]
                .iter()
                .any(|w| word.starts_with(w));
            let own = word.len() as f32 / 40.0;
            Some(if subject { vec![1.0, 0.0, 3.0, own] } else { vec![0.0, 1.0, 3.0, own] })
        };
        let sizes = |found: Vec<Cluster>| found.iter().map(|c| c.members.len()).collect::<Vec<_>>();
        assert_eq!(sizes(texts(&all).clusters(|_| None)), [20, 20, 20], "by words alone they stay apart");
        assert_eq!(sizes(texts(&all).clusters(vector)), [40, 20]);
    }

    #[test]
    fn any_text_will_do() {
        assert!(texts(&[]).clusters(|_| None).is_empty());
        assert!(texts(&["", "  ", "😀 😀", "12 34", "a b c"]).clusters(|_| None).is_empty());
        let same = vec!["nothing works anywhere ever"; 50];
        assert!(texts(&same).clusters(|_| None).len() <= 1);
    }
}
