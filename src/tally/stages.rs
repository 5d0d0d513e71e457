//! Where in a conversation a turn stands. In: who speaks and what is true of it. Out: its stage.

use crate::signals::{Label, LabelSet};
use crate::turns::Role;

/// The stages in their order.
pub const STAGES: [&str; 4] = ["opening", "problem", "resolution", "closing"];

/// The stage of each turn, as a place in [`STAGES`].
///
/// The opening is the first exchange: up to the company's first turn. The closing is the last turn of each side after it. Between them,
/// the resolution begins with the first turn in which the company promises, gives or offers something; what comes before is the problem.
pub fn stages(turns: &[(Role, LabelSet)]) -> Vec<usize> {
    let company = |i: &usize| turns[*i].0.is_company();
    let customer = |i: &usize| turns[*i].0 == Role::Customer;
    let opening = (0..turns.len()).find(company).unwrap_or(0);
    let after = opening + 1..turns.len();
    let lasts = [after.clone().rfind(company), after.clone().rfind(customer)];
    let helps = |i: &usize| turns[*i].1.any(&[Label::Commitment, Label::Compensation, Label::Alternative]);
    let resolution = after.filter(company).find(helps).unwrap_or(turns.len());
    (0..turns.len())
        .map(|i| match i {
            i if i <= opening => 0,
            i if lasts.contains(&Some(i)) => 3,
            i if i >= resolution => 2,
            _ => 1,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_has_its_parts() {
        let turn = |role, labels: &[Label]| (role, labels.iter().copied().collect::<LabelSet>());
        let (c, a) = (Role::Customer, Role::Agent);
        let turns = [
            turn(c, &[Label::Problem]),
            turn(a, &[Label::AskInfo]),
            turn(c, &[]),
            turn(a, &[Label::Commitment]),
            turn(c, &[]),
            turn(c, &[Label::Gratitude]),
            turn(a, &[Label::Closing]),
        ];
        assert_eq!(stages(&turns), [0, 0, 1, 2, 2, 3, 3]);
        assert_eq!(stages(&turns[..2]), [0, 0]);
        assert_eq!(stages(&turns[..1]), [0]);
        assert!(stages(&[]).is_empty());
    }
}
