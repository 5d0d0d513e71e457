//! What is true of one transcript. In: a transcript with the signals of its turns. Out: for each rule `violated`, `ok` or `n/a`, and a
//! [`Finding`] with its quote for each violation.
//!
//! One rule, one file. A new rule adds its file, and its line in [`RULES`].

mod doc;
mod finding;
mod phrases;
mod rewrite;
mod rule;
mod similar;
mod specific;
mod topic;
mod view;

mod abusive_customer;
mod blame;
mod cold_open;
mod excess_transfer;
mod impersonal;
mod informal_denial;
mod missing_apology;
mod no_empathy;
mod no_next_step;
mod open_loop;
mod over_automation;
mod policy_over_people;
mod repeated_story;
mod scripted_reply;
mod slow_response;
mod unrecovered;

#[cfg(test)]
mod testing;

pub use doc::{Doc, Share};
pub use finding::{Finding, Judgement, judge};
pub use rewrite::{Piece, Said, rewrite};
pub use rule::{Rule, Severity, Verdict, Violation};
pub use similar::Canned;
pub use view::{Limits, View};

/// Every rule, in the order of the rulebook.
pub static RULES: [&Rule; 16] = [
    &missing_apology::RULE,
    &policy_over_people::RULE,
    &informal_denial::RULE,
    &no_empathy::RULE,
    &blame::RULE,
    &cold_open::RULE,
    &impersonal::RULE,
    &repeated_story::RULE,
    &excess_transfer::RULE,
    &over_automation::RULE,
    &slow_response::RULE,
    &scripted_reply::RULE,
    &no_next_step::RULE,
    &open_loop::RULE,
    &unrecovered::RULE,
    &abusive_customer::RULE,
];

/// Whether a rule is about what the company did; one that is context is about the customer.
pub fn is_about_company(rule: &str) -> bool {
    RULES.iter().any(|r| r.id == rule && !r.context)
}
