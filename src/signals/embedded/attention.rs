//! Self-attention of one row.

use super::float::{PANEL, add_product};
use super::math::softmax;

/// Room for the work.
#[derive(Default)]
pub(super) struct Attention {
    keys: Vec<f32>,
    values: Vec<f32>,
    scores: Vec<f32>,
}

/// Adds to `out` (`[asked, width]`) what the heads of `HEAD` values each make of `qkv` (`[tokens, 3 · width]`: queries, keys, values side by
/// side) for its first `asked` tokens.
#[inline(always)]
pub(super) fn attend<const HEAD: usize>(qkv: &[f32], out: &mut [f32], width: usize, room: &mut Attention) {
    let (asked, n) = (out.len() / width, qkv.len() / (3 * width));
    let padded = n.next_multiple_of(PANEL);
    let scale = 1.0 / (HEAD as f32).sqrt();
    let Attention { keys, values, scores } = room;
    keys.clear();
    keys.resize(HEAD * padded, 0.0);
    values.resize(n * HEAD, 0.0);
    for head in (0..width).step_by(HEAD) {
        for (token, row) in qkv.chunks_exact(3 * width).enumerate() {
            let (key, value) = (&row[width + head..][..HEAD], &row[2 * width + head..][..HEAD]);
            // Keys as the weight of a product: sixteen tokens side by side, a row for each dimension.
            let keys = &mut keys[token / PANEL * PANEL * HEAD + token % PANEL..];
            for d in 0..HEAD {
                keys[d * PANEL] = key[d] * scale;
            }
            for (panel, part) in value.as_chunks::<PANEL>().0.iter().enumerate() {
                values[(panel * n + token) * PANEL..][..PANEL].copy_from_slice(part);
            }
        }
        scores.clear();
        scores.resize(asked * padded, 0.0);
        add_product((&qkv[head..], 3 * width), asked, (keys, HEAD), (scores, padded));
        for row in scores.chunks_exact_mut(padded) {
            softmax(&mut row[..n]);
        }
        add_product((scores, padded), asked, (values, n), (&mut out[head..], width));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_weighted_mean_of_the_values() {
        const HEAD: usize = 32;
        let (n, width) = (21, 64);
        let qkv: Vec<f32> = (0..n * 3 * width).map(|i| ((i * 7919 % 1000) as f32 / 500.0 - 1.0) * 0.9).collect();
        let mut out = vec![0.0; n * width];
        attend::<HEAD>(&qkv, &mut out, width, &mut Attention::default());
        let mut some = vec![0.0; 5 * width];
        attend::<HEAD>(&qkv, &mut some, width, &mut Attention::default());
        assert_eq!(some, out[..5 * width], "the first tokens alone");
        let at = |token: usize, which: usize, i: usize| f64::from(qkv[token * 3 * width + which * width + i]);
        for token in 0..n {
            for i in 0..width {
                let head = i / HEAD * HEAD;
                let score = |other: usize| {
                    (head..head + HEAD).map(|d| at(token, 0, d) * at(other, 1, d)).sum::<f64>() / (HEAD as f64).sqrt()
                };
                let odds: Vec<f64> = (0..n).map(|other| score(other).exp()).collect();
                let mean = (0..n).map(|other| odds[other] * at(other, 2, i)).sum::<f64>() / odds.iter().sum::<f64>();
                let got = f64::from(out[token * width + i]);
                assert!((got - mean).abs() < 1e-5, "token {token}, {i}: {got} for {mean}");
            }
        }
    }
}
