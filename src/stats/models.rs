//! Regression on grouped rows: logistic (also with Firth's penalty) and linear, with cluster-robust covariance.
//!
//! Rows with the same columns and the same cluster are one cell, so that the cost depends on how many different ones there
//! are and not on how many rows.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::matrix::{Square, dot};

/// Rows of a regression, grouped.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    /// Columns of the model, the intercept included.
    pub k: usize,
    /// `k` values a cell.
    pub x: Vec<f64>,
    /// The cluster of each cell, 0 … `clusters` − 1; without clusters, each row is its own and the values are not read.
    pub cluster: Vec<usize>,
    /// Rows in each cell.
    pub n: Vec<f64>,
    /// The sum of the outcome over a cell's rows: its events, where it is 0/1.
    pub sum: Vec<f64>,
    /// The sum of the squared outcome over a cell's rows: the events again, where it is 0/1.
    pub squares: Vec<f64>,
    /// How many clusters there are; 0 where rows are independent.
    pub clusters: usize,
}

impl Cells {
    fn row(&self, cell: usize) -> &[f64] {
        &self.x[cell * self.k..(cell + 1) * self.k]
    }

    fn len(&self) -> usize {
        self.n.len()
    }

    /// The sum of squared residuals of a cell's rows.
    fn scatter(&self, cell: usize, mean: f64) -> f64 {
        (self.squares[cell] - 2.0 * mean * self.sum[cell] + self.n[cell] * mean * mean).max(0.0)
    }
}

/// The kind of outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// 0/1; coefficients are log odds ratios.
    Logistic,
    /// 0/1 with Firth's penalty (1993): finite where a group has no event, or nothing but events.
    Firth,
    /// A number; coefficients are differences of means.
    Linear,
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Coefficients.
    pub beta: Vec<f64>,
    /// The inverse of Xᵀ W X.
    pub bread: Square,
    /// Fitted means by cell.
    pub mean: Vec<f64>,
    /// Weights W by cell: n μ (1 − μ), or n.
    pub weight: Vec<f64>,
    /// What the bread is multiplied with to be the model's own covariance: 1, or the residuals' variance.
    pub scale: f64,
}

/// Why a model has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoFit {
    /// A column is a mixture of others, or there are no rows.
    Dependent,
    /// Some coefficient grows without bound: the outcome is the same throughout a group.
    Separated,
}

/// How the covariance treats clusters. Every kind is a sandwich `B (Σ s sᵀ) B` over the clusters' summed scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Robust {
    /// As it is (Liang and Zeger 1986).
    Cr0,
    /// Times G / (G − 1): R's `vcovCL(cadjust = TRUE, type = "HC0")`.
    Cr1,
    /// Times G / (G − 1) · (n − 1) / (n − k): Stata, statsmodels.
    Cr1Small,
    /// Each cluster's score scaled by (I − H)^(−1/2) (Bell and McCaffrey 2002): unbiased under the working model.
    Cr2,
}

const STEPS: usize = 60;

/// Fits a model.
///
/// # Errors
/// [`NoFit`] where the columns depend on each other or, without a penalty, the groups are separated.
pub fn fit(cells: &Cells, family: Family) -> Result<Fit, NoFit> {
    if family == Family::Linear {
        return linear(cells);
    }
    let firth = family == Family::Firth;
    let mut beta = vec![0.0; cells.k];
    let mut state = logistic_state(cells, &beta)?;
    for _ in 0..STEPS {
        let score = logistic_score(cells, &state, firth);
        let mut step = state.bread.times(&score);
        // Firth's steps are shortened, as in R's logistf, for the penalty has no exact second derivative here.
        let longest = step.iter().fold(0.0_f64, |a, s| a.max(s.abs()));
        if longest > 5.0 {
            step.iter_mut().for_each(|s| *s *= 5.0 / longest);
        }
        beta.iter_mut().zip(&step).for_each(|(b, s)| *b += s);
        if beta.iter().any(|b| b.abs() > 40.0) {
            return Err(NoFit::Separated);
        }
        state = match logistic_state(cells, &beta) {
            Ok(state) => state,
            Err(_) => return Err(NoFit::Separated),
        };
        if longest < 1e-10 {
            // Where a group is all events or none the likelihood is flat long before it is at its top.
            let flat = !firth && state.mean.iter().any(|m| *m < 1e-9 || *m > 1.0 - 1e-9);
            return if flat { Err(NoFit::Separated) } else { Ok(state) };
        }
    }
    if firth { Ok(state) } else { Err(NoFit::Separated) }
}

