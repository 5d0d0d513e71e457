//! The moments that a page may show. In: conversation after conversation. Out: for each person the two clearest findings of each rule,
//! and the turns that went well.

use std::collections::BTreeMap;

use super::cases::{Case, TurnRow};
use crate::findings::{Doc, Finding, RULES, Severity};
use crate::signals::{Label, LabelSet, Sentiment};
use crate::tally::Entry;
use crate::turns::Role;

/// Findings of a rule that a page shows.
const SHOWN: usize = 2;
/// Good moments of a kind that are kept to choose from.
const KEPT: usize = 3;
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
    /// Looks through a conversation that counts for a person.
    pub(super) fn add(&mut self, case: &Case, entry: &Entry) {
        let Some(agent) = entry.agent.filter(|_| !entry.abusive) else { return };
        for finding in &case.findings {
            let Some(rule) = RULES.iter().position(|r| r.id == finding.rule) else { continue };
            if !RULES[rule].context && entry.asks(rule) {
                self.findings.entry((agent, rule)).or_default().add(case, finding, rule);
            }
        }
        let kinds = self.praise.entry(agent).or_default();
        for (i, turn) in case.turns.iter().enumerate().filter(|(_, t)| t.role == Role::Agent) {
            if case.findings.iter().any(|f| f.turns.contains(&i)) {
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
    fn add(&mut self, case: &Case, finding: &Finding, rule: usize) {
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
        };
        insert(&mut self.best, candidate, SHOWN, |c| weight(c.finding.severity) as f32 * c.finding.confidence);
    }
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
    next.is_some_and(|t| t.sentiment == Sentiment::Pos || t.labels().any(&[Label::Gratitude, Label::Resolved]))
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
