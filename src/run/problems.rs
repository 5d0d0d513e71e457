//! Problems that come back, and those that are rising. In: the first problem of each conversation, and its words. Out: groups by what is said
//! and by the issue that the input names.

use std::cmp::Reverse;

use super::cases::day;
use super::gather::Gathered;
use super::output::RunError;
use super::overview::Words;
use crate::reports::{Group, Quote, Repeated};
use crate::signals::{Model, WordVectors};
use crate::stats::funnel::at_least;
use crate::stats::multiple::benjamini_hochberg;

/// Weeks that a run must span before something can be rising; the last quarter of them is recent.
const WEEKS: i32 = 8;
/// Groups that are listed.
const GROUPS: usize = 12;
/// Quotes of a group.
const QUOTES: usize = 2;
/// A q at most so large, and recent cases at least so many, make a group rising.
const SURE: f64 = 0.05;
const ENOUGH: u64 = 3;

/// What is recent, and how much of everything is.
struct Recent {
    from: Option<i32>,
    share: f64,
}

impl Recent {
    fn of(dates: &[i32]) -> Self {
        let span = dates.iter().min().zip(dates.iter().max()).map(|(first, last)| (*last, (last - first) / 7 + 1));
        let from = span.filter(|(_, weeks)| *weeks >= WEEKS).map(|(last, weeks)| last - 7 * ((weeks + 3) / 4 - 1));
        let recent = dates.iter().filter(|d| from.is_some_and(|f| **d >= f)).count();
        Self { from, share: recent as f64 / dates.len().max(1) as f64 }
    }

    /// A group, not yet held against the others.
    fn group(&self, words: Vec<String>, conversations: u64, dates: &[i32], quotes: Vec<Quote>) -> Group {
        let late = dates.iter().filter(|d| self.from.is_some_and(|f| **d >= f)).count() as u64;
        let all = dates.len() as u64;
        Group {
            words,
            conversations,
            recent: (late, all),
            expected_recent: self.share * all as f64,
            p: self.from.map(|_| at_least(late, all, self.share)),
            q: None,
            rising: false,
            quotes,
        }
    }
}

/// The groups by words and by issue.
pub(super) fn repeated(gathered: &Gathered, words: &Words, sampled: bool) -> Result<Repeated, RunError> {
    let week = |text: usize| gathered.problems[words.problems[text].0].week;
    let dates: Vec<i32> = gathered.problems.iter().filter_map(|p| p.week).collect();
    let recent = Recent::of(&dates);
    let vectors = WordVectors::new(&Model::built_in()?)?;
    let by_words = words.texts.clusters(|word| vectors.of(word)).into_iter().map(|cluster| {
        let dates: Vec<i32> = cluster.members.iter().filter_map(|&m| week(m)).collect();
        let quotes = quotes(gathered, words, cluster.members.iter().copied());
        recent.group(cluster.words, cluster.members.len() as u64, &dates, quotes)
    });
    let names = &gathered.ledger.issues.levels;
    let by_issue = names.iter().enumerate().filter_map(|(code, name)| {
        let own = || gathered.problems.iter().filter(|p| p.issue == Some(code as u32));
        let dates: Vec<i32> = own().filter_map(|p| p.week).collect();
        let count = own().count() as u64;
        (count > 0).then(|| recent.group(vec![name.clone()], count, &dates, Vec::new()))
    });
    // Names without end are no issues.
    let issues = if names.len() <= 200 { by_issue.collect() } else { Vec::new() };
    Ok(Repeated {
        problems: gathered.problems.len() as u64,
        read: words.texts.len() as u64,
        sampled,
        recent_from: recent.from.map(day),
        groups: judged(by_words.collect()),
        issues: judged(issues),
    })
}

/// The most typical quotes, each different.
fn quotes(gathered: &Gathered, words: &Words, members: impl Iterator<Item = usize>) -> Vec<Quote> {
    let mut out: Vec<Quote> = Vec::new();
    for text in members {
        let (problem, said) = &words.problems[text];
        if out.iter().all(|q| q.text != *said) {
            let p = &gathered.problems[*problem];
            out.push(Quote { transcript: p.id.clone(), turn: p.turn, text: said.clone() });
        }
        if out.len() == QUOTES {
            break;
        }
    }
    out
}

/// Groups with all of them counted, those that are rising first, then by size; as many as are listed.
fn judged(mut groups: Vec<Group>) -> Vec<Group> {
    let p: Vec<f64> = groups.iter().filter_map(|g| g.p).collect();
    for (group, q) in groups.iter_mut().filter(|g| g.p.is_some()).zip(benjamini_hochberg(&p)) {
        group.q = Some(q);
        group.rising = q <= SURE && group.recent.0 >= ENOUGH;
    }
    groups.sort_by(|a, b| {
        let key = |g: &Group| (!g.rising, Reverse(g.conversations));
        key(a).cmp(&key(b)).then_with(|| a.words.cmp(&b.words))
    });
    groups.truncate(GROUPS);
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_late_is_rising_and_what_is_even_is_not() {
        let all: Vec<i32> = (0..400).map(|i| 7 * (i % 20)).collect();
        let recent = Recent::of(&all);
        assert_eq!(recent.from, Some(7 * 15));
        assert!((recent.share - 0.25).abs() < 1e-12);
        let late: Vec<i32> = (0..20).map(|i| if i < 14 { 7 * 18 } else { 7 }).collect();
        let even: Vec<i32> = (0..20).map(|i| 7 * i).collect();
        let groups = judged(vec![
            recent.group(vec!["even".into()], 20, &even, Vec::new()),
            recent.group(vec!["late".into()], 20, &late, Vec::new()),
        ]);
        assert_eq!((groups[0].words[0].as_str(), groups[0].rising, groups[1].rising), ("late", true, false));
        assert_eq!(Recent::of(&[0, 7]).from, None, "too short");
        assert_eq!(Recent::of(&[]).from, None);
    }
}