fn logistic_state(cells: &Cells, beta: &[f64]) -> Result<Fit, NoFit> {
    let mean: Vec<f64> = (0..cells.len()).map(|i| 1.0 / (1.0 + (-dot(cells.row(i), beta)).exp())).collect();
    let weight: Vec<f64> = mean.iter().zip(&cells.n).map(|(m, n)| n * m * (1.0 - m)).collect();
    let bread = information(cells, &weight).inverse().ok_or(NoFit::Dependent)?;
    Ok(Fit { beta: beta.to_vec(), bread, mean, weight, scale: 1.0 })
}

fn information(cells: &Cells, weight: &[f64]) -> Square {
    let mut out = Square::zero(cells.k);
    weight.iter().enumerate().for_each(|(i, w)| out.add_outer(cells.row(i), *w));
    out
}

/// The score, with Firth's half leverage towards one half where asked for.
fn logistic_score(cells: &Cells, fit: &Fit, firth: bool) -> Vec<f64> {
    let mut score = vec![0.0; cells.k];
    for i in 0..cells.len() {
        let row = cells.row(i);
        let mut residual = cells.sum[i] - cells.n[i] * fit.mean[i];
        if firth {
            residual += fit.weight[i] * dot(row, &fit.bread.times(row)) * (0.5 - fit.mean[i]);
        }
        score.iter_mut().zip(row).for_each(|(s, x)| *s += x * residual);
    }
    score
}

fn linear(cells: &Cells) -> Result<Fit, NoFit> {
    let bread = information(cells, &cells.n).inverse().ok_or(NoFit::Dependent)?;
    let mut xy = vec![0.0; cells.k];
    for i in 0..cells.len() {
        xy.iter_mut().zip(cells.row(i)).for_each(|(s, x)| *s += x * cells.sum[i]);
    }
    let beta = bread.times(&xy);
    let mean: Vec<f64> = (0..cells.len()).map(|i| dot(cells.row(i), &beta)).collect();
    let left = (cells.n.iter().sum::<f64>() - cells.k as f64).max(1.0);
    let scale = mean.iter().enumerate().map(|(i, m)| cells.scatter(i, *m)).sum::<f64>() / left;
    Ok(Fit { beta, bread, mean, weight: cells.n.clone(), scale })
}

/// The robust covariance of the coefficients, `k` × `k`. Without clusters it is that of White (1980), times n / (n − k).
pub fn covariance(cells: &Cells, fit: &Fit, kind: Robust) -> Square {
    let (k, n) = (cells.k, cells.n.iter().sum::<f64>());
    let mut meat = Square::zero(k);
    if cells.clusters == 0 {
        (0..cells.len()).for_each(|i| meat.add_outer(cells.row(i), cells.scatter(i, fit.mean[i])));
        return sandwich(&fit.bread, &meat, n / (n - k as f64));
    }
    let mut scores = cluster_scores(cells, fit);
    if kind == Robust::Cr2 {
        scale_scores(cells, fit, &mut scores);
    }
    scores.iter().for_each(|s| meat.add_outer(s, 1.0));
    let g = present(cells) as f64;
    let factor = match kind {
        Robust::Cr0 | Robust::Cr2 => 1.0,
        Robust::Cr1 => g / (g - 1.0),
        Robust::Cr1Small => g / (g - 1.0) * (n - 1.0) / (n - k as f64),
    };
    sandwich(&fit.bread, &meat, factor)
}

