//! The encoder and its heads. In: token ids of a batch of rows. Out: logits of each row.

use std::sync::{Arc, Mutex, PoisonError};

use super::attention::{Attention, Before, Look, attend};
use super::dense::Dense;
use super::heads::Heads;
use super::int8::Rounded;
use super::math::{gelu, layer_norm};
use super::plan::{Plan, Sequence};
use super::processor::Vectors;
use super::words::Words;
use crate::signals::backend::{Answer, Backend, BackendError, Encoded};
use crate::signals::model::{Model, ModelError, Tensors};

/// Width of one attention head.
const HEAD: usize = 32;

/// The backend in plain Rust.
pub struct Embedded {
    words: Arc<Words>,
    positions: Vec<f32>,
    types: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    /// The layer in which a turn sees the one before, where that is read apart.
    before: Option<(usize, Before)>,
    heads: Heads,
    /// Kept from batch to batch, one for each thread at work: asking the system for fresh memory costs as much as a layer.
    rooms: Mutex<Vec<Room>>,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Layer {
    /// Query, key and value in one product.
    qkv: Dense,
    attended: Dense,
    attended_norm: Norm,
    up: Dense,
    down: Dense,
    norm: Norm,
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
    fn load(tensors: &Tensors<'_>, name: &str, width: usize) -> Result<Self, ModelError> {
        let dense = |parts: &[&str], k: usize| {
            Dense::load(tensors, &parts.iter().map(|part| format!("{name}.{part}")).collect::<Vec<_>>(), k)
        };
        let norm = |part: &str| Norm::load(tensors, &format!("{name}.{part}"), width);
        let up = dense(&["intermediate.dense"], width)?;
        let qkv = dense(&["attention.self.query", "attention.self.key", "attention.self.value"], width)?;
        if !qkv.width().is_multiple_of(3 * HEAD) {
            return Err(ModelError::Shape(format!("{name}.attention.self")));
        }
        Ok(Self {
            attended: dense(&["attention.output.dense"], qkv.width() / 3)?,
            attended_norm: norm("attention.output.LayerNorm")?,
            down: dense(&["output.dense"], up.width())?,
            norm: norm("output.LayerNorm")?,
            qkv,
            up,
        })
    }
}

impl Embedded {
    /// Unpacks a model for this runtime: the large network, and the small one that answers first, where there is one.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape than the model's description says.
    pub fn load(model: &Model) -> Result<(Self, Option<Self>), ModelError> {
        let tensors = model.tensors()?;
        let words = Arc::new(Words::load(&tensors)?);
        let info = model.info();
        let large = Self::network(&tensors, "", info.layers, None, words.clone())?;
        let first = info.first.as_ref();
        let first = first.map(|first| Self::network(&tensors, "first.", first.layers, first.before, words));
        Ok((large, first.transpose()?))
    }

    fn network(
        tensors: &Tensors<'_>,
        prefix: &str,
        layers: usize,
        before: Option<usize>,
        words: Arc<Words>,
    ) -> Result<Self, ModelError> {
        let width = words.width();
        let bert = |part: &str| format!("{prefix}bert.{part}");
        let layers: Vec<Layer> = (0..layers)
            .map(|i| Layer::load(tensors, &bert(&format!("encoder.layer.{i}")), width))
            .collect::<Result<_, _>>()?;
        if !width.is_multiple_of(HEAD) || layers.is_empty() {
            return Err(ModelError::Shape("bert.embeddings".to_owned()));
        }
        let types = bert("embeddings.token_type_embeddings.weight");
        let types = (tensors.f32(&types)?, types);
        if types.0.len() != 2 * width {
            return Err(ModelError::Shape(types.1));
        }
        let before = before.map(|at| {
            let fault = || ModelError::Shape(format!("{prefix}before"));
            let inner = layers.get(at).ok_or_else(fault)?.qkv.width() / 3;
            let part = |part: &str| tensors.f32(&format!("{prefix}before_{part}"));
            let before = Before { key: part("key")?, value: part("value")? };
            if before.key.len() != inner || before.value.len() != inner {
                return Err(fault());
            }
            Ok((at, before))
        });
        Ok(Self {
            before: before.transpose()?,
            positions: tensors.f32(&bert("embeddings.position_embeddings.weight"))?,
            types: types.0,
            norm: Norm::load(tensors, &bert("embeddings.LayerNorm"), width)?,
            words,
            layers,
            heads: Heads::load(tensors, &format!("{prefix}heads"), width)?,
            rooms: Mutex::default(),
        })
    }

    fn width(&self) -> usize {
        self.words.width()
    }

