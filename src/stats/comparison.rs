//! One segment against its reference, on one outcome: everything that is asked of the pair.

use std::collections::BTreeMap;

use super::decomposition::{Parts, Shrunken, decompose, shrink};
use super::intervals::{newcombe, wilson};
use super::models::{Cells, Family, Fit, NoFit, effective_clusters, fit, leave_one_out, t_p, t_point, variance};
use super::pair::{Design, Group, Outcome, Pair, PairCell, design, overlap, served, tables, whole_clusters, wholes};
use super::permutation::{Block, Values, permute_clusters, permute_values, permute_within, separated_p};
use super::power::detectable;
use super::ranks::{RankTest, van_elteren};
use super::tables::{BreslowDay, MantelHaenszel, Table, breslow_day, fisher, mantel_haenszel};

/// How much is computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Dealings of the permutation test.
    pub permutations: u64,
    /// Resamples of the intervals of routing and treatment.
    pub replicates: usize,
    /// Seed of both.
    pub seed: u64,
}

/// A group's rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Rows to which the outcome applies.
    pub n: u64,
    /// Those with the event.
    pub events: u64,
    /// Wilson's 95 % interval.
    pub ci: (f64, f64),
}

impl Rate {
    fn of(events: u64, n: u64) -> Self {
        Self { n, events, ci: wilson(events, n) }
    }

    /// Events per row; 0 where there are none.
    pub fn rate(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.events as f64 / self.n as f64 }
    }
}

/// The segment's coefficient in a regression with the adjustments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjusted {
    /// Odds ratio, or difference of means.
    pub estimate: f64,
    /// 95 % interval.
    pub ci: (f64, f64),
    /// Two-sided p.
    pub p: f64,
    /// Standard error of the log odds ratio, or of the difference.
    pub error: f64,
    /// Degrees of freedom of Student's t.
    pub freedom: f64,
    /// Firth's penalty was needed: a group had no event, or nothing but events.
    pub penalised: bool,
    /// The effective number of clusters behind it; none where rows are independent.
    pub effective_clusters: Option<f64>,
    /// The largest p, 1 where the sign turns, when any one cluster is left out; none where rows are independent.
    pub without_any_one: Option<f64>,
}

/// How the labels were dealt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dealt {
    /// Inside strata, and inside clusters where there are some.
    Within,
    /// Whole clusters: each has one label only.
    Clusters,
}

/// What was found for a 0/1 outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    /// The segment.
    pub segment: Rate,
    /// The reference.
    pub reference: Rate,
    /// Newcombe's interval of the raw difference of the rates.
    pub difference_ci: (f64, f64),
    /// Over the strata.
    pub mantel_haenszel: Option<MantelHaenszel>,
    /// Whether the strata differ.
    pub breslow_day: Option<BreslowDay>,
    /// Fisher's exact p of the pooled table, where a count of fewer than 5 is expected in it.
    pub fisher_p: Option<f64>,
    /// Logistic regression.
    pub logistic: Option<Adjusted>,
    /// Permutation p.
    pub permutation: Option<(f64, Dealt)>,
    /// Exact conditional p where one group has every event, or none.
    pub separated_p: Option<f64>,
    /// The smallest rise of the rate (fall, where it is above one half) that would show with 80 % power.
    pub detectable: Option<f64>,
    /// Cases and events of the segment and of the reference in the strata that hold both.
    pub overlap: [f64; 4],
    /// Routing and treatment, where there are clusters.
    pub parts: Option<Parts>,
}

/// What was found for a numeric outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Means {
    /// Rows and mean of the segment.
    pub segment: (u64, f64),
    /// The same of the reference.
    pub reference: (u64, f64),
    /// Linear regression: the adjusted difference of means.
    pub linear: Option<Adjusted>,
    /// Rank test within strata.
    pub ranks: Option<RankTest>,
    /// Permutation p.
    pub permutation: Option<(f64, Dealt)>,
    /// The smallest difference that would show with 80 % power.
    pub detectable: Option<f64>,
    /// The outcome's standard deviation over both groups.
    pub deviation: Option<f64>,
    /// Cases of the segment and of the reference in the strata that hold both.
    pub overlap: (f64, f64),
    /// Routing and treatment, where there are clusters.
    pub parts: Option<Parts>,
}

