//! Designs that know their inclusion probabilities. In: the conversations of a run, streamed as (id, stratum, size). Out: which are drawn,
//! each with the probability with which it was to be drawn.
//!
//! Every choice hangs on a hash of the seed and the id. What was drawn from a corpus is therefore mostly drawn again when conversations
//! are added to it, in any order of the input, and memory is proportional to the sample.

mod assign;
mod keyed;
mod risk;
mod strata;

pub use assign::{Assignment, assign};
pub use keyed::{Smallest, uniform};
pub use risk::{Sampford, Scale, Sizes, risk_score};
pub use strata::{Allocation, Lottery, Stratum, allocate};

/// A unit that was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// The conversation.
    pub id: String,
    /// Its stratum; `all` where there are none.
    pub stratum: String,
    /// The probability with which it was to be drawn, above 0 up to 1.
    pub probability: f64,
    /// How many units its stratum has.
    pub stratum_population: u64,
}

/// The name of the stratum of a design that has none.
pub const WHOLE: &str = "all";

/// Why a design cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DesignError {
    /// Fewer units than wanted.
    #[error("{population} conversations can be drawn from, fewer than the {size} wanted; lower --size")]
    TooFew {
        /// Wanted.
        size: u64,
        /// There are.
        population: u64,
    },
    /// Too small for its strata.
    #[error(
        "there are {strata} strata, and each needs {floor} conversations (or all it has), {needed} together; raise --size to that, or name fewer attributes"
    )]
    TooManyStrata {
        /// How many strata.
        strata: usize,
        /// The least of each.
        floor: u64,
        /// The least of all.
        needed: u64,
    },
}