/// The variance of a coefficient: the cluster-robust one, but never below half the model's own. A few clusters that happen to
/// agree are no proof of precision.
pub fn variance(cells: &Cells, fit: &Fit, coefficient: usize) -> f64 {
    // The scaling of CR2 is 1 to within 1 / G, and costs an eigenvalue problem for each cluster.
    let kind = if cells.clusters == 0 || present(cells) <= 500 { Robust::Cr2 } else { Robust::Cr1 };
    let robust = covariance(cells, fit, kind).at(coefficient, coefficient);
    if cells.clusters == 0 { robust } else { robust.max(0.5 * fit.scale * fit.bread.at(coefficient, coefficient)) }
}

fn sandwich(bread: &Square, meat: &Square, factor: f64) -> Square {
    let mut out = bread.product(meat).product(bread);
    out.values.iter_mut().for_each(|v| *v *= factor);
    out
}

/// Σ x (y − μ) by cluster.
fn cluster_scores(cells: &Cells, fit: &Fit) -> Vec<Vec<f64>> {
    let mut scores = vec![vec![0.0; cells.k]; cells.clusters];
    for i in 0..cells.len() {
        let residual = cells.sum[i] - cells.n[i] * fit.mean[i];
        scores[cells.cluster[i]].iter_mut().zip(cells.row(i)).for_each(|(s, x)| *s += x * residual);
    }
    scores
}

/// Clusters that have rows.
pub fn present(cells: &Cells) -> usize {
    let mut seen = vec![false; cells.clusters];
    cells.cluster.iter().for_each(|&c| seen[c] = true);
    seen.into_iter().filter(|s| *s).count()
}

/// Multiplies each cluster's score by (I − M B)^(−1/2), with M the cluster's own information and B the bread.
///
/// This is the k × k form of the n × n scaling of Bell and McCaffrey: Xᵀ W^½ (I − W^½ X B Xᵀ W^½)^(−½) = (I − M B)^(−½) Xᵀ W^½.
/// A direction that one cluster settles alone has eigenvalue 1; there the score is 0 and is left as it is.
fn scale_scores(cells: &Cells, fit: &Fit, scores: &mut [Vec<f64>]) {
    let k = cells.k;
    let Some(l) = fit.bread.cholesky() else { return };
    let lt = l.transposed();
    for group in by_cluster(cells).chunk_by(|a, b| cells.cluster[*a] == cells.cluster[*b]) {
        let score = &mut scores[cells.cluster[group[0]]];
        let (values, vectors) = lt.product(&own_information(cells, fit, group)).product(&l).eigen();
        // u = Lᵀ s; Q (1 − λ)^(−½) Qᵀ u; back by L⁻ᵀ.
        let u = lt.times(score);
        let mut scaled = vec![0.0; k];
        for (n, value) in values.iter().enumerate() {
            let column: Vec<f64> = (0..k).map(|i| vectors.at(i, n)).collect();
            let rest = 1.0 - value;
            let factor = if rest > 1e-9 { dot(&column, &u) / rest.sqrt() } else { dot(&column, &u) };
            scaled.iter_mut().zip(&column).for_each(|(s, c)| *s += factor * c);
        }
        for i in (0..k).rev() {
            scaled[i] = (scaled[i] - (i + 1..k).map(|j| l.at(j, i) * scaled[j]).sum::<f64>()) / l.at(i, i);
        }
        *score = scaled;
    }
}

/// The cells in order of their clusters.
fn by_cluster(cells: &Cells) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by_key(|&i| cells.cluster[i]);
    order
}

/// Σ w x xᵀ over some cells.
fn own_information(cells: &Cells, fit: &Fit, group: &[usize]) -> Square {
    let mut own = Square::zero(cells.k);
    group.iter().for_each(|&i| own.add_outer(cells.row(i), fit.weight[i]));
    own
}

