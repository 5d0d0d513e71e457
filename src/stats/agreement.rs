//! How far reviewers agree, beyond chance.

use std::collections::BTreeMap;

use super::intervals::Z95;

/// How far apart two values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// The same or not.
    Nominal,
    /// Ranks.
    Ordinal,
    /// Numbers, by their difference.
    Interval,
    /// Numbers, by their difference over their sum.
    Ratio,
}

/// How often each pair of values was given to one unit: all that alpha needs, whatever the number of units.
#[derive(Debug, Clone)]
pub struct Coincidences {
    values: Vec<f64>,
    pairs: BTreeMap<(usize, usize), f64>,
    totals: Vec<f64>,
}

impl Coincidences {
    /// None yet; `values` in rising order.
    pub fn new(values: Vec<f64>) -> Self {
        Self { totals: vec![0.0; values.len()], values, pairs: BTreeMap::new() }
    }

    /// Adds `times` units to which each value was given so many times: (place of the value, count). Units with fewer than two say nothing.
    pub fn add(&mut self, counts: &[(usize, f64)], times: f64) {
        let m: f64 = counts.iter().map(|(_, n)| n).sum();
        if m < 2.0 || times <= 0.0 {
            return;
        }
        for &(a, na) in counts {
            self.totals[a] += times * na;
            for &(b, nb) in counts {
                let ordered = if a == b { na * (na - 1.0) } else { na * nb };
                *self.pairs.entry((a, b)).or_default() += times * ordered / (m - 1.0);
            }
        }
    }

    /// Krippendorff's alpha (2011): 1 − observed over expected disagreement; none where all values are the same or no unit has two.
    pub fn alpha(&self, scale: Scale) -> Option<f64> {
        let n: f64 = self.totals.iter().sum();
        let distance = |a: usize, b: usize| distance(scale, &self.values, &self.totals, a, b);
        let observed: f64 = self.pairs.iter().map(|((a, b), o)| o * distance(*a, *b)).sum();
        let places = 0..self.values.len();
        let pairs = places.clone().flat_map(|a| places.clone().map(move |b| (a, b)));
        let expected: f64 = pairs.map(|(a, b)| self.totals[a] * self.totals[b] * distance(a, b)).sum();
        (expected > 0.0).then(|| 1.0 - (n - 1.0) * observed / expected)
    }
}

/// Krippendorff's alpha of `units`, each with the values given to it by whoever gave one.
pub fn krippendorff(units: &[Vec<f64>], scale: Scale) -> Option<f64> {
    let mut values: Vec<f64> = units.iter().filter(|u| u.len() > 1).flatten().copied().collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let mut all = Coincidences::new(values.clone());
    for unit in units {
        let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
        unit.iter().for_each(|v| *counts.entry(values.partition_point(|x| x < v)).or_default() += 1.0);
        all.add(&counts.into_iter().collect::<Vec<_>>(), 1.0);
    }
    all.alpha(scale)
}

fn distance(scale: Scale, values: &[f64], totals: &[f64], a: usize, b: usize) -> f64 {
    if a == b {
        return 0.0;
    }
    let (low, high) = (a.min(b), a.max(b));
    match scale {
        Scale::Nominal => 1.0,
        Scale::Ordinal => (totals[low..=high].iter().sum::<f64>() - f64::midpoint(totals[low], totals[high])).powi(2),
        Scale::Interval => (values[a] - values[b]).powi(2),
        Scale::Ratio => ((values[a] - values[b]) / (values[a] + values[b])).powi(2),
    }
}

/// A kappa with its large-sample error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kappa {
    /// The coefficient.
    pub kappa: f64,
    /// Its standard error (Fleiss, Cohen and Everitt 1969).
    pub error: f64,
    /// 95 % interval.
    pub ci: (f64, f64),
}

