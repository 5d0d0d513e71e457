//! The encoder and its heads. In: token ids of a batch of rows. Out: logits of each row.

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::kernel::Packed;
use super::math::{dot, gelu, layer_norm, softmax};
use crate::signals::backend::{Answer, Backend, BackendError, Encoded, LOGITS};
use crate::signals::label::{Cue, Label, Sentiment};
use crate::signals::model::{Model, ModelError, Tensors};

/// Width of one attention head.
const HEAD: usize = 32;
const LABELS: usize = Label::ALL.len();
const SENTIMENTS: usize = Sentiment::ALL.len();
const HEADS: usize = LABELS + 1 + Cue::ALL.len();

/// The backend in plain Rust.
pub struct Embedded {
    words: Vec<f16>,
    positions: Vec<f32>,
    types: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    heads: Heads,
    width: usize,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Layer {
    /// Query, key and value in one product.
    qkv: Packed,
    attended: Packed,
    attended_norm: Norm,
    up: Packed,
    down: Packed,
    norm: Norm,
}

/// One attention query per label, one for sentiment, one per cue; each pools the turn's own tokens for its logits.
struct Heads {
    query: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

fn packed(name: &str, weight: &[f32], bias: &[f32], k: usize) -> Result<Packed, ModelError> {
    Packed::new(weight, bias, k).ok_or_else(|| ModelError::Shape(name.to_owned()))
}

impl Norm {
    fn load(tensors: &Tensors<'_>, name: &str, width: usize) -> Result<Self, ModelError> {
        let norm =
            Self { weight: tensors.f32(&format!("{name}.weight"))?, bias: tensors.f32(&format!("{name}.bias"))? };
        if norm.weight.len() != width || norm.bias.len() != width {
            return Err(ModelError::Shape(name.to_owned()));
        }
        Ok(norm)
    }
}

impl Layer {
    fn load(tensors: &Tensors<'_>, index: usize, width: usize) -> Result<Self, ModelError> {
        let name = |part: &str| format!("bert.encoder.layer.{index}.{part}");
        let dense = |part: &str, k: usize| -> Result<Packed, ModelError> {
            let weight = tensors.f32(&name(&format!("{part}.weight")))?;
            packed(part, &weight, &tensors.f32(&name(&format!("{part}.bias")))?, k)
        };
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for part in ["query", "key", "value"] {
            weight.extend(tensors.f32(&name(&format!("attention.self.{part}.weight")))?);
            bias.extend(tensors.f32(&name(&format!("attention.self.{part}.bias")))?);
        }
        let up = dense("intermediate.dense", width)?;
        Ok(Self {
            qkv: packed("attention.self", &weight, &bias, width)?,
            attended: dense("attention.output.dense", width)?,
            attended_norm: Norm::load(tensors, &name("attention.output.LayerNorm"), width)?,
            down: dense("output.dense", up.width())?,
            norm: Norm::load(tensors, &name("output.LayerNorm"), width)?,
            up,
        })
    }
}

impl Embedded {
    /// Unpacks a model for this runtime.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape than the model's description says.
    pub fn load(model: &Model) -> Result<Self, ModelError> {
        let tensors = model.tensors()?;
        let word = "bert.embeddings.word_embeddings.weight";
        let width = tensors.shape(word)?[1];
        let layers = (0..model.info().layers).map(|i| Layer::load(&tensors, i, width)).collect::<Result<_, _>>()?;
        let heads = Heads {
            query: tensors.f32("heads.query")?,
            weight: tensors.f32("heads.weight")?,
            bias: tensors.f32("heads.bias")?,
        };
        let sizes = [heads.weight.len(), heads.query.len(), heads.bias.len()];
        if sizes != [LOGITS * width, HEADS * width, LOGITS] || !width.is_multiple_of(HEAD) {
            return Err(ModelError::Shape("heads".to_owned()));
        }
        let types = tensors.f32("bert.embeddings.token_type_embeddings.weight")?;
        if types.len() != 2 * width {
            return Err(ModelError::Shape("bert.embeddings.token_type_embeddings.weight".to_owned()));
        }
        Ok(Self {
            words: tensors.f16(word)?,
            positions: tensors.f32("bert.embeddings.position_embeddings.weight")?,
            types,
            norm: Norm::load(&tensors, "bert.embeddings.LayerNorm", width)?,
            layers,
            heads,
            width,
        })
    }

