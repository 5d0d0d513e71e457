//! Permutation tests: how often chance alone, with the strata and clusters as they are, gives a gap as large as the one seen.
//!
//! Labels of segment and reference are dealt anew inside each block (a stratum within a cluster), so that neither the mix
//! of issues nor a harsh agent can make the gap. Where each cluster has one label only, whole clusters are dealt.

use rayon::prelude::*;
use statrs::function::factorial::ln_factorial;

use super::random::SplitMix;

/// One block of a 0/1 outcome: members and events of the segment, and of segment and reference together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Members of the segment.
    pub members: u64,
    /// Events among them.
    pub events: u64,
    /// Members of both.
    pub all: u64,
    /// Events of both.
    pub all_events: u64,
}

/// Dealings that share one stream of random numbers: the result does not depend on the number of threads.
const CHUNK: u64 = 50;

/// How many of `rounds` dealings give a statistic at least as far from 0 as `seen`, as a p-value (1 + hits) / (1 + rounds).
///
/// `deal` may keep what it needs from one dealing to the next in the state that `start` makes for each chunk.
fn share_as_extreme<S>(
    seen: f64,
    rounds: u64,
    seed: u64,
    start: impl Fn() -> S + Sync,
    deal: impl Fn(&mut S, &mut SplitMix) -> f64 + Sync,
) -> f64 {
    let limit = seen.abs() * (1.0 - 1e-9);
    let hits: u64 = (0..rounds.div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let (mut random, mut state) = (stream(seed, chunk), start());
            let here = CHUNK.min(rounds - chunk * CHUNK);
            (0..here).filter(|_| deal(&mut state, &mut random).abs() >= limit).count() as u64
        })
        .sum();
    (1 + hits) as f64 / (1 + rounds) as f64
}

/// A stream of its own for each chunk: the state is itself drawn, for neighbouring states would give the same stream, shifted.
fn stream(seed: u64, chunk: u64) -> SplitMix {
    let mut outer = SplitMix::new(seed);
    let base = outer.next_u64();
    SplitMix::new(SplitMix::new(base ^ chunk.wrapping_mul(0xd134_2543_de82_ef95)).next_u64())
}

/// Two-sided permutation p of Σ (events − expected) over the blocks: the Mantel-Haenszel statistic's own reference
/// distribution. None where no block has both groups and both outcomes.
pub fn permute_within(blocks: &[Block], rounds: u64, seed: u64) -> Option<f64> {
    let telling: Vec<Block> = blocks.iter().copied().filter(Block::tells).collect();
    if telling.is_empty() {
        return None;
    }
    let expected: f64 = telling.iter().map(Block::expected).sum();
    let seen: f64 = telling.iter().map(|b| b.events as f64).sum::<f64>() - expected;
    Some(share_as_extreme(
        seen,
        rounds,
        seed,
        || (),
        |(), random| telling.iter().map(|b| b.deal(random)).sum::<u64>() as f64 - expected,
    ))
}

/// Twice the probability of the seen table where one group has every event, or every other, that it can: the exact conditional
/// p of a separated comparison, at most 1. None where the groups are not separated.
pub fn separated_p(blocks: &[Block]) -> Option<f64> {
    let telling: Vec<Block> = blocks.iter().copied().filter(Block::tells).collect();
    let least = telling.iter().all(|b| b.events == b.all_events.saturating_sub(b.all - b.members));
    let most = telling.iter().all(|b| b.events == b.all_events.min(b.members));
    if telling.is_empty() || !(least || most) {
        return None;
    }
    let log: f64 = telling
        .iter()
        .map(|b| {
            log_choose(b.members, b.events) + log_choose(b.all - b.members, b.all_events - b.events)
                - log_choose(b.all, b.all_events)
        })
        .sum();
    Some((2.0 * log.exp()).min(1.0))
}

fn log_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

impl Block {
    fn tells(&self) -> bool {
        self.members > 0 && self.members < self.all && self.all_events > 0 && self.all_events < self.all
    }

    fn expected(&self) -> f64 {
        self.members as f64 * self.all_events as f64 / self.all as f64
    }

