//! Counting. In: verdicts and labels. Out: integer counts that can be merged in any order.

mod confusion;
mod frame;
mod measures;
mod rules;
mod scored;
mod standing;

pub use confusion::Confusion;
pub use frame::{Attribute, Frame, Outcome, Values};
pub use measures::{Measures, measure};
pub use rules::{RuleCounts, RuleTally};
pub use scored::Scored;
pub use standing::{DOUBTFUL, LeftOut, Standing};
