//! Empirical Bayes: noisy figures of many units, each drawn towards what all of them say.

use statrs::function::erf::erfc;

use super::intervals::Z95;

/// A unit's figure, shrunken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shrunken {
    /// The estimate, in the unit of the figure.
    pub estimate: f64,
    /// Its standard error, that of the shrinking included.
    pub error: f64,
    /// The share of the way to the common mean that it was drawn, 0…1.
    pub drawn: f64,
}

impl Shrunken {
    /// The probability that the true figure lies above `level`.
    pub fn above(&self, level: f64) -> f64 {
        0.5 * erfc((level - self.estimate) / self.error / std::f64::consts::SQRT_2)
    }

    /// The same, but never drawn further than `most` standard errors from the figure (y, v) it came from: who lies far from all others is
    /// not made like them. Where that limit holds, the error is the figure's own.
    ///
    /// Limited translation (Efron and Morris 1972, *JASA* 67, 130–139).
    pub fn limited(self, (y, v): (f64, f64), most: f64) -> Self {
        let furthest = most * v.sqrt();
        if (y - self.estimate).abs() <= furthest {
            return self;
        }
        let estimate = y - furthest.copysign(y - self.estimate);
        Self { estimate, error: v.sqrt(), drawn: self.drawn }
    }

    /// The 95 % interval.
    pub fn ci(&self) -> (f64, f64) {
        (self.estimate - Z95 * self.error, self.estimate + Z95 * self.error)
    }
}

/// The fewest units: the common mean and spread are estimated from them, and with three nothing could be drawn.
pub const MIN_UNITS: usize = 5;

/// Morris's (1983) parametric empirical Bayes for figures `(y, v)`, `v` the sampling variance of `y`, above 0.
///
/// y ~ N(θ, v), θ ~ N(μ, A). A and μ are found by iteration: w = 1/(v + A), μ = Σwy/Σw, A = Σw{k/(k−1)·(y − μ)² − v}/Σw, not below 0.
/// B = (k−3)/(k−1) · v/(v + A); the estimate is y − B(y − μ), with variance v(1 − (k−1)/k·B) + 2/(k−3)·B²·(v̄ + A)/(v + A)·(y − μ)².
/// With equal variances this is Efron and Morris's (1977) estimator. None for fewer than [`MIN_UNITS`] units, or a variance that is not above 0.
pub fn shrink(figures: &[(f64, f64)]) -> Option<Vec<Shrunken>> {
    let k = figures.len() as f64;
    if figures.len() < MIN_UNITS || figures.iter().any(|(y, v)| !y.is_finite() || !v.is_finite() || *v <= 0.0) {
        return None;
    }
    let (mut a, mut mean) = (0.0_f64, 0.0);
    for _ in 0..500 {
        let weights: f64 = figures.iter().map(|(_, v)| 1.0 / (v + a)).sum();
        mean = figures.iter().map(|(y, v)| y / (v + a)).sum::<f64>() / weights;
        let spread = |(y, v): &(f64, f64)| (k / (k - 1.0) * (y - mean).powi(2) - v) / (v + a);
        let next = (figures.iter().map(spread).sum::<f64>() / weights).max(0.0);
        let done = (next - a).abs() <= 1e-13 * (1.0 + a);
        a = next;
        if done {
            break;
        }
    }
    let weights: f64 = figures.iter().map(|(_, v)| 1.0 / (v + a)).sum();
    let common = figures.iter().map(|(_, v)| v / (v + a)).sum::<f64>() / weights;
    let one = |&(y, v): &(f64, f64)| {
        let drawn = (k - 3.0) / (k - 1.0) * v / (v + a);
        let from_drawing = 2.0 / (k - 3.0) * drawn * drawn * (common + a) / (v + a) * (y - mean).powi(2);
        let variance = v * (1.0 - (k - 1.0) / k * drawn) + from_drawing;
        Shrunken { estimate: y - drawn * (y - mean), error: variance.sqrt(), drawn }
    };
    Some(figures.iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::SplitMix;

    /// Efron and Morris (1977), "Stein's paradox in statistics": hits of 18 players in their first 45 times at bat.
    #[test]
    fn the_batting_averages() {
        let hits = [18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7];
        let mean = f64::from(hits.iter().sum::<i32>()) / 18.0 / 45.0;
        let players: Vec<(f64, f64)> =
            hits.iter().map(|&h| (f64::from(h) / 45.0, mean * (1.0 - mean) / 45.0)).collect();
        let out = shrink(&players).unwrap();
        let near = |x: f64, want: f64| assert!((x - want).abs() < 1e-9, "{x} {want}");
        near(1.0 - out[0].drawn, 0.211_653_417_1);
        near(out[0].estimate, 0.293_913_854_9);
        near(out[17].estimate, 0.242_176_352_9);
        near(out[0].above(out[0].ci().0), 0.975);
    }

    #[test]
    fn who_lies_far_out_is_not_made_like_the_rest() {
        let mut figures = vec![(0.0, 0.01); 30];
        figures[0].0 = 0.5;
        let out = shrink(&figures).unwrap();
        assert!(out[0].estimate < 0.3, "{:?}", out[0]);
        let limited = out[0].limited(figures[0], 1.5);
        assert!((limited.estimate - 0.35).abs() < 1e-12 && (limited.error - 0.1).abs() < 1e-12);
        assert_eq!(out[1].limited(figures[1], 1.5), out[1]);
    }

    #[test]
    fn too_few_units_or_no_variance_give_nothing() {
        assert!(shrink(&[(0.1, 0.01); 4]).is_none());
        assert!(shrink(&[(0.1, 0.0); 9]).is_none());
        let same = shrink(&[(0.3, 0.01); 9]).unwrap();
        assert!(same.iter().all(|s| (s.estimate - 0.3).abs() < 1e-12 && s.error.is_finite()));
    }

    /// Agents with rates of their own and few cases: 95 % intervals hold the true rate about as often as they say.
    #[test]
    fn intervals_cover() {
        let mut random = SplitMix::new(11);
        let (mut held, mut all) = (0, 0);
        for _ in 0..200 {
            let mut truth = Vec::new();
            let figures: Vec<(f64, f64)> = (0..20)
                .map(|i| {
                    let rate = 0.15 + 0.1 * (random.below(1000) as f64 / 1000.0);
                    let n = 15 + 5 * (i % 6);
                    let events = (0..n).filter(|_| (random.below(1_000_000) as f64) < rate * 1e6).count();
                    truth.push(rate);
                    (events as f64 / n as f64, 0.2 * 0.8 / n as f64)
                })
                .collect();
            for (s, t) in shrink(&figures).unwrap().iter().zip(truth) {
                all += 1;
                held += usize::from(s.ci().0 <= t && t <= s.ci().1);
            }
        }
        let share = held as f64 / all as f64;
        assert!((0.93..=0.995).contains(&share), "{share}");
    }
}
