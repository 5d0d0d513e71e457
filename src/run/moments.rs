//! The moments that a page may show. In: conversation after conversation. Out: for each person the two clearest findings of each rule,
//! and the turns that went well.

use std::collections::BTreeMap;

use super::cases::{Case, TurnRow};
use super::reviewed::Bits;
use crate::findings::{Doc, Finding, RULES, Severity};
use crate::reports::{ReadAgain, Reviewed, TakenBack};
use crate::signals::{Label, LabelSet, Sentiment};
use crate::tally::Entry;
use crate::turns::Role;

/// Findings of a rule that a page shows.
const SHOWN: usize = 2;
/// Good moments of a kind that are kept to choose from.
const KEPT: usize = 3;
/// Findings that reviewers saw otherwise, of those of a person, that a page shows.
const TAKEN_BACK: usize = 5;
/// Turns before a finding, and after, whose labels are kept for the wording.
const BEFORE: usize = 12;
const AFTER: usize = 40;

/// A finding that a page may show.
pub(super) struct Candidate {
    pub(super) finding: Finding,
    /// What was seen, without the rule's general reason.
    pub(super) seen: String,
    pub(super) speaker: Role,
    /// The first turn whose labels are kept, and the labels from there on.
    pub(super) from: usize,
    pub(super) labels: Vec<LabelSet>,
    pub(super) reviewed: Option<Reviewed>,
}

/// The findings of one rule with one person.
#[derive(Default)]
pub(super) struct Picked {
    pub(super) best: Vec<Candidate>,
    pub(super) count: u64,
    severity: u64,
}

/// A turn that went well.
#[derive(Clone)]
pub(super) struct Praise {
    pub(super) what: &'static str,
    pub(super) transcript: String,
    pub(super) turn: usize,
    score: f32,
}

/// What is chosen from, by person.
#[derive(Default)]
pub(super) struct Moments {
    findings: BTreeMap<(u32, usize), Picked>,
    praise: BTreeMap<u32, [Vec<Praise>; 3]>,
    read_again: BTreeMap<u32, ReadAgain>,
}

pub(super) fn weight(severity: Severity) -> u64 {
    match severity {
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
    }
}

impl Picked {
    /// The mean severity, 1 to 3.
    pub(super) fn mean_severity(&self) -> f64 {
        self.severity as f64 / self.count.max(1) as f64
    }
}

impl Moments {
    /// Looks through a conversation that counts for a person. What people saw otherwise is no example of anything.
    pub(super) fn add(&mut self, case: &Case, entry: &Entry, read: Bits) {
        let Some(agent) = entry.agent.filter(|_| !entry.abusive) else { return };
        for finding in &case.findings {
            let Some(rule) = RULES.iter().position(|r| r.id == finding.rule) else { continue };
            if RULES[rule].context || !entry.asks(rule) {
                continue;
            }
            match read.of(rule) {
                Some(Reviewed::Reversed) => self.take_back(agent, finding, case, rule),
                reviewed => self.findings.entry((agent, rule)).or_default().add(case, finding, rule, reviewed),
            }
        }
        self.count(agent, entry, read);
        let stands = |f: &&Finding| {
            RULES.iter().position(|r| r.id == f.rule).and_then(|r| read.of(r)) != Some(Reviewed::Reversed)
        };
        let standing: Vec<&Finding> = case.findings.iter().filter(stands).collect();
        let kinds = self.praise.entry(agent).or_default();
        for (i, turn) in case.turns.iter().enumerate().filter(|(_, t)| t.role == Role::Agent) {
            if standing.iter().any(|f| f.turns.contains(&i)) {
                continue;
            }
            for (kind, score) in praised(turn) {
                let score = score + if welcomed(case, i) { 0.5 } else { 0.0 };
                let list = &mut kinds[kind];
                let praise = Praise { what: KINDS[kind], transcript: case.id.clone(), turn: i, score };
                insert(list, praise, KEPT, |p| p.score);
            }
        }
    }

    /// Counts what people said of a conversation's findings, each rule once.
    fn count(&mut self, agent: u32, entry: &Entry, read: Bits) {
        let asked = (0..RULES.len()).filter(|&r| !RULES[r].context && entry.asks(r) && entry.violates(r));
        for said in asked.filter_map(|r| read.of(r)) {
            let again = self.read_again.entry(agent).or_default();
            *match said {
                Reviewed::Upheld => &mut again.upheld,
                Reviewed::Divided => &mut again.divided,
                Reviewed::Reversed => &mut again.reversed,
            } += 1;
        }
    }

