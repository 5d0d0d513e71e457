//! The model's files: description, tokenizer, weights. In: a folder, or what is built into the binary. Out: [`Model`], checked.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokenizers::Tokenizer;

use super::label::{Cue, Label, Sentiment};
use super::mood::Mood;

/// The files of a model folder.
const DESCRIPTION: &str = "model.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";

static BUILT_IN: [&[u8]; 3] = [
    include_bytes!("../../models/default/model.json"),
    include_bytes!("../../models/default/tokenizer.json"),
    include_bytes!("../../models/default/model.safetensors"),
];

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file cannot be read.
    #[error("{path}: {source}; a model folder holds {DESCRIPTION}, {TOKENIZER} and {WEIGHTS}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The description is not one.
    #[error("{DESCRIPTION}: {0}")]
    Description(String),
    /// A file is not the one described.
    #[error("{0} is not the file that {DESCRIPTION} describes (sha256 differs); copy the model folder again")]
    Hash(&'static str),
    /// The tokenizer does not work.
    #[error("{TOKENIZER}: {0}")]
    Tokenizer(String),
    /// The weights file is damaged or lacks a tensor.
    #[error("{WEIGHTS}: {0}")]
    Weights(String),
    /// The network in a form that another runtime reads is not there.
    #[error("{path}: {source}; docs/backends.md says how it is made")]
    Network {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A runtime that is not part of this program, or that lacks what it needs.
    #[error("{0}")]
    Backend(String),
    /// A tensor's shape is not what the program needs.
    #[error("{WEIGHTS}: unexpected shape of {0}")]
    Shape(String),
}

/// `model.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// The model's name.
    pub name: String,
    /// Changes with every training.
    pub version: String,
    /// The languages it was trained for, as codes such as `en`; English where none are named.
    #[serde(default = "english")]
    pub languages: Vec<String>,
    /// Encoder layers.
    pub layers: usize,
    /// A small network that answers first, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<First>,
    /// Label names in the order of the logits.
    pub labels: Vec<Label>,
    /// Sentiment names in the order of the logits that follow.
    pub sentiments: Vec<Sentiment>,
    /// Cue names in the order of the logits after those.
    pub cues: Vec<Cue>,
    /// The word for each emoji, as the model was trained with.
    pub emoji: BTreeMap<char, String>,
    /// From what probability on a label or cue holds.
    pub thresholds: BTreeMap<String, f32>,
    /// How a customer's mood in one turn bears on the next; absent: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mood: Option<Mood>,
    /// sha256 of the other files.
    pub sha256: BTreeMap<String, String>,
}

/// The small network: it shares the tokenizer and the word vectors, and its logits stand to the same thresholds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct First {
    /// Its encoder layers.
    pub layers: usize,
    /// The layer in which a turn sees the one before, which until then is read apart from it; none where both are read in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<usize>,
    /// A turn that has one of these labels with a probability from the first to the second is read again by the large network; where this is not told, every turn is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<BTreeMap<String, [f32; 2]>>,
}

fn english() -> Vec<String> {
    vec!["en".to_owned()]
}

/// A model's files in memory.
pub struct Model {
    info: ModelInfo,
    tokenizer: Cow<'static, [u8]>,
    weights: Cow<'static, [u8]>,
    folder: Option<PathBuf>,
}

impl Model {
    /// The model that is part of the program.
    ///
    /// # Errors
    /// Never, in a program that passed its tests.
    pub fn built_in() -> Result<Self, ModelError> {
        let [description, tokenizer, weights] = BUILT_IN.map(Cow::Borrowed);
        Self::new(&description, tokenizer, weights, None)
    }

