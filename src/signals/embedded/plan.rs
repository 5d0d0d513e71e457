//! Which tokens a batch is computed on, and what each of them sees, layer by layer.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use super::attention::{Before, Look};
use crate::signals::backend::Encoded;

/// Tokens in a row, from position 0 on.
pub(super) struct Sequence<'a> {
    parts: [&'a [u32]; 2],
    /// The kind of the second part's tokens: 1 where it is the turn before the first part. All else is of kind 0.
    second: usize,
}

impl<'a> Sequence<'a> {
    pub(super) fn len(&self) -> usize {
        self.parts[0].len() + self.parts[1].len()
    }

    /// Each token and its kind.
    pub(super) fn tokens(&self) -> impl Iterator<Item = (u32, usize)> + use<'a> {
        let of = |ids: &'a [u32], kind: usize| ids.iter().map(move |id| (*id, kind));
        of(self.parts[0], 0).chain(of(self.parts[1], self.second))
    }
}

/// A batch, as the encoder goes through it.
pub(super) struct Plan<'a> {
    pub(super) sequences: Vec<Sequence<'a>>,
    /// For each layer, what becomes of the tokens that come to it; what was asked for comes to the next.
    pub(super) layers: Vec<Vec<Look<'a>>>,
}

impl<'a> Plan<'a> {
    /// Each turn and the one before it in one sequence, all seeing all. The heads read a turn's own tokens: of the last layer nothing else is needed.
    pub(super) fn together(batch: &[&'a Encoded], layers: usize) -> Self {
        let sequence = |row: &&'a Encoded| {
            let (own, before) = row.ids.split_at(row.own);
            Sequence { parts: [own, before], second: 1 }
        };
        let layer = |i: usize| {
            let mut looks = alone(batch.iter().map(|row| row.ids.len()));
            if i + 1 == layers {
                looks.iter_mut().zip(batch).for_each(|(look, row)| look.asked.end = look.asked.start + row.own);
            }
            looks
        };
        Self { sequences: batch.iter().map(sequence).collect(), layers: (0..layers).map(layer).collect() }
    }

    /// Every turn by itself in the layers below `at`; in that layer a turn sees the one before. One that stands in the batch, and is not cut shorter as the turn before
    /// than as a turn, is computed once for itself and for the next.
    pub(super) fn apart(batch: &[&'a Encoded], layers: usize, at: usize, before: &'a Before) -> Self {
        let mut sequences = Vec::new();
        let mut places: HashMap<Vec<u32>, Range<usize>> = HashMap::new();
        let mut end = 0;
        let mut place = |parts: [&'a [u32]; 2]| {
            let new = || {
                let start = end;
                end += parts[0].len() + parts[1].len();
                sequences.push(Sequence { parts, second: 0 });
                start..end
            };
            places.entry(parts.concat()).or_insert_with(new).clone()
        };
        let looks = batch.iter().map(|row| {
            let (own, prior) = row.ids.split_at(row.own);
            let own = place([own, &[]]);
            let prior = (!prior.is_empty()).then(|| (place([&row.ids[..1], prior]), before));
            Look { asked: own.clone(), seen: own, before: prior }
        });
        let mut looks: Vec<Look<'a>> = looks.collect();
        let layer = |i: usize| match i.cmp(&at) {
            Ordering::Less => alone(sequences.iter().map(Sequence::len)),
            Ordering::Equal => std::mem::take(&mut looks),
            Ordering::Greater => alone(batch.iter().map(|row| row.own)),
        };
        let layers = (0..layers).map(layer).collect();
        Self { sequences, layers }
    }
}

/// Each sequence of its length sees itself.
fn alone<'a>(lengths: impl Iterator<Item = usize>) -> Vec<Look<'a>> {
    let mut end = 0;
    let look = |length| {
        let tokens = end..end + length;
        end = tokens.end;
        Look { asked: tokens.clone(), seen: tokens, before: None }
    };
    lengths.map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ids: &[u32], own: usize) -> Encoded {
        Encoded { ids: ids.to_vec(), own }
    }

    #[test]
    fn a_turn_is_computed_once_for_itself_and_for_the_next() {
        // [CLS] is 1; the second row's turn before is the first row, the third's is unknown to the batch.
        let rows = [row(&[1, 5, 6, 9], 4), row(&[1, 7, 9, 5, 6, 9], 3), row(&[1, 7, 9, 8, 9], 3)];
        let rows: Vec<&Encoded> = rows.iter().collect();
        let more = Before { key: Vec::new(), value: Vec::new() };
        let plan = Plan::apart(&rows, 3, 1, &more);
        let tokens = |s: &Sequence<'_>| s.tokens().map(|(id, _)| id).collect::<Vec<_>>();
        assert_eq!(
            plan.sequences.iter().map(tokens).collect::<Vec<_>>(),
            [vec![1, 5, 6, 9], vec![1, 7, 9], vec![1, 8, 9]]
        );
        let asked = |layer: usize| plan.layers[layer].iter().map(|look| look.asked.clone()).collect::<Vec<_>>();
        assert_eq!(asked(0), [0..4, 4..7, 7..10]);
        assert_eq!(asked(1), [0..4, 4..7, 4..7], "the same turn after two others");
        assert_eq!(asked(2), [0..4, 4..7, 7..10]);
        let before = |look: &Look<'_>| look.before.as_ref().map(|(tokens, _)| tokens.clone());
        assert_eq!(plan.layers[1].iter().map(before).collect::<Vec<_>>(), [None, Some(0..4), Some(7..10)]);
    }

    #[test]
    fn the_turn_before_may_be_seen_in_any_layer() {
        let rows = [row(&[1, 7, 9, 5, 6, 9], 3)];
        let rows: Vec<&Encoded> = rows.iter().collect();
        let more = Before { key: Vec::new(), value: Vec::new() };
        for at in 0..3 {
            let plan = Plan::apart(&rows, 3, at, &more);
            let shape = |looks: &Vec<Look<'_>>| (looks.len(), looks.iter().filter(|l| l.before.is_some()).count());
            let want: Vec<(usize, usize)> =
                (0..3).map(|i| if i < at { (2, 0) } else { (1, usize::from(i == at)) }).collect();
            assert_eq!(plan.layers.iter().map(shape).collect::<Vec<_>>(), want);
        }
    }

    #[test]
    fn together_the_last_layer_is_asked_for_own_tokens_alone() {
        let rows = [row(&[1, 5, 9, 6, 9], 3), row(&[1, 7, 9], 3)];
        let plan = Plan::together(&rows.iter().collect::<Vec<_>>(), 2);
        let looks =
            |layer: usize| plan.layers[layer].iter().map(|l| (l.asked.clone(), l.seen.clone())).collect::<Vec<_>>();
        assert_eq!(looks(0), [(0..5, 0..5), (5..8, 5..8)]);
        assert_eq!(looks(1), [(0..3, 0..5), (5..8, 5..8)]);
        assert_eq!(plan.sequences[0].tokens().map(|(_, kind)| kind).collect::<Vec<_>>(), [0, 0, 0, 1, 1]);
    }
}