    /// Events of the segment when its label is dealt anew: hypergeometric, drawn on whichever margin is the smallest, and where
    /// that is large from the normal distribution with the same mean and variance.
    fn deal(&self, random: &mut SplitMix) -> u64 {
        let (n, m, e) = (self.all, self.members, self.all_events);
        let least = m.min(e).min(n - m).min(n - e);
        if least > MANY {
            let (nf, mf, ef) = (n as f64, m as f64, e as f64);
            let variance = mf * ef / nf * (nf - mf) / nf * (nf - ef) / (nf - 1.0);
            let drawn = (self.expected() + variance.sqrt() * normal(random)).round().max(0.0) as u64;
            drawn.clamp((m + e).saturating_sub(n), m.min(e))
        } else if least == e || least == m {
            draw(n, m.max(e), m.min(e), random)
        } else if least == n - e {
            m - draw(n, m, n - e, random)
        } else {
            e - draw(n, e, n - m, random)
        }
    }
}

/// Above this a margin is not drawn ball by ball.
const MANY: u64 = 500;

/// A standard normal number (Box and Muller 1958).
fn normal(random: &mut SplitMix) -> f64 {
    let mut uniform = || ((random.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    let (a, b) = (uniform(), uniform());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// Of `n` balls `marked` are marked: how many marked ones are among `draws` drawn.
fn draw(n: u64, marked: u64, draws: u64, random: &mut SplitMix) -> u64 {
    let mut left = marked;
    for i in 0..draws {
        left -= u64::from((random.below((n - i) as usize) as u64) < left);
    }
    marked - left
}

/// One block of a numeric outcome: the values, those of the segment first.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// The values of segment and reference.
    pub values: Vec<f64>,
    /// How many of the first ones are the segment's.
    pub members: usize,
}

/// Two-sided permutation p of Σ (segment's sum − expected) over the blocks; none where no block has both groups and two values.
pub fn permute_values(blocks: &[Values], rounds: u64, seed: u64) -> Option<f64> {
    let telling: Vec<&Values> = blocks
        .iter()
        .filter(|b| b.members > 0 && b.members < b.values.len() && b.values.iter().any(|v| *v != b.values[0]))
        .collect();
    if telling.is_empty() {
        return None;
    }
    let totals: Vec<f64> = telling.iter().map(|b| b.values.iter().sum()).collect();
    let expected: f64 =
        telling.iter().zip(&totals).map(|(b, total)| total * b.members as f64 / b.values.len() as f64).sum();
    let seen: f64 = telling.iter().flat_map(|b| &b.values[..b.members]).sum::<f64>() - expected;
    let start = || telling.iter().map(|b| b.values.clone()).collect::<Vec<_>>();
    Some(share_as_extreme(seen, rounds, seed, start, |dealt: &mut Vec<Vec<f64>>, random| {
        let mut sum = 0.0;
        for ((b, values), total) in telling.iter().zip(dealt).zip(&totals) {
            // The smaller group is drawn, from the order of the dealing before; the other has what is left.
            let few = b.members.min(values.len() - b.members);
            for i in 0..few {
                let j = i + random.below(values.len() - i);
                values.swap(i, j);
            }
            let drawn: f64 = values[..few].iter().sum();
            sum += if few == b.members { drawn } else { total - drawn };
        }
        sum - expected
    }))
}

/// One cluster of one label: (stratum, members, events or sum of values) in each stratum where it has some.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    /// Whether it belongs to the segment.
    pub segment: bool,
    /// Stratum, members and sum.
    pub strata: Vec<(usize, f64, f64)>,
}

/// Two-sided permutation p with whole clusters dealt; none with fewer than two clusters on a side.
pub fn permute_clusters(clusters: &[Whole], rounds: u64, seed: u64) -> Option<f64> {
    let ours = clusters.iter().filter(|c| c.segment).count();
    if ours < 2 || clusters.len() - ours < 2 {
        return None;
    }
    let strata = clusters.iter().flat_map(|c| &c.strata).map(|s| s.0 + 1).max().unwrap_or(0);
    let sums = |members: &mut dyn Iterator<Item = usize>| {
        let mut sums = vec![(0.0, 0.0); strata];
        for i in members {
            for (stratum, n, sum) in &clusters[i].strata {
                sums[*stratum].0 += n;
                sums[*stratum].1 += sum;
            }
        }
        sums
    };
    let total = sums(&mut (0..clusters.len()));
    let gap = |ours: &[(f64, f64)]| {
        ours.iter().zip(&total).filter(|(_, t)| t.0 > 0.0).map(|(s, t)| s.1 - s.0 * t.1 / t.0).sum::<f64>()
    };
    let seen = gap(&sums(&mut (0..clusters.len()).filter(|&i| clusters[i].segment)));
    let start = || (0..clusters.len()).collect::<Vec<usize>>();
    Some(share_as_extreme(seen, rounds, seed, start, |order: &mut Vec<usize>, random| {
        for i in 0..ours {
            let j = i + random.below(order.len() - i);
            order.swap(i, j);
        }
        gap(&sums(&mut order[..ours].iter().copied()))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_table_is_fishers_test() {
        // [[3, 1], [1, 3]]: |a − 2| ≥ 1 has probability 34/70.
        let block = Block { members: 4, events: 3, all: 8, all_events: 4 };
        let p = permute_within(&[block], 100_000, 1).unwrap();
        assert!((p - 34.0 / 70.0).abs() < 0.006, "{p}");
        let none = Block { members: 4, events: 0, all: 8, all_events: 0 };
        assert_eq!(permute_within(&[none], 100, 1), None);
    }

    #[test]
    fn dealt_events_have_the_right_mean_on_every_margin() {
        for (m, e) in [(3, 40), (40, 3), (97, 40), (40, 97), (50, 50)] {
            let b = Block { members: m, events: 0, all: 100, all_events: e };
            let mut random = SplitMix::new(5);
            let mean = (0..20_000).map(|_| b.deal(&mut random)).sum::<u64>() as f64 / 20_000.0;
            assert!((mean - b.expected()).abs() < 0.08, "{m} {e}: {mean}");
        }
    }

    #[test]
    fn the_chunks_have_streams_of_their_own() {
        let draws = |chunk| {
            let mut r = stream(0, chunk);
            (0..200).map(|_| r.next_u64()).collect::<Vec<_>>()
        };
        let (a, b) = (draws(0), draws(1));
        assert!(a.iter().all(|x| !b.contains(x)), "one chunk repeats another");
    }

    #[test]
    fn a_separated_table_is_judged_exactly() {
        // 0 of 5 against 4 of 5: C(5,4) / C(10,4) on one side.
        let block = Block { members: 5, events: 0, all: 10, all_events: 4 };
        assert!((separated_p(&[block]).unwrap() - 2.0 * 5.0 / 210.0).abs() < 1e-12);
        assert_eq!(separated_p(&[Block { members: 5, events: 1, all: 10, all_events: 4 }]), None);
    }

    #[test]
    fn large_margins_keep_mean_and_spread() {
        let b = Block { members: 40_000, events: 0, all: 100_000, all_events: 20_000 };
        let mut random = SplitMix::new(5);
        let draws: Vec<f64> = (0..4000).map(|_| b.deal(&mut random) as f64).collect();
        let mean = draws.iter().sum::<f64>() / 4000.0;
        let sd = (draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 4000.0).sqrt();
        assert!((mean - 8000.0).abs() < 4.0 && (sd - 61.97).abs() < 2.5, "{mean} {sd}");
    }

    #[test]
    fn a_numeric_outcome_as_in_scipy() {
        // scipy.stats.permutation_test, exact: 0.0317460317.
        let values = vec![88.0, 82.0, 85.0, 90.0, 87.0, 79.0, 81.0, 80.0, 84.0];
        let p = permute_values(&[Values { values, members: 5 }], 100_000, 3).unwrap();
        assert!((p - 0.031_746_031_7).abs() < 0.002, "{p}");
    }

    #[test]
    fn two_harsh_clusters_of_ten_are_no_evidence() {
        let cluster = |segment, rate| Whole { segment, strata: vec![(0, 100.0, 100.0 * rate)] };
        let mut clusters: Vec<Whole> = (0..10).map(|i| cluster(i < 5, 0.2)).collect();
        clusters[0].strata[0].2 = 60.0;
        assert!(permute_clusters(&clusters, 2000, 1).unwrap() > 0.3);
        assert_eq!(permute_clusters(&clusters[..5], 100, 1), None);
    }
}
