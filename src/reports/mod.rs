//! What people read on the terminal. In: judgements and counts. Out: text of 80 columns, and the same figures for JSON.

mod bias;
mod bias_page;
mod evaluation;
mod sheet;
mod summary;
mod wrap;

pub use bias::{BiasReport, Comparison, Contribution, Found, Quotes, Stratum};
pub use evaluation::{Evaluation, Measure};
pub use sheet::{Sample, SampleRow};
pub use summary::Summary;

use bias::grouped;
pub use wrap::wrap;
