//! Estimates from a sample whose inclusion probabilities are known. In: for each unit of the sample its stratum, its probability and what
//! people and the program said. Out: totals, ratios and corrected rates with design-based errors.
//!
//! The target is the finite population that was drawn from. Every estimate carries its linearised values (Woodruff 1971, Deville 1999): the
//! variance of an estimate is that of the Horvitz-Thompson total of these.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::prevalence::{interval_of_the_corrected, rogan_gladen};

/// The design of a sample: by unit its stratum and its inclusion probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    stratum: Vec<usize>,
    weight: Vec<f64>,
    strata: usize,
}

/// An estimate with the linearised value of each unit of the sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// By unit.
    pub linear: Vec<f64>,
}

impl Design {
    /// By unit the stratum's number, from 0, and the probability, above 0 up to 1. Units of one stratum may differ in it.
    pub fn new(stratum: Vec<usize>, probability: &[f64]) -> Self {
        let strata = stratum.iter().max().map_or(0, |s| s + 1);
        Self { stratum, weight: probability.iter().map(|p| 1.0 / p).collect(), strata }
    }

    /// The sampling weight of each unit: how many units of the population it stands for.
    pub fn weights(&self) -> &[f64] {
        &self.weight
    }

    /// The total of Horvitz and Thompson (1952): Σ z / π.
    pub fn total(&self, z: &[f64]) -> f64 {
        z.iter().zip(&self.weight).map(|(z, w)| z * w).sum()
    }

