//! The stages wired together. In: what the user asked for. Out: a run folder, or figures.
//!
//! Reading runs ahead of classifying in bounded steps. Signals are kept on disk until the whole input was seen, because a canned
//! text is known only then; rules are applied in a second pass, in input order.

mod agreement;
mod audit;
mod bias;
mod config;
mod conversations;
mod convert;
mod doctor;
mod estimate;
mod eval;
mod judge;
mod labelled;
mod labels;
mod manifest;
mod output;
mod parquet;
mod pipeline;
mod progress;
mod sample;
mod table;
mod words;

pub use agreement::{AgreementOptions, agreement};
pub use audit::{AuditOptions, audit};
pub use bias::{BiasOptions, Cases, bias};
pub use config::{Config, ConfigError};
pub use convert::{ConvertOptions, Converted, convert};
pub use doctor::{DoctorOptions, doctor};
pub use estimate::{EstimateOptions, estimate};
pub use eval::{EvalOptions, evaluate};
pub use judge::scores;
pub use labelled::LabelOptions;
pub use labels::{ImportOptions, export, import};
pub use manifest::Manifest;
pub use output::{RunError, write_whole};
pub use progress::Progress;
pub use sample::{Plan, SampleOptions, sample};
pub use words::Words;
