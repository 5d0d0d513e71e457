//! Rank tests: whether one group's values tend to be larger, whatever their shape.

use super::tables::chi_p;

/// The rank test of van Elteren (1960): Wilcoxon's rank sums within strata, weighted by 1 / (n + 1). With one stratum it is
/// the Mann-Whitney test, with the correction for ties and without one for continuity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankTest {
    /// Standardised statistic; above 0 where the first group's values are the larger.
    pub z: f64,
    /// Two-sided p.
    pub p: f64,
}

/// Tests two groups over strata, each `(first group, second group)`; none where all values are the same.
pub fn van_elteren(strata: &[(Vec<f64>, Vec<f64>)]) -> Option<RankTest> {
    let (mut gap, mut variance) = (0.0, 0.0);
    for (first, second) in strata.iter().filter(|(a, b)| !a.is_empty() && !b.is_empty()) {
        let (m, n) = (first.len() as f64, (first.len() + second.len()) as f64);
        let mut all: Vec<(f64, bool)> =
            first.iter().map(|v| (*v, true)).chain(second.iter().map(|v| (*v, false))).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0.0);
        for same in all.chunk_by(|a, b| a.0 == b.0) {
            let size = same.len() as f64;
            let rank = at + (size + 1.0) / 2.0;
            ranks += rank * same.iter().filter(|(_, first)| *first).count() as f64;
            ties += size * size * size - size;
            at += size;
        }
        let weight = 1.0 / (n + 1.0);
        gap += weight * (ranks - m * (n + 1.0) / 2.0);
        variance += weight * weight * m * (n - m) / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    }
    if variance <= 0.0 {
        return None;
    }
    let z = gap / variance.sqrt();
    Some(RankTest { z, p: chi_p(z * z, 1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stratum_is_mann_whitney() {
        // scipy.stats.mannwhitneyu(a, b, use_continuity=False, method="asymptotic")
        let a = vec![1.0, 2.0, 2.0, 5.0, 7.0, 9.0];
        let b = vec![2.0, 3.0, 3.0, 4.0, 1.0];
        let t = van_elteren(&[(a.clone(), b.clone())]).unwrap();
        assert!((t.p - MANN_WHITNEY_P).abs() < 1e-8, "{t:?}");
        let same = van_elteren(&[(a.clone(), b.clone()), (b, a)]).unwrap();
        assert!(same.z.abs() < 0.05 * t.z.abs().max(1.0), "{same:?}");
        assert_eq!(van_elteren(&[(vec![1.0, 1.0], vec![1.0])]), None);
    }

    const MANN_WHITNEY_P: f64 = 0.517_045_876_274_033_9;
}
