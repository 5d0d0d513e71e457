//! The backend that needs nothing: a BERT encoder in plain Rust.
//!
//! Turns are laid end to end without padding; every matrix row is computed by the same instructions in the same
//! order whatever stands beside it, so a row's answer does not depend on its batch.

mod attention;
mod bert;
mod dense;
mod float;
mod heads;
mod int8;
mod math;
mod plan;
mod processor;
mod words;

pub use bert::Embedded;
pub(super) use words::Words;
