//! A segment and its reference on one outcome, as grouped rows, and the forms in which the tests want them.

use std::collections::{BTreeMap, BTreeSet};

use super::decomposition::Served;
use super::matrix::Square;
use super::models::Cells;
use super::permutation::Whole;
use super::tables::Table;

/// Rows of the pair that share stratum and cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct PairCell {
    /// Index into [`Pair::strata`].
    pub stratum: usize,
    /// The cluster; not read where [`Pair::clusters`] is 0.
    pub cluster: usize,
    /// The outcome of each row of the segment.
    pub segment: Group,
    /// The same of the reference.
    pub reference: Group,
}

/// The outcome of some rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// How many rows.
    pub n: u64,
    /// Events, where the outcome is 0/1.
    pub events: u64,
    /// The values, where it is a number.
    pub values: Vec<f64>,
}

/// A segment and its reference on one outcome.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pair {
    /// The rows, grouped.
    pub cells: Vec<PairCell>,
    /// The levels of each adjustment attribute, by stratum; every stratum as long as the first.
    pub strata: Vec<Vec<usize>>,
    /// How many clusters there are; 0 where rows are independent.
    pub clusters: usize,
}

/// Which field of a group holds the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Events of `n`.
    Share,
    /// Values.
    Number,
}

impl Outcome {
    /// Rows, sum and sum of squares of the outcome less `centre`, in `unit`s.
    pub(super) fn sums(self, group: &Group, centre: f64, unit: f64) -> (f64, f64, f64) {
        match self {
            Self::Share => (group.n as f64, group.events as f64, group.events as f64),
            Self::Number => group.values.iter().fold((0.0, 0.0, 0.0), |(n, s, q), v| {
                let v = (v - centre) / unit;
                (n + 1.0, s + v, q + v * v)
            }),
        }
    }
}

/// The pair as one table a stratum.
pub(super) fn tables(pair: &Pair) -> Vec<Table> {
    let mut strata = vec![Table::default(); pair.strata.len()];
    for c in &pair.cells {
        let t = &mut strata[c.stratum];
        t.a += c.segment.events;
        t.b += c.segment.n - c.segment.events;
        t.c += c.reference.events;
        t.d += c.reference.n - c.reference.events;
    }
    strata
}

/// The rows of a regression: intercept, segment, and the adjustments.
pub(super) struct Design {
    /// The rows. A numeric outcome is centred and in units of its standard deviation.
    pub(super) cells: Cells,
    /// What a coefficient is multiplied with to be in the outcome's own unit.
    pub(super) unit: f64,
}

/// Puts the rows of a regression together, with a column for every level of every adjustment but the first that occurs, and
/// none for one that follows from the others, as in R.
///
/// Rows at a level where the 0/1 outcome never varies say nothing about the segment and are left out. None where a group is
/// empty, the outcome is the same throughout, or the segment itself follows from the adjustments.
pub(super) fn design(pair: &Pair, outcome: Outcome) -> Option<Design> {
    let keep = telling_cells(pair, outcome);
    let (centre, unit) = scale(pair, &keep, outcome)?;
    let columns = levels(pair, &keep);
    let k = 2 + columns.iter().map(|c| c.len().saturating_sub(1)).sum::<usize>();
    let mut cells = Cells { k, clusters: pair.clusters, ..Cells::default() };
    for &i in &keep {
        let cell = &pair.cells[i];
        for (segment, group) in [(1.0, &cell.segment), (0.0, &cell.reference)] {
            let (n, sum, squares) = outcome.sums(group, centre, unit);
            if n == 0.0 {
                continue;
            }
            let start = cells.x.len();
            cells.x.resize(start + k, 0.0);
            cells.x[start] = 1.0;
            cells.x[start + 1] = segment;
            let mut offset = start + 1;
            for (levels, level) in columns.iter().zip(&pair.strata[cell.stratum]) {
                let at = levels.binary_search(level).unwrap_or(0);
                if at > 0 {
                    cells.x[offset + at] = 1.0;
                }
                offset += levels.len() - 1;
            }
            cells.cluster.push(cell.cluster);
            cells.n.push(n);
            cells.sum.push(sum);
            cells.squares.push(squares);
        }
    }
    Some(Design { cells: independent(cells)?, unit })
}

/// What is taken off the outcome, and its unit; none where it is the same throughout.
fn scale(pair: &Pair, keep: &[usize], outcome: Outcome) -> Option<(f64, f64)> {
    let groups = || keep.iter().flat_map(|&i| [&pair.cells[i].segment, &pair.cells[i].reference]);
    match outcome {
        Outcome::Share => {
            let (n, events) = groups().fold((0, 0), |t, g| (t.0 + g.n, t.1 + g.events));
            (events > 0 && events < n).then_some((0.0, 1.0))
        }
        Outcome::Number => {
            let values = || groups().flat_map(|g| &g.values).copied();
            let first = values().next()?;
            if values().all(|v| v == first) {
                return None;
            }
            let n = values().count() as f64;
            let mean = values().map(|v| v / n).sum::<f64>();
            let sd = (values().map(|v| (v - mean).powi(2) / n).sum::<f64>()).sqrt();
            (mean.is_finite() && sd.is_finite() && sd > 0.0).then_some((mean, sd))
        }
    }
}

