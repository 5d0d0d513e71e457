//! How sure a number is. Pure functions, each with its source. In: counts and values. Out: estimates, intervals, p-values, verdicts.

mod bootstrap;
pub mod intervals;
mod matrix;
mod random;

pub mod agreement;
pub mod comparison;
pub mod decomposition;
pub mod funnel;
pub mod models;
pub mod multiple;
pub mod pair;
pub mod permutation;
pub mod power;
pub mod prevalence;
pub mod ranks;
pub mod shrinkage;
pub mod standard;
pub mod survey;
pub mod tables;
pub mod verdict;

pub use bootstrap::{percentile_interval, percentile_intervals};
pub use intervals::{newcombe, wilson};
pub use matrix::Square;
pub use random::SplitMix;