/// Compares a 0/1 outcome.
pub fn compare_shares(pair: &Pair, effort: Effort) -> Shares {
    let sum = |get: fn(&PairCell) -> u64| pair.cells.iter().map(get).sum::<u64>();
    let segment = Rate::of(sum(|c| c.segment.events), sum(|c| c.segment.n));
    let reference = Rate::of(sum(|c| c.reference.events), sum(|c| c.reference.n));
    let strata = tables(pair);
    let pooled = Table {
        a: segment.events,
        b: segment.n - segment.events,
        c: reference.events,
        d: reference.n - reference.events,
    };
    let logistic = design(pair, Outcome::Share).and_then(|d| adjusted(&d, Family::Logistic));
    let overlap = overlap(pair, Outcome::Share);
    let separated = logistic.is_some_and(|l| l.penalised) && !whole_clusters(pair, Outcome::Share);
    Shares {
        segment,
        reference,
        difference_ci: newcombe((segment.events, segment.n), (reference.events, reference.n)),
        mantel_haenszel: mantel_haenszel(&strata),
        breslow_day: breslow_day(&strata),
        fisher_p: sparse(&pooled).then(|| fisher(&pooled)),
        logistic,
        permutation: permutation(pair, Outcome::Share, effort),
        separated_p: if separated { separated_p(&blocks(pair)) } else { None },
        detectable: logistic.and_then(|l| rise(overlap, &l)),
        overlap,
        parts: parts(pair, Outcome::Share, effort),
    }
}

/// The rise (or fall) that shows with 80 % power: by the fitted error, and never less than the counts alone would allow.
fn rise(overlap: [f64; 4], l: &Adjusted) -> Option<f64> {
    let [n, _, rn, re] = overlap;
    let p = (re + 0.5) / (rn + 1.0);
    let p = p.min(1.0 - p);
    let reach = (t_point(0.975, l.freedom) + t_point(0.8, l.freedom)) * l.error;
    let fitted = 1.0 / (1.0 + (-((p / (1.0 - p)).ln() + reach)).exp()) - p;
    Some(detectable(p, n, rn, 1.0)?.max(fitted))
}

/// Compares a numeric outcome.
pub fn compare_means(pair: &Pair, effort: Effort) -> Means {
    let design = design(pair, Outcome::Number);
    let linear = design.as_ref().and_then(|d| adjusted(d, Family::Linear));
    let mean = |get: fn(&PairCell) -> &Group| {
        let n: u64 = pair.cells.iter().map(|c| get(c).values.len() as u64).sum();
        let sum: f64 = pair.cells.iter().flat_map(|c| &get(c).values).sum();
        (n, if n == 0 { 0.0 } else { sum / n as f64 })
    };
    let mut strata = vec![(Vec::new(), Vec::new()); pair.strata.len()];
    for c in &pair.cells {
        strata[c.stratum].0.extend_from_slice(&c.segment.values);
        strata[c.stratum].1.extend_from_slice(&c.reference.values);
    }
    let [n, _, rn, _] = overlap(pair, Outcome::Number);
    Means {
        segment: mean(|c| &c.segment),
        reference: mean(|c| &c.reference),
        linear,
        ranks: van_elteren(&strata),
        permutation: permutation(pair, Outcome::Number, effort),
        detectable: linear.map(|l| (t_point(0.975, l.freedom) + t_point(0.8, l.freedom)) * l.error),
        deviation: design.map(|d| d.unit),
        overlap: (n, rn),
        parts: parts(pair, Outcome::Number, effort),
    }
}

fn sparse(t: &Table) -> bool {
    let n = (t.a + t.b + t.c + t.d) as f64;
    let margin = |x: u64, y: u64| x as f64 * y as f64 / n;
    n > 0.0 && margin((t.a + t.b).min(t.c + t.d), (t.a + t.c).min(t.b + t.d)) < 5.0
}

