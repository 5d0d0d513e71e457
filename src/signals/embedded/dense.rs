//! A dense layer in whichever numbers the model's file holds it.

use super::float::Float;
use super::int8::{Int8, Rounded};
use crate::signals::model::{ModelError, Tensors, Weight};

/// `out = a · wᵀ + bias`.
pub(super) enum Dense {
    Float(Float),
    Int8(Int8),
}

impl Dense {
    /// The layer whose weight is that of all `names`, one below the other; `k` values in.
    pub(super) fn load(tensors: &Tensors<'_>, names: &[String], k: usize) -> Result<Self, ModelError> {
        let (mut floats, mut ints, mut scales, mut bias) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for name in names {
            match tensors.weight(&format!("{name}.weight"))? {
                Weight::Float(values) => floats.extend(values.into_iter().map(half::f16::to_f32)),
                Weight::Int8 { values, scales: more } => {
                    ints.extend(values);
                    scales.extend(more);
                }
            }
            bias.extend(tensors.f32(&format!("{name}.bias"))?);
        }
        let made = if ints.is_empty() {
            Float::new(&floats, &bias, k).map(Self::Float)
        } else {
            Int8::new(&ints, scales, bias, k).map(Self::Int8)
        };
        made.ok_or_else(|| ModelError::Shape(names.join(", ")))
    }

    /// The output's width.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Float(w) => w.width(),
            Self::Int8(w) => w.width(),
        }
    }

    /// `out[rows, n]` of `a[rows, k]`, row-major. `rounded` is room for the work.
    #[inline(always)]
    pub(super) fn apply(&self, a: &[f32], rounded: &mut Rounded, out: &mut Vec<f32>) {
        match self {
            Self::Float(w) => w.apply(a, out),
            Self::Int8(w) => {
                rounded.fill(a, w.depth());
                w.apply(rounded, out);
            }
        }
    }
}
