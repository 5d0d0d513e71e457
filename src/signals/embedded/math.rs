//! Softmax, GELU and layer norm on slices, written so that the compiler can use vector instructions: those of the function that they are
//! inlined into.

/// e^x for x ≤ 88; relative error under 2e-7 (Cephes' polynomial after range reduction).
#[inline(always)]
fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    // Adding 1.5 · 2²³ rounds to the nearest whole number and leaves it in the lowest bits.
    let shifted = x * std::f32::consts::LOG2_E + 12_582_912.0;
    let n = shifted - 12_582_912.0;
    let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let y = p * r * r + r + 1.0;
    y * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// Error function; absolute error under 5e-7 (the rational approximation of Eigen and XLA).
#[inline(always)]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let p = -2.726_142_3e-10;
    let p = p * square + 2.770_681_4e-8;
    let p = p * square - 2.101_024_1e-6;
    let p = p * square - 5.692_506_4e-5;
    let p = p * square - 7.349_906_3e-4;
    let p = p * square - 2.954_6e-3;
    let p = p * square - 1.609_603_3e-2;
    let q = -1.456_607_2e-5;
    let q = q * square - 2.133_740_6e-4;
    let q = q * square - 1.682_827e-3;
    let q = q * square - 7.373_329e-3;
    let q = q * square - 1.426_474e-2;
    x * p / q
}

/// x · Φ(x), in place.
#[inline(always)]
pub(super) fn gelu(x: &mut [f32]) {
    for v in x {
        *v = 0.5 * *v * (1.0 + erf(*v * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// Folds what `each` makes of the values in eight lanes and then over the lanes, always in the same order.
#[inline(always)]
fn fold(x: &[f32], start: f32, each: impl Fn(f32) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [start; 8];
    let (whole, rest) = x.as_chunks::<8>();
    for part in whole {
        for i in 0..8 {
            lanes[i] = join(lanes[i], each(part[i]));
        }
    }
    let rest = rest.iter().fold(start, |a, b| join(a, each(*b)));
    lanes.into_iter().fold(rest, join)
}

#[inline(always)]
fn sum(x: &[f32], each: impl Fn(f32) -> f32) -> f32 {
    fold(x, 0.0, each, |a, b| a + b)
}

/// Softmax in place.
#[inline(always)]
pub(super) fn softmax(x: &mut [f32]) {
    let top = fold(x, f32::NEG_INFINITY, |v| v, |a, b| if b > a { b } else { a });
    for v in x.iter_mut() {
        *v = exp(*v - top);
    }
    let part = 1.0 / sum(x, |v| v);
    for v in x.iter_mut() {
        *v *= part;
    }
}

/// Layer norm of each row of `width` values, in place (epsilon 1e-12, as BERT has it).
#[inline(always)]
pub(super) fn layer_norm(x: &mut [f32], weight: &[f32], bias: &[f32]) {
    for row in x.chunks_exact_mut(weight.len()) {
        let n = row.len() as f32;
        let mean = sum(row, |v| v) / n;
        let variance = sum(row, |v| (v - mean) * (v - mean)) / n;
        let scale = 1.0 / (variance + 1e-12).sqrt();
        for ((v, w), b) in row.iter_mut().zip(weight).zip(bias) {
            *v = (*v - mean) * scale * w + b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_erf_are_close() {
        for i in -800..=800 {
            let x = i as f32 / 10.0;
            assert!((f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs() < 1e-6, "exp({x})");
        }
        // Values of erf from Abramowitz and Stegun, table 7.1.
        for (x, want) in [(0.0, 0.0), (0.5, 0.520_499_9), (1.0, 0.842_700_8), (2.0, 0.995_322_3), (-1.0, -0.842_700_8)]
        {
            assert!((erf(x) - want).abs() < 1e-6, "erf({x})");
        }
    }

    #[test]
    fn softmax_adds_up_to_one() {
        let mut x = [1000.0, 999.0, -1000.0];
        softmax(&mut x);
        assert!((x.iter().sum::<f32>() - 1.0).abs() < 1e-6 && x[0] > x[1]);
    }
}
