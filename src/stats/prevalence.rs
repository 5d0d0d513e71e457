//! True rates from an imperfect judge.

use super::intervals::Z95;

/// How the judge did on cases whose truth is known: right of all that have it, and right of all that have it not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judge {
    /// Found, of `positives` that have it.
    pub found: u64,
    /// Cases that have it.
    pub positives: u64,
    /// Passed over, of `negatives` that have it not.
    pub passed: u64,
    /// Cases that have it not.
    pub negatives: u64,
}

/// A corrected rate. It may lie outside 0…1: then the judge's errors do not fit the rate it gave, and that is told, not clipped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corrected {
    /// Rogan and Gladen's estimate (1978).
    pub rate: f64,
    /// The 95 % interval of Lang and Reiczigel (2014), inside 0…1.
    pub ci: (f64, f64),
    /// Whether the estimate lies outside 0…1.
    pub impossible: bool,
}

/// (p + Sp − 1) / (Se + Sp − 1); none where the judge is no better than chance.
pub fn rogan_gladen(p: f64, sensitivity: f64, specificity: f64) -> Option<f64> {
    let j = sensitivity + specificity - 1.0;
    (j > 0.0).then(|| (p + specificity - 1.0) / j)
}

/// Corrects the rate `events` of `n` that a judge gave; none where the judge was not tried on both kinds or is no better than chance.
pub fn correct(events: u64, n: u64, judge: Judge) -> Option<Corrected> {
    if n == 0 || judge.positives == 0 || judge.negatives == 0 {
        return None;
    }
    let share = |a: u64, b: u64| a as f64 / b as f64;
    let (se, sp) = (share(judge.found, judge.positives), share(judge.passed, judge.negatives));
    let rate = rogan_gladen(share(events, n), se, sp)?;
    let (positives, negatives) = (judge.positives as f64, judge.negatives as f64);
    let ci = interval_of_the_corrected(share(events, n), Some(n as f64), (se, positives), (sp, negatives))?;
    Some(Corrected { rate, ci, impossible: !(0.0..=1.0).contains(&rate) })
}

/// Lang and Reiczigel's 95 % interval of the corrected rate, inside 0…1, from the rate `p` that the judge gave over `n` cases (none: over all
/// there are, without error), and its (sensitivity, cases) and (specificity, cases).
pub fn interval_of_the_corrected(
    p: f64,
    n: Option<f64>,
    (sensitivity, ns): (f64, f64),
    (specificity, np): (f64, f64),
) -> Option<(f64, f64)> {
    let z2 = Z95 * Z95;
    let (se, sp) = ((sensitivity * ns + 1.0) / (ns + 2.0), (specificity * np + 1.0) / (np + 2.0));
    let (p, variance) = n.map_or((p, 0.0), |n| {
        let p = (p * n + z2 / 2.0) / (n + z2);
        (p, p * (1.0 - p) / (n + z2))
    });
    let j = se + sp - 1.0;
    if j <= 0.0 {
        return None;
    }
    let middle = (p + sp - 1.0) / j;
    let (vs, vp) = (se * (1.0 - se) / (ns + 2.0), sp * (1.0 - sp) / (np + 2.0));
    let shift = 2.0 * z2 * (middle * vs - (1.0 - middle) * vp);
    let half = Z95 * (variance + middle * middle * vs + (1.0 - middle).powi(2) * vp).sqrt() / j;
    let inside = |x: f64| x.clamp(0.0, 1.0);
    Some((inside(middle + shift - half), inside(middle + shift + half)))
}

/// A rate from few labels and the judge's answers everywhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Powered {
    /// The estimate.
    pub rate: f64,
    /// 95 % interval.
    pub ci: (f64, f64),
    /// How much the judge's answers count, 0 (not at all) … 1.
    pub lambda: f64,
}

