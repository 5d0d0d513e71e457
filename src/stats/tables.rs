//! Two groups, a 0/1 outcome, and strata: what is common to the strata, and whether they differ.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::intervals::Z95;

/// One stratum: events and others of the group compared, and of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Table {
    /// Events in the group.
    pub a: u64,
    /// Others in the group.
    pub b: u64,
    /// Events in the reference.
    pub c: u64,
    /// Others in the reference.
    pub d: u64,
}

impl Table {
    /// From `[[a, b], [c, d]]`.
    pub fn new([[a, b], [c, d]]: [[u64; 2]; 2]) -> Self {
        Self { a, b, c, d }
    }

    fn counts(&self) -> [f64; 4] {
        [self.a as f64, self.b as f64, self.c as f64, self.d as f64]
    }

    fn n(&self) -> f64 {
        (self.a + self.b + self.c + self.d) as f64
    }
}

/// The odds ratio common to all strata, and the test that it is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MantelHaenszel {
    /// Mantel and Haenszel's common odds ratio; none where no stratum has both a·d and b·c.
    pub odds_ratio: Option<f64>,
    /// Its 95 % interval by the variance of Robins, Breslow and Greenland (1986).
    pub ci: Option<(f64, f64)>,
    /// The statistic without continuity correction, on one degree of freedom.
    pub statistic: f64,
    /// Its p.
    pub p: f64,
    /// The statistic with R's correction: min(½, |Σ(a − E)|) is taken off.
    pub statistic_corrected: f64,
    /// Its p.
    pub p_corrected: f64,
}

/// Mantel-Haenszel over the strata; none where no stratum has two groups and two outcomes (the variance is 0).
pub fn mantel_haenszel(strata: &[Table]) -> Option<MantelHaenszel> {
    let (mut gap, mut variance) = (0.0, 0.0);
    let (mut r, mut s, mut pr, mut ps_qr, mut qs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for t in strata.iter().filter(|t| t.n() > 1.0) {
        let ([a, b, c, d], n) = (t.counts(), t.n());
        gap += a - (a + b) * (a + c) / n;
        variance += (a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1.0));
        let (ri, si, p, q) = (a * d / n, b * c / n, (a + d) / n, (b + c) / n);
        r += ri;
        s += si;
        pr += p * ri;
        ps_qr += p * si + q * ri;
        qs += q * si;
    }
    if variance <= 0.0 {
        return None;
    }
    let odds_ratio = (r > 0.0 && s > 0.0).then(|| r / s);
    let ci = odds_ratio.map(|or| {
        let se = (pr / (2.0 * r * r) + ps_qr / (2.0 * r * s) + qs / (2.0 * s * s)).sqrt();
        (or * (-Z95 * se).exp(), or * (Z95 * se).exp())
    });
    let statistic = gap * gap / variance;
    let statistic_corrected = (gap.abs() - gap.abs().min(0.5)).powi(2) / variance;
    Some(MantelHaenszel {
        odds_ratio,
        ci,
        statistic,
        p: chi_p(statistic, 1.0),
        statistic_corrected,
        p_corrected: chi_p(statistic_corrected, 1.0),
    })
}

/// Whether the strata's odds ratios differ from their common one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreslowDay {
    /// Breslow and Day's statistic (1980).
    pub statistic: f64,
    /// With Tarone's correction (1985), which makes it a proper χ².
    pub tarone: f64,
    /// p of the corrected statistic.
    pub p: f64,
    /// Strata with both groups and both outcomes, less one.
    pub freedom: u64,
}

/// The test of Breslow and Day with Tarone's correction; none with fewer than two telling strata or no common odds ratio.
pub fn breslow_day(strata: &[Table]) -> Option<BreslowDay> {
    let or = mantel_haenszel(strata)?.odds_ratio?;
    let (mut statistic, mut gap, mut variance, mut telling) = (0.0, 0.0, 0.0, 0_u64);
    for t in strata {
        let [a, b, c, d] = t.counts();
        let (row, column, n) = (a + b, a + c, t.n());
        if row == 0.0 || c + d == 0.0 || column == 0.0 || b + d == 0.0 {
            continue;
        }
        let expected = expected_under(or, row, column, n);
        let inverse =
            1.0 / expected + 1.0 / (row - expected) + 1.0 / (column - expected) + 1.0 / (n - row - column + expected);
        statistic += (a - expected).powi(2) * inverse;
        gap += a - expected;
        variance += 1.0 / inverse;
        telling += 1;
    }
    if telling < 2 {
        return None;
    }
    let tarone = statistic - gap * gap / variance;
    let freedom = telling - 1;
    Some(BreslowDay { statistic, tarone, p: chi_p(tarone.max(0.0), freedom as f64), freedom })
}

/// The expected count of the first cell under an odds ratio and fixed margins: the root of a quadratic inside the margins.
fn expected_under(or: f64, row: f64, column: f64, n: f64) -> f64 {
    if (or - 1.0).abs() < 1e-12 {
        return row * column / n;
    }
    let (qa, qb, qc) = (1.0 - or, n - row - column + or * (row + column), -or * row * column);
    let root = (qb * qb - 4.0 * qa * qc).max(0.0).sqrt();
    // The form without cancellation.
    let q = -0.5 * (qb + qb.signum() * root);
    let (first, second) = (q / qa, qc / q);
    let inside = |x: f64| x > (row + column - n).max(0.0) && x < row.min(column);
    if inside(second) { second } else { first }
}

