//! The backend on ONNX Runtime (cargo feature `onnx`): `model.onnx` of the model folder, run by a library that is loaded when asked for.
//!
//! `models/backends/onnx_export.py` makes `model.onnx`; `docs/backends.md` says where the library comes from.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use ort::environment::Environment;
use ort::session::Session;
use ort::value::Tensor;

use super::backend::{Answer, Backend, BackendError, Encoded, LOGITS};
use super::label::Label;
use super::model::ModelError;

/// The network's file in a model folder.
const FILE: &str = "model.onnx";
const LABELS: usize = Label::ALL.len();

/// ONNX Runtime with one single-threaded session for each thread that asks.
pub(super) struct Onnx {
    environment: &'static Environment,
    network: Vec<u8>,
    idle: Mutex<Vec<Session>>,
}

fn fault(e: impl std::fmt::Display) -> BackendError {
    BackendError::Runtime(e.to_string())
}

/// ONNX Runtime itself, of which a process can have one.
fn library() -> Result<&'static Environment, ModelError> {
    static LIBRARY: OnceLock<Result<Environment, String>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let path = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| {
            let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
            format!("{prefix}onnxruntime{suffix}").into()
        });
        let failed = |e: &dyn std::fmt::Display| {
            let path = path.to_string_lossy();
            format!("cannot load ONNX Runtime ({path}): {e}; set ORT_DYLIB_PATH to its library (docs/backends.md)")
        };
        ort::init_from(&path).map_err(|e| failed(&e))?.build().map_err(|e| failed(&e))
    });
    library.as_ref().map_err(|e| ModelError::Backend(e.clone()))
}

impl Onnx {
    /// Loads the runtime's library (`ORT_DYLIB_PATH`, else where the system looks) and the network of a model folder.
    ///
    /// # Errors
    /// When either is missing or does not work.
    pub(super) fn load(folder: &Path) -> Result<Self, ModelError> {
        let path = folder.join(FILE);
        let network = std::fs::read(&path).map_err(|source| ModelError::Network { path, source })?;
        let environment = library()?;
        let onnx = Self { environment, network, idle: Mutex::default() };
        let session = onnx.session().map_err(|e| ModelError::Weights(e.to_string()))?;
        onnx.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        Ok(onnx)
    }

    fn session(&self) -> Result<Session, BackendError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(session) = idle {
            return Ok(session);
        }
        let builder = Session::builder(self.environment).map_err(fault)?;
        let mut builder = builder.with_intra_threads(1).map_err(fault)?;
        builder.commit_from_memory(&self.network).map_err(fault)
    }

    /// Rows of one length: nothing is padded, so that a row's answer is its own.
    fn run(session: &mut Session, rows: &[&Encoded]) -> Result<Vec<Answer>, BackendError> {
        let n = rows[0].ids.len();
        let each = |f: fn(&Encoded, usize) -> i64| -> Vec<i64> {
            rows.iter().flat_map(|row| (0..n).map(move |i| f(row, i))).collect()
        };
        let floats = |values: Vec<i64>| values.into_iter().map(|v| v as f32).collect::<Vec<f32>>();
        let whole = |values: Vec<i64>| Tensor::from_array(([rows.len(), n], values)).map_err(fault);
        let real = |values: Vec<f32>| Tensor::from_array(([rows.len(), n], values)).map_err(fault);
        let output = session
            .run(ort::inputs![
                "ids" => whole(each(|row, i| i64::from(row.ids[i])))?,
                "types" => whole(each(|row, i| i64::from(i >= row.own)))?,
                "mask" => real(vec![1.0; rows.len() * n])?,
                "own" => real(floats(each(|row, i| i64::from(i < row.own))))?,
            ])
            .map_err(fault)?;
        let (_, logits) = output["logits"].try_extract_tensor::<f32>().map_err(fault)?;
        let (_, adds) = output["adds"].try_extract_tensor::<f32>().map_err(fault)?;
        if logits.len() != rows.len() * LOGITS || adds.len() != rows.len() * LABELS * n {
            return Err(BackendError::Runtime(format!("{FILE} is of another model: its outputs have other sizes")));
        }
        let answers = logits.as_chunks::<LOGITS>().0.iter().zip(adds.chunks_exact(LABELS * n)).zip(rows);
        Ok(answers.map(|((logits, adds), row)| Answer::new(*logits, adds, row.own)).collect())
    }
}

impl Backend for Onnx {
    fn name(&self) -> &'static str {
        "onnx"
    }

    fn answer(&self, batch: &[&Encoded]) -> Result<Vec<Answer>, BackendError> {
        let mut session = self.session()?;
        let mut out = Vec::with_capacity(batch.len());
        for rows in batch.chunk_by(|a, b| a.ids.len() == b.ids.len()) {
            out.extend(Self::run(&mut session, rows)?);
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        Ok(out)
    }
}
