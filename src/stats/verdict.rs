//! The verdict on a comparison, by a written rule.

use super::comparison::{Adjusted, Means, Shares};

/// The answer to "is this segment treated worse".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A difference beyond chance, with the adjustments held fixed, that no single cluster makes.
    Disparity,
    /// None was found, and one of the size given would most likely have been.
    NoEvidence,
    /// Too little to say.
    Insufficient,
}

impl Verdict {
    /// Its name as in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disparity => "disparity",
            Self::NoEvidence => "no-evidence",
            Self::Insufficient => "insufficient",
        }
    }
}

/// Fewer cases than this in a group, in strata that hold both, say nothing.
pub const MIN_ROWS: u64 = 20;
/// Fewer events, or fewer others, than this in both groups together say nothing.
pub const MIN_EVENTS: u64 = 5;
/// Fewer effective clusters than this cannot be told from one harsh one.
pub const MIN_CLUSTERS: f64 = 4.0;
/// Where only a larger rise of a rate than this would show, its absence is no comfort.
pub const MAX_DETECTABLE: f64 = 0.2;
/// For a rare event a smaller rise already matters: that to three times the rate, but never less than five points.
pub const MIN_DETECTABLE: f64 = 0.05;
/// The same for a mean, in standard deviations.
pub const MAX_DETECTABLE_DEVIATIONS: f64 = 0.5;
/// The share of false alarms accepted among all that is called a disparity.
pub const FALSE_DISCOVERY: f64 = 0.05;

impl Shares {
    /// The p that counts: of the regression, or exact (else by permutation) where a group has no event, or nothing but events.
    pub fn p(&self) -> Option<f64> {
        let logistic = self.logistic?;
        if logistic.penalised {
            self.separated_p.or(self.permutation.map(|(p, _)| p)).or(self.fisher_p)
        } else {
            Some(logistic.p)
        }
    }

    /// Whether there is enough to be judged at all.
    pub fn enough(&self) -> bool {
        let [n, e, rn, re] = self.overlap;
        let (events, all) = (e + re, n + rn);
        n.min(rn) >= MIN_ROWS as f64 && events.min(all - events) >= MIN_EVENTS as f64 && carried(self.logistic.as_ref())
    }

    /// The verdict, given the q of [`Shares::p`] among all that was asked.
    pub fn verdict(&self, q: Option<f64>) -> Verdict {
        let (Some(q), Some(logistic), true) = (q, self.logistic, self.enough()) else { return Verdict::Insufficient };
        let [_, _, rn, re] = self.overlap;
        let rate = (re / rn).min(1.0 - re / rn);
        let limit = MAX_DETECTABLE.min((2.0 * rate).max(MIN_DETECTABLE));
        judge(q, &logistic, self.detectable.is_none_or(|d| d > limit))
    }
}

impl Means {
    /// Whether there is enough to be judged at all.
    pub fn enough(&self) -> bool {
        self.overlap.0.min(self.overlap.1) >= MIN_ROWS as f64 && carried(self.linear.as_ref())
    }

    /// The verdict, given the q of the regression's p among all that was asked.
    pub fn verdict(&self, q: Option<f64>) -> Verdict {
        let (Some(q), Some(linear), true) = (q, self.linear, self.enough()) else { return Verdict::Insufficient };
        let limit = self.deviation.map(|d| d * MAX_DETECTABLE_DEVIATIONS);
        let blind = self.detectable.zip(limit).is_none_or(|(d, limit)| d > limit);
        judge(q, &linear, blind)
    }
}

fn carried(adjusted: Option<&Adjusted>) -> bool {
    adjusted.is_some_and(|a| a.effective_clusters.is_none_or(|g| g >= MIN_CLUSTERS))
}

fn judge(q: f64, adjusted: &Adjusted, blind: bool) -> Verdict {
    let beyond_chance = q < FALSE_DISCOVERY;
    match (beyond_chance, beyond_chance && adjusted.holds_without_any_one(), blind) {
        (_, true, _) => Verdict::Disparity,
        (true, false, _) | (_, _, true) => Verdict::Insufficient,
        (false, false, false) => Verdict::NoEvidence,
    }
}

impl Adjusted {
    /// Whether it stays beyond chance when any one cluster is left out.
    pub fn holds_without_any_one(&self) -> bool {
        self.without_any_one.is_none_or(|p| p < FALSE_DISCOVERY)
    }
}
