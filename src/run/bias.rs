//! The segment audit: from a table of cases to comparisons and their verdicts. In: a run folder or a CSV file. Out: a report.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use rayon::prelude::*;

use super::estimate::Corrections;
use super::labelled::LabelOptions;
use super::output::RunError;
use super::table::{from_csv, from_run, quotes, unknown};
use crate::reports::{BiasReport, Comparison, Contribution, Found, Quotes, Stratum};
use crate::stats::SplitMix;
use crate::stats::comparison::{Effort, compare_means, compare_shares, treatment_by_cluster};
use crate::stats::multiple::benjamini_hochberg;
use crate::stats::pair::{Group, Pair, PairCell};
use crate::stats::verdict::Verdict;
use crate::tally::{Attribute, Frame, Outcome, Values};

/// Where the cases come from.
#[derive(Debug, Clone)]
pub enum Cases {
    /// A run folder.
    Run(PathBuf),
    /// A CSV file, and the column that counts cases.
    Csv(PathBuf, Option<String>),
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct BiasOptions {
    /// The cases.
    pub cases: Cases,
    /// Outcomes; all of a run where none is named.
    pub outcomes: Vec<String>,
    /// The attributes that make segments.
    pub by: Vec<String>,
    /// The segment that the others are held against; the largest where none is named.
    pub reference: Option<String>,
    /// Attributes held fixed.
    pub adjust: Vec<String>,
    /// The attribute whose cases belong together; `agent_id` where none is named and there is one.
    pub cluster: Option<String>,
    /// Cases are independent.
    pub no_cluster: bool,
    /// Labels that correct the rates of a run.
    pub labels: Option<LabelOptions>,
    /// Dealings of the permutation test.
    pub permutations: u64,
    /// The seed.
    pub seed: u64,
}

/// The most segments of one attribute: beyond that it names cases, not segments.
const MAX_SEGMENTS: usize = 60;
/// Resamples of the intervals of routing and treatment.
const REPLICATES: usize = 1000;
/// Strata kept in the report, and quotes from each side.
const STRATA_SHOWN: usize = 40;
const QUOTES_SHOWN: usize = 3;
/// Clusters named, and how many must serve both groups before any is.
const NAMED: usize = 3;
const ENOUGH_TO_NAME: usize = 5;
/// The most levels that all adjustments may have together.
const MAX_LEVELS: usize = 300;
/// The most cases of a table, and of one whose outcome is a number.
const MAX_CASES: u64 = 1_000_000_000_000;
const MAX_VALUES: u64 = 20_000_000;

/// Compares the segments.
///
/// # Errors
/// When the cases cannot be read, a name is unknown, or there is nothing to compare.
pub fn bias(options: &BiasOptions) -> Result<BiasReport, RunError> {
    let frame = read(options)?;
    let (cluster, note) = cluster_of(options, &frame);
    let (mut results, mut cases, mut left_out) = (Vec::new(), 0, 0);
    for by in &options.by {
        let question = Question::new(&frame, by, options, cluster)?;
        (cases, left_out) = (cases.max(question.cases), left_out.max(question.left_out));
        results.extend(question.answer(options));
    }
    let asked: Vec<usize> = (0..results.len()).filter(|&i| p_of(&results[i].found).is_some()).collect();
    // What cannot be judged must not make the others look surer.
    let p: Vec<f64> = asked
        .iter()
        .filter_map(|&i| p_of(&results[i].found).map(|p| if enough(&results[i].found) { p } else { 1.0 }))
        .collect();
    for (&i, q) in asked.iter().zip(benjamini_hochberg(&p)) {
        results[i].q = Some(q);
    }
    for r in &mut results {
        if !enough(&r.found) {
            r.q = None;
        }
        r.verdict = match &r.found {
            Found::Shares(s) => s.verdict(r.q),
            Found::Means(m) => m.verdict(r.q),
        };
        // Nobody is named without a difference to explain.
        if r.verdict != Verdict::Disparity {
            r.clusters.clear();
        }
    }
    let mut label_notes = Vec::new();
    if let Cases::Run(run) = &options.cases {
        add_quotes(run, &frame, &mut results, options.seed)?;
        if let Some(labels) = &options.labels {
            let corrections = Corrections::read(run, &options.by, labels)?;
            label_notes = corrections.notes().to_vec();
            corrections.apply(&mut results);
        }
    }
    Ok(BiasReport {
        source: match &options.cases {
            Cases::Run(path) | Cases::Csv(path, _) => path.display().to_string(),
        },
        cases,
        left_out,
        adjusted_for: options.adjust.iter().filter(|a| !options.by.contains(a)).cloned().collect(),
        cluster: cluster.map(str::to_owned),
        note,
        labels: options.labels.as_ref().map(|l| l.labels.display().to_string()),
        label_notes,
        permutations: options.permutations,
        seed: options.seed,
        results,
    })
}

fn read(options: &BiasOptions) -> Result<Frame, RunError> {
    let mut attributes: Vec<String> = Vec::new();
    options.by.iter().chain(&options.adjust).chain(&options.cluster).for_each(|a| {
        if !attributes.contains(a) {
            attributes.push(a.clone());
        }
    });
    let optional = (options.cluster.is_none() && !options.no_cluster).then_some(AGENT);
    match &options.cases {
        Cases::Run(run) => from_run(run, &attributes, optional, &options.outcomes),
        Cases::Csv(path, count) => {
            let frame = from_csv(path, &attributes, optional, &options.outcomes, count.as_deref())?;
            let total = (0..frame.rows).try_fold(0_u64, |t, row| t.checked_add(frame.count(row)));
            let numbers = frame.outcomes.iter().any(|o| matches!(o.values, Values::Numbers(_)));
            let limit = if numbers { MAX_VALUES } else { MAX_CASES };
            if total.is_none_or(|t| t > limit) {
                return Err(RunError::NothingToCompare(format!(
                    "{} stands for more than {limit} cases; split it",
                    path.display()
                )));
            }
            Ok(frame)
        }
    }
}

const AGENT: &str = "agent_id";
/// Said where people are compared as if they were segments.
const PEOPLE: &str = "This compares people, whose conversations differ in more than can be held fixed here. evenhand coach holds each person \
                      against what is expected of conversations like theirs, and says where there are too few.";

/// The attribute whose cases belong together, and what the reader should know about that choice.
fn cluster_of<'a>(options: &'a BiasOptions, frame: &Frame) -> (Option<&'a str>, Option<String>) {
    if options.no_cluster || options.cluster.is_some() {
        return (options.cluster.as_deref(), None);
    }
    if options.by.iter().any(|b| b == AGENT) {
        return (None, Some(PEOPLE.to_owned()));
    }
    let Some(agents) = frame.attribute(AGENT) else { return (None, None) };
    let cases = |row: usize| frame.count(row);
    let all: u64 = (0..frame.rows).map(cases).sum();
    let named: u64 = (0..frame.rows).filter(|&row| agents.codes[row].is_some()).map(cases).sum();
    let note = (named < all).then(|| {
        format!(
            "{} of {all} cases name no {AGENT} and are left out; --no-cluster takes all cases as independent.",
            all - named
        )
    });
    (Some(AGENT), note)
}

