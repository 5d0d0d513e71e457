//! Who reviews what. In: drawn ids and reviewers. Out: one reviewer a conversation, two for a random share of them.

use super::keyed::uniform;

/// A conversation and its reviewers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The conversation.
    pub id: String,
    /// One or two names; none where no reviewer was named.
    pub reviewers: Vec<String>,
}

/// Gives every id a reviewer, and `double` (a share, 0…1) of them, drawn at random, a second one. Loads differ by at most one
/// as far as that leaves nobody to read a conversation twice.
pub fn assign(ids: &[String], reviewers: &[String], double: f64, seed: u64) -> Vec<Assignment> {
    let mut order: Vec<&String> = ids.iter().collect();
    order.sort_by(|a, b| uniform(seed, "double", a).total_cmp(&uniform(seed, "double", b)).then_with(|| a.cmp(b)));
    let doubled = if reviewers.len() < 2 { 0 } else { (double * ids.len() as f64).round() as usize };
    let room = (ids.len() + doubled).div_ceil(reviewers.len().max(1));
    let mut load = vec![0_usize; reviewers.len()];
    let mut out = Vec::with_capacity(ids.len());
    for (i, id) in order.into_iter().enumerate() {
        // Each id has its own order of the reviewers, so that more conversations leave most of the others with whom they were.
        let mut preferred: Vec<usize> = (0..reviewers.len()).collect();
        preferred.sort_by(|&a, &b| {
            let key = |r: usize| uniform(seed, &format!("reviewer {}", reviewers[r]), id);
            key(a).total_cmp(&key(b))
        });
        preferred.sort_by_key(|&r| load[r] >= room);
        let take = if i < doubled { 2 } else { 1 };
        let chosen: Vec<usize> = preferred.into_iter().take(take).collect();
        chosen.iter().for_each(|&r| load[r] += 1);
        let names = chosen.into_iter().map(|r| reviewers[r].clone()).collect();
        out.push(Assignment { id: id.clone(), reviewers: names });
    }
    out.sort_by(|a, b| a.id.cmp(&b.id));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_shared_evenly_and_nobody_reads_twice() {
        let ids: Vec<String> = (0..100).map(|i| format!("c{i}")).collect();
        let names: Vec<String> = ["ana", "ben", "cy"].map(String::from).into();
        let out = assign(&ids, &names, 0.2, 1);
        assert_eq!(out.iter().filter(|a| a.reviewers.len() == 2).count(), 20);
        assert!(out.iter().all(|a| a.reviewers.len() == 1 || a.reviewers[0] != a.reviewers[1]));
        let load = |n: &String| out.iter().filter(|a| a.reviewers.contains(n)).count();
        assert_eq!(names.iter().map(load).collect::<Vec<_>>(), [40, 40, 40]);
        assert!(assign(&ids, &[], 0.0, 1).iter().all(|a| a.reviewers.is_empty()));
    }

    #[test]
    fn most_keep_their_reviewer_when_conversations_are_added() {
        let ids: Vec<String> = (0..220).map(|i| format!("c{i}")).collect();
        let names: Vec<String> = ["ana", "ben", "cy"].map(String::from).into();
        let (before, after) = (assign(&ids[..200], &names, 0.0, 1), assign(&ids, &names, 0.0, 1));
        let kept = before.iter().filter(|b| after.contains(b)).count();
        assert!(kept > 180, "{kept}");
    }
}
