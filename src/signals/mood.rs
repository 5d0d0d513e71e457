//! A mood lasts. In: the signals of one customer's turns, each judged with the turn before it. Out: the same, and frustration and sentiment of a turn are moved by what the
//! customer's own turn before it showed.
//!
//! Only what came before counts, and only the customer's own turns: that somebody was upset does not hang on how they were answered.

use serde::{Deserialize, Serialize};

use super::label::{Label, Sentiment, Signals, logit, rounded, sigmoid, softmax};

/// What the turn before adds, fitted on held-back conversations (models/train/mood.py).
///
/// Rows, what it showed: its logit of frustration; its log odds of neg against neu; those of pos against neu. Columns, what is moved: the same three.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mood([[f32; 3]; 3]);

/// Probabilities count as at least this far from 0 and 1.
const LEAST: f32 = 0.0025;
/// No weight is larger.
const MOST: f32 = 10.0;

impl Mood {
    /// Whether the weights are numbers of a size that can be right.
    pub(super) fn is_sound(&self) -> bool {
        self.0.as_flattened().iter().all(|w| w.abs() <= MOST)
    }

    /// Moves the signals of one customer's turns, in order; `threshold` is that of frustration.
    pub(super) fn carry(&self, turns: &mut [&mut Signals], threshold: f32) {
        let shown: Vec<[f32; 3]> = turns.iter().map(|s| shown(s)).collect();
        for (signals, pair) in turns.iter_mut().skip(1).zip(shown.windows(2)) {
            let add = |column: usize| -> f32 { pair[0].iter().zip(self.0).map(|(x, row)| x * row[column]).sum() };
            shift(signals, pair[1], [add(0), add(1), add(2)], threshold);
        }
    }
}

/// Logit of frustration, log odds of neg and of pos against neu.
fn shown(signals: &Signals) -> [f32; 3] {
    let p = signals.p(Label::Frustration).clamp(LEAST, 1.0 - LEAST);
    let [neg, neu, pos] = signals.sentiment_p.map(|p| p.max(LEAST).ln());
    [logit(p), neg - neu, pos - neu]
}

fn shift(signals: &mut Signals, own: [f32; 3], by: [f32; 3], threshold: f32) {
    let p = rounded(sigmoid(own[0] + by[0]));
    signals.p[Label::Frustration as usize] = p;
    if p >= threshold {
        signals.labels.insert(Label::Frustration);
    } else {
        signals.labels.remove(Label::Frustration);
    }
    signals.sentiment_p = softmax([own[1] + by[1], 0.0, own[2] + by[2]]);
    signals.sentiment = Sentiment::likeliest(signals.sentiment_p);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::LabelSet;

    const LASTS: Mood = Mood([[0.3, 0.1, -0.1], [0.2, 0.4, 0.0], [-0.2, -0.1, 0.3]]);

    fn turn(frustration: f32, sentiment_p: [f32; 3]) -> Signals {
        let mut signals = Signals::certain(Sentiment::likeliest(sentiment_p), LabelSet::default());
        signals.p[Label::Frustration as usize] = frustration;
        signals.sentiment_p = sentiment_p;
        if frustration >= 0.45 {
            signals.labels.insert(Label::Frustration);
        }
        signals
    }

    fn carried(mood: &Mood, mut turns: Vec<Signals>) -> Vec<Signals> {
        mood.carry(&mut turns.iter_mut().collect::<Vec<_>>(), 0.45);
        turns
    }

    #[test]
    fn anger_lasts_and_calm_too() {
        let unsure = turn(0.35, [0.4, 0.45, 0.15]);
        let angry = carried(&LASTS, vec![turn(0.95, [0.9, 0.09, 0.01]), unsure.clone()]);
        assert!(angry[1].has(Label::Frustration) && angry[1].sentiment == Sentiment::Neg);
        let calm = carried(&LASTS, vec![turn(0.02, [0.02, 0.9, 0.08]), turn(0.5, [0.5, 0.45, 0.05])]);
        assert!(!calm[1].has(Label::Frustration) && calm[1].sentiment == Sentiment::Neu);
        // The first turn stays as it is, whatever follows.
        assert_eq!(carried(&LASTS, vec![unsure.clone(), turn(0.95, [0.9, 0.09, 0.01])])[0], unsure);
    }

    #[test]
    fn each_turn_hears_of_the_one_before_as_it_was_said() {
        let turns = vec![turn(0.9, [0.8, 0.1, 0.1]), turn(0.5, [0.3, 0.4, 0.3]), turn(0.2, [0.1, 0.8, 0.1])];
        let all = carried(&LASTS, turns.clone());
        assert_eq!(all[2], carried(&LASTS, turns[1..].to_vec())[1]);
    }

    #[test]
    fn the_numbers_are_those_of_the_training_code() {
        let all = carried(&LASTS, vec![turn(0.9, [0.8, 0.15, 0.05]), turn(0.4, [0.3, 0.6, 0.1])]);
        // models/train/mood.py: shifted() of the same numbers and weights.
        let [p, neg, neu, pos] = [0.69173, 0.55333, 0.40746, 0.03921];
        assert!((all[1].p(Label::Frustration) - p).abs() < 1e-4);
        for (a, b) in all[1].sentiment_p.iter().zip([neg, neu, pos]) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn any_weights_that_are_let_in_give_numbers() {
        let certain = || Signals::certain(Sentiment::Neg, [Label::Frustration].into_iter().collect());
        for weight in [MOST, -MOST] {
            let mood = Mood([[weight; 3]; 3]);
            assert!(mood.is_sound());
            for signals in
                carried(&mood, vec![certain(), Signals::certain(Sentiment::Pos, LabelSet::default()), certain()])
            {
                assert!(signals.p.iter().chain(&signals.sentiment_p).all(|p| (0.0..=1.0).contains(p)));
            }
        }
        for weight in [f32::NAN, f32::INFINITY, 11.0] {
            assert!(!Mood([[weight; 3]; 3]).is_sound());
        }
    }
}
