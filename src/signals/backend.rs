//! What a runtime has to do: token ids in, logits and the tokens they rest on out.

use super::embedded::Embedded;
use super::label::{Cue, Label, Sentiment};
use super::model::{Model, ModelError};

/// Logits of a turn: one per label, then neg, neu, pos, then one per cue.
pub const LOGITS: usize = CUES_FROM + Cue::ALL.len();
/// Where the cues' logits begin.
pub(super) const CUES_FROM: usize = Label::ALL.len() + Sentiment::ALL.len();

/// One turn as token ids: `[CLS] role text [SEP]`, then `role before [SEP]` where there is a turn before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Encoded {
    /// Token ids, at most 512.
    pub ids: Vec<u32>,
    /// How many of them belong to the turn itself; at least 3.
    pub own: usize,
}

impl Encoded {
    /// The turn without the one before.
    pub(super) fn alone(&self) -> Self {
        Self { ids: self.ids[..self.own].to_vec(), own: self.own }
    }
}

/// The answer for one turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// One logit per label, sentiment and cue.
    pub logits: [f32; LOGITS],
    /// For each label, the token of the turn that speaks most for it.
    pub focus: [u16; Label::ALL.len()],
}

#[cfg(any(feature = "onnx", feature = "rust-bert"))]
impl Answer {
    /// From the logits and what each token adds to each label's, `[labels, tokens]`; the first `own` tokens are the turn's.
    pub(super) fn new(logits: [f32; LOGITS], adds: &[f32], own: usize) -> Self {
        let mut focus = [0; Label::ALL.len()];
        for (f, adds) in focus.iter_mut().zip(adds.chunks_exact(adds.len() / Label::ALL.len())) {
            let best = adds[..own].iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            *f = best.map_or(0, |(i, _)| u16::try_from(i).unwrap_or(0));
        }
        Self { logits, focus }
    }
}

/// Why a backend gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// A token id that the model does not know.
    #[error("token id {id} is outside the vocabulary of {vocabulary}; the tokenizer is not the model's")]
    UnknownToken {
        /// The id.
        id: u32,
        /// How many there are.
        vocabulary: usize,
    },
    /// More tokens than positions.
    #[error("{length} tokens in one turn; the model has {positions} positions")]
    TooLong {
        /// Tokens of the turn.
        length: usize,
        /// Positions of the model.
        positions: usize,
    },
    /// The runtime's own fault.
    #[error("the backend failed: {0}")]
    Runtime(String),
}

/// The runtimes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Runtime {
    /// evenhand's own: needs nothing, and is the one that runs the small network.
    #[default]
    Embedded,
    /// ONNX Runtime with the large network (needs a build with `--features onnx`, its library, and `model.onnx` in the model folder).
    Onnx,
    /// rust-bert with the large network (needs a build with `--features rust-bert`, and libtorch).
    RustBert,
}

/// A model on a runtime.
pub(super) struct Loaded {
    /// The large network.
    pub(super) large: Box<dyn Backend>,
    /// The small one that answers first, where the model has one and the runtime runs it.
    pub(super) first: Option<Box<dyn Backend>>,
}

impl Runtime {
    /// This runtime with a model.
    ///
    /// # Errors
    /// When the model is damaged, or the runtime is not part of this program or lacks its files.
    pub(super) fn load(self, model: &Model) -> Result<Loaded, ModelError> {
        match self {
            Self::Embedded => {
                let (large, first) = Embedded::load(model)?;
                Ok(Loaded { large: Box::new(large), first: first.map(|f| Box::new(f) as Box<dyn Backend>) })
            }
            #[cfg(feature = "onnx")]
            Self::Onnx => {
                let folder = model.folder().ok_or_else(|| {
                    ModelError::Backend("the onnx backend needs --model DIR with a model.onnx (docs/backends.md)".to_owned())
                })?;
                Ok(Loaded { large: Box::new(super::onnx::Onnx::load(folder)?), first: None })
            }
            #[cfg(not(feature = "onnx"))]
            Self::Onnx => Err(ModelError::Backend(
                "this evenhand was built without the onnx backend; build one with: cargo build --release --features onnx"
                    .to_owned(),
            )),
            #[cfg(feature = "rust-bert")]
            Self::RustBert => Ok(Loaded { large: Box::new(super::rust_bert::RustBert::load(model)?), first: None }),
            #[cfg(not(feature = "rust-bert"))]
            Self::RustBert => Err(ModelError::Backend(
                "this evenhand was built without the rust-bert backend; build one with: eval \"$(bash models/backends/libtorch.sh)\" && \
                 cargo build --release --features rust-bert (docs/backends.md)"
                    .to_owned(),
            )),
        }
    }
}

/// A runtime for the turn classifier.
///
/// A row's answer may depend on nothing but the row: not on its batch, and not on the number of threads.
pub trait Backend: Send + Sync {
    /// The backend's name, for the manifest.
    fn name(&self) -> &'static str;

    /// The answer for each row, in order. Runs on the calling thread.
    ///
    /// # Errors
    /// When a row is not of the model's vocabulary or length.
    fn answer(&self, batch: &[&Encoded]) -> Result<Vec<Answer>, BackendError>;
}
