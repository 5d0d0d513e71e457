//! What people read on the terminal. In: judgements and counts. Out: text of 80 columns, and the same figures for JSON.

mod bias;
mod bias_page;
mod doctor;
mod evaluation;
mod parquet;
mod summary;
mod wrap;

pub use bias::{BiasReport, Comparison, Contribution, Found, Quotes, Stratum};
pub use doctor::{Checkup, RejectGroup};
pub use evaluation::{Evaluation, Measure};
pub use parquet::{ParquetTable, Shape};
pub use summary::Summary;
pub use wrap::wrap;
