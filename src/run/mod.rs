//! The stages wired together. In: what the user asked for. Out: a run folder, or figures.
//!
//! Reading runs ahead of classifying in bounded steps. Signals are kept on disk until the whole input was seen, because a canned
//! text is known only then; rules are applied in a second pass, in input order.

mod again;
mod agreement;
mod audit;
mod bias;
mod cases;
mod checkpoint;
mod coach;
mod config;
mod conversations;
mod convert;
mod disk;
mod doctor;
mod estimate;
mod eval;
mod figures;
mod first_pass;
mod folder;
mod gather;
mod interrupt;
mod judge;
mod labelled;
mod labels;
mod manifest;
mod moments;
mod names;
mod output;
mod overview;
mod parquet;
mod pipeline;
mod problems;
mod progress;
mod quality;
mod report_folder;
mod reviewed;
mod sample;
mod table;

pub use again::Words;
pub use agreement::{AgreementOptions, agreement};
pub use audit::{AuditOptions, audit};
pub use bias::{BiasOptions, Cases, bias};
pub use coach::{CoachOptions, coach};
pub use config::{Config, ConfigError};
pub use convert::{ConvertOptions, Converted, convert};
pub use disk::Fault;
pub use doctor::{DoctorOptions, doctor};
pub use estimate::{EstimateOptions, estimate};
pub use eval::{EvalOptions, evaluate};
pub use interrupt::{INTERRUPTED, Interrupt};
pub use judge::scores;
pub use labelled::LabelOptions;
pub use labels::{ImportOptions, export, import};
pub use manifest::Manifest;
pub use output::{RunError, write_whole};
pub use overview::{OverviewOptions, overview};
pub use progress::Progress;
pub use reviewed::ReviewOptions;
pub use sample::{Plan, SampleOptions, sample, sheet_is_free};