/// The effective number of clusters for one coefficient (Carter, Schnepel and Steigerwald 2017): (Σ γ)² / Σ γ² over the
/// clusters' parts γ in that coefficient's variance, with the rows of a cluster correlated as their residuals are.
///
/// Equal to the number of clusters where all weigh the same, near 1 where one of them settles it.
pub fn effective_clusters(cells: &Cells, fit: &Fit, coefficient: usize) -> f64 {
    let unit: Vec<f64> = (0..cells.k).map(|i| fit.bread.at(i, coefficient)).collect();
    let rho = correlation(cells, fit);
    let (mut single, mut summed) = (vec![0.0; cells.clusters], vec![0.0; cells.clusters]);
    for i in 0..cells.len() {
        let influence = dot(cells.row(i), &unit);
        let spread = fit.weight[i] / cells.n[i];
        single[cells.cluster[i]] += fit.weight[i] * influence * influence;
        summed[cells.cluster[i]] += cells.n[i] * spread.sqrt() * influence;
    }
    let parts = single.iter().zip(&summed).map(|(one, all)| (1.0 - rho) * one + rho * all * all);
    let (sum, squares) = parts.fold((0.0, 0.0), |(s, q), part| (s + part, q + part * part));
    if squares > 0.0 { sum * sum / squares } else { 1.0 }
}

/// The intraclass correlation of the standardised residuals, by moments, in 0…1.
fn correlation(cells: &Cells, fit: &Fit) -> f64 {
    let (mut sums, mut squares, mut sizes) = (vec![0.0; cells.clusters], 0.0, vec![0.0; cells.clusters]);
    for i in 0..cells.len() {
        let scale = (fit.weight[i] / cells.n[i]).sqrt().max(1e-12);
        sums[cells.cluster[i]] += (cells.sum[i] - cells.n[i] * fit.mean[i]) / scale;
        squares += cells.scatter(i, fit.mean[i]) / (scale * scale);
        sizes[cells.cluster[i]] += cells.n[i];
    }
    let n: f64 = sizes.iter().sum();
    let pairs: f64 = sizes.iter().map(|s| s * (s - 1.0)).sum();
    let together = sums.iter().map(|s| s * s).sum::<f64>() - squares;
    if pairs > 0.0 && squares > 0.0 { (together / pairs / (squares / n)).clamp(0.0, 1.0) } else { 0.0 }
}

/// One coefficient when each cluster in turn is left out, by one Newton step from the full fit: (estimate, standard error), with
/// the score sandwich of the clusters that stay, times G / (G − 1); none where no fit is left.
///
/// Only the 60 clusters that move the coefficient most are tried: no other can turn the result.
pub fn leave_one_out(cells: &Cells, fit: &Fit, coefficient: usize) -> Vec<Option<(f64, f64)>> {
    let scores = cluster_scores(cells, fit);
    let Some(whole) = fit.bread.inverse() else { return vec![None] };
    let unit: Vec<f64> = (0..cells.k).map(|i| fit.bread.at(i, coefficient)).collect();
    let mut meat = Square::zero(cells.k);
    scores.iter().for_each(|s| meat.add_outer(s, 1.0));
    let order = by_cluster(cells);
    let mut groups: Vec<&[usize]> = order.chunk_by(|a, b| cells.cluster[*a] == cells.cluster[*b]).collect();
    let g = groups.len() as f64 - 1.0;
    let moves = |group: &&[usize]| dot(&unit, &scores[cells.cluster[group[0]]]).abs();
    groups.sort_by(|a, b| moves(b).total_cmp(&moves(a)));
    groups
        .into_iter()
        .take(60)
        .map(|group| {
            let score = &scores[cells.cluster[group[0]]];
            let own = own_information(cells, fit, group);
            let mut rest = whole.clone();
            rest.values.iter_mut().zip(&own.values).for_each(|(r, o)| *r -= o);
            let bread = rest.inverse()?;
            let column: Vec<f64> = (0..cells.k).map(|i| bread.at(i, coefficient)).collect();
            let robust = (dot(&column, &meat.times(&column)) - dot(&column, score).powi(2)) * g / (g - 1.0);
            let variance = robust.max(0.5 * fit.scale * bread.at(coefficient, coefficient));
            (variance > 0.0).then(|| (fit.beta[coefficient] - dot(&column, score), variance.sqrt()))
        })
        .collect()
}

