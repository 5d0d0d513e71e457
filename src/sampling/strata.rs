//! Random and stratified designs. In: strata with their sizes, then ids. Out: so many of each stratum, each as likely as another.

use std::collections::BTreeMap;

use super::keyed::{Smallest, uniform};
use super::{DesignError, Drawn};

/// How a sample is shared out among strata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Allocation {
    /// By the number of conversations
    #[default]
    Proportional,
    /// By the number of conversations times how much the program's findings vary among them (Neyman 1934)
    Neyman,
    /// The same number from each
    Equal,
}

/// What is known of a stratum before the draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stratum {
    /// Conversations.
    pub population: u64,
    /// Conversations with a finding.
    pub events: u64,
}

impl Stratum {
    fn weight(&self, allocation: Allocation) -> f64 {
        let n = self.population as f64;
        match allocation {
            Allocation::Proportional => n,
            Allocation::Equal => 1.0,
            // A stratum without a finding may still vary: one of each kind is taken to be there besides.
            Allocation::Neyman => {
                let p = (self.events as f64 + 1.0) / (n + 2.0);
                n * (p * (1.0 - p)).sqrt()
            }
        }
    }
}

/// How many to draw from each stratum: at least `floor` (or all it has), `size` together, the rest shared out by the allocation with what
/// is left of the fractions going to the largest of them. `size` none: `floor` of each.
///
/// # Errors
/// When there are fewer conversations than wanted, or `size` is too small for the floors.
pub fn allocate(
    strata: &BTreeMap<String, Stratum>,
    size: Option<u64>,
    floor: u64,
    allocation: Allocation,
) -> Result<BTreeMap<String, u64>, DesignError> {
    let population: u64 = strata.values().map(|s| s.population).sum();
    let needed: u64 = strata.values().map(|s| s.population.min(floor)).sum();
    let size = size.unwrap_or(needed);
    if size > population {
        return Err(DesignError::TooFew { size, population });
    }
    if needed > size {
        return Err(DesignError::TooManyStrata { strata: strata.len(), floor, needed });
    }
    let list: Vec<&Stratum> = strata.values().collect();
    let mut fixed: Vec<Option<u64>> = vec![None; list.len()];
    // A stratum whose share is below its floor or above all it has gets that, and the others share what is left.
    let shares = loop {
        let given: u64 = fixed.iter().flatten().sum();
        let weights: f64 = (0..list.len()).filter(|&i| fixed[i].is_none()).map(|i| list[i].weight(allocation)).sum();
        let left = size.saturating_sub(given) as f64;
        let share = |i: usize| if weights > 0.0 { left * list[i].weight(allocation) / weights } else { 0.0 };
        let open: Vec<usize> = (0..list.len()).filter(|&i| fixed[i].is_none()).collect();
        let low: Vec<usize> =
            open.iter().copied().filter(|&i| share(i) < list[i].population.min(floor) as f64).collect();
        let high: Vec<usize> = open.iter().copied().filter(|&i| share(i) > list[i].population as f64).collect();
        let excess = |v: &[usize], bound: &dyn Fn(usize) -> f64| v.iter().map(|&i| (share(i) - bound(i)).abs()).sum();
        let short: f64 = excess(&low, &|i| list[i].population.min(floor) as f64);
        let over: f64 = excess(&high, &|i| list[i].population as f64);
        // Only the side that is further off is fixed in a round, so that the other is judged anew.
        if low.is_empty() && high.is_empty() {
            break (0..list.len()).map(|i| fixed[i].map_or_else(|| share(i), |n| n as f64)).collect::<Vec<f64>>();
        }
        if short >= over {
            low.into_iter().for_each(|i| fixed[i] = Some(list[i].population.min(floor)));
        } else {
            high.into_iter().for_each(|i| fixed[i] = Some(list[i].population));
        }
    };
    let mut counts: Vec<u64> = shares.iter().map(|s| (s + 1e-9).floor() as u64).collect();
    let mut order: Vec<usize> = (0..list.len()).filter(|&i| counts[i] < list[i].population).collect();
    order.sort_by(|&a, &b| {
        let rest = |i: usize| shares[i] - counts[i] as f64;
        rest(b).total_cmp(&rest(a)).then_with(|| a.cmp(&b))
    });
    let left = size.saturating_sub(counts.iter().sum());
    order.into_iter().take(left as usize).for_each(|i| counts[i] += 1);
    Ok(strata.keys().cloned().zip(counts).collect())
}