    /// Embeddings of all rows, end to end: `[tokens, width]`.
    #[inline(always)]
    fn embed(&self, batch: &[&Encoded]) -> Result<Vec<f32>, BackendError> {
        let w = self.width;
        let (vocabulary, positions) = (self.words.len() / w, self.positions.len() / w);
        let mut out = vec![0.0; batch.iter().map(|r| r.ids.len()).sum::<usize>() * w];
        let mut places = out.chunks_exact_mut(w);
        for row in batch {
            if row.ids.len() > positions {
                return Err(BackendError::TooLong { length: row.ids.len(), positions });
            }
            for (i, &id) in row.ids.iter().enumerate() {
                let word = self.words.get(id as usize * w..(id as usize + 1) * w);
                let word = word.ok_or(BackendError::UnknownToken { id, vocabulary })?;
                let kind = usize::from(i >= row.own);
                let position = &self.positions[i * w..(i + 1) * w];
                let kind = &self.types[kind * w..(kind + 1) * w];
                if let Some(place) = places.next() {
                    word.convert_to_f32_slice(place);
                    for (i, p) in place.iter_mut().enumerate() {
                        *p += kind[i] + position[i];
                    }
                }
            }
        }
        layer_norm(&mut out, &self.norm.weight, &self.norm.bias);
        Ok(out)
    }

    /// Each head pools the turn's tokens by its attention; a label's focus is the token that adds most to its logit.
    #[inline(always)]
    fn heads(&self, hidden: &[f32]) -> Answer {
        let w = self.width;
        let mut out = Answer { logits: [0.0; LOGITS], focus: [0; LABELS] };
        let mut pooled = vec![0.0; w];
        let mut attention = vec![0.0; hidden.len() / w];
        for (h, query) in self.heads.query.chunks_exact(w).enumerate() {
            for (a, token) in attention.iter_mut().zip(hidden.chunks_exact(w)) {
                *a = dot(query, token);
            }
            softmax(&mut attention);
            pooled.fill(0.0);
            for (a, token) in attention.iter().zip(hidden.chunks_exact(w)) {
                for (p, t) in pooled.iter_mut().zip(token) {
                    *p += a * t;
                }
            }
            let logits = match h {
                LABELS => LABELS..LABELS + SENTIMENTS,
                h if h < LABELS => h..h + 1,
                h => h + SENTIMENTS - 1..h + SENTIMENTS,
            };
            for i in logits {
                out.logits[i] = dot(&pooled, self.weight(i)) + self.heads.bias[i];
            }
            if h < LABELS {
                let mut most = f32::NEG_INFINITY;
                for (i, (a, token)) in attention.iter().zip(hidden.chunks_exact(w)).enumerate() {
                    let adds = a * dot(token, self.weight(h));
                    if adds >= most {
                        (most, out.focus[h]) = (adds, i);
                    }
                }
            }
        }
        out
    }

    fn weight(&self, logit: usize) -> &[f32] {
        &self.heads.weight[logit * self.width..(logit + 1) * self.width]
    }
}

impl Backend for Embedded {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn answer(&self, batch: &[&Encoded]) -> Result<Vec<Answer>, BackendError> {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            #[allow(unsafe_code)]
            // SAFETY: the processor was just found to have AVX2.
            return unsafe { self.run_avx2(batch) };
        }
        self.run(batch)
    }
}

impl Embedded {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_avx2(&self, batch: &[&Encoded]) -> Result<Vec<Answer>, BackendError> {
        self.run(batch)
    }

