//! The stages wired together. In: what the user asked for. Out: a run folder, or figures.
//!
//! Reading runs ahead of classifying in bounded steps. Signals are kept on disk until the whole input was seen, because a canned
//! text is known only then; rules are applied in a second pass, in input order.

mod audit;
mod bias;
mod cases;
mod coach;
mod config;
mod eval;
mod figures;
mod gather;
mod judge;
mod manifest;
mod moments;
mod names;
mod output;
mod overview;
mod pipeline;
mod problems;
mod progress;
mod table;
mod words;

pub use audit::{AuditOptions, audit};
pub use bias::{BiasOptions, Cases, bias};
pub use coach::{CoachOptions, coach};
pub use config::{Config, ConfigError};
pub use eval::{EvalOptions, evaluate};
pub use judge::scores;
pub use manifest::Manifest;
pub use output::RunError;
pub use overview::{OverviewOptions, overview};
pub use progress::Progress;
