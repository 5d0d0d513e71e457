//! The percentile bootstrap (Efron 1979) over clusters that are drawn whole.

use super::random::SplitMix;

/// The 95 % percentile interval of `statistic` over `replicates` resamples of the indices `0..n`, each drawn with replacement.
///
/// Deterministic for a seed. (0, 0) for `n` = 0.
pub fn percentile_interval(
    n: usize,
    replicates: usize,
    seed: u64,
    mut statistic: impl FnMut(&[usize]) -> f64,
) -> (f64, f64) {
    if n == 0 || replicates == 0 {
        return (0.0, 0.0);
    }
    let mut random = SplitMix::new(seed);
    let mut drawn = vec![0; n];
    let mut values: Vec<f64> = (0..replicates)
        .map(|_| {
            drawn.iter_mut().for_each(|d| *d = random.below(n));
            statistic(&drawn)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((replicates - 1) as f64 * share).round() as usize];
    (at(0.025), at(0.975))
}

/// The 95 % percentile intervals of several statistics at once. One that is not defined in every tenth resample or more has none.
///
/// Deterministic for a seed.
pub fn percentile_intervals<const K: usize>(
    n: usize,
    replicates: usize,
    seed: u64,
    mut statistics: impl FnMut(&[usize]) -> [Option<f64>; K],
) -> [Option<(f64, f64)>; K] {
    let mut random = SplitMix::new(seed);
    let mut drawn = vec![0; n];
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); K];
    for _ in 0..if n == 0 { 0 } else { replicates } {
        drawn.iter_mut().for_each(|d| *d = random.below(n));
        values.iter_mut().zip(statistics(&drawn)).for_each(|(all, v)| all.extend(v));
    }
    std::array::from_fn(|k| {
        let v = &mut values[k];
        v.sort_by(f64::total_cmp);
        let at = |share: f64| v[((v.len() - 1) as f64 * share).round() as usize];
        (v.len() * 10 > replicates * 9).then(|| (at(0.025), at(0.975)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_near_its_normal_one() {
        let data: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
        let (low, high) =
            percentile_interval(data.len(), 2000, 7, |d| d.iter().map(|&i| data[i]).sum::<f64>() / d.len() as f64);
        // mean 9.5, standard deviation 5.766, so ± 0.565
        assert!((low - 8.935).abs() < 0.08 && (high - 10.065).abs() < 0.08, "{low} {high}");
        assert_eq!(percentile_interval(0, 10, 1, |_| 1.0), (0.0, 0.0));
        let [mean, odd] = percentile_intervals(data.len(), 2000, 7, |d| {
            let odd = (d[0] % 2 == 1).then_some(1.0);
            [Some(d.iter().map(|&i| data[i]).sum::<f64>() / d.len() as f64), odd]
        });
        assert_eq!((mean, odd), (Some((low, high)), None), "half of the resamples leave it undefined");
        assert_eq!(percentile_intervals(0, 10, 1, |_| [Some(1.0)]), [None]);
    }
}