    /// Inlined with all that it calls but the products, so that the vector instructions of its caller hold for all of it.
    #[inline(always)]
    fn run(&self, batch: &[&Encoded]) -> Result<Vec<Answer>, BackendError> {
        let w = self.width;
        let mut hidden = self.embed(batch)?;
        let lengths: Vec<usize> = batch.iter().map(|r| r.ids.len()).collect();
        let (mut qkv, mut mixed, mut out, mut wide) = (Vec::new(), vec![0.0; hidden.len()], Vec::new(), Vec::new());
        for layer in &self.layers {
            layer.qkv.apply(&hidden, &mut qkv);
            let mut start = 0;
            for &n in &lengths {
                attend(&qkv[start * 3 * w..(start + n) * 3 * w], &mut mixed[start * w..(start + n) * w], w);
                start += n;
            }
            layer.attended.apply(&mixed, &mut out);
            add_norm(&mut hidden, &out, &layer.attended_norm);
            layer.up.apply(&hidden, &mut wide);
            gelu(&mut wide);
            layer.down.apply(&wide, &mut out);
            add_norm(&mut hidden, &out, &layer.norm);
        }
        let mut start = 0;
        let mut answers = Vec::with_capacity(batch.len());
        for row in batch {
            answers.push(self.heads(&hidden[start * w..(start + row.own) * w]));
            start += row.ids.len();
        }
        Ok(answers)
    }
}

#[inline(always)]
fn add_norm(hidden: &mut [f32], more: &[f32], norm: &Norm) {
    hidden.iter_mut().zip(more).for_each(|(h, m)| *h += m);
    layer_norm(hidden, &norm.weight, &norm.bias);
}

/// Tokens whose scores are computed side by side.
const SIDE: usize = 32;

/// Self-attention of one row. `qkv` is `[n, 3 · width]`, `out` is `[n, width]`.
#[inline(always)]
fn attend(qkv: &[f32], out: &mut [f32], width: usize) {
    let n = out.len() / width;
    let padded = n.next_multiple_of(SIDE);
    let scale = 1.0 / (HEAD as f32).sqrt();
    // The keys of one head, a row for each of its dimensions.
    let mut keys = vec![0.0; HEAD * padded];
    let mut scores = [vec![0.0; padded], vec![0.0; padded]];
    for head in (0..width).step_by(HEAD) {
        let part = |token: usize, which: usize| {
            let at = token * 3 * width + which * width + head;
            &qkv[at..at + HEAD]
        };
        for token in 0..n {
            part(token, 1).iter().enumerate().for_each(|(d, k)| keys[d * padded + token] = k * scale);
        }
        for i in (0..n).step_by(2) {
            // Two queries at once keep the processor busier; the last of an odd number goes twice.
            let pair = [i, (i + 1).min(n - 1)];
            let queries = pair.map(|i| part(i, 0));
            for from in (0..padded).step_by(SIDE) {
                let mut sums = [[0f32; SIDE]; 2];
                for d in 0..HEAD {
                    let keys = &keys[d * padded + from..][..SIDE];
                    for (sum, query) in sums.iter_mut().zip(queries) {
                        sum.iter_mut().zip(keys).for_each(|(s, k)| *s += query[d] * k);
                    }
                }
                scores.iter_mut().zip(sums).for_each(|(s, sum)| s[from..from + SIDE].copy_from_slice(&sum));
            }
            scores.iter_mut().for_each(|s| softmax(&mut s[..n]));
            let mut sums = [[0f32; HEAD]; 2];
            for j in 0..n {
                let value = part(j, 2);
                for (sum, score) in sums.iter_mut().zip(&scores) {
                    sum.iter_mut().zip(value).for_each(|(s, v)| *s += score[j] * v);
                }
            }
            pair.iter().zip(sums).for_each(|(i, sum)| out[i * width + head..][..HEAD].copy_from_slice(&sum));
        }
    }
}
