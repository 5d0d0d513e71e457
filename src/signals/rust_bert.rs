//! The backend on rust-bert and libtorch (cargo feature `rust-bert`): the model's own weights as 32-bit floats.
//!
//! `models/backends/libtorch.sh` sets libtorch up; `docs/backends.md` says how.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rust_bert::bert::{BertConfig, BertEmbeddings, BertModel};
use tch::{Device, Kind, Tensor, nn};

use super::backend::{Answer, Backend, BackendError, Encoded, LOGITS};
use super::label::{Cue, Label, Sentiment};
use super::model::{Model, ModelError, Tensors, Weight};

/// Width of one attention head.
const HEAD: usize = 32;
const LABELS: usize = Label::ALL.len();
const SENTIMENTS: usize = Sentiment::ALL.len();
/// One attention query per label, one for sentiment, one per cue.
const QUERIES: usize = LABELS + 1 + Cue::ALL.len();

/// libtorch with one network for each thread that asks, for a tensor may not be used by two; they share the weights' memory.
pub(super) struct RustBert {
    config: BertConfig,
    pool: Mutex<Pool>,
}

struct Pool {
    idle: Vec<Network>,
    /// The weights by name, without the heads'.
    weights: BTreeMap<String, Tensor>,
    heads: Heads,
}

struct Network {
    bert: BertModel<BertEmbeddings>,
    heads: Heads,
}

struct Heads {
    query: Tensor,
    weight: Tensor,
    bias: Tensor,
    /// The query of each logit.
    of: Tensor,
}

fn fault(e: impl std::fmt::Display) -> BackendError {
    BackendError::Runtime(e.to_string())
}

fn damaged(e: impl std::fmt::Display) -> ModelError {
    ModelError::Weights(e.to_string())
}

