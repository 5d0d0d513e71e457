//! Exact binomial probabilities, and the limits of a funnel plot made of them.

use statrs::distribution::{Binomial, DiscreteCDF};

/// P(X ≤ `events`) for X ~ Binomial(`n`, `p`); `p` is taken into 0…1.
pub fn at_most(events: u64, n: u64, p: f64) -> f64 {
    Binomial::new(p.clamp(0.0, 1.0), n).map_or(1.0, |b| b.cdf(events))
}

/// P(X ≥ `events`): the one-sided p-value of "more than expected".
pub fn at_least(events: u64, n: u64, p: f64) -> f64 {
    if events == 0 { 1.0 } else { (1.0 - at_most(events - 1, n, p)).max(0.0) }
}

/// The share of `n` cases below which a unit with the true rate `p0` falls with probability `tail`, inside 0…1.
///
/// Spiegelhalter's (2005) interpolation between the exact binomial steps: r is the smallest count with P(X ≤ r) > tail, and the limit is
/// (r − α)/n with α = (P(X ≤ r) − tail)/P(X = r). 0 to 1 for `n` = 0.
pub fn limit(n: u64, p0: f64, tail: f64) -> f64 {
    if n == 0 {
        return if tail < 0.5 { 0.0 } else { 1.0 };
    }
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if at_most(middle, n, p0) > tail { high = middle } else { low = middle + 1 }
    }
    let upper = at_most(low, n, p0);
    let lower = if low == 0 { 0.0 } else { at_most(low - 1, n, p0) };
    let part = if upper > lower { (upper - tail) / (upper - lower) } else { 0.0 };
    ((low as f64 - part) / n as f64).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paper's formula, worked out for p0 = 0.2 and n = 100.
    #[test]
    fn exact_limits() {
        for (tail, want) in [(0.001, 0.080_978), (0.025, 0.119_742), (0.975, 0.276_476), (0.999, 0.326_766)] {
            assert!((limit(100, 0.2, tail) - want).abs() < 1e-6, "{tail}: {}", limit(100, 0.2, tail));
        }
        assert_eq!(limit(20, 0.2, 0.001), 0.0, "below nothing is nothing");
        assert_eq!((limit(0, 0.2, 0.025), limit(0, 0.2, 0.975)), (0.0, 1.0));
        assert!([0.0, 1.0].iter().all(|&p| (0.0..=1.0).contains(&limit(30, p, 0.975))));
    }

    #[test]
    fn tails() {
        // 1 − 0.5⁵ and 6/32.
        assert!((at_least(1, 5, 0.5) - 0.968_75).abs() < 1e-12);
        assert!((at_most(1, 5, 0.5) - 0.187_5).abs() < 1e-12);
        assert_eq!(at_least(0, 5, 0.5), 1.0);
    }
}
