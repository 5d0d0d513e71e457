//! What people said of the program's findings. In: reviewers' labels. Out: for each conversation the findings that they saw too, those on
//! which they differ, and those that they saw otherwise.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::labelled::opinion;
use super::output::RunError;
use crate::findings::RULES;
use crate::labels::{Answer, Store};
use crate::reports::Reviewed;

/// Which labels, and whose answer counts alone.
#[derive(Debug, Clone)]
pub struct ReviewOptions {
    /// A labels database or label file.
    pub labels: PathBuf,
    /// Whose answer counts alone where there is one.
    pub adjudicator: Option<String>,
}

/// A bit for each rule, by its place in [`RULES`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bits {
    pub(super) upheld: u32,
    pub(super) divided: u32,
    pub(super) reversed: u32,
}

impl Bits {
    /// What people said of a rule's findings, if anybody read them.
    pub(super) fn of(self, rule: usize) -> Option<Reviewed> {
        let has = |bits: u32| bits & 1 << rule != 0;
        match () {
            () if has(self.upheld) => Some(Reviewed::Upheld),
            () if has(self.divided) => Some(Reviewed::Divided),
            () if has(self.reversed) => Some(Reviewed::Reversed),
            () => None,
        }
    }
}

/// What people said, by conversation.
#[derive(Debug, Default)]
pub(super) struct Reviews(HashMap<String, Bits>);

impl Reviews {
    pub(super) fn read(options: &ReviewOptions) -> Result<Self, RunError> {
        let (store, _) = Store::read(&options.labels)?;
        let mut given: BTreeMap<(String, usize), Vec<(String, Answer)>> = BTreeMap::new();
        for label in store.labels()?.into_iter().filter(|l| l.current).map(|l| l.label) {
            if let Some(rule) = RULES.iter().position(|r| r.id == label.rule) {
                given.entry((label.id, rule)).or_default().push((label.reviewer, label.value));
            }
        }
        let mut out: HashMap<String, Bits> = HashMap::new();
        for ((id, rule), answers) in given {
            let (violated, _) = opinion(answers, options.adjudicator.as_deref());
            let bits = out.entry(id).or_default();
            let side = match violated {
                v if v > 0.5 => &mut bits.upheld,
                v if v < 0.5 => &mut bits.reversed,
                _ => &mut bits.divided,
            };
            *side |= 1 << rule;
        }
        Ok(Self(out))
    }

    /// What people said of a conversation; nothing where nobody read it.
    pub(super) fn of(&self, id: &str) -> Option<Bits> {
        self.0.get(id).copied()
    }
}

/// Labels of other conversations would leave every finding as it is, and nobody would know.
pub(super) fn none_of_this_run(labels: &Path) -> RunError {
    RunError::NothingToCompare(format!(
        "{} holds no labels of this run's conversations; was it another run?",
        labels.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_majority_decides_and_an_adjudicator_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels.jsonl");
        let line = |id: &str, who: &str, value: &str| {
            format!("{{\"id\":\"{id}\",\"rule\":\"{}\",\"reviewer\":\"{who}\",\"value\":\"{value}\"}}\n", RULES[0].id)
        };
        let lines =
            [("a", "x", "ok"), ("b", "x", "violated"), ("c", "x", "violated"), ("c", "y", "n/a"), ("d", "x", "ok")];
        std::fs::write(&path, lines.map(|(id, who, value)| line(id, who, value)).concat()).unwrap();
        let of = |adjudicator: Option<&str>| {
            let options = ReviewOptions { labels: path.clone(), adjudicator: adjudicator.map(str::to_owned) };
            let reviews = Reviews::read(&options).unwrap();
            ["a", "b", "c", "e"].map(|id| reviews.of(id).and_then(|bits| bits.of(0)))
        };
        let told = [Some(Reviewed::Reversed), Some(Reviewed::Upheld), Some(Reviewed::Divided), None];
        assert_eq!(of(None), told);
        assert_eq!(of(Some("y"))[2], Some(Reviewed::Reversed));
        assert_eq!(of(Some("y"))[1], Some(Reviewed::Upheld), "the adjudicator did not read it");
    }
}
