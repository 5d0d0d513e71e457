//! Which turns the small network answers by itself, and which the large one reads again.
//!
//! Some labels are rare and decide much: a refusal, a rule held against a customer, a story told again. Where the small network sees one of them, or
//! may, the large one is asked, which tells such turns apart better; on other turns the two differ little for what the large one costs.

use std::collections::BTreeMap;

use super::backend::LOGITS;
use super::label::Label;
use crate::turns::Role;

/// What the small network leaves to the large one.
pub(super) struct Gate {
    /// For each label, from what logit on.
    limits: [f32; Label::ALL.len()],
}

impl Gate {
    /// `again`: probabilities by label; a label that is not named leaves nothing.
    pub(super) fn new(again: &BTreeMap<String, f32>) -> Self {
        let limit = |label: Label| {
            let p = again.get(label.name()).map(|p| p.clamp(1e-4, 1.0 - 1e-4));
            p.map_or(f32::INFINITY, |p| (p / (1.0 - p)).ln())
        };
        Self { limits: Label::ALL.map(limit) }
    }

    /// Whether the small network's answer to a turn of this role stands.
    pub(super) fn settles(&self, role: Role, logits: &[f32; LOGITS]) -> bool {
        Label::ALL.into_iter().filter(|l| l.fits(role)).all(|l| logits[l as usize] < self.limits[l as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_a_named_label_is_left_to_the_large_network() {
        let gate = Gate::new(&[("denial".to_owned(), 0.3), ("repeat".to_owned(), 0.2)].into());
        let denial = |p: f32| {
            let mut logits = [5.0; LOGITS];
            logits[Label::Repeat as usize] = -5.0;
            logits[Label::Denial as usize] = (p / (1.0 - p)).ln();
            logits
        };
        assert!(gate.settles(Role::Agent, &denial(0.29)) && gate.settles(Role::Bot, &denial(0.29)));
        assert!(!gate.settles(Role::Agent, &denial(0.31)) && !gate.settles(Role::Bot, &denial(0.31)));
        assert!(gate.settles(Role::Customer, &denial(0.31)), "a customer refuses nothing");
        assert!(!gate.settles(Role::Customer, &[5.0; LOGITS]));
    }
}
