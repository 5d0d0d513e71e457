//! The stages wired together. In: what the user asked for. Out: a run folder, or figures.
//!
//! Reading runs ahead of classifying in bounded steps. Signals are kept on disk until the whole input was seen, because a canned
//! text is known only then; rules are applied in a second pass, in input order.

mod audit;
mod bias;
mod checkpoint;
mod config;
mod disk;
mod eval;
mod first_pass;
mod folder;
mod interrupt;
mod judge;
mod manifest;
mod output;
mod pipeline;
mod progress;
mod table;

pub use audit::{AuditOptions, audit};
pub use bias::{BiasOptions, Cases, bias};
pub use config::{Config, ConfigError};
pub use disk::Fault;
pub use eval::{EvalOptions, evaluate};
pub use interrupt::{INTERRUPTED, Interrupt};
pub use judge::scores;
pub use manifest::Manifest;
pub use output::RunError;
pub use progress::Progress;
