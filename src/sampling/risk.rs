//! Draws in proportion to a size, without replacement and with exact inclusion probabilities: Sampford's design (1967).
//!
//! In: (id, size) streamed twice. Out: `n` units, each drawn with probability min(1, size / t).
//!
//! The first pass finds t. The second draws by Pareto's order sampling (Rosén 1997): the `n` units with the smallest u/(1−u) · (1−λ)/λ,
//! u the id's own number and λ its probability; and then accepts the draw with the probability that turns it into Sampford's (Bondesson,
//! Traat and Lundqvist 2006). Nearly every draw is accepted, else the ids get their next number. So the probabilities are exact, as Sampford's, and
//! units added to the frame leave the rest mostly as they were.

use super::keyed::{Smallest, uniform};
use super::{DesignError, Drawn, WHOLE};
use crate::findings::Severity;

/// How much a conversation calls for a reader: 1, and for each finding its severity (1, 2, 3) times (1 + u) / 2, u = 4 c (1 − c) being
/// its uncertainty, largest at the confidence c of one half; 10 at most, so that no weight is more than 10 times another.
pub fn risk_score(findings: impl IntoIterator<Item = (Severity, f64)>) -> f64 {
    let one = |(severity, confidence): (Severity, f64)| {
        let harm = match severity {
            Severity::Low => 1.0,
            Severity::Medium => 2.0,
            Severity::High => 3.0,
        };
        let c = confidence.clamp(0.0, 1.0);
        harm * (1.0 + 4.0 * c * (1.0 - c)) / 2.0
    };
    // Rounded, so that the sum over a corpus is the same in any order.
    let score = findings.into_iter().map(one).fold(1.0, |sum, x| sum + x).min(10.0);
    (score * 64.0).round() / 64.0
}

/// The first pass: sums, and the largest sizes, which may be drawn for certain.
#[derive(Debug)]
pub struct Sizes {
    n: usize,
    count: u64,
    sum: f64,
    squares: f64,
    largest: Smallest<f64>,
}

/// What the first pass found: the probability of any size.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// Units from this size on are drawn for certain.
    certain_from: f64,
    /// How many are drawn by chance, and from how many.
    chance: usize,
    among: u64,
    /// The sum of the sizes of these.
    sum: f64,
    /// Σ λ (1 − λ) over them.
    spread: f64,
    population: u64,
}

impl Sizes {
    /// For a sample of `n`.
    pub fn new(n: usize) -> Self {
        Self { n, count: 0, sum: 0.0, squares: 0.0, largest: Smallest::new(n) }
    }

    /// Takes in one unit; sizes are above 0.
    pub fn add(&mut self, id: &str, size: f64) {
        self.count += 1;
        self.sum += size;
        self.squares += size * size;
        self.largest.offer(-size, id, size);
    }

    /// The probabilities.
    ///
    /// # Errors
    /// When there are fewer units than wanted.
    pub fn finish(self) -> Result<Scale, DesignError> {
        if (self.count as usize) < self.n {
            return Err(DesignError::TooFew { size: self.n as u64, population: self.count });
        }
        let (mut sum, mut squares, mut certain) = (self.sum, self.squares, 0);
        let mut certain_from = f64::INFINITY;
        for (_, size) in self.largest.into_sorted() {
            if size * ((self.n - certain) as f64) < sum * (1.0 - 1e-12) {
                break;
            }
            certain += 1;
            sum -= size;
            squares -= size * size;
            certain_from = size;
        }
        let chance = self.n - certain;
        let ratio = if chance > 0 { chance as f64 / sum } else { 0.0 };
        let spread = chance as f64 - squares * ratio * ratio;
        Ok(Scale { certain_from, chance, among: self.count - certain as u64, sum, spread, population: self.count })
    }
}

impl Scale {
    /// The probability with which a unit of this size is drawn.
    pub fn probability(&self, size: f64) -> f64 {
        if size >= self.certain_from {
            1.0
        } else if self.chance == 0 {
            0.0
        } else {
            (self.chance as f64 * size / self.sum).min(1.0)
        }
    }
}

