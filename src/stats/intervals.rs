//! Intervals for a share.

/// Two-sided 95 % point of the standard normal distribution.
const Z95: f64 = 1.959_963_984_540_054;

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
}