    /// The model in a folder; its files are checked against their hashes.
    ///
    /// # Errors
    /// When a file is missing, damaged or of another model.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).map(Cow::Owned).map_err(|source| ModelError::Read { path, source })
        };
        let model = Self::new(&read(DESCRIPTION)?, read(TOKENIZER)?, read(WEIGHTS)?, Some(folder.to_owned()))?;
        for (name, bytes) in [(TOKENIZER, &model.tokenizer), (WEIGHTS, &model.weights)] {
            if model.info.sha256.get(name) != Some(&hex::encode(Sha256::digest(bytes))) {
                return Err(ModelError::Hash(name));
            }
        }
        Ok(model)
    }

    fn new(
        description: &[u8],
        tokenizer: Cow<'static, [u8]>,
        weights: Cow<'static, [u8]>,
        folder: Option<PathBuf>,
    ) -> Result<Self, ModelError> {
        let info: ModelInfo =
            serde_json::from_slice(description).map_err(|e| ModelError::Description(e.to_string()))?;
        if info.labels != Label::ALL || info.sentiments != Sentiment::ALL || info.cues != Cue::ALL {
            return Err(ModelError::Description(
                "labels or cues are not those of this program, in its order".to_owned(),
            ));
        }
        let mut names = Label::ALL.map(Label::name).into_iter().chain(Cue::ALL.map(Cue::name));
        if let Some(name) = names.find(|n| !info.thresholds.get(*n).is_some_and(|t| 0.0 < *t && *t < 1.0)) {
            return Err(ModelError::Description(format!("no threshold between 0 and 1 for {name}")));
        }
        let known = |name: &str| Label::ALL.iter().any(|l| l.name() == name);
        for (name, [low, high]) in info.first.iter().flat_map(|first| first.again.iter().flatten()) {
            if !known(name) || !(0.0..=*high).contains(low) || *high > 1.0 {
                return Err(ModelError::Description(format!("`again` asks for {name} from {low} to {high}")));
            }
        }
        if info.mood.is_some_and(|mood| !mood.is_sound()) {
            return Err(ModelError::Description("`mood` has a weight out of range".to_owned()));
        }
        Ok(Self { info, tokenizer, weights, folder })
    }

    /// The same, and both networks read every turn.
    #[must_use]
    pub fn accurate(mut self) -> Self {
        if let Some(first) = &mut self.info.first {
            first.again = None;
        }
        self
    }

    /// What the model is.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Where it was read from; none for the built-in model.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The tokenizer, which neither pads nor cuts.
    pub(super) fn tokenizer(&self) -> Result<Tokenizer, ModelError> {
        let fault = |e: tokenizers::Error| ModelError::Tokenizer(e.to_string());
        let mut tokenizer = Tokenizer::from_bytes(&self.tokenizer).map_err(fault)?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(fault)?;
        Ok(tokenizer)
    }

    pub(super) fn tensors(&self) -> Result<Tensors<'_>, ModelError> {
        SafeTensors::deserialize(&self.weights).map(Tensors).map_err(|e| ModelError::Weights(e.to_string()))
    }
}

/// The weights by name.
pub(super) struct Tensors<'a>(SafeTensors<'a>);

impl Tensors<'_> {
    fn get(&self, name: &str) -> Result<TensorView<'_>, ModelError> {
        self.0.tensor(name).map_err(|e| ModelError::Weights(e.to_string()))
    }

    /// The shape of a two-dimensional tensor.
    pub(super) fn shape(&self, name: &str) -> Result<[usize; 2], ModelError> {
        self.get(name)?.shape().try_into().map_err(|_| ModelError::Shape(name.to_owned()))
    }

    /// A tensor as 32-bit floats, row-major.
    pub(super) fn f32(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        match self.weight(name)? {
            Weight::Float(values) => Ok(values.into_iter().map(f16::to_f32).collect()),
            Weight::Int8 { .. } => Err(ModelError::Weights(format!("{name} is I8, not F16"))),
        }
    }

    /// A tensor of 16-bit floats, or of 8-bit numbers with a 16-bit scale for each row in `NAME_scale`.
    pub(super) fn weight(&self, name: &str) -> Result<Weight, ModelError> {
        let tensor = self.get(name)?;
        match tensor.dtype() {
            Dtype::F16 => {
                Ok(Weight::Float(tensor.data().as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b)).collect()))
            }
            Dtype::I8 => Ok(Weight::Int8 {
                values: tensor.data().iter().map(|b| b.cast_signed()).collect(),
                scales: self.f32(&format!("{name}_scale"))?,
            }),
            other => Err(ModelError::Weights(format!("{name} is {other:?}, not F16 or I8"))),
        }
    }
}

/// A weight matrix, row-major.
pub(super) enum Weight {
    /// As 16-bit floats.
    Float(Vec<f16>),
    /// As 8-bit numbers and a scale for each row.
    Int8 { values: Vec<i8>, scales: Vec<f32> },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::embedded::Embedded;

    #[test]
    fn a_mood_out_of_range_is_refused() {
        let mut description = serde_json::to_value(Model::built_in().unwrap().info()).unwrap();
        let opened = |description: &serde_json::Value| {
            Model::new(&serde_json::to_vec(description).unwrap(), Cow::default(), Cow::default(), None).is_ok()
        };
        assert!(opened(&description));
        description["mood"][0][0] = 11.into();
        assert!(!opened(&description));
    }

    #[test]
    fn a_layer_that_is_not_there_is_refused() {
        let mut model = Model::built_in().unwrap();
        for at in [model.info.first.as_ref().unwrap().layers, usize::MAX] {
            model.info.first.as_mut().unwrap().before = Some(at);
            assert!(matches!(Embedded::load(&model), Err(ModelError::Shape(_))));
        }
    }
}