    /// The estimated covariance of two Horvitz-Thompson totals: in each stratum Σ c (x/π − x̄)(z/π − z̄) with c = (1 − π) n / (n − 1) over its n
    /// units with π < 1, and x̄, z̄ the means weighted by c (Hájek 1964; Deville 1999). With equal probabilities it is the textbook's
    /// N² (1 − n/N) s² / n; with unequal ones it fits designs of high entropy, as Sampford's is. A stratum with one such unit is held against
    /// the mean of all. None where only one unit was drawn by chance.
    pub fn covariance(&self, x: &[f64], z: &[f64]) -> Option<f64> {
        let chance = |i: &usize| self.weight[*i] > 1.0;
        let share = |i: usize| 1.0 - 1.0 / self.weight[i];
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.strata];
        (0..self.weight.len()).filter(chance).for_each(|i| members[self.stratum[i]].push(i));
        let all: usize = members.iter().map(Vec::len).sum();
        if all == 1 {
            return None;
        }
        let mean = |units: &[usize], v: &[f64]| {
            let total: f64 = units.iter().map(|&i| share(i)).sum();
            units.iter().map(|&i| share(i) * v[i] * self.weight[i]).sum::<f64>() / total
        };
        let everyone: Vec<usize> = members.iter().flatten().copied().collect();
        let mut out = 0.0;
        for units in members.iter().filter(|u| !u.is_empty()) {
            let lone = units.len() == 1;
            let centre = if lone { &everyone } else { units };
            let (mx, mz) = (mean(centre, x), mean(centre, z));
            let factor = if lone { 1.0 } else { units.len() as f64 / (units.len() - 1) as f64 };
            out += units
                .iter()
                .map(|&i| factor * share(i) * (x[i] * self.weight[i] - mx) * (z[i] * self.weight[i] - mz))
                .sum::<f64>();
        }
        Some(out)
    }

    /// The standard error of an estimate.
    pub fn error(&self, estimate: &Estimate) -> Option<f64> {
        self.covariance(&estimate.linear, &estimate.linear).map(|v| v.max(0.0).sqrt())
    }

    /// Units drawn by chance less their strata, at least 1.
    pub fn freedom(&self) -> f64 {
        let mut seen = vec![false; self.strata];
        let chance: Vec<usize> = (0..self.weight.len()).filter(|&i| self.weight[i] > 1.0).collect();
        chance.iter().for_each(|&i| seen[self.stratum[i]] = true);
        let strata = seen.iter().filter(|s| **s).count();
        chance.len().saturating_sub(strata).max(1) as f64
    }

    /// The effective number of units behind the variance of an estimate, less one: (Σ d)² / Σ d² − 1 over the units' parts d of it
    /// (Satterthwaite 1946, with the parts as components); from 1 to [`Design::freedom`]. An error that rests on a few heavy units is itself
    /// uncertain, and Student's t on so many degrees says how much.
    pub fn effective_freedom(&self, estimate: &Estimate) -> f64 {
        let share = |i: usize| 1.0 - 1.0 / self.weight[i];
        let value = |i: usize| estimate.linear[i] * self.weight[i];
        let mut sums = vec![(0.0, 0.0); self.strata];
        for (i, stratum) in self.stratum.iter().enumerate() {
            let s: &mut (f64, f64) = &mut sums[*stratum];
            *s = (s.0 + share(i), s.1 + share(i) * value(i));
        }
        let parts = self.stratum.iter().enumerate().filter(|(_, s)| sums[**s].0 > 0.0);
        let parts = parts.map(|(i, s)| share(i) * (value(i) - sums[*s].1 / sums[*s].0).powi(2));
        let (two, four) = parts.fold((0.0, 0.0), |(two, four), d| (two + d, four + d * d));
        if four > 0.0 { (two * two / four - 1.0).clamp(1.0, self.freedom()) } else { self.freedom() }
    }

    /// The 95 % interval by the estimate's error and Student's t with `freedom` degrees. It may leave 0…1.
    pub fn interval(&self, estimate: &Estimate, freedom: f64) -> Option<(f64, f64)> {
        let half = quantile(freedom) * self.error(estimate)?;
        Some((estimate.value - half, estimate.value + half))
    }

    /// The 95 % interval of a share: Wilson's with the effective sample size p(1−p)/v and Student's t (Dean and Pagano 2015). `among` is the
    /// share's denominator by unit: where p is 0 or 1 or v is 0, the effective size is Kish's, (Σ w a)² / Σ (w a)².
    pub fn share_interval(&self, estimate: &Estimate, among: &[f64], freedom: f64) -> Option<(f64, f64)> {
        let certain = (0..among.len()).all(|i| among[i] == 0.0 || self.weight[i] <= 1.0);
        let p = estimate.value.clamp(0.0, 1.0);
        if certain {
            return Some((p, p));
        }
        let variance = self.error(estimate)?.powi(2);
        let n = self.cases(p, variance, among);
        let t2 = quantile(freedom).powi(2);
        let centre = (p + t2 / (2.0 * n)) / (1.0 + t2 / n);
        let half = (t2 * (p * (1.0 - p) / n + t2 / (4.0 * n * n))).sqrt() / (1.0 + t2 / n);
        (n > 0.0).then(|| ((centre - half).max(0.0), (centre + half).min(1.0)))
    }

    /// As many independent cases as would give this variance.
    fn cases(&self, p: f64, variance: f64, among: &[f64]) -> f64 {
        let cases = p * (1.0 - p) / variance;
        if cases.is_finite() && cases > 0.0 { cases } else { self.kish(among) }
    }

    /// Kish's effective number of units (1965).
    fn kish(&self, among: &[f64]) -> f64 {
        let squares: f64 = among.iter().zip(&self.weight).map(|(a, w)| (a * w).powi(2)).sum();
        if squares > 0.0 { self.total(among).powi(2) / squares } else { 0.0 }
    }

    /// Hájek's ratio (1971) of two totals, Σ w y / Σ w a; none where the lower one is 0.
    pub fn ratio(&self, y: &[f64], a: &[f64]) -> Option<Estimate> {
        let among = self.total(a);
        if among <= 0.0 {
            return None;
        }
        let value = self.total(y) / among;
        Some(Estimate { value, linear: y.iter().zip(a).map(|(y, a)| (y - value * a) / among).collect() })
    }

    /// Horvitz and Thompson's total over a known number of units.
    pub fn mean(&self, y: &[f64], population: f64) -> Option<Estimate> {
        (population > 0.0)
            .then(|| Estimate { value: self.total(y) / population, linear: y.iter().map(|y| y / population).collect() })
    }
}

/// Effective degrees of freedom below which an error is hardly seen.
const FEW: f64 = 4.0;

/// The 97.5 % point of Student's t.
fn quantile(freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(super::intervals::Z95, |t| t.inverse_cdf(0.975))
}

/// What people and the program said of the units of a sample, and what the program said of the whole population.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// People: whether it is so, 0…1 by unit, and whether the question applies.
    pub people: (Vec<f64>, Vec<f64>),
    /// The program: the same.
    pub program: (Vec<f64>, Vec<f64>),
    /// The program's totals over the population: it is so, it applies.
    pub totals: (f64, f64),
    /// By unit 1 where it belongs to the population asked about, which may be a part of the frame.
    pub inside: Vec<f64>,
    /// How many units that population has.
    pub population: f64,
}

