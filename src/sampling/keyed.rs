//! Numbers that belong to an id. In: a seed, a purpose and an id. Out: a number between 0 and 1, the same wherever the id stands.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use sha2::{Digest, Sha256};

/// A number in the open interval 0…1 for an id, as good as drawn from the uniform distribution (permanent random numbers, Ohlsson 1995).
///
/// Different purposes of one seed are independent.
pub fn uniform(seed: u64, purpose: &str, id: &str) -> f64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(purpose.as_bytes());
    hash.update([0]);
    hash.update(id.as_bytes());
    let bits = hash.finalize().iter().take(8).fold(0_u64, |h, b| h << 8 | u64::from(*b));
    ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// The `n` smallest of a stream, by key and then by id, in memory for `n`.
#[derive(Debug, Clone)]
pub struct Smallest<T> {
    n: usize,
    heap: BinaryHeap<Entry<T>>,
}

#[derive(Debug, Clone)]
struct Entry<T> {
    key: f64,
    id: String,
    value: T,
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.total_cmp(&other.key).then_with(|| self.id.cmp(&other.id))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

impl<T> Smallest<T> {
    /// Keeps `n`.
    pub fn new(n: usize) -> Self {
        Self { n, heap: BinaryHeap::new() }
    }

    /// Offers one; it is kept while it is among the smallest.
    pub fn offer(&mut self, key: f64, id: &str, value: T) {
        let full = self.heap.len() >= self.n;
        if full && self.heap.peek().is_none_or(|top| (key, id) > (top.key, top.id.as_str())) {
            return;
        }
        self.heap.push(Entry { key, id: id.to_owned(), value });
        if full {
            self.heap.pop();
        }
    }

    /// What was kept, smallest first: (id, value).
    pub fn into_sorted(self) -> Vec<(String, T)> {
        self.heap.into_sorted_vec().into_iter().map(|e| (e.id, e.value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_uniform_and_independent_of_each_other() {
        let keys: Vec<f64> = (0..20_000).map(|i| uniform(1, "draw", &i.to_string())).collect();
        let below = |x: f64| keys.iter().filter(|k| **k < x).count() as f64 / 20_000.0;
        for x in [0.1, 0.25, 0.5, 0.9] {
            assert!((below(x) - x).abs() < 0.012, "{}", below(x));
        }
        assert!(keys.iter().all(|k| (0.0..1.0).contains(k) && *k > 0.0));
        assert_ne!(uniform(1, "draw", "a"), uniform(2, "draw", "a"));
        assert_ne!(uniform(1, "draw", "a"), uniform(1, "order", "a"));
    }

    #[test]
    fn the_smallest_are_kept_in_any_order_of_the_stream() {
        let draw = |ids: &mut dyn Iterator<Item = u32>| {
            let mut s = Smallest::new(5);
            ids.for_each(|i| s.offer(uniform(3, "draw", &i.to_string()), &i.to_string(), ()));
            s.into_sorted()
        };
        let forward = draw(&mut (0..1000));
        assert_eq!(forward.len(), 5);
        assert_eq!(forward, draw(&mut (0..1000).rev()));
        assert!(Smallest::<()>::new(0).into_sorted().is_empty());
    }
}