fn enough(found: &Found) -> bool {
    match found {
        Found::Shares(s) => s.enough(),
        Found::Means(m) => m.enough(),
    }
}

fn p_of(found: &Found) -> Option<f64> {
    match found {
        Found::Shares(s) => s.p(),
        Found::Means(m) => m.linear.map(|l| l.p),
    }
}

/// One attribute's segments, with the rows in the order in which they are grouped.
struct Question<'a> {
    frame: &'a Frame,
    by: &'a Attribute,
    reference: u32,
    /// Whether the user named it.
    named: bool,
    /// Rows that have every attribute, by stratum and cluster.
    rows: Vec<(usize, usize, usize)>,
    strata: Vec<Vec<usize>>,
    labels: Vec<Vec<String>>,
    clusters: Option<&'a Attribute>,
    cases: u64,
    left_out: u64,
}

impl<'a> Question<'a> {
    fn new(frame: &'a Frame, by: &str, options: &BiasOptions, cluster: Option<&str>) -> Result<Self, RunError> {
        let column = |name: &str| frame.attribute(name).ok_or(RunError::Internal("an attribute that was read is gone"));
        let by = column(by)?;
        let clusters = cluster.map(column).transpose()?;
        let adjust =
            options.adjust.iter().filter(|a| **a != by.name).map(|a| column(a)).collect::<Result<Vec<_>, _>>()?;
        let levels: usize = adjust.iter().map(|a| a.levels.len()).sum();
        if let Some(most) = adjust.iter().max_by_key(|a| a.levels.len()).filter(|_| levels > MAX_LEVELS) {
            return Err(RunError::NothingToCompare(format!(
                "the attributes to hold fixed have {levels} different values, more than {MAX_LEVELS}; group {} first, which has {}",
                most.name,
                most.levels.len()
            )));
        }
        let mut sizes = vec![0_u64; by.levels.len()];
        by.codes.iter().enumerate().for_each(|(row, c)| {
            if let Some(c) = c {
                sizes[*c as usize] += frame.count(row);
            }
        });
        match by.levels.len() {
            0 => return Err(RunError::NothingToCompare(format!("no case has a value for {}", by.name))),
            1 => {
                let only = &by.levels[0];
                return Err(RunError::NothingToCompare(format!(
                    "every case has {} = {only:?}; a comparison needs two segments",
                    by.name
                )));
            }
            n if n > MAX_SEGMENTS => {
                return Err(RunError::NothingToCompare(format!(
                    "{} has {n} different values, more than {MAX_SEGMENTS}; group them first",
                    by.name
                )));
            }
            _ => {}
        }
        // The largest; of equals, the first in the alphabet.
        let largest = || {
            let order = |a: &u32, b: &u32| {
                let key = |c: u32| (sizes[c as usize], std::cmp::Reverse(&by.levels[c as usize]));
                key(*a).cmp(&key(*b))
            };
            (0..by.levels.len() as u32).max_by(order).unwrap_or(0)
        };
        let reference = match &options.reference {
            Some(name) => match by.code(name) {
                Some(code) => code,
                // With several attributes, each takes the reference that it knows.
                None if options.by.len() > 1 => largest(),
                None => return Err(unknown("segment", name, by.levels.iter().cloned())),
            },
            None => largest(),
        };
        let named = options.reference.as_deref().is_some_and(|r| by.code(r).is_some());
        let mut question = Self {
            frame,
            by,
            reference,
            named,
            rows: Vec::new(),
            strata: Vec::new(),
            labels: Vec::new(),
            clusters,
            cases: 0,
            left_out: 0,
        };
        question.group(&adjust);
        Ok(question)
    }

