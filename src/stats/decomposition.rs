//! Mix, routing or treatment: which part of a gap comes from what a segment asks for, which from who serves it, and which from
//! how the same person serves both.

use super::bootstrap::percentile_interval;
use super::intervals::Z95;

/// Cases of one cluster (an agent) in one stratum: how many, and the sum of the outcome (events, where it is 0/1).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Served {
    /// The stratum.
    pub stratum: usize,
    /// The cluster.
    pub cluster: usize,
    /// Cases of the segment.
    pub n: f64,
    /// Their outcome's sum.
    pub sum: f64,
    /// Cases of the reference.
    pub reference_n: f64,
    /// Their outcome's sum.
    pub reference_sum: f64,
}

impl Served {
    fn both(&self) -> bool {
        self.n > 0.0 && self.reference_n > 0.0
    }

    /// The segment's mean and the reference's; who served one group only is taken to have treated the other the same.
    fn means(&self) -> (f64, f64) {
        let own = if self.n > 0.0 { self.sum / self.n } else { self.reference_sum / self.reference_n };
        let other = if self.reference_n > 0.0 { self.reference_sum / self.reference_n } else { own };
        (own, other)
    }
}

/// One part of a gap with its 95 % interval, clusters resampled whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The part.
    pub value: f64,
    /// Its interval.
    pub ci: (f64, f64),
}

/// A raw gap in three parts that add up to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parts {
    /// The segment's mean less the reference's.
    pub gap: f64,
    /// What comes from another mix of strata.
    pub mix: Part,
    /// What comes from other clusters serving the same strata.
    pub routing: Part,
    /// What comes from the same clusters treating the two differently in the same stratum; none where none serves both.
    pub treatment: Option<Part>,
    /// The share of the segment's cases at clusters that serve both in the stratum: what the treatment rests on.
    pub shared: f64,
}

/// Kitagawa's decomposition (1955), symmetric, over stratum and cluster; none where a group is empty.
///
/// Treatment is Σ (wₛ + wᵣ)/2 · (pₛ − pᵣ) over the cells. What is left, Σ (wₛ − wᵣ)(pₛ + pᵣ)/2, is split in the same way into
/// the mix of strata and, inside them, the clusters.
pub fn decompose(served: &[Served], clusters: usize, replicates: usize, seed: u64) -> Option<Parts> {
    let (gap, mix, routing, treatment) = parts(served, |_| 1.0)?;
    let mut times = vec![0.0; clusters];
    let mut draws: [Vec<f64>; 3] = Default::default();
    // The interval's own function gives the resamples; the three parts are kept beside it.
    percentile_interval(clusters, replicates, seed, |drawn| {
        times.iter_mut().for_each(|t| *t = 0.0);
        drawn.iter().for_each(|&c| times[c] += 1.0);
        let (_, m, r, t) = parts(served, |c| times[c]).unwrap_or((gap, mix, routing, treatment));
        draws.iter_mut().zip([m, r, t]).for_each(|(d, v)| d.push(v));
        m
    });
    let [m, r, t] = draws.map(interval);
    let segment: f64 = served.iter().map(|s| s.n).sum();
    let shared = served.iter().filter(|s| s.both()).map(|s| s.n).sum::<f64>() / segment;
    Some(Parts {
        gap,
        mix: Part { value: mix, ci: m },
        routing: Part { value: routing, ci: r },
        treatment: (shared > 0.0).then_some(Part { value: treatment, ci: t }),
        shared,
    })
}

fn interval(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at =
        |share: f64| values.get(((values.len().max(1) - 1) as f64 * share).round() as usize).copied().unwrap_or(0.0);
    (at(0.025), at(0.975))
}

/// Gap, mix, routing and treatment with each cluster counted `times` times.
fn parts(served: &[Served], times: impl Fn(usize) -> f64) -> Option<(f64, f64, f64, f64)> {
    let strata = served.iter().map(|s| s.stratum + 1).max()?;
    // By stratum: cases of segment and reference.
    let mut sizes = vec![(0.0, 0.0); strata];
    let (mut n, mut rn, mut sum, mut rsum) = (0.0, 0.0, 0.0, 0.0);
    for s in served {
        let t = times(s.cluster);
        sizes[s.stratum].0 += t * s.n;
        sizes[s.stratum].1 += t * s.reference_n;
        n += t * s.n;
        rn += t * s.reference_n;
        sum += t * s.sum;
        rsum += t * s.reference_sum;
    }
    if n <= 0.0 || rn <= 0.0 {
        return None;
    }
    let (mut treatment, mut rest) = (0.0, 0.0);
    // By stratum: the mean over its clusters, weighted as the two groups are, averaged.
    let mut level = vec![0.0; strata];
    for s in served.iter().filter(|s| s.n + s.reference_n > 0.0) {
        let t = times(s.cluster);
        let (w, wr) = (t * s.n / n, t * s.reference_n / rn);
        let (own, other) = s.means();
        treatment += f64::midpoint(w, wr) * (own - other);
        rest += (w - wr) * f64::midpoint(own, other);
        let (size, rsize) = sizes[s.stratum];
        let inside = match (size > 0.0, rsize > 0.0) {
            (true, true) => f64::midpoint(t * s.n / size, t * s.reference_n / rsize),
            (true, false) => t * s.n / size,
            (false, true) => t * s.reference_n / rsize,
            (false, false) => 0.0,
        };
        level[s.stratum] += inside * f64::midpoint(own, other);
    }
    let mix: f64 = sizes.iter().zip(&level).map(|((size, rsize), level)| (size / n - rsize / rn) * level).sum();
    Some((sum / n - rsum / rn, mix, rest - mix, treatment))
}

