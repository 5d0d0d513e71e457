//! How sure a number is. Pure functions, each with its source.

mod bootstrap;
mod intervals;
mod random;

pub use bootstrap::percentile_interval;
pub use intervals::wilson;
pub use random::SplitMix;
