//! Indirect standardisation: the rate that a unit's cases would have elsewhere. In: counts by kind of case. Out: expected rates.

use std::collections::BTreeMap;

/// How many of the others' cases make a rate that one may lean on.
pub const ENOUGH: u64 = 10;

/// Cases and events by kind of case, at two levels of detail: a finer kind inside a coarser one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    fine: BTreeMap<(u32, u32), (u64, u64)>,
    coarse: BTreeMap<u32, (u64, u64)>,
    /// All cases, and those with the event.
    pub all: (u64, u64),
}

impl Counts {
    /// Counts a case of kind `coarse`, and of `fine` inside it.
    pub fn add(&mut self, coarse: u32, fine: u32, event: bool) {
        let count = |c: &mut (u64, u64)| *c = (c.0 + 1, c.1 + u64::from(event));
        count(self.fine.entry((coarse, fine)).or_default());
        count(self.coarse.entry(coarse).or_default());
        count(&mut self.all);
    }

    /// The rate to expect of a unit's cases, from those of everyone else: for each case the others' rate in the same finer kind, where
    /// they have [`ENOUGH`] such cases, else in the coarser kind, else over all. `self` counts everyone, the unit included.
    ///
    /// Σᵢ r(kind of i)/n (indirect standardisation; Breslow and Day 1987, chapter 2). None where the unit or the others have no case.
    pub fn expected(&self, own: &Self) -> Option<f64> {
        let rest = |all: (u64, u64), own: (u64, u64)| (all.0 - own.0, all.1 - own.1);
        let rate = |(n, events): (u64, u64)| events as f64 / n as f64;
        let others = rest(self.all, own.all);
        if own.all.0 == 0 || others.0 == 0 {
            return None;
        }
        let mut sum = 0.0;
        for (kind, &cases) in &own.fine {
            let fine = rest(self.fine.get(kind).copied()?, cases);
            let coarse = rest(self.coarse.get(&kind.0).copied()?, own.coarse.get(&kind.0).copied()?);
            let used = [fine, coarse].into_iter().find(|c| c.0 >= ENOUGH).unwrap_or(others);
            sum += rate(used) * cases.0 as f64;
        }
        Some(sum / own.all.0 as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_with_hard_cases_is_expected_to_have_more() {
        let (mut all, mut own) = (Counts::default(), Counts::default());
        for i in 0..40 {
            all.add(0, 0, i < 20);
            all.add(1, 0, i < 4);
        }
        for event in [true, true, false] {
            own.add(0, 0, event);
            all.add(0, 0, event);
        }
        own.add(1, 0, true);
        all.add(1, 0, true);
        // Three cases of the hard kind at 20/40, one of the easy kind at 4/40; its own are left out.
        assert!((all.expected(&own).unwrap() - (3.0 * 0.5 + 0.1) / 4.0).abs() < 1e-12);
    }

    #[test]
    fn thin_kinds_lean_on_wider_ones() {
        let (mut all, mut own) = (Counts::default(), Counts::default());
        own.add(0, 7, false);
        all.add(0, 7, false);
        (0..12).for_each(|i| all.add(0, 1, i < 3));
        assert!((all.expected(&own).unwrap() - 0.25).abs() < 1e-12, "the coarser kind");
        own.add(5, 0, false);
        all.add(5, 0, false);
        (0..8).for_each(|_| all.add(6, 0, true));
        assert!((all.expected(&own).unwrap() - f64::midpoint(0.25, 11.0 / 20.0)).abs() < 1e-12, "all of the others");
        assert_eq!(own.expected(&own), None, "nobody else");
        assert_eq!(all.expected(&Counts::default()), None, "no case");
    }
}