/// A rate from few labels and the program's answers everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Powered {
    /// The estimate.
    pub estimate: Estimate,
    /// How much the program's answers count, 0 (not at all) … 1.
    pub lambda: f64,
}

/// How often the program is right where people say it is so, and where they say it is not.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Of what is so, the share that the program says.
    pub sensitivity: Estimate,
    /// Of what is not so, the share that the program leaves.
    pub specificity: Estimate,
}

impl Answers {
    /// The same, asked of all units whether or not the question applies: where it does not, it is not so.
    pub fn of_all(&self) -> Self {
        Self {
            people: (self.people.0.clone(), self.inside.clone()),
            program: (self.program.0.clone(), self.inside.clone()),
            totals: (self.totals.0, self.population),
            ..self.clone()
        }
    }

    /// PPI++ (Angelopoulos, Duchi and Zrnic 2023) for the rate Σ y / Σ a under a design: the root of
    /// Σ w (ψ − λ ψ̂) over the sample + λ Σ ψ̂ over the population = 0, with ψ = y − R a of the people and ψ̂ the same of the program.
    /// `lambda` none: tuned, cov(ψ, ψ̂) / var ψ̂ under the design at Hájek's R, kept in 0…1. None where nothing applies.
    pub fn powered(&self, design: &Design, lambda: Option<f64>) -> Option<Powered> {
        let ((y, a), (f, g)) = (&self.people, &self.program);
        let start = design.ratio(y, a)?.value;
        let score = |y: &[f64], a: &[f64]| -> Vec<f64> { y.iter().zip(a).map(|(y, a)| y - start * a).collect() };
        let (people, program) = (score(y, a), score(f, g));
        let lambda = match lambda {
            Some(given) => given,
            None => {
                let variance = design.covariance(&program, &program)?;
                let covariance = design.covariance(&people, &program)?;
                if variance > 0.0 { (covariance / variance).clamp(0.0, 1.0) } else { 0.0 }
            }
        };
        let less = |y: &[f64], f: &[f64]| -> Vec<f64> { y.iter().zip(f).map(|(y, f)| y - lambda * f).collect() };
        let (top, bottom) = (less(y, f), less(a, g));
        let among = design.total(&bottom) + lambda * self.totals.1;
        if among <= 0.0 {
            return None;
        }
        let value = (design.total(&top) + lambda * self.totals.0) / among;
        let linear = top.iter().zip(&bottom).map(|(t, b)| (t - value * b) / among).collect();
        Some(Powered { estimate: Estimate { value, linear }, lambda })
    }

    /// The 95 % interval of a rate by PPI++: Student's t on the effective degrees of its error. Where the program and people differ in a few units of
    /// the sample, or in none, the error is hardly seen, and those degrees ask for an interval of any width; but λ is chosen so that the estimate is
    /// no less sure than the sample alone, so the interval is then at most as wide as the sample's.
    pub fn powered_interval(&self, design: &Design, powered: &Powered) -> Option<(f64, f64)> {
        let estimate = &powered.estimate;
        let freedom = design.effective_freedom(estimate);
        let seen = if design.error(estimate)? > 0.0 { design.interval(estimate, freedom) } else { None };
        if seen.is_some() && freedom >= FEW {
            return seen;
        }
        let alone = design.ratio(&self.people.0, &self.people.1)?;
        let alone = Estimate { value: estimate.value, ..alone };
        let of_sample = design.share_interval(&alone, &self.people.1, design.freedom());
        let width = |(low, high): &(f64, f64)| high - low;
        [seen, of_sample].into_iter().flatten().min_by(|a, b| width(a).total_cmp(&width(b)))
    }

    /// Sensitivity and specificity over all units asked about: a question that does not apply is not so. None where people found only one kind.
    pub fn trial(&self, design: &Design) -> Option<Trial> {
        self.trial_of(design, &self.people.0, &self.program.0)
    }

