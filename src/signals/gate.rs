//! Which turns the small network answers by itself, and which it leaves to the large one.
//!
//! Where its logits lie far from every threshold, the large network would hardly decide otherwise. How far is far was seen on turns held
//! back from training: at a distance d from the threshold the two decide differently about ½·e^(−d / s) of the time, with a reach s of its own for each label.
//! The sum of these chances is the number of decisions expected to differ.

use super::backend::LOGITS;
use super::label::{Cue, Label};
use super::model::{First, ModelInfo};
use crate::turns::Role;

const SENTIMENTS: std::ops::Range<usize> = Label::ALL.len()..Label::ALL.len() + 3;

/// The small network's limits.
pub(super) struct Gate {
    /// For each label, the logit of its threshold and the reach.
    labels: [(f32, f32); Label::ALL.len()],
    cues: [(f32, f32); Cue::ALL.len()],
    /// The reach for the difference between two sentiments' logits.
    sentiment: f32,
    /// The most differences expected of a turn that is settled.
    differences: f32,
}

/// The chance that the other network decides otherwise.
fn otherwise(distance: f32, reach: f32) -> f32 {
    0.5 * (-distance / reach).exp()
}

impl Gate {
    /// `info` has a threshold and `first` a reach for every name.
    pub(super) fn new(info: &ModelInfo, first: &First) -> Self {
        let limit = |name: &str| {
            let p = info.thresholds.get(name).copied().unwrap_or(0.5).clamp(1e-4, 1.0 - 1e-4);
            ((p / (1.0 - p)).ln(), first.reach.get(name).copied().unwrap_or(1.0))
        };
        Self {
            labels: Label::ALL.map(|l| limit(l.name())),
            cues: Cue::ALL.map(|c| limit(c.name())),
            sentiment: limit("sentiment").1,
            differences: first.differences,
        }
    }

    /// Whether the small network's answer to a turn of this role stands.
    pub(super) fn settles(&self, role: Role, logits: &[f32; LOGITS]) -> bool {
        let chance = |z: f32, (limit, reach): (f32, f32)| otherwise((z - limit).abs(), reach);
        let labels = Label::ALL.into_iter().filter(|l| l.fits(role));
        let cues = Cue::ALL.into_iter().filter(|c| c.fits(role));
        let mut expected: f32 = labels.map(|l| chance(logits[l as usize], self.labels[l as usize])).sum();
        expected += cues.map(|c| chance(logits[SENTIMENTS.end + c as usize], self.cues[c as usize])).sum::<f32>();
        let mut sentiments = [0, 1, 2].map(|i| logits[SENTIMENTS.start + i]);
        sentiments.sort_by(|a, b| b.total_cmp(a));
        expected += otherwise(sentiments[0] - sentiments[1], self.sentiment);
        expected <= self.differences
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::Model;

    fn gate(differences: f32) -> Gate {
        let names = Label::ALL.map(Label::name).into_iter().chain(Cue::ALL.map(Cue::name)).chain(["sentiment"]);
        let reach = names.map(|n| (n.to_owned(), 0.5)).collect();
        Gate::new(Model::built_in().unwrap().info(), &First { layers: 1, before: None, reach, differences })
    }

    #[test]
    fn far_from_every_threshold_it_is_settled_and_near_one_it_is_not() {
        let mut logits = [-6.0; LOGITS];
        logits[SENTIMENTS.start] = 4.0;
        let gate = gate(0.05);
        assert!(gate.settles(Role::Customer, &logits) && gate.settles(Role::Agent, &logits));
        let i = Label::Churn as usize;
        logits[i] = gate.labels[i].0 + 0.1;
        assert!(!gate.settles(Role::Customer, &logits));
        assert!(gate.settles(Role::Agent, &logits), "a label of the other side is nothing to it");
        logits[i] = 6.0;
        assert!(gate.settles(Role::Customer, &logits));
        logits[SENTIMENTS.start + 1] = 3.9;
        assert!(!gate.settles(Role::Customer, &logits), "two sentiments alike");
    }

    #[test]
    fn with_nothing_allowed_everything_is_left_to_the_large_network() {
        let mut logits = [-6.0; LOGITS];
        logits[SENTIMENTS.start] = 4.0;
        assert!(!gate(-1.0).settles(Role::Customer, &logits));
        assert!(gate(100.0).settles(Role::Customer, &[0.0; LOGITS]));
    }
}