    fn take_back(&mut self, agent: u32, finding: &Finding, case: &Case, rule: usize) {
        let shown = &mut self.read_again.entry(agent).or_default().shown;
        let turn = finding.turns[0];
        if shown.len() < TAKEN_BACK {
            shown.push(TakenBack {
                rule: RULES[rule].id,
                transcript: finding.transcript_id.clone(),
                turn,
                speaker: case.turns[turn].role.name(),
                quote: finding.quote.clone(),
            });
        }
    }

    /// What people said of a person's findings.
    pub(super) fn read_again(&mut self, agent: u32) -> ReadAgain {
        self.read_again.remove(&agent).unwrap_or_default()
    }

    /// The findings of a rule with a person.
    pub(super) fn findings(&mut self, agent: u32, rule: usize) -> Option<&mut Picked> {
        self.findings.get_mut(&(agent, rule))
    }

    /// Two good moments of a person, of different kinds and from different conversations where there are such.
    pub(super) fn good(&self, agent: u32) -> Vec<Praise> {
        let Some(kinds) = self.praise.get(&agent) else { return Vec::new() };
        let mut all: Vec<&Praise> = kinds.iter().flatten().collect();
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        let Some(first) = all.first().copied() else { return Vec::new() };
        let elsewhere = || all.iter().filter(|p| p.transcript != first.transcript);
        let second = elsewhere().find(|p| p.what != first.what).or_else(|| elsewhere().next());
        std::iter::once(first).chain(second.copied()).cloned().collect()
    }
}

impl Picked {
    fn add(&mut self, case: &Case, finding: &Finding, rule: usize, reviewed: Option<Reviewed>) {
        self.count += 1;
        self.severity += weight(finding.severity);
        let main = finding.turns[0];
        let from = finding.turns.iter().copied().min().unwrap_or(main).saturating_sub(BEFORE);
        let reason = Doc::of(RULES[rule]).line("Why it hurts the customer");
        let candidate = Candidate {
            seen: finding.why.strip_suffix(&reason).unwrap_or(&finding.why).trim().to_owned(),
            speaker: case.turns[main].role,
            from,
            labels: case.turns[from..].iter().take(BEFORE + AFTER).map(TurnRow::labels).collect(),
            finding: finding.clone(),
            reviewed,
        };
        insert(&mut self.best, candidate, SHOWN, worth);
    }
}

/// What examples are chosen by: first those that a person saw too, last those on which people differ; of these the severe and sure ones.
fn worth(c: &Candidate) -> f32 {
    let read = match c.reviewed {
        Some(Reviewed::Upheld) => 10.0,
        None => 0.0,
        Some(Reviewed::Divided | Reviewed::Reversed) => -10.0,
    };
    read + weight(c.finding.severity) as f32 * c.finding.confidence
}

/// Keeps a list in falling order, at most so long; of equals the first stays first.
fn insert<T>(list: &mut Vec<T>, item: T, most: usize, score: impl Fn(&T) -> f32) {
    let at = list.iter().position(|other| score(other) < score(&item)).unwrap_or(list.len());
    if at < most {
        list.insert(at, item);
        list.truncate(most);
    }
}

/// What a good moment is called.
const KINDS: [&str; 3] = ["An apology that takes responsibility", "A feeling acknowledged", "A promise with a time"];

/// The kinds of good moment that a turn is, with how clearly it is one.
fn praised(turn: &TurnRow) -> Vec<(usize, f32)> {
    use Label::{Apology, Blame, Commitment, Denial, Empathy, Informal, NonApology, Policy, Timeframe, Transfer};
    if turn.labels().any(&[NonApology, Denial, Policy, Blame, Informal, Transfer]) {
        return Vec::new();
    }
    let (has, s) = (|label| turn.has(label), &turn.scores);
    let mut out = Vec::new();
    if has(Apology) && has(Commitment) {
        out.push((0, s.apology * s.commitment));
    }
    if has(Empathy) {
        out.push((1, s.empathy));
    }
    if has(Commitment) && has(Timeframe) {
        out.push((2, s.commitment * s.timeframe));
    }
    out
}

/// Whether the customer's next turn is glad of it.
fn welcomed(case: &Case, turn: usize) -> bool {
    let next = case.turns[turn + 1..].iter().find(|t| t.role == Role::Customer);
    next.is_some_and(|t| t.sentiment == Some(Sentiment::Pos) || t.labels().any(&[Label::Gratitude, Label::Resolved]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_kept_and_of_equals_the_first() {
        let mut list = Vec::new();
        for item in [(0.5, 'a'), (0.9, 'b'), (0.5, 'c'), (0.9, 'd'), (0.1, 'e')] {
            insert(&mut list, item, 3, |i| i.0);
        }
        assert_eq!(list, [(0.9, 'b'), (0.9, 'd'), (0.5, 'a')]);
    }
}