    /// Embeddings of all sequences, end to end: `[tokens, width]`.
    #[inline(always)]
    fn embed(&self, plan: &Plan<'_>, out: &mut Vec<f32>) -> Result<(), BackendError> {
        let w = self.width();
        let positions = self.positions.len() / w;
        out.resize(plan.sequences.iter().map(Sequence::len).sum::<usize>() * w, 0.0);
        let mut places = out.chunks_exact_mut(w);
        for sequence in &plan.sequences {
            if sequence.len() > positions {
                return Err(BackendError::TooLong { length: sequence.len(), positions });
            }
            for ((i, (id, kind)), place) in sequence.tokens().enumerate().zip(&mut places) {
                if !self.words.write(id as usize, place) {
                    return Err(BackendError::UnknownToken { id, vocabulary: self.words.vocabulary() });
                }
                let position = &self.positions[i * w..(i + 1) * w];
                let kind = &self.types[kind * w..(kind + 1) * w];
                for (i, p) in place.iter_mut().enumerate() {
                    *p += kind[i] + position[i];
                }
            }
        }
        layer_norm(out, &self.norm.weight, &self.norm.bias);
        Ok(())
    }
}

impl Backend for Embedded {
    fn name(&self) -> &'static str {
        "embedded"
    }

    fn answer(&self, batch: &[&Encoded]) -> Result<Vec<Answer>, BackendError> {
        let rooms = || self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let mut room = rooms().pop().unwrap_or_default();
        let answers = self.run_best(batch, &mut room);
        rooms().push(room);
        answers
    }
}

impl Embedded {
    /// With the vector instructions that the processor has.
    fn run_best(&self, batch: &[&Encoded], room: &mut Room) -> Result<Vec<Answer>, BackendError> {
        #[allow(unsafe_code)]
        match Vectors::best() {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor was found to have AVX-512.
            Vectors::Avx512 | Vectors::Avx512Vnni => unsafe { self.run_avx512(batch, room) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor was found to have AVX2.
            Vectors::Avx2 | Vectors::Avx2Vnni => unsafe { self.run_avx2(batch, room) },
            Vectors::Plain => self.run(batch, room),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn run_avx512(&self, batch: &[&Encoded], room: &mut Room) -> Result<Vec<Answer>, BackendError> {
        self.run(batch, room)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_avx2(&self, batch: &[&Encoded], room: &mut Room) -> Result<Vec<Answer>, BackendError> {
        self.run(batch, room)
    }

    /// Inlined with all arithmetic but the products, so that the vector instructions of its caller hold for all of it.
    #[inline(always)]
    fn run(&self, batch: &[&Encoded], room: &mut Room) -> Result<Vec<Answer>, BackendError> {
        let Room { hidden, qkv, mixed, out, wide, rounded, attention } = room;
        let w = self.width();
        let plan = match &self.before {
            None => Plan::together(batch, self.layers.len()),
            Some((at, before)) => Plan::apart(batch, self.layers.len(), *at, before),
        };
        self.embed(&plan, hidden)?;
        for (layer, looks) in self.layers.iter().zip(&plan.layers) {
            layer.qkv.apply(hidden, rounded, qkv);
            let heads = layer.qkv.width() / 3;
            mixed.clear();
            mixed.resize(looks.iter().map(|look| look.asked.len()).sum::<usize>() * heads, 0.0);
            let mut places = &mut mixed[..];
            for look in looks {
                let (place, more) = places.split_at_mut(look.asked.len() * heads);
                attend::<HEAD>(qkv, look, place, heads, attention);
                places = more;
            }
            keep(hidden, looks, w, out);
            layer.attended.apply(mixed, rounded, out);
            add_norm(hidden, out, &layer.attended_norm);
            layer.up.apply(hidden, rounded, wide);
            gelu(wide);
            layer.down.apply(wide, rounded, out);
            add_norm(hidden, out, &layer.norm);
        }
        let mut start = 0;
        let mut answers = Vec::with_capacity(batch.len());
        for row in batch {
            answers.push(self.heads.read(&hidden[start * w..(start + row.own) * w], wide));
            start += row.own;
        }
        Ok(answers)
    }
}

/// Keeps the tokens that were asked for, in that order.
fn keep(hidden: &mut Vec<f32>, looks: &[Look<'_>], width: usize, room: &mut Vec<f32>) {
    let mut end = 0;
    let next = |look: &Look<'_>| std::mem::replace(&mut end, look.asked.end) == look.asked.start;
    if looks.iter().all(next) && end * width == hidden.len() {
        return;
    }
    room.clear();
    for look in looks {
        room.extend_from_slice(&hidden[look.asked.start * width..look.asked.end * width]);
    }
    std::mem::swap(hidden, room);
}

#[inline(always)]
fn add_norm(hidden: &mut [f32], more: &[f32], norm: &Norm) {
    for i in 0..hidden.len().min(more.len()) {
        hidden[i] += more[i];
    }
    layer_norm(hidden, &norm.weight, &norm.bias);
}

/// What a batch is computed in.
#[derive(Default)]
struct Room {
    hidden: Vec<f32>,
    qkv: Vec<f32>,
    mixed: Vec<f32>,
    out: Vec<f32>,
    wide: Vec<f32>,
    rounded: Rounded,
    attention: Attention,
}
