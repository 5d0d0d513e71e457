//! What the overview needs of a run, gathered conversation by conversation. In: cases. Out: a ledger, counts, and the conversations whose
//! words are wanted.

use std::collections::BTreeMap;

use super::cases::Case;
use super::moments::weight;
use crate::findings::{Finding, RULES};
use crate::reports::Quote;
use crate::signals::Label;
use crate::tally::{Entry, Ledger, STAGES, stages};
use crate::turns::Role;

/// Quotes kept of a kind.
pub(super) const QUOTES: usize = 3;
/// Different scores for which quotes are kept.
const SCORES: usize = 500;
/// From what sentiment on a last turn is negative.
pub(super) const NEGATIVE: f64 = -0.33;

/// Everything gathered.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) ledger: Ledger,
    /// The clearest finding of each rule.
    pub(super) clearest: Vec<Option<(f32, Quote)>>,
    /// Customers' turns and findings by stage.
    pub(super) sentiment: [[u64; 3]; STAGES.len()],
    pub(super) findings: [BTreeMap<usize, u64>; STAGES.len()],
    /// The first problem of each conversation: its id, turn and week.
    pub(super) problems: Vec<Problem>,
    /// Quotes of troubled and clean conversations by score, in hundredths.
    pub(super) by_score: BTreeMap<i64, [Vec<(f32, Quote)>; 2]>,
    pub(super) doubts: Doubts,
}

/// A problem whose words are wanted.
pub(super) struct Problem {
    pub(super) id: String,
    pub(super) turn: usize,
    pub(super) week: Option<i32>,
    pub(super) issue: Option<u32>,
}

/// What is doubtful about the data.
#[derive(Default)]
pub(super) struct Doubts {
    pub(super) nameless: u64,
    pub(super) agent_turns: u64,
    pub(super) turns: u64,
}

/// The names of the attributes that are looked at.
pub(super) struct Names<'a> {
    pub(super) team: &'a str,
    pub(super) score: &'a str,
    /// One problem of so many is kept.
    pub(super) every: u64,
}

/// Whether a conversation went wrong by its transcript, right by it, or neither: the last turn negative or a finding of high severity;
/// no finding and a last turn that is not negative.
pub(super) fn troubled(entry: &Entry) -> Option<bool> {
    let (_, end) = entry.sentiment?;
    let negative = end <= NEGATIVE;
    if negative || entry.severe {
        return Some(true);
    }
    (entry.violated & about_company() == 0).then_some(false)
}

/// The bits of the rules that are about the company.
pub(super) fn about_company() -> u32 {
    RULES.iter().enumerate().filter(|(_, r)| !r.context).fold(0, |bits, (i, _)| bits | 1 << i)
}

impl Gathered {
    pub(super) fn new() -> Self {
        Self { clearest: vec![None; RULES.len()], ..Self::default() }
    }

    /// Takes in a conversation.
    pub(super) fn add(&mut self, case: &Case, names: &Names<'_>) {
        let entry = case.entry(&mut self.ledger, Some(names.team), Some(names.score));
        for finding in &case.findings {
            if let Some(rule) = RULES.iter().position(|r| r.id == finding.rule) {
                let clear = weight(finding.severity) as f32 * finding.confidence;
                if self.clearest[rule].as_ref().is_none_or(|(c, _)| *c < clear) {
                    self.clearest[rule] = Some((clear, quote(finding)));
                }
            }
        }
        self.touch(case);
        let problem = case.spoken(true).find(|&i| case.turns[i].has(Label::Problem));
        if let Some(turn) = problem.filter(|_| kept(&case.id, names.every)) {
            self.problems.push(Problem { id: case.id.clone(), turn, week: entry.week, issue: entry.issue });
        }
        self.scored(case, &entry);
        let agents = case.turns.iter().filter(|t| t.role == Role::Agent);
        self.doubts.agent_turns += agents.clone().count() as u64;
        self.doubts.nameless += agents.filter(|t| t.agent_id.is_none()).count() as u64;
        self.doubts.turns += case.turns.len() as u64;
        self.ledger.entries.push(entry);
    }

    /// Counts sentiment and findings by stage.
    fn touch(&mut self, case: &Case) {
        let turns: Vec<_> = case.turns.iter().map(|t| (t.role, t.labels())).collect();
        let stages = stages(&turns);
        for i in case.spoken(true) {
            if let Some(felt) = case.turns[i].sentiment {
                self.sentiment[stages[i]][felt as usize] += 1;
            }
        }
        for finding in &case.findings {
            let rule = RULES.iter().position(|r| r.id == finding.rule && !r.context);
            if let Some(rule) = rule {
                *self.findings[stages[finding.turns[0]]].entry(rule).or_default() += 1;
            }
        }
    }

    /// Keeps a quote of a conversation that has a score.
    fn scored(&mut self, case: &Case, entry: &Entry) {
        let (Some(score), Some(troubled)) = (entry.score, troubled(entry)) else { return };
        let key = (score * 100.0).round().clamp(-1e15, 1e15) as i64;
        if self.by_score.len() >= SCORES && !self.by_score.contains_key(&key) {
            return;
        }
        let clearest = case.findings.iter().filter(|f| f.rule != "abusive-customer");
        let clearest = clearest.max_by(|a, b| clear(a).total_cmp(&clear(b)));
        let last = case.spoken(true).next_back();
        let quoted = match (troubled, clearest, last) {
            (true, Some(f), _) => Some((clear(f), quote(f))),
            // The words are put in when they are read again.
            (false, _, Some(turn)) => Some((0.0, Quote { transcript: case.id.clone(), turn, text: String::new() })),
            _ => None,
        };
        let lists = self.by_score.entry(key).or_default();
        let list = &mut lists[usize::from(!troubled)];
        if let Some(item) = quoted {
            let at = list.iter().position(|other| other.0 < item.0).unwrap_or(list.len());
            if at < QUOTES {
                list.insert(at, item);
                list.truncate(QUOTES);
            }
        }
    }
}

fn clear(finding: &Finding) -> f32 {
    weight(finding.severity) as f32 * finding.confidence
}

fn quote(finding: &Finding) -> Quote {
    Quote { transcript: finding.transcript_id.clone(), turn: finding.turns[0], text: finding.quote.clone() }
}

/// Whether a conversation is in the part that is looked at: FNV-1a of its id, so that it is the same part every time.
fn kept(id: &str, every: u64) -> bool {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 16).is_multiple_of(every.max(1))
}
