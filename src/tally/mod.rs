//! Counting. In: verdicts and labels. Out: integer counts that can be merged in any order.

mod confusion;
mod rules;
mod scored;

pub use confusion::Confusion;
pub use rules::{RuleCounts, RuleTally};
pub use scored::Scored;