/// Draws that are tried in one pass.
const TRIES: usize = 4;

/// The second pass.
#[derive(Debug)]
pub struct Sampford<'a> {
    scale: &'a Scale,
    seed: u64,
    /// The number of the first draw that is tried.
    first: usize,
    certain: Vec<String>,
    /// By try the purpose of its numbers, and the draw.
    draws: Vec<(String, Smallest<f64>)>,
    integral: Integral,
}

impl<'a> Sampford<'a> {
    /// A pass that tries the draws from number `first` on (0 in the first pass).
    pub fn new(scale: &'a Scale, seed: u64, first: usize) -> Self {
        Self {
            scale,
            seed,
            first,
            certain: Vec::new(),
            draws: (first..first + TRIES).map(|i| (format!("risk {i}"), Smallest::new(scale.chance))).collect(),
            integral: Integral::new(scale),
        }
    }

    /// Takes in one unit.
    pub fn offer(&mut self, id: &str, size: f64) {
        let p = self.scale.probability(size);
        if p >= 1.0 {
            self.certain.push(id.to_owned());
            return;
        }
        if self.scale.chance == 0 {
            return;
        }
        self.integral.add(p);
        for (purpose, draw) in &mut self.draws {
            let u = uniform(self.seed, purpose, id);
            draw.offer(u / (1.0 - u) * (1.0 - p) / p, id, p);
        }
    }

    /// The first draw that is accepted; else the number from which the next pass goes on.
    pub fn finish(self) -> Result<Vec<Drawn>, usize> {
        let weigh = self.integral.finish();
        let lowest = weigh.lowest();
        for (i, (_, draw)) in self.draws.into_iter().enumerate() {
            let draw = draw.into_sorted();
            let sampford: f64 = draw.iter().map(|(_, p)| 1.0 - p).sum();
            let pareto: f64 = draw.iter().map(|(_, p)| (1.0 - p) * weigh.at(*p)).sum();
            let accepted = draw.is_empty()
                || uniform(self.seed, &format!("accept {}", self.first + i), "") < lowest * sampford / pareto;
            if accepted {
                let population = self.scale.population;
                let one = |id: String, probability: f64| Drawn {
                    id,
                    stratum: WHOLE.to_owned(),
                    probability,
                    stratum_population: population,
                };
                let certain = self.certain.into_iter().map(|id| one(id, 1.0));
                return Ok(certain.chain(draw.into_iter().map(|(id, p)| one(id, p))).collect());
            }
        }
        Err(self.first + TRIES)
    }
}

/// Pareto's probability of a set s is Π λ/(1−λ) · Σ c, both over s, with c = ∫ xⁿ⁻¹ / (1 + τx) · Π 1/(1 + τx) dx, τ = λ/(1−λ) and the product over
/// the frame. With x = eʸ and a common factor left out, c = (1−λ) h(λ) with h(λ) = ∫ g(y) / (1 + λ(eʸ − 1)) dy / ∫ g(y) dy and
/// g(y) = exp(n y − Σ log(1 + λ(eʸ − 1))), a bell around 0 with variance 1 / Σ λ(1−λ). Sampford's is the same with 1 − λ in place of c.
/// The trapezium rule over the bell is exact to rounding.
#[derive(Debug)]
struct Integral {
    /// (y, eʸ − 1, log g(y)).
    nodes: Vec<(f64, f64, f64)>,
}

impl Integral {
    fn new(scale: &Scale) -> Self {
        let n = scale.chance as f64;
        if scale.chance == 0 {
            return Self { nodes: vec![(0.0, 0.0, 0.0)] };
        }
        let width = 1.0 / scale.spread.max(1e-6).sqrt();
        let step = (0.7 * width).min(0.6);
        // Beyond the bell g falls as eⁿʸ on the left and e⁻⁽ᴺ⁻ⁿ⁾ʸ on the right.
        let left = (8.0 * width + 36.0 / n).min(60.0);
        let right = (8.0 * width + 36.0 / (scale.among as f64 - n).max(0.5)).min(60.0);
        let nodes = (-(left / step).ceil() as i64..=(right / step).ceil() as i64)
            .map(|i| {
                let y = i as f64 * step;
                (y, y.exp_m1(), n * y)
            })
            .collect();
        Self { nodes }
    }

