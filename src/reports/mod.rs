//! What people read on the terminal. In: judgements and counts. Out: text of 80 columns, and the same figures for JSON.

mod agreement;
mod bias;
mod bias_page;
mod coach;
mod coach_page;
mod coach_text;
mod corrected;
mod doctor;
mod estimates;
mod evaluation;
mod import;
mod markdown;
mod numbers;
mod overview;
mod overview_labels;
mod overview_page;
mod overview_text;
mod parquet;
pub mod plots;
mod sheet;
mod summary;
mod visible;
mod wrap;

pub use agreement::{Agreement, Between, Figure, OfRule, Reviewer};
pub use bias::{BiasReport, Comparison, Contribution, Found, Quotes, Stratum};
pub use coach::{
    AgentReport, Arc, COUNTS_FROM, Coaching, Drawn, ENOUGH, ENOUGH_OF_A_RULE, Focus, Good, Line, METHOD, Mix, Moment,
    OF_THE_SET_UP, Rate, ReadAgain, Response, Reviewed, SURE, Standing, TakenBack, counts, precision,
};
pub use corrected::Corrected;
pub use doctor::{Checkup, RejectGroup};
pub use estimates::{ByShare, Estimates, OfScope, Sensitivity};
pub use evaluation::{Evaluation, Measure};
pub use import::ImportReport;
pub use numbers::{counted, grouped};
pub use overview::{
    Breakdown, ENOUGH_OF_A_LEVEL, Gap, Group, Level, Overview, Quality, Quote, Remedy, Repeated, Replies, RuleRow,
    SegmentRow, Segments, Stage,
};
pub use parquet::{ParquetTable, Shape};
pub use sheet::{Sample, SampleRow};
pub use summary::Summary;
pub use visible::visible_text;

pub use wrap::wrap;
