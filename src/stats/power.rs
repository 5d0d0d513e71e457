//! How large a difference would have been seen.

use statrs::distribution::{ContinuousCDF, Normal};

use super::intervals::Z95;

/// The power of the two-sided 5 % test of two shares with `n1` and `n2` members: the normal approximation of R's
/// `power.prop.test`, with the pooled variance under no difference; the far tail is left out as there.
pub fn power_of_shares(p1: f64, p2: f64, n1: f64, n2: f64) -> f64 {
    let pooled = (n1 * p1 + n2 * p2) / (n1 + n2);
    let under_none = (pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2)).sqrt();
    let under_gap = (p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2).sqrt();
    if under_gap <= 0.0 {
        return if (p1 - p2).abs() > Z95 * under_none { 1.0 } else { 0.0 };
    }
    Normal::standard().cdf(((p1 - p2).abs() - Z95 * under_none) / under_gap)
}

/// The smallest rise above the share `p` of the reference (`n2`) that a group of `n1` would show with 80 % power.
///
/// `deflation` divides both sizes: the design effect of clusters, 1 without them. None where even a share of 1 would not show.
pub fn detectable(p: f64, n1: f64, n2: f64, deflation: f64) -> Option<f64> {
    let (n1, n2) = (n1 / deflation, n2 / deflation);
    if n1 < 1.0 || n2 < 1.0 || power_of_shares(1.0, p, n1, n2) < 0.8 {
        return None;
    }
    let (mut low, mut high) = (p, 1.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if power_of_shares(middle, p, n1, n2) < 0.8 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high - p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_rs_power_prop_test() {
        assert!((power_of_shares(0.75, 0.5, 50.0, 50.0) - 0.740_165_901_3).abs() < 1e-8);
        assert!((detectable(0.65, 200.0, 200.0, 1.0).unwrap() - (0.776_337_582_7 - 0.65)).abs() < 1e-8);
        assert!(detectable(0.65, 400.0, 400.0, 2.0).unwrap() - (0.776_337_582_7 - 0.65) < 1e-8);
        assert!(detectable(0.9, 5.0, 5.0, 1.0).is_none());
        assert!(detectable(0.0, 0.0, 5.0, 1.0).is_none());
    }
}
