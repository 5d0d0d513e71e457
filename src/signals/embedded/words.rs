//! The vector of each token, read from the table as it is stored.

use half::slice::HalfFloatSliceExt;

use crate::signals::model::{ModelError, Tensors, Weight};

/// The table of word vectors `[vocabulary, width]`.
pub(crate) struct Words {
    table: Weight,
    width: usize,
}

impl Words {
    pub(crate) fn load(tensors: &Tensors<'_>) -> Result<Self, ModelError> {
        let name = "bert.embeddings.word_embeddings.weight";
        let [vocabulary, width] = tensors.shape(name)?;
        let table = tensors.weight(name)?;
        if let Weight::Int8 { scales, .. } = &table
            && scales.len() != vocabulary
        {
            return Err(ModelError::Shape(name.to_owned()));
        }
        Ok(Self { table, width })
    }

    /// Values of one vector.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// How many tokens there are.
    pub(crate) fn vocabulary(&self) -> usize {
        match &self.table {
            Weight::Float(values) => values.len() / self.width,
            Weight::Int8 { scales, .. } => scales.len(),
        }
    }

    /// Writes the vector of a token; false where there is no such token.
    #[inline(always)]
    pub(crate) fn write(&self, token: usize, out: &mut [f32]) -> bool {
        if token >= self.vocabulary() {
            return false;
        }
        let at = token * self.width..(token + 1) * self.width;
        match &self.table {
            Weight::Float(values) => values[at].convert_to_f32_slice(out),
            Weight::Int8 { values, scales } => {
                let scale = scales[token];
                out.iter_mut().zip(&values[at]).for_each(|(o, v)| *o = f32::from(*v) * scale);
            }
        }
        true
    }
}
