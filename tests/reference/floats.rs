//! What the backends that compute in floats are compared with: evenhand's own on a copy of the model whose 8-bit weights are floats.

use std::fs;

use evenhand::signals::{Classifier, Input, Model};
use evenhand::turns::Role;
use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};

use super::{MODEL, Row, off, reference};

/// Backends against evenhand's own, floats against floats: the order of the sums, and weights rounded to 16 bits in the copy.
pub(crate) const FLOATS: f32 = 1e-2;
/// Floats against activations rounded to 8 bits, as the reference has them where weights are of 8 bits.
const ROUNDED: f32 = 0.5;

const WEIGHTS: &str = "model.safetensors";

/// evenhand's own backend on the large network in floats, and whether the model has weights of 8 bits.
pub(crate) fn own() -> (Classifier, bool) {
    let stored = fs::read(format!("{MODEL}/{WEIGHTS}")).unwrap();
    let tensors = SafeTensors::deserialize(&stored).unwrap();
    let mut eight = false;
    let floats: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            let mut bytes = tensor.data().to_vec();
            if tensor.dtype() == Dtype::I8 {
                eight = true;
                let scales = tensors.tensor(&format!("{name}_scale")).unwrap();
                let scales = scales.data().as_chunks::<2>().0.iter().map(|s| f16::from_le_bytes(*s).to_f32());
                let rows = tensor.data().chunks_exact(tensor.shape()[1]).zip(scales);
                let whole = rows.flat_map(|(row, scale)| row.iter().map(move |v| f32::from(v.cast_signed()) * scale));
                bytes = whole.flat_map(|v| f16::from_f32(v).to_le_bytes()).collect();
            }
            (name.to_owned(), tensor.shape().to_vec(), bytes)
        })
        .collect();
    let views = floats.iter().map(|(name, shape, b)| (name, TensorView::new(Dtype::F16, shape.clone(), b).unwrap()));
    let weights = safetensors::serialize(views, None).unwrap();
    let mut info: serde_json::Value =
        serde_json::from_slice(&fs::read(format!("{MODEL}/model.json")).unwrap()).unwrap();
    info.as_object_mut().unwrap().remove("first");
    info["sha256"][WEIGHTS] = hex::encode(Sha256::digest(&weights)).into();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(WEIGHTS), weights).unwrap();
    fs::write(folder.path().join("model.json"), info.to_string()).unwrap();
    fs::copy(format!("{MODEL}/tokenizer.json"), folder.path().join("tokenizer.json")).unwrap();
    (Classifier::new(&Model::open(folder.path()).unwrap()).unwrap(), eight)
}

#[test]
fn rounding_to_8_bits_moves_no_logit_far() {
    let (own, eight) = own();
    let worst = off(&own, false).into_iter().fold(0.0, f32::max);
    assert!(worst < if eight { ROUNDED } else { FLOATS }, "logits differ by {worst}");
}

/// Another backend on the same model: its logits and labels are those of evenhand's own, and a turn's signals are the same alone and in a batch.
#[cfg_attr(not(any(feature = "onnx", feature = "rust-bert")), expect(dead_code, reason = "no other backend"))]
pub(crate) fn agrees(load: impl Fn() -> Classifier, name: &str) {
    let rows = reference();
    // Several turns of each length, for those are computed together.
    let more: Vec<String> = (0..40).map(|i| format!("number {i} {}", "is late again ".repeat(i % 5))).collect();
    let more = more.iter().map(|text| Input { role: Role::Customer, text, before: None });
    let inputs: Vec<Input<'_>> = rows.iter().map(Row::input).chain(more).collect();
    let (other, (own, _)) = (load(), own());
    assert_eq!(other.backend(), name);
    let (theirs, ours) = (other.classify(&inputs).unwrap(), own.classify(&inputs).unwrap());
    let mut worst: f32 = 0.0;
    for (i, input) in inputs.iter().enumerate() {
        let logits = [&other, &own].map(|c| c.logits(input, false).unwrap());
        worst = logits[0].iter().zip(logits[1]).map(|(a, b)| (a - b).abs()).fold(worst, f32::max);
        assert_eq!(theirs[i].labels, ours[i].labels, "row {i}");
    }
    assert!(worst < FLOATS, "logits differ by {worst}");
    // Loaded anew, for it keeps its answers.
    let alone = load();
    for (i, together) in theirs.iter().enumerate() {
        assert_eq!(alone.classify(&inputs[i..=i]).unwrap()[0], *together, "row {i} alone");
    }
}
