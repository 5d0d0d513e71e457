//! Intervals for a share, and for the difference and ratio of two.

/// Two-sided 95 % point of the standard normal distribution.
pub const Z95: f64 = 1.959_963_984_540_054;

/// The 95 % interval of Wilson (1927) for `events` of `n`; (0, 1) where `n` is 0.
///
/// The score interval, without continuity correction: `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)`.
pub fn wilson(events: u64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (n as f64, events as f64 / n as f64);
    let z2 = Z95 * Z95;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// The 95 % interval of Newcombe (1998, method 10) for the difference of two shares, from their Wilson intervals.
///
/// `√((p₁ − l₁)² + (u₂ − p₂)²)` below `p₁ − p₂`, `√((u₁ − p₁)² + (p₂ − l₂)²)` above; (−1, 1) where a group is empty.
pub fn newcombe((e1, n1): (u64, u64), (e2, n2): (u64, u64)) -> (f64, f64) {
    if n1 == 0 || n2 == 0 {
        return (-1.0, 1.0);
    }
    let (p1, p2) = (e1 as f64 / n1 as f64, e2 as f64 / n2 as f64);
    let ((l1, u1), (l2, u2)) = (wilson(e1, n1), wilson(e2, n2));
    (p1 - p2 - (p1 - l1).hypot(u2 - p2), p1 - p2 + (u1 - p1).hypot(p2 - l2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_r_and_statsmodels() {
        // R's binom.confint(method = "wilson") and statsmodels' proportion_confint(method = "wilson").
        for (events, n, low, high) in [
            (19, 38, 0.348_499_283_643_951, 0.651_500_716_356_049),
            (0, 77, 0.0, 0.047_518_425_3),
            (3, 3, 0.438_502_968_2, 1.0),
            (1, 10, 0.017_876_213_1, 0.404_150_026_8),
        ] {
            let (l, h) = wilson(events, n);
            assert!((l - low).abs() < 1e-8 && (h - high).abs() < 1e-8, "{events}/{n}: {l} {h}");
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn newcombes_example() {
        let (low, high) = newcombe((56, 70), (48, 80));
        assert!((low - 0.052_431_472_5).abs() < 1e-8 && (high - 0.333_872_654_0).abs() < 1e-8, "{low} {high}");
        assert_eq!(newcombe((0, 0), (1, 2)), (-1.0, 1.0));
    }
}