    /// Puts the rows in order of stratum and cluster.
    fn group(&mut self, adjust: &[&Attribute]) {
        let mut places: HashMap<Vec<usize>, usize> = HashMap::new();
        for row in 0..self.frame.rows {
            let count = self.frame.count(row);
            self.cases += count;
            let levels: Option<Vec<usize>> = adjust.iter().map(|a| a.codes[row].map(|c| c as usize)).collect();
            let cluster = self.clusters.map_or(Some(0), |c| c.codes[row].map(|c| c as usize));
            let (Some(levels), Some(cluster), Some(_)) = (levels, cluster, self.by.codes[row]) else {
                self.left_out += count;
                continue;
            };
            let stratum = *places.entry(levels.clone()).or_insert_with(|| {
                self.labels.push(adjust.iter().zip(&levels).map(|(a, l)| a.levels[*l].clone()).collect());
                self.strata.push(levels);
                self.strata.len() - 1
            });
            self.rows.push((stratum, cluster, row));
        }
        self.rows.sort_unstable();
    }

    fn answer(&self, options: &BiasOptions) -> Vec<Comparison> {
        let mut segments: Vec<u32> = (0..self.by.levels.len() as u32).filter(|c| *c != self.reference).collect();
        segments.sort_by(|a, b| self.by.levels[*a as usize].cmp(&self.by.levels[*b as usize]));
        let asked: Vec<(&Outcome, u32)> =
            self.frame.outcomes.iter().flat_map(|o| segments.iter().map(move |s| (o, *s))).collect();
        let best: BTreeMap<&str, (f64, String)> =
            self.frame.outcomes.iter().filter_map(|o| Some((o.name.as_str(), self.best(o)?))).collect();
        asked.par_iter().map(|(outcome, segment)| self.compare(outcome, *segment, &best, options)).collect()
    }