/// Cohen's kappa (1960) of two raters from their table, `k` × `k`, row by row; none where chance alone agrees fully.
pub fn cohen(table: &[u64], k: usize) -> Option<Kappa> {
    let n: f64 = table.iter().map(|c| *c as f64).sum();
    let p = |i: usize, j: usize| table[i * k + j] as f64 / n;
    let row: Vec<f64> = (0..k).map(|i| (0..k).map(|j| p(i, j)).sum()).collect();
    let column: Vec<f64> = (0..k).map(|j| (0..k).map(|i| p(i, j)).sum()).collect();
    let observed: f64 = (0..k).map(|i| p(i, i)).sum();
    let chance: f64 = row.iter().zip(&column).map(|(r, c)| r * c).sum();
    if n <= 0.0 || chance >= 1.0 {
        return None;
    }
    let kappa = (observed - chance) / (1.0 - chance);
    let a: f64 = (0..k).map(|i| p(i, i) * (1.0 - (row[i] + column[i]) * (1.0 - kappa)).powi(2)).sum();
    let b: f64 = (0..k)
        .flat_map(|i| (0..k).map(move |j| (i, j)))
        .filter(|(i, j)| i != j)
        .map(|(i, j)| p(i, j) * (column[i] + row[j]).powi(2))
        .sum();
    let c = (kappa - chance * (1.0 - kappa)).powi(2);
    let error = ((a + (1.0 - kappa).powi(2) * b - c).max(0.0) / n).sqrt() / (1.0 - chance);
    Some(Kappa { kappa, error, ci: (kappa - Z95 * error, kappa + Z95 * error) })
}

/// Fleiss' kappa (1971): `units` holds how often each value was given, the same number of times in every unit.
pub fn fleiss(units: &[Vec<u64>]) -> Option<f64> {
    let raters = units.first()?.iter().sum::<u64>() as f64;
    let n = units.len() as f64;
    let values = units.first()?.len();
    let share = |j: usize| units.iter().map(|u| u[j] as f64).sum::<f64>() / (n * raters);
    let chance: f64 = (0..values).map(|j| share(j).powi(2)).sum();
    let observed = units
        .iter()
        .map(|u| (u.iter().map(|c| (*c as f64).powi(2)).sum::<f64>() - raters) / (raters * (raters - 1.0)))
        .sum::<f64>()
        / n;
    (raters > 1.0 && chance < 1.0).then(|| (observed - chance) / (1.0 - chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: Option<f64>, b: f64) {
        let a = a.unwrap();
        assert!((a - b).abs() < 1e-8, "{a} is not {b}");
    }

    fn units(rows: &[&str]) -> Vec<Vec<f64>> {
        let rows: Vec<Vec<Option<f64>>> = rows.iter().map(|r| r.split(',').map(|v| v.parse().ok()).collect()).collect();
        (0..rows[0].len()).map(|i| rows.iter().filter_map(|r| r[i]).collect()).collect()
    }

    #[test]
    fn krippendorffs_examples() {
        let c = units(&[
            "1,2,3,3,2,1,4,1,2,_,_,_",
            "1,2,3,3,2,2,4,1,2,5,_,3",
            "_,3,3,3,2,3,4,2,2,5,1,_",
            "1,2,3,3,2,4,4,1,2,5,1,_",
        ]);
        near(krippendorff(&c, Scale::Nominal), 0.743_421_052_632);
        near(krippendorff(&c, Scale::Ordinal), 0.815_387_503_755);
        near(krippendorff(&c, Scale::Interval), 0.849_107_142_857);
        near(krippendorff(&c, Scale::Ratio), 0.797_402_774_712);
        let w =
            units(&["_,_,_,_,_,3,4,1,2,1,1,3,3,_,3", "1,_,2,1,3,3,4,3,_,_,_,_,_,_,_", "_,_,2,1,3,4,4,_,2,1,1,3,3,_,4"]);
        near(krippendorff(&w, Scale::Nominal), 0.691_358_024_691);
        near(krippendorff(&w, Scale::Interval), 0.810_844_892_812);
        near(krippendorff(&w, Scale::Ordinal), 0.806_721_419_942);
        near(krippendorff(&w, Scale::Ratio), 0.808_943_670_784);
        assert_eq!(krippendorff(&[vec![1.0], vec![2.0]], Scale::Nominal), None);
        assert_eq!(krippendorff(&[vec![1.0, 1.0]], Scale::Nominal), None);
    }

    #[test]
    fn cohen_and_fleiss() {
        let k = cohen(&[0, 4, 1, 0, 8, 0, 0, 1, 5], 3).unwrap();
        near(Some(k.kappa), 0.484_162_895_9);
        near(Some(k.error), 0.138_013_578_3);
        near(Some(k.ci.0), 0.213_661_253_1);
        let wikipedia = [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ]
        .map(Vec::from);
        near(fleiss(&wikipedia), 0.209_930_704_4);
        assert_eq!(cohen(&[0, 0, 0, 0], 2), None);
    }
}
