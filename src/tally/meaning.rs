//! From vectors of words to vectors of texts. In: each word's vector and each text's words with their weights. Out: vectors of length 1.
//!
//! A text's vector is the mean of its words' vectors, each with its weight; what all texts share, the first principal component of these,
//! is taken out (Arora, Liang and Ma 2017).

/// Texts from which the first principal component is found.
const TEXTS: usize = 5000;
/// Steps of the power iteration.
const STEPS: usize = 20;

/// Words by number, each with its weight.
pub(super) type Weighted = Vec<(u32, f64)>;

/// The vectors of words, and what all texts share.
pub(super) struct Meaning {
    words: Vec<Option<Vec<f32>>>,
    common: Vec<f32>,
    width: usize,
}

impl Meaning {
    /// `words` by number; none for a word without a vector.
    pub(super) fn new(words: Vec<Option<Vec<f32>>>, texts: &[Weighted]) -> Self {
        let width = words.iter().flatten().map(Vec::len).max().unwrap_or(0);
        let mut out = Self { words, common: vec![0.0; width], width };
        let every = texts.len().div_ceil(TEXTS).max(1);
        let sample: Vec<Vec<f32>> = texts.iter().step_by(every).map(|t| out.of(t)).collect();
        // Any start will do that is not at right angles to the answer.
        let mut axis: Vec<f32> = (0..width).map(|i| 1.0 + (i % 7) as f32).collect();
        unit(&mut axis);
        for _ in 0..STEPS {
            let mut next = vec![0.0; width];
            sample.iter().for_each(|t| add(&mut next, dot(t, &axis), t));
            unit(&mut next);
            axis = next;
        }
        out.common = axis;
        out
    }

    /// A text's vector; all 0 where no word of it has one.
    pub(super) fn of(&self, text: &Weighted) -> Vec<f32> {
        let mut out = vec![0.0; self.width];
        for (word, weight) in text {
            if let Some(vector) = self.words.get(*word as usize).and_then(Option::as_ref) {
                add(&mut out, *weight as f32, vector);
            }
        }
        let shared = dot(&out, &self.common);
        add(&mut out, -shared, &self.common);
        unit(&mut out);
        out
    }
}

/// Adds a multiple of a vector.
pub(super) fn add(sum: &mut [f32], times: f32, vector: &[f32]) {
    sum.iter_mut().zip(vector).for_each(|(s, v)| *s += times * v);
}

/// Scales to length 1, and gives the length; a vector without length stays as it is.
pub(super) fn unit(vector: &mut [f32]) -> f32 {
    let length = dot(vector, vector).sqrt();
    if length > 1e-6 {
        vector.iter_mut().for_each(|v| *v /= length);
    } else {
        vector.fill(0.0);
    }
    length
}

/// The inner product, in a fixed order.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_texts_share_is_taken_out() {
        let words = vec![Some(vec![9.0, 1.0, 0.0]), Some(vec![9.0, -1.0, 0.0]), Some(vec![9.0, 0.0, 1.0]), None];
        let texts: Vec<Weighted> = (0..300).map(|i| vec![(i % 3, 1.0)]).collect();
        let meaning = Meaning::new(words, &texts);
        let [a, b] = [0, 1].map(|w| meaning.of(&vec![(w, 1.0)]));
        assert!(dot(&a, &b) < -0.4, "with what they share their cosine is 0.98: {}", dot(&a, &b));
        assert!((dot(&a, &a) - 1.0).abs() < 1e-5);
        assert_eq!(meaning.of(&vec![(3, 1.0)]), [0.0; 3]);
        assert!(Meaning::new(Vec::new(), &[]).of(&vec![(0, 1.0)]).is_empty());
    }
}