    fn add(&mut self, p: f64) {
        for (_, x, log) in &mut self.nodes {
            *log -= (p * *x).ln_1p();
        }
    }

    fn finish(self) -> Weights {
        let top = self.nodes.iter().map(|n| n.2).fold(f64::NEG_INFINITY, f64::max);
        let g: Vec<(f64, f64)> = self.nodes.iter().map(|(_, x, log)| (*x, (log - top).exp())).collect();
        let total: f64 = g.iter().map(|(_, g)| g).sum();
        Weights { nodes: g.into_iter().map(|(x, g)| (x, g / total)).collect() }
    }
}

/// h of [`Integral`].
struct Weights {
    nodes: Vec<(f64, f64)>,
}

impl Weights {
    fn at(&self, p: f64) -> f64 {
        self.nodes.iter().map(|(x, g)| g / (1.0 + p * x)).sum()
    }

    /// Its lowest value for any probability: it is convex.
    fn lowest(&self) -> f64 {
        let (mut low, mut high) = (0.0, 1.0 - 1e-9);
        for _ in 0..100 {
            let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if self.at(a) < self.at(b) { high = b } else { low = a }
        }
        self.at(f64::midpoint(low, high)) * (1.0 - 1e-12)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(sizes: &[f64], n: usize, seed: u64) -> (Vec<Drawn>, usize) {
        let mut first = Sizes::new(n);
        sizes.iter().enumerate().for_each(|(i, x)| first.add(&i.to_string(), *x));
        let scale = first.finish().unwrap();
        let (mut from, mut passes) = (0, 1);
        loop {
            let mut second = Sampford::new(&scale, seed, from);
            sizes.iter().enumerate().for_each(|(i, x)| second.offer(&i.to_string(), *x));
            match second.finish() {
                Ok(drawn) => return (drawn, passes),
                Err(next) => (from, passes) = (next, passes + 1),
            };
        }
    }

    #[test]
    fn scores_grow_with_severity_and_uncertainty() {
        assert_eq!(risk_score([]), 1.0);
        assert_eq!(risk_score([(Severity::High, 0.5)]), 4.0);
        assert_eq!(risk_score([(Severity::High, 1.0)]), 2.5);
        assert_eq!(risk_score([(Severity::High, 0.5); 9]), 10.0);
        assert!(risk_score([(Severity::Low, 0.7)]) < risk_score([(Severity::Medium, 0.7)]));
    }

    /// Every set of the frame with its probability under Pareto's design and under Sampford's, by their definitions.
    #[test]
    fn the_accepted_draws_are_sampfords_set_by_set() {
        let p = [0.9, 0.7, 0.5, 0.4, 0.3, 0.2];
        let mut first = Sizes::new(3);
        p.iter().enumerate().for_each(|(i, x)| first.add(&i.to_string(), *x));
        let scale = first.finish().unwrap();
        assert!((scale.probability(0.9) - 0.9).abs() < 1e-15);
        let mut integral = Integral::new(&scale);
        p.iter().for_each(|p| integral.add(*p));
        let weigh = integral.finish();
        let sets: Vec<Vec<usize>> = (0_usize..64)
            .filter(|s| s.count_ones() == 3)
            .map(|s| (0..6).filter(|i| s >> i & 1 == 1).collect())
            .collect();
        let odds = |s: &[usize]| s.iter().map(|&i| p[i] / (1.0 - p[i])).product::<f64>();
        let pareto: Vec<f64> =
            sets.iter().map(|s| odds(s) * s.iter().map(|&i| (1.0 - p[i]) * weigh.at(p[i])).sum::<f64>()).collect();
        let sampford: Vec<f64> = sets.iter().map(|s| odds(s) * s.iter().map(|&i| 1.0 - p[i]).sum::<f64>()).collect();
        // Pareto's by plain integration over a fine grid of the n-th smallest key.
        let tau = |i: usize| p[i] / (1.0 - p[i]);
        let plain = |s: &[usize]| {
            let f = |x: f64| {
                let product: f64 = (0..6).map(|i| 1.0 / (1.0 + tau(i) * x)).product();
                odds(s) * x * x * product * s.iter().map(|&i| 1.0 / (1.0 + tau(i) * x)).sum::<f64>()
            };
            (0..400_000)
                .map(|k| (f64::from(k) + 0.5) * 2.5e-6)
                .map(|t| f(t / (1.0 - t)) / (1.0 - t).powi(2))
                .sum::<f64>()
                * 2.5e-6
        };
        let (total, all): (f64, f64) = (pareto.iter().sum(), sampford.iter().sum());
        for (s, weight) in sets.iter().zip(&pareto) {
            assert!((plain(s) - weight / total).abs() < 1e-7, "{s:?}");
        }
        for (i, p) in p.iter().enumerate() {
            let included: f64 = sets.iter().zip(&sampford).filter(|(s, _)| s.contains(&i)).map(|(_, w)| w / all).sum();
            assert!((included - p).abs() < 1e-12, "{included}");
        }
    }

    #[test]
    fn units_are_drawn_as_often_as_is_said() {
        let sizes: Vec<f64> = (0..12).map(|i| [1.0, 2.0, 4.0, 9.5][i % 4]).collect();
        for n in [1, 5, 9, 11] {
            let mut hits = [0_f64; 12];
            let mut said = [0_f64; 12];
            for seed in 0..4_000 {
                let (drawn, _) = draw(&sizes, n, seed);
                assert_eq!(drawn.len(), n);
                for d in drawn {
                    let i: usize = d.id.parse().unwrap();
                    hits[i] += 1.0 / 4_000.0;
                    said[i] = d.probability;
                }
            }
            // A standard error is at most 0.008.
            assert!(hits.iter().zip(&said).all(|(h, s)| (h - s).abs() < 0.032), "{n}: {hits:?} {said:?}");
            assert!((said.iter().sum::<f64>() - n as f64).abs() < 1e-12);
            assert!(n != 5 || (said[3] - 5.0 * 9.5 / 49.5).abs() < 1e-15);
        }
    }

    #[test]
    fn sizes_that_exceed_their_share_are_certain_and_the_sum_is_kept() {
        let mut sizes = vec![1.0; 100];
        sizes[7] = 500.0;
        sizes[8] = 20.0;
        let (drawn, _) = draw(&sizes, 10, 1);
        let p = |id: &str| drawn.iter().find(|d| d.id == id).map(|d| d.probability);
        assert_eq!((drawn.len(), p("7"), p("8")), (10, Some(1.0), Some(1.0)));
        assert!(drawn.iter().filter(|d| d.probability < 1.0).all(|d| (d.probability - 8.0 / 98.0).abs() < 1e-15));
        let (all, _) = draw(&[1.0, 2.0, 3.0], 3, 1);
        assert!(all.iter().all(|d| d.probability == 1.0));
        assert!(Sizes::new(4).finish().is_err());
    }

    #[test]
    fn one_pass_is_nearly_always_enough_and_additions_leave_the_rest() {
        let sizes: Vec<f64> = (0..2000).map(|i| 1.0 + f64::from(i % 7)).collect();
        let mut stayed = 0;
        for seed in 0..40 {
            let (before, passes) = draw(&sizes[..1960], 60, seed);
            assert_eq!(passes, 1);
            let (after, _) = draw(&sizes, 60, seed);
            stayed += after.iter().filter(|d| before.iter().any(|b| b.id == d.id)).count();
        }
        // Of 2,400 about 48 are new by right.
        assert!(stayed > 2250, "{stayed}");
    }
}