    fn compare(
        &self,
        outcome: &Outcome,
        segment: u32,
        best: &BTreeMap<&str, (f64, String)>,
        options: &BiasOptions,
    ) -> Comparison {
        let pair = self.pair(outcome, segment);
        let effort = Effort { permutations: options.permutations, replicates: REPLICATES, seed: options.seed };
        let reference_name = self.by.levels[self.reference as usize].clone();
        let (found, impact_ratio, clusters) = match &outcome.values {
            Values::Shares(_) => {
                let s = compare_shares(&pair, effort);
                let (base, to) = match best.get(outcome.name.as_str()) {
                    Some((rate, name)) if !self.named && *rate > 0.0 => (*rate, name.clone()),
                    _ => (s.reference.rate(), reference_name.clone()),
                };
                let ratio = (base > 0.0 && s.segment.n > 0).then(|| (s.segment.rate() / base, to));
                (Found::Shares(Box::new(s)), ratio, self.clusters_that_differ(&pair))
            }
            Values::Numbers(_) => (Found::Means(Box::new(compare_means(&pair, effort))), None, Vec::new()),
        };
        Comparison {
            outcome: outcome.name.clone(),
            meaning: outcome.meaning.clone(),
            by: self.by.name.clone(),
            segment: self.by.levels[segment as usize].clone(),
            reference: reference_name,
            found,
            impact_ratio,
            q: None,
            verdict: Verdict::Insufficient,
            strata: self.strata_of(&pair),
            clusters,
            quotes: Quotes::default(),
            corrected: None,
        }
    }

    /// The rows of segment and reference for one outcome, grouped.
    fn pair(&self, outcome: &Outcome, segment: u32) -> Pair {
        let mut cells: Vec<PairCell> = Vec::new();
        for &(stratum, cluster, row) in &self.rows {
            let code = self.by.codes[row];
            let ours = code == Some(segment);
            if !ours && code != Some(self.reference) {
                continue;
            }
            let fresh = cells.last().is_none_or(|c| (c.stratum, c.cluster) != (stratum, cluster));
            if fresh {
                cells.push(PairCell { stratum, cluster, segment: Group::default(), reference: Group::default() });
            }
            let Some(cell) = cells.last_mut() else { continue };
            let group = if ours { &mut cell.segment } else { &mut cell.reference };
            let count = self.frame.count(row);
            match &outcome.values {
                Values::Shares(v) => {
                    if let Some(event) = v[row] {
                        group.n += count;
                        group.events += if event { count } else { 0 };
                    }
                }
                Values::Numbers(v) => {
                    if let Some(value) = v[row] {
                        group.n += count;
                        group.values.extend(std::iter::repeat_n(value, count as usize));
                    }
                }
            }
        }
        let clusters = self.clusters.map_or(0, |c| c.levels.len());
        Pair { cells, strata: self.strata.clone(), clusters }
    }

    /// The best rate among the segments with enough cases, where it is known which way is good.
    fn best(&self, outcome: &Outcome) -> Option<(f64, String)> {
        let (Values::Shares(values), Some(welcome)) = (&outcome.values, outcome.welcome) else { return None };
        let mut counts = vec![(0_u64, 0_u64); self.by.levels.len()];
        for &(_, _, row) in &self.rows {
            if let (Some(code), Some(event)) = (self.by.codes[row], values[row]) {
                let c = &mut counts[code as usize];
                *c = (c.0 + self.frame.count(row), c.1 + if event { self.frame.count(row) } else { 0 });
            }
        }
        let enough = counts.iter().enumerate().filter(|(_, (n, _))| *n >= crate::stats::verdict::MIN_ROWS);
        enough.map(|(code, (n, e))| (*e as f64 / *n as f64, self.by.levels[code].clone())).min_by(|a, b| {
            let order = if welcome { b.0.total_cmp(&a.0) } else { a.0.total_cmp(&b.0) };
            order.then_with(|| a.1.cmp(&b.1))
        })
    }