/// The levels of each adjustment that occur, in order.
fn levels(pair: &Pair, keep: &[usize]) -> Vec<Vec<usize>> {
    let mut columns: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); pair.strata.first().map_or(0, Vec::len)];
    for &i in keep {
        columns.iter_mut().zip(&pair.strata[pair.cells[i].stratum]).for_each(|(c, level)| {
            c.insert(*level);
        });
    }
    columns.into_iter().map(|c| c.into_iter().collect()).collect()
}

/// Leaves out the adjustments that follow from others; none where the segment does.
fn independent(cells: Cells) -> Option<Cells> {
    let k = cells.k;
    let mut cross = Square::zero(k);
    cells.x.chunks_exact(k).zip(&cells.n).for_each(|(x, n)| cross.add_outer(x, *n));
    // The segment comes last, so that it is the adjustments that give way to each other.
    let order: Vec<usize> = std::iter::once(0).chain(2..k).chain(std::iter::once(1)).collect();
    let mut kept: Vec<(usize, Vec<f64>)> = Vec::new();
    for &column in &order {
        let mut row = Vec::with_capacity(kept.len() + 1);
        for (other, l) in &kept {
            let done: f64 = row.iter().zip(l).map(|(a, b)| a * b).sum();
            row.push((cross.at(column, *other) - done) / l[l.len() - 1]);
        }
        let rest = cross.at(column, column) - row.iter().map(|v: &f64| v * v).sum::<f64>();
        if rest > cross.at(column, column) * 1e-9 {
            row.push(rest.sqrt());
            kept.push((column, row));
        } else if column < 2 {
            return None;
        }
    }
    let mut columns: Vec<usize> = kept.into_iter().map(|(c, _)| c).collect();
    columns.sort_unstable();
    if columns.len() == k {
        return Some(cells);
    }
    let x = cells.x.chunks_exact(k).flat_map(|row| columns.iter().map(|&c| row[c])).collect();
    Some(Cells { k: columns.len(), x, ..cells })
}

fn telling_cells(pair: &Pair, outcome: Outcome) -> Vec<usize> {
    let has = |g: &Group| if outcome == Outcome::Share { g.n > 0 } else { !g.values.is_empty() };
    let mut keep: Vec<usize> =
        (0..pair.cells.len()).filter(|&i| has(&pair.cells[i].segment) || has(&pair.cells[i].reference)).collect();
    if outcome == Outcome::Number {
        return keep;
    }
    loop {
        let before = keep.len();
        for attribute in 0..pair.strata.first().map_or(0, Vec::len) {
            let mut counts: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
            let level = |i: usize| pair.strata[pair.cells[i].stratum][attribute];
            for &i in &keep {
                let c = &pair.cells[i];
                let t = counts.entry(level(i)).or_default();
                t.0 += c.segment.n + c.reference.n;
                t.1 += c.segment.events + c.reference.events;
            }
            keep.retain(|&i| counts.get(&level(i)).is_some_and(|(n, e)| *e > 0 && e < n));
        }
        if keep.len() == before {
            return keep;
        }
    }
}

/// Cases of segment and reference in the strata that hold both: (segment, its events, reference, its events).
pub(super) fn overlap(pair: &Pair, outcome: Outcome) -> [f64; 4] {
    let mut strata = vec![[0.0; 4]; pair.strata.len()];
    for c in &pair.cells {
        let ((n, e, _), (rn, re, _)) = (outcome.sums(&c.segment, 0.0, 1.0), outcome.sums(&c.reference, 0.0, 1.0));
        strata[c.stratum].iter_mut().zip([n, e, rn, re]).for_each(|(s, v)| *s += v);
    }
    strata.iter().filter(|s| s[0] > 0.0 && s[2] > 0.0).fold([0.0; 4], |t, s| std::array::from_fn(|i| t[i] + s[i]))
}

/// Whether no cluster serves both groups.
pub(super) fn whole_clusters(pair: &Pair, outcome: Outcome) -> bool {
    if pair.clusters == 0 {
        return false;
    }
    let mut sides = vec![(false, false); pair.clusters];
    for s in served(pair, outcome) {
        let side = &mut sides[s.cluster];
        *side = (side.0 || s.n > 0.0, side.1 || s.reference_n > 0.0);
    }
    sides.iter().all(|(a, b)| !(*a && *b))
}

/// Each cluster with its label and its counts by stratum.
pub(super) fn wholes(pair: &Pair, outcome: Outcome) -> Vec<Whole> {
    let mut out: BTreeMap<usize, Whole> = BTreeMap::new();
    for s in served(pair, outcome) {
        for (segment, n, sum) in [(true, s.n, s.sum), (false, s.reference_n, s.reference_sum)] {
            if n > 0.0 {
                let whole = out.entry(s.cluster).or_insert(Whole { segment, strata: Vec::new() });
                whole.strata.push((s.stratum, n, sum));
            }
        }
    }
    out.into_values().collect()
}

/// By stratum and cluster, what decomposition needs.
pub(super) fn served(pair: &Pair, outcome: Outcome) -> Vec<Served> {
    pair.cells
        .iter()
        .map(|c| {
            let ((n, sum, _), (reference_n, reference_sum, _)) =
                (outcome.sums(&c.segment, 0.0, 1.0), outcome.sums(&c.reference, 0.0, 1.0));
            Served { stratum: c.stratum, cluster: c.cluster, n, sum, reference_n, reference_sum }
        })
        .collect()
}