/// Prediction-powered inference for a mean (PPI++, Angelopoulos, Duchi and Zrnic 2023): the labelled mean, moved by λ times what the
/// judge says elsewhere beyond what it says here. `lambda` none: tuned, λ = cov(Y, Ŷ) / ((1 + n/N) var Ŷ), kept in 0…1.
///
/// Errors use variances over n, λ a pooled variance over n + N − 1, as in ppi-python.
pub fn ppi(labels: &[f64], judged_here: &[f64], judged_elsewhere: &[f64], lambda: Option<f64>) -> Option<Powered> {
    if labels.is_empty() || labels.len() != judged_here.len() || judged_elsewhere.is_empty() {
        return None;
    }
    let (n, m) = (labels.len() as f64, judged_elsewhere.len() as f64);
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let lambda = lambda.unwrap_or_else(|| {
        let (y, f) = (mean(labels), mean(judged_here));
        let covariance = labels.iter().zip(judged_here).map(|(a, b)| (a - y) * (b - f)).sum::<f64>() / n;
        let all = (f * n + mean(judged_elsewhere) * m) / (n + m);
        let squares: f64 = judged_here.iter().chain(judged_elsewhere).map(|x| (x - all).powi(2)).sum();
        let variance = squares / (n + m - 1.0);
        if variance > 0.0 { (covariance / ((1.0 + n / m) * variance)).clamp(0.0, 1.0) } else { 0.0 }
    });
    let residuals: Vec<f64> = labels.iter().zip(judged_here).map(|(y, f)| y - lambda * f).collect();
    let elsewhere = mean(judged_elsewhere);
    let rate = mean(&residuals) + lambda * elsewhere;
    let spread = |x: &[f64], centre: f64| x.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / x.len() as f64;
    let error =
        (spread(&residuals, mean(&residuals)) / n + lambda * lambda * spread(judged_elsewhere, elsewhere) / m).sqrt();
    Some(Powered { rate, ci: (rate - Z95 * error, rate + Z95 * error), lambda })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-8, "{a} is not {b}");
    }

    #[test]
    fn rogan_and_gladen_as_in_epir() {
        for (events, n, se, sp, want) in [
            (45.0, 150.0, 0.96, 0.89, 0.223_529_411_8),
            (23.0, 150.0, 0.96, 0.89, 0.050_980_392_2),
            (6.0, 151.0, 0.964, 0.927, -0.037_334_344_2),
            (80.0, 210.0, 0.60, 0.90, 0.561_904_761_9),
        ] {
            near(rogan_gladen(events / n, se, sp).unwrap(), want);
        }
        assert_eq!(rogan_gladen(0.3, 0.4, 0.6), None);
    }

    #[test]
    fn lang_and_reiczigels_interval() {
        let judge = Judge { found: 78, positives: 80, passed: 30, negatives: 40 };
        let c = correct(320, 400, judge).unwrap();
        near(c.rate, 0.758_620_689_7);
        near(c.ci.0, 0.672_878_425_8);
        near(c.ci.1, 0.841_368_604_7);
        assert!(!c.impossible);
        let odd = correct(6, 151, Judge { found: 964, positives: 1000, passed: 927, negatives: 1000 }).unwrap();
        assert!(odd.impossible && odd.ci.0 == 0.0);
    }

    #[test]
    fn prediction_powered_as_in_ppi_python() {
        let bits = |s: &str| s.bytes().map(|b| f64::from(b - b'0')).collect::<Vec<f64>>();
        let (y, f) = (bits("10010010001000010000"), bits("10110010000010010000"));
        let elsewhere = bits(&"1000100101".repeat(20));
        for (lambda, rate, low, high) in [
            (Some(1.0), 0.35, 0.168_504_795_1, 0.531_495_204_9),
            (Some(0.0), 0.25, 0.060_227_303_2, 0.439_772_696_8),
            (None, 0.297_509_545_3, 0.144_718_059_1, 0.450_301_031_5),
        ] {
            let p = ppi(&y, &f, &elsewhere, lambda).unwrap();
            near(p.rate, rate);
            near(p.ci.0, low);
            near(p.ci.1, high);
        }
        near(ppi(&y, &f, &elsewhere, None).unwrap().lambda, 0.475_095_453_0);
        assert_eq!(ppi(&[], &[], &elsewhere, None), None);
    }
}