/// Two-sided p of Student's t.
pub fn t_p(t: f64, freedom: f64) -> f64 {
    if freedom > NEARLY_NORMAL {
        return 2.0 * Normal::standard().sf(t.abs());
    }
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |d| 2.0 * d.sf(t.abs()))
}

/// The point of Student's t below which a share `p` lies, for `p` above one half.
pub fn t_point(p: f64, freedom: f64) -> f64 {
    let z = Normal::standard().inverse_cdf(p);
    if freedom > 1e4 {
        // The next term of the expansion is below 1e-8.
        return z + (z.powi(3) + z) / (4.0 * freedom);
    }
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::MAX, |d| d.inverse_cdf(p))
}

/// Degrees of freedom beyond which t and the normal distribution are the same to 1e-9.
const NEARLY_NORMAL: f64 = 1e9;

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Cells {
        let digits = |s: &str| s.chars().map(|c| f64::from(c.to_digit(10).unwrap())).collect::<Vec<f64>>();
        let x = ["0011", "0111", "0001", "0101", "1100", "1010"];
        let y = ["0111", "0110", "0011", "1101", "0100", "1010"];
        let mut cells = Cells { k: 2, clusters: 6, ..Cells::default() };
        for g in 0..6 {
            for (x, y) in digits(x[g]).iter().zip(digits(y[g])) {
                cells.x.extend([1.0, *x]);
                cells.cluster.push(g);
                cells.n.push(1.0);
                cells.sum.push(y);
                cells.squares.push(y);
            }
        }
        cells
    }

    fn errors(cells: &Cells, fit: &Fit, kind: Robust) -> [f64; 2] {
        let v = covariance(cells, fit, kind);
        [v.at(0, 0).sqrt(), v.at(1, 1).sqrt()]
    }

    #[test]
    fn logistic_and_its_cluster_errors_agree_with_statsmodels() {
        let cells = tiny();
        let fit = fit(&cells, Family::Logistic).unwrap();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        near(fit.beta[0], -(3.0_f64.ln()));
        near(fit.beta[1], 15.0_f64.ln());
        near(fit.bread.at(0, 0).sqrt(), 0.666_666_666_7);
        near(fit.bread.at(1, 1).sqrt(), 1.021_980_647_8);
        for (kind, a, b) in [
            (Robust::Cr0, 0.471_404_520_8, 0.496_655_480_9),
            (Robust::Cr1, 0.516_397_779_5, 0.544_058_820_3),
            (Robust::Cr1Small, 0.528_003_673_1, 0.556_286_388_0),
        ] {
            let [x, y] = errors(&cells, &fit, kind);
            near(x, a);
            near(y, b);
        }
    }

    #[test]
    fn separation_is_told_and_firth_answers() {
        // 0 of 10 against 5 of 10.
        let cells = Cells {
            k: 2,
            x: vec![1.0, 0.0, 1.0, 1.0],
            cluster: vec![0, 1],
            n: vec![10.0, 10.0],
            sum: vec![5.0, 0.0],
            squares: vec![5.0, 0.0],
            clusters: 2,
        };
        assert_eq!(fit(&cells, Family::Logistic).unwrap_err(), NoFit::Separated);
        let firth = fit(&cells, Family::Firth).unwrap();
        // For one 2 × 2 table Firth's penalty is a half added to each cell.
        assert!((firth.beta[1] - ((0.5 * 5.5) / (10.5 * 5.5_f64)).ln()).abs() < 1e-8, "{:?}", firth.beta);
        let twice = Cells { k: 3, x: vec![1.0, 0.0, 1.0, 1.0, 1.0, 1.0], ..cells };
        assert_eq!(fit(&twice, Family::Linear).unwrap_err(), NoFit::Dependent);
    }
}