/// Upper tail of χ².
pub fn chi_p(statistic: f64, freedom: f64) -> f64 {
    ChiSquared::new(freedom).map_or(1.0, |d| d.sf(statistic))
}

/// Fisher's exact two-sided p: the tables no more likely than this one (R's convention, tolerance 1e-7).
///
/// The tables' weights are built from the seen one outwards by the ratio of neighbours, so that nothing overflows.
pub fn fisher(t: &Table) -> f64 {
    let (row, column, n) = (t.a + t.b, t.a + t.c, t.a + t.b + t.c + t.d);
    let (low, high) = ((row + column).saturating_sub(n), row.min(column));
    // weight(x + 1) / weight(x)
    let up = |x: u64| ((column - x) as f64 * (row - x) as f64) / ((x + 1) as f64 * (n + x + 1 - row - column) as f64);
    let (mut total, mut extreme) = (1.0, 1.0);
    let mut add = |weight: f64| {
        total += weight;
        extreme += if weight <= 1.0 + 1e-7 { weight } else { 0.0 };
    };
    let mut weight = 1.0;
    for x in t.a..high {
        weight *= up(x);
        add(weight);
    }
    weight = 1.0;
    for x in (low..t.a).rev() {
        weight /= up(x);
        add(weight);
    }
    if total.is_finite() { (extreme / total).min(1.0) } else { f64::MIN_POSITIVE }
}

/// Berkeley 1973 by department: men admitted and rejected, women admitted and rejected.
#[cfg(test)]
pub(super) const BERKELEY: [[[u64; 2]; 2]; 6] = [
    [[512, 313], [89, 19]],
    [[353, 207], [17, 8]],
    [[120, 205], [202, 391]],
    [[138, 279], [131, 244]],
    [[53, 138], [94, 299]],
    [[22, 351], [24, 317]],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-8, "{a} is not {b}");
    }

    fn berkeley() -> Vec<Table> {
        BERKELEY.map(Table::new).to_vec()
    }

    #[test]
    fn berkeleys_admissions_as_in_r() {
        let mh = mantel_haenszel(&berkeley()).unwrap();
        near(mh.odds_ratio.unwrap(), 0.904_696_828_258_6);
        let (low, high) = mh.ci.unwrap();
        near(low, 0.771_907_361_8);
        near(high, 1.060_329_764_4);
        near(mh.statistic, 1.524_606_660_4);
        near(mh.p, 0.216_923_697_1);
        near(mh.statistic_corrected, 1.426_946_228_6);
        near(mh.p_corrected, 0.232_263_462_8);
        let bd = breslow_day(&berkeley()).unwrap();
        near(bd.statistic, 18.825_513_705_2);
        near(bd.tarone, 18.825_501_252_1);
        assert!((bd.p - 0.002_071_39).abs() < 1e-7 && bd.freedom == 5);
        let pooled = berkeley().iter().fold(Table::default(), |s, t| Table {
            a: s.a + t.a,
            b: s.b + t.b,
            c: s.c + t.c,
            d: s.d + t.d,
        });
        near(mantel_haenszel(&[pooled]).unwrap().odds_ratio.unwrap(), 1.841_080_037_2);
    }

    #[test]
    fn sparse_strata_as_in_r() {
        let rabbits =
            [[[0, 0], [6, 5]], [[3, 0], [3, 6]], [[6, 2], [0, 4]], [[5, 6], [1, 0]], [[2, 5], [0, 0]]].map(Table::new);
        let mh = mantel_haenszel(&rabbits).unwrap();
        near(mh.odds_ratio.unwrap(), 7.0);
        assert!((mh.statistic_corrected - 3.928_571_4).abs() < 1e-7 && (mh.p_corrected - 0.047_472_3).abs() < 1e-7);
        let (low, high) = mh.ci.unwrap();
        assert!((low - 1.026_713).abs() < 1e-6 && (high - 47.725_133).abs() < 1e-6);
        let third = [[[20, 14], [10, 24]], [[15, 12], [3, 15]], [[3, 2], [3, 2]], [[12, 3], [7, 5]], [[1, 0], [3, 2]]]
            .map(Table::new);
        let mh = mantel_haenszel(&third).unwrap();
        near(mh.odds_ratio.unwrap(), 3.591_175_563_1);
        near(mh.statistic_corrected, 11.885_194_406);
        near(mh.ci.unwrap().0, 1.781_134_524_7);
        near(mh.ci.unwrap().1, 7.240_633_282_4);
        let bd = breslow_day(&third).unwrap();
        near(bd.statistic, 1.843_789_632_3);
        near(bd.tarone, 1.843_632_136_7);
    }

    #[test]
    fn fisher_as_in_r() {
        near(fisher(&Table::new([[3, 1], [1, 3]])), 0.485_714_285_7);
        near(fisher(&Table::new([[0, 0], [1, 3]])), 1.0);
        // scipy.stats.fisher_exact
        near(fisher(&Table::new([[3, 997], [1, 999]])), 0.624_624_530_6);
        assert!(fisher(&Table::new([[0, 40_000], [900, 39_100]])) < 1e-200);
    }

    #[test]
    fn empty_and_constant_tables_have_no_answer() {
        assert!(mantel_haenszel(&[]).is_none());
        assert!(mantel_haenszel(&[Table::new([[0, 5], [0, 9]])]).is_none());
        assert!(breslow_day(&[Table::new([[1, 5], [2, 9]])]).is_none());
        let all = mantel_haenszel(&[Table::new([[0, 50], [10, 40]])]).unwrap();
        assert!(all.odds_ratio.is_none() && all.p < 0.01);
    }
}