    /// The clusters that make most of the treatment part: beyond chance, most cases times difference first, at most three.
    fn clusters_that_differ(&self, pair: &Pair) -> Vec<Contribution> {
        let all = treatment_by_cluster(pair);
        let Some(names) = self.clusters.filter(|_| all.len() >= ENOUGH_TO_NAME) else { return Vec::new() };
        let mut out: Vec<Contribution> = all
            .into_iter()
            .filter(|t| t.difference.ci.0 > 0.0 || t.difference.ci.1 < 0.0)
            .map(|t| Contribution {
                cluster: names.levels[t.cluster].clone(),
                cases: t.cases,
                difference: t.difference.estimate,
                ci: t.difference.ci,
            })
            .collect();
        let part = |c: &Contribution| c.difference.abs() * c.cases as f64;
        out.sort_by(|a, b| part(b).total_cmp(&part(a)).then_with(|| a.cluster.cmp(&b.cluster)));
        out.truncate(NAMED);
        out
    }

    fn strata_of(&self, pair: &Pair) -> Vec<Stratum> {
        let mut all: Vec<Stratum> = self
            .labels
            .iter()
            .map(|levels| Stratum { levels: levels.clone(), segment: (0, 0), reference: (0, 0) })
            .collect();
        for c in &pair.cells {
            let s = &mut all[c.stratum];
            s.segment = (s.segment.0 + c.segment.n, s.segment.1 + c.segment.events);
            s.reference = (s.reference.0 + c.reference.n, s.reference.1 + c.reference.events);
        }
        all.retain(|s| s.segment.0 + s.reference.0 > 0);
        all.sort_by(|a, b| {
            let size = |s: &Stratum| s.segment.0 + s.reference.0;
            size(b).cmp(&size(a)).then_with(|| a.levels.cmp(&b.levels))
        });
        all.truncate(STRATA_SHOWN);
        all
    }
}

/// Draws quotes of each rule from both sides of each comparison, every finding as likely as another.
fn add_quotes(run: &std::path::Path, frame: &Frame, results: &mut [Comparison], seed: u64) -> Result<(), RunError> {
    let rows: HashMap<&str, usize> = frame.ids.iter().enumerate().map(|(i, id)| (id.as_str(), i)).collect();
    let mut wanted: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for (i, r) in results.iter().enumerate() {
        wanted.entry((r.outcome.clone(), r.by.clone())).or_default().push(i);
    }
    let mut random = SplitMix::new(seed);
    let mut seen = vec![[0_usize; 2]; results.len()];
    for quoted in quotes(run)? {
        let quoted = quoted?;
        let Some(&row) = rows.get(quoted.transcript.as_str()) else { continue };
        for attribute in &frame.attributes {
            let Some(indices) = wanted.get(&(quoted.rule.clone(), attribute.name.clone())) else { continue };
            let Some(level) = attribute.codes[row].map(|c| &attribute.levels[c as usize]) else { continue };
            for &i in indices {
                let side = if results[i].segment == *level {
                    0
                } else if results[i].reference == *level {
                    1
                } else {
                    continue;
                };
                let list = if side == 0 { &mut results[i].quotes.segment } else { &mut results[i].quotes.reference };
                seen[i][side] += 1;
                let entry = (quoted.transcript.clone(), quoted.quote.clone());
                if list.len() < QUOTES_SHOWN {
                    list.push(entry);
                } else {
                    let at = random.below(seen[i][side]);
                    if at < QUOTES_SHOWN {
                        list[at] = entry;
                    }
                }
            }
        }
    }
    Ok(())
}
