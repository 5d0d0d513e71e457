//! The encoder's own vectors of words. In: a model. Out: for a word, the mean of its tokens' embeddings, as they stand before any layer.

use tokenizers::Tokenizer;

use super::embedded::Words;
use super::model::{Model, ModelError};

/// Vectors of words, centred on the mean of the whole vocabulary.
pub struct WordVectors {
    tokenizer: Tokenizer,
    words: Words,
    mean: Vec<f32>,
}

impl WordVectors {
    /// Reads the embeddings of a model.
    ///
    /// # Errors
    /// When the tokenizer or the table of embeddings is damaged or missing.
    pub fn new(model: &Model) -> Result<Self, ModelError> {
        let words = Words::load(&model.tensors()?)?;
        let (rows, mut row) = (words.vocabulary(), vec![0.0; words.width()]);
        let mut mean = vec![0.0; words.width()];
        for token in 0..rows {
            words.write(token, &mut row);
            mean.iter_mut().zip(&row).for_each(|(m, x)| *m += x);
        }
        mean.iter_mut().for_each(|m| *m /= rows.max(1) as f32);
        Ok(Self { tokenizer: model.tokenizer()?, words, mean })
    }

    /// A word's vector, of length 1; none where the model knows no part of it.
    pub fn of(&self, word: &str) -> Option<Vec<f32>> {
        let encoding = self.tokenizer.encode_fast(word, false).ok()?;
        let (mut out, mut row) = (vec![0.0; self.mean.len()], vec![0.0; self.mean.len()]);
        let mut known = 0.0;
        for &id in encoding.get_ids() {
            if self.words.write(id as usize, &mut row) {
                out.iter_mut().zip(&row).for_each(|(o, x)| *o += x);
                known += 1.0;
            }
        }
        out.iter_mut().zip(&self.mean).for_each(|(o, m)| *o -= known * m);
        let length = out.iter().map(|x| x * x).sum::<f32>().sqrt();
        out.iter_mut().for_each(|x| *x /= length);
        (known > 0.0 && length > 0.0 && length.is_finite()).then_some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_words_lie_near_each_other() {
        let vectors = WordVectors::new(&Model::built_in().unwrap()).unwrap();
        let cosine = |a: &str, b: &str| -> f32 {
            vectors.of(a).unwrap().iter().zip(vectors.of(b).unwrap()).map(|(a, b)| a * b).sum()
        };
        for (word, like, unlike) in
            [("parcel", "package", "password"), ("bill", "invoice", "router"), ("refund", "refunds", "engineer")]
        {
            assert!(
                cosine(word, like) > cosine(word, unlike) + 0.05,
                "{word}: {} {}",
                cosine(word, like),
                cosine(word, unlike)
            );
        }
        assert!((cosine("broadband", "broadband") - 1.0).abs() < 1e-5);
        assert_eq!(vectors.of(""), None);
    }
}
