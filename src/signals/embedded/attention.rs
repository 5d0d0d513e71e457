//! Attention of some tokens to others.

use std::ops::Range;

use super::float::{PANEL, add_product};
use super::math::softmax;

/// Room for the work.
#[derive(Default)]
pub(super) struct Attention {
    keys: Vec<f32>,
    values: Vec<f32>,
    scores: Vec<f32>,
}

/// Which of a layer's tokens see which.
pub(super) struct Look<'a> {
    /// The tokens whose mixture is wanted.
    pub(super) asked: Range<usize>,
    /// The tokens that they see.
    pub(super) seen: Range<usize>,
    /// Those of the turn before, where they see it apart, and what is added to their keys and values, by which they are told from the turn's own.
    pub(super) before: Option<(Range<usize>, &'a Before)>,
}

/// What tells the keys and values of the turn before from the turn's own.
pub(super) struct Before {
    pub(super) key: Vec<f32>,
    pub(super) value: Vec<f32>,
}

/// Adds to `out` (`[asked tokens, width]`) what the heads of `HEAD` values each make of `qkv` (`[tokens, 3 · width]`: queries, keys, values side by
/// side).
#[inline(always)]
pub(super) fn attend<const HEAD: usize>(
    qkv: &[f32],
    look: &Look<'_>,
    out: &mut [f32],
    width: usize,
    room: &mut Attention,
) {
    let Look { asked, seen, before } = look;
    let n = seen.len() + before.as_ref().map_or(0, |(tokens, _)| tokens.len());
    let padded = n.next_multiple_of(PANEL);
    let scale = 1.0 / (HEAD as f32).sqrt();
    let Attention { keys, values, scores } = room;
    keys.clear();
    keys.resize(HEAD * padded, 0.0);
    values.resize(n * HEAD, 0.0);
    for head in (0..width).step_by(HEAD) {
        let own = seen.clone().map(|at| (at, None));
        let prior = before.iter().flat_map(|(tokens, more)| tokens.clone().map(move |at| (at, Some(*more))));
        for (token, (at, more)) in own.chain(prior).enumerate() {
            let row = &qkv[at * 3 * width..][..3 * width];
            let (mut key, mut value) = ([0.0; HEAD], [0.0; HEAD]);
            key.copy_from_slice(&row[width + head..][..HEAD]);
            value.copy_from_slice(&row[2 * width + head..][..HEAD]);
            if let Some(more) = more {
                for d in 0..HEAD {
                    key[d] += more.key[head + d];
                    value[d] += more.value[head + d];
                }
            }
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
        scores.resize(asked.len() * padded, 0.0);
        add_product((&qkv[asked.start * 3 * width + head..], 3 * width), asked.len(), (keys, HEAD), (scores, padded));
        for row in scores.chunks_exact_mut(padded) {
            softmax(&mut row[..n]);
        }
        add_product((scores, padded), asked.len(), (values, n), (&mut out[head..], width));
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
        let attended = |look: Look<'_>| {
            let mut out = vec![0.0; look.asked.len() * width];
            attend::<HEAD>(&qkv, &look, &mut out, width, &mut Attention::default());
            out
        };
        let out = attended(Look { asked: 0..n, seen: 0..n, before: None });
        assert_eq!(
            attended(Look { asked: 3..5, seen: 0..n, before: None }),
            out[3 * width..5 * width],
            "some tokens alone"
        );
        let none = Before { key: vec![0.0; width], value: vec![0.0; width] };
        let parted = attended(Look { asked: 0..n, seen: 0..9, before: Some((9..n, &none)) });
        assert_eq!(parted, out, "seen apart, with nothing added");
        let more = |i: usize| (i * 31 % 17) as f32 / 17.0 - 0.4;
        let told = Before { key: (0..width).map(more).collect(), value: (0..width).map(|i| more(i + 5)).collect() };
        let changed = |token: usize, i: usize| -> f32 {
            let (which, column) = (i / width, i % width);
            let added = if token < 9 || which == 0 { 0.0 } else { [told.key[column], told.value[column]][which - 1] };
            qkv[token * 3 * width + i] + added
        };
        let by_hand: Vec<f32> = (0..n * 3 * width).map(|i| changed(i / (3 * width), i % (3 * width))).collect();
        let mut want = vec![0.0; n * width];
        attend::<HEAD>(
            &by_hand,
            &Look { asked: 0..n, seen: 0..n, before: None },
            &mut want,
            width,
            &mut Attention::default(),
        );
        assert_eq!(
            attended(Look { asked: 0..n, seen: 0..9, before: Some((9..n, &told)) }),
            want,
            "told from the turn's own"
        );
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
