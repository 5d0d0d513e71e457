//! The runtime computes what the training code computed: `models/train/export.py` stored token ids and logits of a few turns.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bias;
mod floats;
mod labels;

#[cfg(any(feature = "onnx", feature = "rust-bert"))]
use evenhand::signals::Runtime;
use evenhand::signals::{Classifier, Input, Model};
use evenhand::turns::Role;
use serde::Deserialize;

/// The model that is built in.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/minilm-l6");
/// evenhand's own backend against the training code, which computes in the same numbers.
const EMBEDDED: f32 = 1e-2;

#[derive(Deserialize)]
struct Row {
    role: String,
    text: String,
    prev: String,
    prev_role: String,
    ids: Vec<u32>,
    logits: Vec<f32>,
}

fn reference() -> Vec<Row> {
    let rows: Vec<Row> = serde_json::from_slice(&std::fs::read(format!("{MODEL}/reference.json")).unwrap()).unwrap();
    assert!(rows.len() >= 8);
    rows
}

impl Row {
    fn input(&self) -> Input<'_> {
        let before = (!self.prev.is_empty()).then(|| (Role::parse(&self.prev_role).unwrap(), self.prev.as_str()));
        Input { role: Role::parse(&self.role).unwrap(), text: &self.text, before }
    }
}

/// The largest difference from the reference's logits.
fn off(classifier: &Classifier) -> f32 {
    let differences = reference().into_iter().flat_map(|row| {
        assert_eq!(classifier.tokens(&row.input()).unwrap(), row.ids, "{}", row.text);
        let logits = classifier.logits(&row.input(), false).unwrap();
        assert_eq!(logits.len(), row.logits.len());
        logits.into_iter().zip(row.logits).map(|(a, b)| (a - b).abs()).collect::<Vec<_>>()
    });
    differences.fold(0.0, f32::max)
}

#[test]
fn token_ids_and_logits_are_those_of_the_reference() {
    let worst = off(&Classifier::new(&Model::built_in().unwrap()).unwrap());
    assert!(worst < EMBEDDED, "logits differ by {worst}");
}

/// `models/backends/onnx.sh` makes what this needs.
#[test]
#[cfg(feature = "onnx")]
fn onnx_says_what_evenhands_own_backend_says() {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/target/onnx/model");
    floats::agrees(|| Classifier::on(Runtime::Onnx, &Model::open(model.as_ref()).unwrap()).unwrap(), "onnx");
}

/// `models/backends/libtorch.sh` makes what this needs.
#[test]
#[cfg(feature = "rust-bert")]
fn rust_bert_says_what_evenhands_own_backend_says() {
    floats::agrees(|| Classifier::on(Runtime::RustBert, &Model::built_in().unwrap()).unwrap(), "rust-bert");
}