    fn trial_of(&self, design: &Design, people: &[f64], program: &[f64]) -> Option<Trial> {
        let product = |x: &[f64], z: &[f64]| -> Vec<f64> { x.iter().zip(z).map(|(x, z)| x * z).collect() };
        let not = |x: &[f64]| -> Vec<f64> { x.iter().zip(&self.inside).map(|(x, inside)| inside - x).collect() };
        Some(Trial {
            sensitivity: design.ratio(&product(people, program), people)?,
            specificity: design.ratio(&product(&not(people), &not(program)), &not(people))?,
        })
    }

    /// Of what the program says is so, the share that people say too.
    pub fn precision(&self, design: &Design) -> Option<Estimate> {
        let both: Vec<f64> = self.people.0.iter().zip(&self.program.0).map(|(y, f)| y * f).collect();
        design.ratio(&both, &self.program.0)
    }

    /// Rogan and Gladen's rate (1978) with the errors of the labelled sample: that of how often it is so, over that of how often it
    /// applies. Where people found that it always applies, the latter is 1. None where the program does no better than chance.
    pub fn corrected(&self, design: &Design) -> Option<Estimate> {
        let so = self.corrected_share(design, &self.people.0, &self.program.0, self.totals.0)?;
        let applies = &self.people.1;
        if applies.iter().zip(&self.inside).all(|(a, inside)| a == inside) {
            return Some(so);
        }
        let among = self.corrected_share(design, applies, &self.program.1, self.totals.1)?;
        (among.value > 0.0).then(|| {
            let value = so.value / among.value;
            let linear = so.linear.iter().zip(&among.linear).map(|(s, a)| (s - value * a) / among.value).collect();
            Estimate { value, linear }
        })
    }

    fn corrected_share(&self, design: &Design, people: &[f64], program: &[f64], total: f64) -> Option<Estimate> {
        let t = self.trial_of(design, people, program)?;
        let (se, sp) = (t.sensitivity.value, t.specificity.value);
        let value = rogan_gladen(total / self.population, se, sp)?;
        let j = se + sp - 1.0;
        let (by_se, by_sp) = (-value / j, (1.0 - value) / j);
        let pairs = t.sensitivity.linear.iter().zip(&t.specificity.linear);
        Some(Estimate { value, linear: pairs.map(|(s, p)| by_se * s + by_sp * p).collect() })
    }

    /// Lang and Reiczigel's interval (2014) of the corrected share of all units, inside 0…1. The program's own rate has no error, as it judged
    /// every unit; sensitivity and specificity count as so many cases as would give their errors under the design.
    pub fn corrected_interval(&self, design: &Design) -> Option<(f64, f64)> {
        let t = self.trial(design)?;
        let people = &self.people.0;
        let not: Vec<f64> = people.iter().zip(&self.inside).map(|(y, inside)| inside - y).collect();
        let tried = |estimate: &Estimate, among: &[f64]| {
            let variance = design.error(estimate).unwrap_or(0.0).powi(2);
            (estimate.value, design.cases(estimate.value, variance, among))
        };
        let (se, sp) = (tried(&t.sensitivity, people), tried(&t.specificity, &not));
        interval_of_the_corrected(self.totals.0 / self.population, None, se, sp)
    }
}

