//! The runtime computes what the training code computed: `models/train/export.py` stored token ids and logits of a few turns.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bias;
mod labels;

use evenhand::signals::{Classifier, Input, Model};
use evenhand::turns::Role;
use serde::Deserialize;

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
    let rows: Vec<Row> = serde_json::from_str(include_str!("../../models/minilm-l6/reference.json")).unwrap();
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
    assert!(worst < 1e-2, "logits differ by {worst}");
}

/// `models/backends/onnx.sh` makes what this needs.
#[cfg(feature = "onnx")]
mod onnx {
    use super::*;
    use evenhand::signals::Runtime;

    fn classifier() -> Classifier {
        let model = concat!(env!("CARGO_MANIFEST_DIR"), "/target/onnx/model");
        Classifier::on(Runtime::Onnx, &Model::open(model.as_ref()).unwrap()).unwrap()
    }

    #[test]
    fn logits_are_those_of_the_reference() {
        let worst = off(&classifier());
        assert!(worst < 1e-2, "logits differ by {worst}");
    }

    #[test]
    fn signals_are_those_of_the_embedded_backend_in_any_batch() {
        let rows = reference();
        let inputs: Vec<Input<'_>> = rows.iter().map(Row::input).collect();
        let (onnx, own) = (classifier(), Classifier::new(&Model::built_in().unwrap()).unwrap());
        assert_eq!(onnx.backend(), "onnx");
        let (theirs, ours) = (onnx.classify(&inputs).unwrap(), own.classify(&inputs).unwrap());
        for (i, (a, b)) in theirs.iter().zip(&ours).enumerate() {
            assert_eq!(a.labels, b.labels, "row {i}");
            assert_eq!(onnx.classify(&inputs[i..=i]).unwrap()[0], *a, "row {i} alone");
        }
    }
}
