//! Counting. In: verdicts and labels. Out: integer counts that can be merged in any order.

mod clusters;
mod confusion;
mod frame;
mod ledger;
mod meaning;
mod measures;
mod rules;
mod scored;
mod stages;
mod standing;

pub use clusters::{ALIKE, Cluster, LEAST, Texts};
pub use confusion::Confusion;
pub use frame::{Attribute, Frame, Outcome, Values};
pub use ledger::{ARC, Entry, Ledger, arc};
pub use measures::{Measures, measure};
pub use rules::{RuleCounts, RuleTally};
pub use scored::Scored;
pub use stages::{STAGES, stages};
pub use standing::{DOUBTFUL, LeftOut, Standing};