fn size(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A tensor of the model as 32-bit floats.
fn tensor(tensors: &Tensors<'_>, name: &str, shape: &[i64]) -> Result<Tensor, ModelError> {
    let values: Vec<f32> = match tensors.weight(name)? {
        Weight::Float(values) => values.into_iter().map(half::f16::to_f32).collect(),
        Weight::Int8 { values, scales } if !scales.is_empty() && values.len().is_multiple_of(scales.len()) => {
            let rows = values.chunks_exact((values.len() / scales.len()).max(1)).zip(scales);
            rows.flat_map(|(row, scale)| row.iter().map(move |v| f32::from(*v) * scale)).collect()
        }
        Weight::Int8 { .. } => return Err(ModelError::Shape(format!("{name}_scale"))),
    };
    if size(values.len()) != shape.iter().product::<i64>() {
        return Err(ModelError::Shape(name.to_owned()));
    }
    Tensor::f_from_slice(&values).and_then(|values| values.f_view(shape)).map_err(damaged)
}

impl Heads {
    fn load(tensors: &Tensors<'_>, width: usize) -> Result<Self, ModelError> {
        let of: Vec<i64> = (0..LOGITS)
            .map(|logit| match logit {
                l if l < LABELS => l,
                l if l < LABELS + SENTIMENTS => LABELS,
                l => l + 1 - SENTIMENTS,
            })
            .map(size)
            .collect();
        Ok(Self {
            query: tensor(tensors, "heads.query", &[size(QUERIES), size(width)])?,
            weight: tensor(tensors, "heads.weight", &[size(LOGITS), size(width)])?,
            bias: tensor(tensors, "heads.bias", &[size(LOGITS)])?,
            of: Tensor::f_from_slice(&of).map_err(damaged)?,
        })
    }

    /// The same memory, for another thread.
    fn share(&self) -> Self {
        let [query, weight, bias, of] = [&self.query, &self.weight, &self.bias, &self.of].map(Tensor::shallow_clone);
        Self { query, weight, bias, of }
    }
}

/// The variables of a network, by name, and the network; their values are not the model's yet.
fn blank(config: &BertConfig) -> (BTreeMap<String, Tensor>, BertModel<BertEmbeddings>) {
    let mut store = nn::VarStore::new(Device::Cpu);
    let bert = BertModel::new_with_optional_pooler(store.root() / "bert", config, false);
    store.freeze();
    (store.variables().into_iter().collect(), bert)
}

impl RustBert {
    /// Unpacks a model's large network for libtorch.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape than the model's description says.
    pub(super) fn load(model: &Model) -> Result<Self, ModelError> {
        tch::set_num_threads(1);
        let tensors = model.tensors()?;
        let [vocabulary, width] = tensors.shape("bert.embeddings.word_embeddings.weight")?;
        let [positions, _] = tensors.shape("bert.embeddings.position_embeddings.weight")?;
        let [wide, _] = tensors.shape("bert.encoder.layer.0.intermediate.dense.weight")?;
        if width == 0 || !width.is_multiple_of(HEAD) {
            return Err(ModelError::Shape("bert.embeddings".to_owned()));
        }
        let config = BertConfig {
            hidden_size: size(width),
            intermediate_size: size(wide),
            max_position_embeddings: size(positions),
            num_attention_heads: size(width / HEAD),
            num_hidden_layers: size(model.info().layers),
            vocab_size: size(vocabulary),
            ..BertConfig::default()
        };
        let (mut weights, bert) = blank(&config);
        for (name, variable) in &mut weights {
            *variable = tensor(&tensors, name, &variable.size())?;
        }
        drop(bert);
        let pool = Pool { idle: Vec::new(), weights, heads: Heads::load(&tensors, width)? };
        let network = pool.network(&config).map_err(damaged)?;
        let pool = Pool { idle: vec![network], ..pool };
        Ok(Self { config, pool: Mutex::new(pool) })
    }

    fn check(&self, row: &Encoded) -> Result<(), BackendError> {
        let limit = |n: i64| usize::try_from(n).unwrap_or(0);
        let (positions, vocabulary) = (limit(self.config.max_position_embeddings), limit(self.config.vocab_size));
        if row.ids.len() > positions {
            return Err(BackendError::TooLong { length: row.ids.len(), positions });
        }
        match row.ids.iter().find(|id| **id as usize >= vocabulary) {
            Some(&id) => Err(BackendError::UnknownToken { id, vocabulary }),
            None => Ok(()),
        }
    }
}

impl Pool {
    /// Another network, with the weights in the memory that they are in.
    fn network(&self, config: &BertConfig) -> Result<Network, tch::TchError> {
        let (variables, bert) = blank(config);
        for (mut variable, weight) in variables.into_values().zip(self.weights.values()) {
            variable.f_set_data(weight)?;
        }
        Ok(Network { bert, heads: self.heads.share() })
    }
}

impl Network {
    /// Rows of one length: nothing is padded, so that a row's answer is its own.
    fn run(&self, rows: &[&Encoded]) -> Result<Vec<Answer>, BackendError> {
        let n = rows[0].ids.len();
        let shape = [size(rows.len()), size(n)];
        let whole = |f: fn(&Encoded, usize) -> i64| {
            let values: Vec<i64> = rows.iter().flat_map(|row| (0..n).map(move |i| f(row, i))).collect();
            Tensor::f_from_slice(&values).and_then(|values| values.f_view(shape)).map_err(fault)
        };
        let ids = whole(|row, i| i64::from(row.ids[i]))?;
        let types = whole(|row, i| i64::from(i >= row.own))?;
        let mask = Tensor::f_ones(shape, (Kind::Int64, Device::Cpu)).map_err(fault)?;
        let output = self.bert.forward_t(Some(&ids), Some(&mask), Some(&types), None, None, None, None, false);
        let (logits, adds) = self.heads.read(&output.map_err(fault)?.hidden_state, &types).map_err(fault)?;
        let answers = logits.as_chunks::<LOGITS>().0.iter().zip(adds.chunks_exact(LABELS * n)).zip(rows);
        Ok(answers.map(|((logits, adds), row)| Answer::new(*logits, adds, row.own)).collect())
    }
}

impl Heads {
    /// Logits `[rows, logits]` of `hidden` `[rows, tokens, width]`, and what each token adds to each label's, `[rows, labels, tokens]`.
    /// `types` is 0 for the turn's own tokens, the only ones that are read.
    fn read(&self, hidden: &Tensor, types: &Tensor) -> Result<(Vec<f32>, Vec<f32>), tch::TchError> {
        let before = types.f_not_equal(0_i64)?.f_unsqueeze(-1)?;
        let scores = hidden.f_matmul(&self.query.f_tr()?)?.f_masked_fill(&before, f64::NEG_INFINITY)?;
        let attention = scores.f_softmax(1, Kind::Float)?.f_index_select(2, &self.of)?;
        let adds = attention.f_mul(&hidden.f_matmul(&self.weight.f_tr()?)?)?;
        let logits = adds.f_sum_dim_intlist(1, false, Kind::Float)?.f_add(&self.bias)?;
        let adds = adds.f_narrow(2, 0, size(LABELS))?.f_transpose(1, 2)?;
        let flat = |t: Tensor| Vec::<f32>::try_from(t.f_contiguous()?.f_view(-1)?);
        Ok((flat(logits)?, flat(adds)?))
    }
}

impl Backend for RustBert {
    fn name(&self) -> &'static str {
        "rust-bert"
    }

    fn answer(&self, batch: &[&Encoded]) -> Result<Vec<Answer>, BackendError> {
        batch.iter().try_for_each(|row| self.check(row))?;
        let pool = || self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = pool();
        let network = match taken.idle.pop() {
            Some(network) => network,
            None => taken.network(&self.config).map_err(fault)?,
        };
        drop(taken);
        let rows = batch.chunk_by(|a, b| a.ids.len() == b.ids.len());
        let answers: Result<Vec<_>, _> = tch::no_grad(|| rows.map(|rows| network.run(rows)).collect());
        pool().idle.push(network);
        Ok(answers?.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seed: usize, length: usize) -> Encoded {
        let ids = (0..length).map(|i| u32::try_from(1000 + (seed * 7919 + i * 104_729) % 19_000).unwrap());
        Encoded { ids: ids.collect(), own: length - seed % (length - 2) }
    }

    /// libtorch adds up in another order where there are more rows: the last bits of a logit may differ, and no more.
    #[test]
    fn a_row_is_the_same_alone_and_in_any_batch() {
        let backend = RustBert::load(&Model::built_in().unwrap()).unwrap();
        let rows: Vec<Encoded> = (0..90).map(|i| row(i, [3, 9, 16, 23, 40, 96][i / 15])).collect();
        let batch: Vec<&Encoded> = rows.iter().collect();
        let all = backend.answer(&batch).unwrap();
        let some = backend.answer(&batch[40..52]).unwrap();
        let alone = batch.iter().map(|row| backend.answer(&[row]).unwrap()[0]);
        for (a, b) in alone.zip(&all).chain(some.into_iter().zip(&all[40..52])) {
            let worst = a.logits.iter().zip(&b.logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 2e-5, "logits differ by {worst}");
        }
    }

    #[test]
    fn what_the_model_does_not_know_is_an_error() {
        let backend = RustBert::load(&Model::built_in().unwrap()).unwrap();
        let unknown = Encoded { ids: vec![101, u32::MAX, 102], own: 3 };
        assert!(matches!(backend.answer(&[&unknown]), Err(BackendError::UnknownToken { .. })));
        assert!(matches!(backend.answer(&[&row(0, 513)]), Err(BackendError::TooLong { .. })));
    }
}
