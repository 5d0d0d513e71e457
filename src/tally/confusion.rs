//! Hits and misses of a yes/no judgement against a reader's.

/// A two-by-two count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// Said and true.
    pub hits: u64,
    /// Said and not true.
    pub false_alarms: u64,
    /// Not said and true.
    pub misses: u64,
}

impl Confusion {
    /// Counts one case.
    pub fn add(&mut self, said: bool, truth: bool) {
        self.hits += u64::from(said && truth);
        self.false_alarms += u64::from(said && !truth);
        self.misses += u64::from(!said && truth);
    }

    /// Adds another count.
    pub fn merge(&mut self, other: &Self) {
        self.hits += other.hits;
        self.false_alarms += other.false_alarms;
        self.misses += other.misses;
    }

    /// How many are true.
    pub fn support(&self) -> u64 {
        self.hits + self.misses
    }

    /// How many were said.
    pub fn said(&self) -> u64 {
        self.hits + self.false_alarms
    }

    /// Share of what was said that is true; 0 where nothing was said.
    pub fn precision(&self) -> f64 {
        ratio(self.hits, self.said())
    }

    /// Share of what is true that was said; 0 where nothing is true.
    pub fn recall(&self) -> f64 {
        ratio(self.hits, self.support())
    }

    /// Harmonic mean of precision and recall; 0 without a hit.
    pub fn f1(&self) -> f64 {
        ratio(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses)
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let c = Confusion { hits: 8, false_alarms: 2, misses: 4 };
        assert!((c.precision() - 0.8).abs() < 1e-12 && (c.recall() - 2.0 / 3.0).abs() < 1e-12);
        assert!((c.f1() - 16.0 / 22.0).abs() < 1e-12);
        assert_eq!(Confusion::default().f1(), 0.0, "never NaN");
    }
}
