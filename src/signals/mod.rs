//! What is true of one turn. In: a turn, its role, the turn before and the customer's own mood before. Out: its [`Signals`]: sentiment and labels with probabilities.
//!
//! A [`Backend`] turns token ids into logits; [`Classifier`] does the rest: tokens, batches, thresholds.

mod backend;
mod cache;
mod classifier;
mod embedded;
mod encode;
mod gate;
mod label;
mod lexicon;
mod model;
mod mood;
#[cfg(feature = "onnx")]
mod onnx;
mod plain;
#[cfg(feature = "rust-bert")]
mod rust_bert;
mod vectors;
mod wording;

pub use backend::{Answer, Backend, BackendError, Encoded, LOGITS, Runtime};
pub use classifier::{Classifier, Input};
pub use embedded::Embedded;
pub use label::{Cue, Label, LabelSet, QUOTE, Sentiment, Signals};
pub use lexicon::{Lexicon, Phrases};
pub use model::{First, Model, ModelError, ModelInfo};
pub use mood::Mood;
pub use vectors::WordVectors;
