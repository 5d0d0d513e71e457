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

#[test]
fn token_ids_and_logits_are_those_of_the_reference() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../../models/minilm-l6/reference.json")).unwrap();
    assert!(rows.len() >= 8);
    let classifier = Classifier::new(&Model::built_in().unwrap()).unwrap();
    let mut worst = 0f32;
    for row in &rows {
        let before = (!row.prev.is_empty()).then(|| (Role::parse(&row.prev_role).unwrap(), row.prev.as_str()));
        let input = Input { role: Role::parse(&row.role).unwrap(), text: &row.text, before };
        assert_eq!(classifier.tokens(&input).unwrap(), row.ids, "{}", row.text);
        let logits = classifier.logits(&input).unwrap();
        assert_eq!(logits.len(), row.logits.len());
        worst = logits.iter().zip(&row.logits).map(|(a, b)| (a - b).abs()).fold(worst, f32::max);
    }
    assert!(worst < 1e-2, "logits differ by {worst}");
}