#[cfg(test)]
mod tests {
    use super::super::SplitMix;
    use super::super::prevalence::{Judge, correct, ppi};
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-8, "{a} is not {b}");
    }

    /// One population of which `answers` is asked, all units in it.
    fn asked(y: &[f64], f: &[f64], totals: f64, population: f64) -> Answers {
        let ones = vec![1.0; y.len()];
        Answers {
            people: (y.to_vec(), ones.clone()),
            program: (f.to_vec(), ones.clone()),
            totals: (totals, population),
            inside: ones,
            population,
        }
    }

    #[test]
    fn totals_and_ratios_by_hand() {
        let d = Design::new(vec![0, 0, 0], &[0.5, 0.25, 0.2]);
        let y = [10.0, 20.0, 35.0];
        near(d.total(&y), 275.0);
        near(d.ratio(&y, &[1.0; 3]).unwrap().value, 25.0);
        assert_eq!(d.ratio(&y, &[0.0; 3]), None);
        assert_eq!(Design::new(vec![0], &[0.5]).covariance(&[1.0], &[1.0]), None);
        assert_eq!(Design::new(vec![0, 0], &[1.0, 1.0]).covariance(&[1.0, 2.0], &[1.0, 2.0]), Some(0.0));
    }

    #[test]
    fn equal_weights_give_the_textbooks_estimates() {
        let mut r = SplitMix::new(5);
        let mut bits = |n: usize, p: usize| (0..n).map(|_| f64::from(u8::from(r.below(100) < p))).collect::<Vec<f64>>();
        let (y, mut f) = (bits(120, 40), bits(120, 50));
        f[..100].copy_from_slice(&y[..100]);
        let count = |want: (f64, f64)| y.iter().zip(&f).filter(|(y, f)| (**y, **f) == want).count() as u64;
        let judge = Judge {
            found: count((1.0, 1.0)),
            positives: count((1.0, 1.0)) + count((1.0, 0.0)),
            passed: count((0.0, 0.0)),
            negatives: count((0.0, 0.0)) + count((0.0, 1.0)),
        };
        // So small a share of the population that its being finite does not show.
        let d = Design::new(vec![0; 120], &[1e-7; 120]);
        let a = asked(&y, &f, 520e6, 1200e6);
        let (ours, theirs) = (a.corrected(&d).unwrap(), correct(520_000_000, 1_200_000_000, judge).unwrap());
        near(ours.value, theirs.rate);
        let ci = a.corrected_interval(&d).unwrap();
        // Errors over n − 1 in place of n.
        assert!((ci.0 - theirs.ci.0).abs() < 2e-3 && (ci.1 - theirs.ci.1).abs() < 2e-3, "{ci:?} {:?}", theirs.ci);
    }

    #[test]
    fn a_simple_sample_gives_the_estimate_of_ppi() {
        let bits = |s: &str| s.bytes().map(|b| f64::from(b - b'0')).collect::<Vec<f64>>();
        let (y, f) = (bits("10010010001000010000"), bits("10110010000010010000"));
        let elsewhere = bits(&"1000100101".repeat(20));
        let d = Design::new(vec![0; 20], &[20.0 / 220.0; 20]);
        let a = asked(&y, &f, f.iter().sum::<f64>() + elsewhere.iter().sum::<f64>(), 220.0);
        // There λ counts the rest of the population, here all of it.
        for lambda in [0.0, 0.3, 0.475_095_453, 0.9] {
            let want = ppi(&y, &f, &elsewhere, Some(lambda)).unwrap().rate;
            near(a.powered(&d, Some(lambda * 1.1)).unwrap().estimate.value, want);
        }
        let tuned = a.powered(&d, None).unwrap();
        assert!(tuned.lambda > 0.5 && tuned.lambda < 0.6);
        assert!(d.error(&tuned.estimate) < d.error(&d.ratio(&y, &a.inside).unwrap()));
    }

    #[test]
    fn one_difference_makes_no_interval_wider_than_the_sample_s() {
        let d = Design::new(vec![0; 32], &[0.36; 32]);
        let all = vec![1.0; 32];
        let y: Vec<f64> = (0..32).map(|i| f64::from(i % 4 == 0)).collect();
        let mut f = y.clone();
        f[1] = 1.0;
        let a = Answers {
            people: (y.clone(), all.clone()),
            program: (f, all.clone()),
            totals: (25.0, 89.0),
            inside: all.clone(),
            population: 89.0,
        };
        let powered = a.powered(&d, None).unwrap();
        assert!(d.effective_freedom(&powered.estimate) < FEW);
        let (low, high) = a.powered_interval(&d, &powered).unwrap();
        let alone = Estimate { value: powered.estimate.value, ..d.ratio(&y, &all).unwrap() };
        let of_sample = d.share_interval(&alone, &all, d.freedom()).unwrap();
        assert!(low > 0.0 && high - low <= of_sample.1 - of_sample.0, "{low} {high} {of_sample:?}");
    }

    #[test]
    fn shares_at_the_edge_keep_an_interval() {
        let d = Design::new(vec![0; 40], &[0.1; 40]);
        let none = d.ratio(&[0.0; 40], &[1.0; 40]).unwrap();
        let (low, high) = d.share_interval(&none, &[1.0; 40], d.freedom()).unwrap();
        assert!(low == 0.0 && high > 0.05 && high < 0.12, "{high}");
        let census = Design::new(vec![0; 4], &[1.0; 4]);
        let half = census.ratio(&[1.0, 1.0, 0.0, 0.0], &[1.0; 4]).unwrap();
        assert_eq!(census.share_interval(&half, &[1.0; 4], 1.0), Some((0.5, 0.5)));
    }
}
