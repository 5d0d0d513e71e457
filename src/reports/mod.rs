//! What people read on the terminal. In: judgements and counts. Out: text of 80 columns, and the same figures for JSON.

mod agreement;
mod bias;
mod bias_page;
mod corrected;
mod doctor;
mod estimates;
mod evaluation;
mod import;
mod parquet;
mod sheet;
mod summary;
mod wrap;

pub use agreement::{Agreement, Between, Figure, OfRule, Reviewer};
pub use bias::{BiasReport, Comparison, Contribution, Found, Quotes, Stratum};
pub use corrected::Corrected;
pub use doctor::{Checkup, RejectGroup};
pub use estimates::{ByShare, Estimates, OfScope, Sensitivity};
pub use evaluation::{Evaluation, Measure};
pub use import::ImportReport;
pub use parquet::{ParquetTable, Shape};
pub use sheet::{Sample, SampleRow};
pub use summary::Summary;

use bias::grouped;
pub use wrap::wrap;