/// What is left of a difference when chance is taken off it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shrunken {
    /// The estimate, drawn towards the mean of all.
    pub estimate: f64,
    /// 95 % interval.
    pub ci: (f64, f64),
}

/// Empirical Bayes for differences with known variances: drawn towards their mean by variance / (variance + τ²), with τ² by
/// DerSimonian and Laird (1986). In the order given; a difference without a finite variance gets the mean.
pub fn shrink(differences: &[(f64, f64)]) -> Vec<Shrunken> {
    let known: Vec<(f64, f64)> = differences.iter().copied().filter(|(_, v)| v.is_finite() && *v > 0.0).collect();
    let sum = |power: i32| known.iter().map(|(_, v)| v.powi(-power)).sum::<f64>();
    let (w1, w2) = (sum(1), sum(2));
    if w1 <= 0.0 {
        return differences.iter().map(|_| Shrunken { estimate: 0.0, ci: (0.0, 0.0) }).collect();
    }
    let fixed = known.iter().map(|(d, v)| d / v).sum::<f64>() / w1;
    let q = known.iter().map(|(d, v)| (d - fixed).powi(2) / v).sum::<f64>();
    let tau2 = ((q - (known.len() as f64 - 1.0)) / (w1 - w2 / w1)).max(0.0);
    let tau2 = if tau2.is_finite() { tau2 } else { 0.0 };
    let weight = known.iter().map(|(_, v)| 1.0 / (v + tau2)).sum::<f64>();
    let mean = known.iter().map(|(d, v)| d / (v + tau2)).sum::<f64>() / weight;
    differences
        .iter()
        .map(|&(d, v)| {
            let trust = if v.is_finite() && v > 0.0 { tau2 / (tau2 + v) } else { 0.0 };
            let estimate = mean + trust * (d - mean);
            let spread = if trust > 0.0 { trust * v } else { tau2 };
            // The mean is itself an estimate.
            let half = Z95 * (spread + (1.0 - trust).powi(2) / weight).sqrt();
            Shrunken { estimate, ci: (estimate - half, estimate + half) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(stratum: usize, cluster: usize, n: f64, rate: f64, reference_n: f64, reference_rate: f64) -> Served {
        Served { stratum, cluster, n, sum: n * rate, reference_n, reference_sum: reference_n * reference_rate }
    }

    #[test]
    fn a_harsh_agent_who_serves_one_segment_is_routing() {
        let p = decompose(&[cell(0, 0, 90.0, 0.5, 10.0, 0.5), cell(0, 1, 10.0, 0.1, 90.0, 0.1)], 2, 200, 1).unwrap();
        assert!((p.gap - 0.32).abs() < 1e-12 && (p.routing.value - 0.32).abs() < 1e-12 && p.mix.value.abs() < 1e-12);
        assert!(p.treatment.unwrap().value.abs() < 1e-12 && p.shared == 1.0);
    }

    #[test]
    fn the_same_mix_treated_differently_is_treatment() {
        let agents: Vec<Served> = (0..20).map(|i| cell(0, i, 50.0, 0.3, 50.0, 0.2)).collect();
        let p = decompose(&agents, 20, 200, 1).unwrap();
        assert!((p.treatment.unwrap().value - 0.1).abs() < 1e-12 && p.routing.value.abs() < 1e-12);
        assert!(decompose(&[cell(0, 0, 5.0, 0.5, 0.0, 0.0)], 1, 10, 1).is_none());
    }

    #[test]
    fn harder_issues_inside_every_agent_are_mix() {
        // Each agent treats both alike; the segment brings the harder issue.
        let cells: Vec<Served> =
            (0..10).flat_map(|a| [cell(0, a, 10.0, 0.1, 40.0, 0.1), cell(1, a, 40.0, 0.6, 10.0, 0.6)]).collect();
        let p = decompose(&cells, 10, 200, 1).unwrap();
        assert!((p.mix.value - p.gap).abs() < 1e-12 && p.routing.value.abs() < 1e-12);
        assert!(p.treatment.unwrap().value.abs() < 1e-12);
    }

    #[test]
    fn nothing_is_said_of_treatment_where_nobody_serves_both() {
        let p = decompose(&[cell(0, 0, 50.0, 0.4, 0.0, 0.0), cell(0, 1, 0.0, 0.0, 100.0, 0.2)], 2, 50, 1).unwrap();
        assert!(p.treatment.is_none() && (p.routing.value - p.gap).abs() < 1e-12 && p.shared == 0.0);
    }

    #[test]
    fn noise_is_drawn_together_and_a_real_difference_stays() {
        let noise: Vec<(f64, f64)> = (0..20).map(|i| (f64::from(i % 3 - 1) * 0.05, 0.01)).collect();
        assert!(shrink(&noise).iter().all(|s| s.estimate.abs() < 0.01 && s.ci.0 < 0.0));
        let mut one = noise;
        one[0] = (0.9, 0.01);
        let s = shrink(&one);
        assert!(s[0].estimate > 0.4 && s[0].ci.0 > 0.0, "{:?}", s[0]);
    }
}