/// Draws the given number from each stratum, every set of that size as likely as another.
#[derive(Debug)]
pub struct Lottery {
    seed: u64,
    strata: BTreeMap<String, (u64, Smallest<()>)>,
}

impl Lottery {
    /// A lottery with so many tickets drawn in each stratum.
    pub fn new(seed: u64, quotas: &BTreeMap<String, u64>) -> Self {
        let strata = quotas.iter().map(|(name, n)| (name.clone(), (0, Smallest::new(*n as usize)))).collect();
        Self { seed, strata }
    }

    /// Takes in one unit; a stratum without a quota is left.
    pub fn offer(&mut self, stratum: &str, id: &str) {
        if let Some((population, drawn)) = self.strata.get_mut(stratum) {
            *population += 1;
            drawn.offer(uniform(self.seed, "draw", id), id, ());
        }
    }

    /// Who was drawn, by stratum.
    pub fn finish(self) -> Vec<Drawn> {
        let mut out = Vec::new();
        for (stratum, (population, drawn)) in self.strata {
            let drawn = drawn.into_sorted();
            let probability = drawn.len() as f64 / population.max(1) as f64;
            out.extend(drawn.into_iter().map(|(id, ())| Drawn {
                id,
                stratum: stratum.clone(),
                probability,
                stratum_population: population,
            }));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strata(list: &[(u64, u64)]) -> BTreeMap<String, Stratum> {
        list.iter()
            .enumerate()
            .map(|(i, (population, events))| (format!("s{i}"), Stratum { population: *population, events: *events }))
            .collect()
    }

    fn counts(list: &[(u64, u64)], size: Option<u64>, floor: u64, allocation: Allocation) -> Vec<u64> {
        allocate(&strata(list), size, floor, allocation).unwrap().into_values().collect()
    }

    #[test]
    fn a_sample_is_shared_out() {
        use Allocation::{Equal, Neyman, Proportional};
        assert_eq!(counts(&[(600, 0), (300, 0), (100, 0)], Some(10), 1, Proportional), [6, 3, 1]);
        assert_eq!(counts(&[(960, 0), (30, 0), (10, 0)], Some(20), 2, Proportional), [16, 2, 2]);
        assert_eq!(counts(&[(5, 0), (500, 0), (500, 0)], Some(30), 2, Equal), [5, 13, 12]);
        assert_eq!(counts(&[(1000, 500), (1000, 9)], Some(60), 2, Neyman), [50, 10]);
        assert_eq!(counts(&[(40, 0), (3, 0), (1, 0)], None, 5, Proportional), [5, 3, 1]);
        assert_eq!(counts(&[(3, 0), (2, 0)], Some(5), 2, Proportional), [3, 2]);
    }

    #[test]
    fn what_cannot_be_shared_out_is_said() {
        let s = strata(&[(10, 0), (10, 0), (1, 0)]);
        let error = allocate(&s, Some(4), 2, Allocation::Proportional).unwrap_err();
        assert_eq!(error, DesignError::TooManyStrata { strata: 3, floor: 2, needed: 5 });
        let error = allocate(&s, Some(30), 2, Allocation::Proportional).unwrap_err();
        assert_eq!(error, DesignError::TooFew { size: 30, population: 21 });
    }

    #[test]
    fn adding_conversations_does_not_reshuffle_the_rest() {
        let draw = |n: u32| {
            let mut lottery = Lottery::new(7, &BTreeMap::from([("all".to_owned(), 100)]));
            (0..n).for_each(|i| lottery.offer("all", &format!("c{i}")));
            lottery.finish()
        };
        let (before, after) = (draw(1000), draw(1050));
        let stayed = after.iter().filter(|d| before.iter().any(|b| b.id == d.id)).count();
        assert_eq!((before.len(), after.len()), (100, 100));
        assert_eq!((before[0].probability, after[0].probability), (0.1, 100.0 / 1050.0));
        assert!(stayed >= 90, "{stayed}");
    }

    #[test]
    fn each_is_as_likely_as_another() {
        let mut hits = [0_u32; 20];
        for seed in 0..4000 {
            let mut lottery = Lottery::new(seed, &BTreeMap::from([("all".to_owned(), 5)]));
            (0..20).for_each(|i| lottery.offer("all", &i.to_string()));
            lottery.finish().iter().for_each(|d| hits[d.id.parse::<usize>().unwrap()] += 1);
        }
        // 4000 · 5/20 = 1000, standard deviation 27.
        assert!(hits.iter().all(|h| (880..1120).contains(h)), "{hits:?}");
    }
}
