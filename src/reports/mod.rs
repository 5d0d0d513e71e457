//! What people read on the terminal. In: judgements and counts. Out: text of 80 columns, and the same figures for JSON.

mod bias;
mod bias_page;
mod coach;
mod coach_page;
mod evaluation;
mod overview;
mod overview_page;
mod overview_text;
pub mod plots;
mod summary;
mod visible;
mod wrap;

pub use bias::{BiasReport, Comparison, Contribution, Found, Quotes, Stratum};
pub use coach::{
    AgentReport, Arc, COUNTS_FROM, Coaching, Drawn, ENOUGH, ENOUGH_OF_A_RULE, Focus, Good, Line, METHOD, Mix, Moment,
    OF_THE_SET_UP, Rate, Response, SURE, Standing, counts, precision,
};
pub use evaluation::{Evaluation, Measure};
pub use overview::{
    Breakdown, ENOUGH_OF_A_LEVEL, Gap, Group, Level, Overview, Quality, Quote, Remedy, Repeated, Replies, RuleRow,
    SegmentRow, Segments, Stage,
};
pub use summary::Summary;
pub use wrap::wrap;