/// The segment's coefficient, its column being the second.
fn adjusted(design: &Design, family: Family) -> Option<Adjusted> {
    let cells = &design.cells;
    let (model, penalised) = match fit(cells, family) {
        Ok(model) => (model, false),
        Err(NoFit::Separated) => (fit(cells, Family::Firth).ok()?, true),
        Err(NoFit::Dependent) => return None,
    };
    // Where a group has no event its residuals are nothing to go by.
    let own = model.scale * model.bread.at(1, 1);
    let variance = if penalised { variance(cells, &model, 1).max(own) } else { variance(cells, &model, 1) };
    if !variance.is_finite() || variance <= 0.0 {
        return None;
    }
    let clustered = cells.clusters > 0;
    let effective = clustered.then(|| effective_clusters(cells, &model, 1));
    let rows: f64 = cells.n.iter().sum();
    let freedom = effective.map_or(rows - cells.k as f64, |g| g - 1.0).max(1.0);
    let (b, se) = (model.beta[1], variance.sqrt());
    let half = t_point(0.975, freedom) * se;
    let unit = if family == Family::Linear { design.unit } else { 1.0 };
    let scale = |x: f64| if family == Family::Linear { x * unit } else { x.exp() };
    let found = Adjusted {
        estimate: scale(b),
        ci: (scale(b - half), scale(b + half)),
        p: t_p(b / se, freedom),
        error: se * unit,
        freedom,
        penalised,
        effective_clusters: effective,
        without_any_one: clustered.then(|| worst_without_one(cells, &model, freedom)),
    };
    [found.estimate, found.ci.0, found.ci.1, found.p].iter().all(|x| x.is_finite()).then_some(found)
}

/// The largest p when one cluster is left out; 1 where the sign turns or nothing is left.
fn worst_without_one(cells: &Cells, model: &Fit, freedom: f64) -> f64 {
    leave_one_out(cells, model, 1)
        .into_iter()
        .map(|left| match left {
            Some((b, se)) if b.signum() == model.beta[1].signum() => t_p(b / se, (freedom - 1.0).max(1.0)),
            _ => 1.0,
        })
        .fold(0.0, f64::max)
}

fn permutation(pair: &Pair, outcome: Outcome, effort: Effort) -> Option<(f64, Dealt)> {
    let Effort { permutations, seed, .. } = effort;
    if whole_clusters(pair, outcome) {
        let clusters = wholes(pair, outcome);
        return Some((permute_clusters(&clusters, permutations, seed)?, Dealt::Clusters));
    }
    let p = match outcome {
        Outcome::Share => permute_within(&blocks(pair), permutations, seed)?,
        Outcome::Number => {
            let blocks: Vec<Values> = pair
                .cells
                .iter()
                .map(|c| Values {
                    values: [c.segment.values.as_slice(), &c.reference.values].concat(),
                    members: c.segment.values.len(),
                })
                .collect();
            permute_values(&blocks, permutations, seed)?
        }
    };
    Some((p, Dealt::Within))
}

fn blocks(pair: &Pair) -> Vec<Block> {
    let block = |c: &PairCell| Block {
        members: c.segment.n,
        events: c.segment.events,
        all: c.segment.n + c.reference.n,
        all_events: c.segment.events + c.reference.events,
    };
    pair.cells.iter().map(block).collect()
}

fn parts(pair: &Pair, outcome: Outcome, effort: Effort) -> Option<Parts> {
    if pair.clusters == 0 {
        return None;
    }
    decompose(&served(pair, outcome), pair.clusters, effort.replicates, effort.seed)
}

/// How one cluster that serves both groups treats them, with its strata held fixed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Treatment {
    /// The cluster.
    pub cluster: usize,
    /// Cases of both groups.
    pub cases: u64,
    /// The difference of the rates, drawn towards the mean of all clusters.
    pub difference: Shrunken,
}

