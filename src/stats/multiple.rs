//! Many comparisons at once.

/// Benjamini and Hochberg's (1995) adjusted p-values, in the order given: of all results with `q` at most 0.05, at most 5 %
/// are expected to be false.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
    let m = p.len() as f64;
    let mut q = vec![0.0; p.len()];
    let mut least = 1.0_f64;
    for (i, &at) in order.iter().enumerate() {
        least = least.min(p[at] * m / (m - i as f64));
        q[at] = least;
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_fifteen() {
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let q = benjamini_hochberg(&p);
        for (got, want) in q.iter().zip([0.0015, 0.003, 0.0095, 0.035_625, 0.0603]) {
            assert!((got - want).abs() < 1e-12);
        }
        assert_eq!(q.iter().filter(|q| **q <= 0.05).count(), 4);
        let mut backwards = p;
        backwards.reverse();
        assert_eq!(benjamini_hochberg(&backwards)[14], q[0]);
        assert!(benjamini_hochberg(&[]).is_empty());
    }
}
