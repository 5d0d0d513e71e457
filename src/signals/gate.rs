//! Which turns the small network answers by itself, and which the large one reads again.
//!
//! Some labels are rare and decide much: a refusal, a rule held against a customer, a story told again, a promise of time or money. Where the small network may see
//! one of them and is not sure, the large one is asked too, and the mean of both counts (of the labels and the sentiment; the cues hang on the turn before, and are the small one's); of a refusal always, for much else hangs on how it is given. On other turns the
//! two differ little for what the large one costs.

use std::collections::BTreeMap;

use super::backend::LOGITS;
use super::label::{Label, logit};
use crate::turns::Role;

/// What the small network leaves to the large one.
pub(super) struct Gate {
    /// For each label, from what logit to what logit.
    unsure: [(f32, f32); Label::ALL.len()],
}

impl Gate {
    /// `again`: lowest and highest probability by label; a label that is not named leaves nothing.
    pub(super) fn new(again: &BTreeMap<String, [f32; 2]>) -> Self {
        let unsure = |label: Label| {
            again.get(label.name()).map_or((f32::INFINITY, f32::INFINITY), |[low, high]| (logit(*low), logit(*high)))
        };
        Self { unsure: Label::ALL.map(unsure) }
    }

    /// Whether the small network's answer to a turn of this role stands.
    pub(super) fn settles(&self, role: Role, logits: &[f32; LOGITS]) -> bool {
        let unsure = |l: Label| {
            let (low, high) = self.unsure[l as usize];
            (low..high).contains(&logits[l as usize])
        };
        !Label::ALL.into_iter().any(|l| l.fits(role) && unsure(l))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_small_network_is_not_sure_of_is_left_to_the_large_one() {
        let gate = Gate::new(&[("denial".to_owned(), [0.3, 1.0]), ("repeat".to_owned(), [0.2, 0.8])].into());
        let logits = |label: Label, p: f32| {
            let mut logits = [5.0; LOGITS];
            logits[Label::Repeat as usize] = -5.0;
            logits[Label::Denial as usize] = -5.0;
            logits[label as usize] = logit(p);
            logits
        };
        for (role, label, p, settled) in [
            (Role::Agent, Label::Denial, 0.29, true),
            (Role::Agent, Label::Denial, 0.31, false),
            (Role::Bot, Label::Denial, 0.31, false),
            (Role::Agent, Label::Denial, 0.999, false),
            (Role::Customer, Label::Denial, 0.31, true),
            (Role::Customer, Label::Repeat, 0.19, true),
            (Role::Customer, Label::Repeat, 0.5, false),
            (Role::Customer, Label::Repeat, 0.81, true),
        ] {
            assert_eq!(gate.settles(role, &logits(label, p)), settled, "{role:?}, {label:?} with {p}");
        }
    }
}