/// Every cluster that serves both groups in some stratum, on a 0/1 outcome: the differences inside strata, weighted as by
/// Mantel and Haenszel, and shrunken.
pub fn treatment_by_cluster(pair: &Pair) -> Vec<Treatment> {
    // Weighted difference, its variance, the weights, cases.
    let mut clusters: BTreeMap<usize, (f64, f64, f64, u64)> = BTreeMap::new();
    for c in pair.cells.iter().filter(|c| c.segment.n > 0 && c.reference.n > 0) {
        let (n, rn) = (c.segment.n as f64, c.reference.n as f64);
        let (e, re) = (c.segment.events as f64, c.reference.events as f64);
        let weight = n * rn / (n + rn);
        // A half added on each side keeps the variance of a small cell from being 0.
        let p = (e + re + 1.0) / (n + rn + 2.0);
        let t = clusters.entry(c.cluster).or_default();
        t.0 += weight * (e / n - re / rn);
        t.1 += weight * weight * p * (1.0 - p) * (1.0 / n + 1.0 / rn);
        t.2 += weight;
        t.3 += c.segment.n + c.reference.n;
    }
    let differences: Vec<(f64, f64)> = clusters.values().map(|(d, v, w, _)| (d / w, v / (w * w))).collect();
    let shrunken = shrink(&differences);
    let each = clusters.iter().zip(shrunken);
    each.map(|((cluster, t), difference)| Treatment { cluster: *cluster, cases: t.3, difference }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tables::BERKELEY;
    use super::*;
    use crate::stats::verdict::Verdict;

    const EFFORT: Effort = Effort { permutations: 500, replicates: 200, seed: 1 };

    fn cell(stratum: usize, cluster: usize, [[a, b], [c, d]]: [[u64; 2]; 2]) -> PairCell {
        let group = |e, o| Group { n: e + o, events: e, values: Vec::new() };
        PairCell { stratum, cluster, segment: group(a, b), reference: group(c, d) }
    }

    /// Berkeley 1973: men against women, admission the event, departments the strata.
    fn berkeley(adjust: bool) -> Pair {
        Pair {
            cells: BERKELEY.iter().enumerate().map(|(i, t)| cell(if adjust { i } else { 0 }, 0, *t)).collect(),
            strata: if adjust { (0..6).map(|i| vec![i]).collect() } else { vec![vec![]] },
            clusters: 0,
        }
    }

    #[test]
    fn simpsons_paradox_is_seen_through() {
        let raw = compare_shares(&berkeley(false), EFFORT);
        assert_eq!(raw.verdict(raw.p()), Verdict::Disparity);
        assert!((raw.logistic.unwrap().estimate - 1.841_080_037_2).abs() < 1e-8);
        let held = compare_shares(&berkeley(true), EFFORT);
        assert_eq!(held.verdict(held.p()), Verdict::NoEvidence);
        assert!((held.logistic.unwrap().estimate - 0.904_954_9).abs() < 1e-6, "{:?}", held.logistic);
        assert!(held.permutation.unwrap().0 > 0.1);
    }

    #[test]
    fn one_harsh_agent_is_no_disparity() {
        let mut cells: Vec<PairCell> = (1..20).map(|i| cell(0, i, [[5, 45], [5, 45]])).collect();
        cells.push(cell(0, 0, [[80, 40], [4, 4]]));
        let pair = Pair { cells, strata: vec![vec![]], clusters: 20 };
        let found = compare_shares(&pair, EFFORT);
        assert!(found.mantel_haenszel.unwrap().p < 1e-3, "the rows alone would say so");
        assert_ne!(found.verdict(found.p()), Verdict::Disparity, "{found:?}");
        assert!(found.parts.unwrap().routing.value > 0.8 * found.parts.unwrap().gap);
    }

    #[test]
    fn the_same_gap_at_every_agent_is_a_disparity() {
        let cells = (0..20).map(|i| cell(0, i, [[20, 30], [10, 40]])).collect();
        let pair = Pair { cells, strata: vec![vec![]], clusters: 20 };
        let found = compare_shares(&pair, EFFORT);
        assert_eq!(found.verdict(found.p()), Verdict::Disparity, "{found:?}");
        assert_eq!(found.permutation.unwrap().1, Dealt::Within);
        assert!(
            treatment_by_cluster(&pair).iter().all(|t| (t.difference.estimate - 0.2).abs() < 1e-9 && t.cases == 100)
        );
    }

    #[test]
    fn small_and_constant_groups_fail_closed() {
        for t in [[[0, 5], [3, 5]], [[0, 500], [0, 500]], [[0, 0], [30, 70]], [[30, 0], [40, 0]]] {
            let found = compare_shares(&Pair { cells: vec![cell(0, 0, t)], strata: vec![vec![]], clusters: 0 }, EFFORT);
            assert_eq!(found.verdict(found.p()), Verdict::Insufficient, "{t:?}");
        }
        let empty = compare_shares(&Pair::default(), EFFORT);
        assert_eq!(empty.verdict(Some(0.0)), Verdict::Insufficient);
    }

    #[test]
    fn a_group_without_any_event_is_judged_exactly() {
        let pair = Pair { cells: vec![cell(0, 0, [[0, 200], [30, 170]])], strata: vec![vec![]], clusters: 0 };
        let found = compare_shares(&pair, EFFORT);
        assert!(found.logistic.unwrap().penalised && found.mantel_haenszel.unwrap().odds_ratio.is_none());
        assert_eq!(found.verdict(found.p()), Verdict::Disparity);
        assert!(found.p().unwrap() < 1e-8, "exact, not bounded by the dealings");
    }

    #[test]
    fn adjustments_that_follow_from_others_are_left_out() {
        let cells = (0..4).map(|i| cell(i, 0, [[20, 30], [10, 40]])).collect();
        let pair = Pair { cells, strata: (0..4).map(|i| vec![i, i, i / 2]).collect(), clusters: 0 };
        let once = Pair { strata: (0..4).map(|i| vec![i]).collect(), ..pair.clone() };
        let (a, b) = (compare_shares(&pair, EFFORT).logistic.unwrap(), compare_shares(&once, EFFORT).logistic.unwrap());
        assert!((a.estimate - b.estimate).abs() < 1e-9 && (a.error - b.error).abs() < 1e-9);
        let same = Pair {
            cells: vec![cell(0, 0, [[20, 30], [0, 0]]), cell(1, 0, [[0, 0], [10, 40]])],
            strata: vec![vec![0], vec![1]],
            clusters: 0,
        };
        assert!(compare_shares(&same, EFFORT).logistic.is_none(), "the segment is the stratum");
    }

    #[test]
    fn large_numbers_and_empty_levels_do_no_harm() {
        let values = |n: u64, shift: f64| (0..n).map(|i| 1e9 + shift + (i % 5) as f64).collect::<Vec<_>>();
        let group = |values: Vec<f64>| Group { n: values.len() as u64, events: 0, values };
        let mut pair = Pair {
            cells: (0..6)
                .map(|i| PairCell {
                    stratum: i % 2,
                    cluster: i,
                    segment: group(values(40, 1.0)),
                    reference: group(values(40, 0.0)),
                })
                .collect(),
            strata: vec![vec![0], vec![1], vec![2]],
            clusters: 6,
        };
        pair.cells.push(PairCell { stratum: 2, cluster: 0, segment: Group::default(), reference: Group::default() });
        assert!((compare_means(&pair, EFFORT).linear.unwrap().estimate - 1.0).abs() < 1e-6);
        pair.cells.iter_mut().for_each(|c| {
            c.segment.values.iter_mut().chain(&mut c.reference.values).for_each(|v| *v = 1e6);
        });
        assert!(compare_means(&pair, EFFORT).linear.is_none(), "constant");
    }

    #[test]
    fn numbers_are_compared_with_the_same_care() {
        let values = |shift: f64| (0..40).map(|i| f64::from(i % 7) + shift).collect::<Vec<_>>();
        let group = |values: Vec<f64>| Group { n: 40, events: 0, values };
        let pair = Pair {
            cells: (0..10)
                .map(|i| PairCell {
                    stratum: i % 2,
                    cluster: i,
                    segment: group(values(1.0)),
                    reference: group(values(0.0)),
                })
                .collect(),
            strata: vec![vec![0], vec![1]],
            clusters: 10,
        };
        let found = compare_means(&pair, EFFORT);
        assert!((found.linear.unwrap().estimate - 1.0).abs() < 1e-9);
        assert!(found.ranks.unwrap().p < 1e-6 && found.permutation.unwrap().0 < 0.01);
    }
}
