//! What people read on the terminal. In: judgements and counts. Out: text of 80 columns, and the same figures for JSON.

mod bias;
mod bias_page;
mod evaluation;
mod summary;
mod wrap;

pub use bias::{BiasReport, Comparison, Contribution, Found, Quotes, Stratum};
pub use evaluation::{Evaluation, Measure};
pub use summary::Summary;
pub use wrap::wrap;
