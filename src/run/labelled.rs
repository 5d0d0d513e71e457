//! A labelled sample held against the run it was drawn from. In: labels, a run and attributes. Out: for each rule, over everything or one
//! segment, what people and the program said, and the design.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use super::conversations;
use super::output::RunError;
use super::sample::ids_of;
use crate::findings::RULES;
use crate::labels::{Answer, Store, Unit, is_database};
use crate::stats::survey::{Answers, Design};

/// Which labels, and how they are read.
#[derive(Debug, Clone)]
pub struct LabelOptions {
    /// A labels database or label file.
    pub labels: PathBuf,
    /// The sample's name, where the labels belong to several.
    pub sample: Option<String>,
    /// The ids that were not to be drawn: the same file as at the draw.
    pub exclude: Option<PathBuf>,
    /// Whose answer counts alone where there is one.
    pub adjudicator: Option<String>,
}

/// A part of the run: none for everything, else (attribute, value).
pub(super) type Scope = Option<(usize, String)>;

/// The program's counts on one rule in one scope.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said {
    pub(super) violated: u64,
    pub(super) applies: u64,
}

/// The labelled sample with the program's answers everywhere.
pub(super) struct Labelled {
    /// Conversations of each scope.
    pub(super) population: BTreeMap<Scope, u64>,
    said: BTreeMap<(Scope, &'static str), Said>,
    /// Drawn conversations found in the run, with their values of the attributes and the program's verdicts.
    units: Vec<Drawn>,
    /// People's answers: (unit, rule) to (violated, applies), each the mean over the reviewers.
    people: BTreeMap<(usize, &'static str), (f64, f64)>,
    strata: usize,
    pub(super) sample: String,
    pub(super) design: String,
    pub(super) rulebooks: Vec<String>,
    pub(super) notes: Vec<String>,
}

struct Drawn {
    unit: Unit,
    stratum: usize,
    levels: Vec<Option<String>>,
    verdicts: BTreeMap<&'static str, Answer>,
}

/// One rule in one scope.
pub(super) struct Asked {
    pub(super) answers: Answers,
    pub(super) design: Design,
    /// Labelled conversations in the scope, and how many people found violated.
    pub(super) labelled: u64,
    pub(super) found: f64,
}

/// The most values of the attributes together.
const MAX_LEVELS: usize = 5000;

impl Labelled {
    /// Reads labels and run.
    pub(super) fn read(run: &std::path::Path, by: &[String], options: &LabelOptions) -> Result<Self, RunError> {
        let (store, imported) = Store::read(&options.labels)?;
        let (sample, units) = chosen(&store, options)?;
        let mut out = Self {
            population: BTreeMap::new(),
            said: BTreeMap::new(),
            units: Vec::new(),
            people: BTreeMap::new(),
            strata: 0,
            design: units.first().map(|u| u.design.clone()).unwrap_or_default(),
            sample,
            rulebooks: Vec::new(),
            notes: Vec::new(),
        };
        if let Some(unread) = imported.map(|i| i.unread.len()).filter(|n| *n > 0) {
            out.notes.push(format!("{unread} lines of the label file are no labels; labels import lists them."));
        }
        let said_population = units.iter().filter_map(|u| u.population).max();
        let excluded = options.exclude.as_deref().map(ids_of).transpose()?.unwrap_or_default();
        let drawn = units.len();
        out.pass(run, by, units, &excluded)?;
        let all = out.population.get(&None).copied().unwrap_or(0);
        if out.units.len() < drawn {
            out.notes.push(format!(
                "{} of {drawn} drawn conversations are not in the run and are left out; was it another run?",
                drawn - out.units.len()
            ));
        }
        if let Some(n) = said_population.filter(|n| *n != all) {
            out.notes.push(format!(
                "The sample was drawn from {n} conversations and the run has {all}: the rates hold for the run only as far as the rest are like those. Where the draw left some out, give the same --exclude."
            ));
        }
        out.take_people(&store, options)?;
        Ok(out)
    }

    fn pass(
        &mut self,
        run: &std::path::Path,
        by: &[String],
        units: Vec<Unit>,
        excluded: &HashSet<String>,
    ) -> Result<(), RunError> {
        let mut wanted: BTreeMap<String, Unit> = units.into_iter().map(|u| (u.id.clone(), u)).collect();
        let mut strata: BTreeMap<String, usize> = BTreeMap::new();
        conversations::each(run, by, |c| {
            if excluded.contains(&c.id) {
                return Ok(());
            }
            let levels: Vec<Option<String>> = by.iter().map(|a| c.attribute(a)).collect();
            let verdicts: BTreeMap<&'static str, Answer> =
                RULES.iter().filter_map(|r| Some((r.id, Answer::parse(c.verdict(r.id))?))).collect();
            let inside = levels.iter().enumerate().filter_map(|(i, l)| Some(Some((i, l.clone()?))));
            for scope in std::iter::once(None).chain(inside) {
                for (rule, answer) in verdicts.iter().filter(|(_, a)| **a != Answer::NotApplicable) {
                    let said = self.said.entry((scope.clone(), rule)).or_default();
                    said.applies += 1;
                    said.violated += u64::from(*answer == Answer::Violated);
                }
                *self.population.entry(scope).or_default() += 1;
            }
            if self.population.len() > MAX_LEVELS {
                return Err(RunError::NothingToCompare(format!(
                    "{} have more than {MAX_LEVELS} values together; group them first",
                    by.join(", ")
                )));
            }
            if let Some(unit) = wanted.remove(&c.id) {
                let next = strata.len();
                let stratum = *strata.entry(unit.stratum.clone()).or_insert(next);
                self.units.push(Drawn { unit, stratum, levels, verdicts });
            }
            Ok(())
        })?;
        self.strata = strata.len();
        Ok(())
    }

    fn take_people(&mut self, store: &Store, options: &LabelOptions) -> Result<(), RunError> {
        let places: BTreeMap<&str, usize> =
            self.units.iter().enumerate().map(|(i, u)| (u.unit.id.as_str(), i)).collect();
        let mut given: BTreeMap<(usize, &'static str), Vec<(String, Answer)>> = BTreeMap::new();
        let mut rulebooks = std::collections::BTreeSet::new();
        let mut outside = std::collections::BTreeSet::new();
        for l in store.labels()?.into_iter().filter(|l| l.current).map(|l| l.label) {
            let Some(&unit) = places.get(l.id.as_str()) else {
                outside.insert(l.id);
                continue;
            };
            if let Some(rule) = RULES.iter().find(|r| r.id == l.rule) {
                given.entry((unit, rule.id)).or_default().push((l.reviewer, l.value));
                rulebooks.insert(l.rulebook);
            }
        }
        self.people = given.into_iter().map(|(key, a)| (key, opinion(a, options.adjudicator.as_deref()))).collect();
        if !outside.is_empty() {
            self.notes
                .push(format!("Labels of {} conversations outside this sample and run are not used.", outside.len()));
        }
        self.rulebooks = rulebooks.into_iter().collect();
        if self.rulebooks.len() > 1 {
            self.notes.push(format!(
                "The labels were given under {} versions of the rulebook: {}.",
                self.rulebooks.len(),
                self.rulebooks.join(", ")
            ));
        }
        if self.people.is_empty() {
            return Err(RunError::NothingToCompare(format!(
                "{} holds no labels of the conversations drawn in sample {:?}",
                options.labels.display(),
                self.sample
            )));
        }
        Ok(())
    }

    /// How many were drawn, and how many of them have a label for any rule.
    pub(super) fn counts(&self) -> (u64, u64) {
        let labelled: HashSet<usize> = self.people.keys().map(|(u, _)| *u).collect();
        (self.units.len() as u64, labelled.len() as u64)
    }

    /// Rules with labels, in the order of the rulebook.
    pub(super) fn rules(&self) -> Vec<&'static str> {
        RULES.iter().map(|r| r.id).filter(|r| self.people.keys().any(|(_, rule)| rule == r)).collect()
    }

    /// What the program said on a rule in a scope.
    pub(super) fn said(&self, rule: &'static str, scope: &Scope) -> Said {
        self.said.get(&(scope.clone(), rule)).copied().unwrap_or_default()
    }

    /// One rule in one scope. A drawn conversation without a label counts as missing at random in its stratum: the labelled ones there stand
    /// for all.
    pub(super) fn ask(&self, rule: &'static str, scope: &Scope) -> Asked {
        let mut drawn = vec![0_u64; self.strata];
        let mut labelled = vec![0_u64; self.strata];
        for (i, u) in self.units.iter().enumerate() {
            drawn[u.stratum] += 1;
            labelled[u.stratum] += u64::from(self.people.contains_key(&(i, rule)));
        }
        let (mut answers, mut strata, mut pi) = (Answers::default(), Vec::new(), Vec::new());
        let (mut count, mut found) = (0, 0.0);
        for (i, u) in self.units.iter().enumerate() {
            let Some((so, applies)) = self.people.get(&(i, rule)) else { continue };
            let inside = match scope {
                None => true,
                Some((by, level)) => u.levels[*by].as_ref() == Some(level),
            };
            let one = f64::from(u8::from(inside));
            let program = u.verdicts.get(rule).copied().unwrap_or(Answer::NotApplicable);
            answers.people.0.push(one * so);
            answers.people.1.push(one * applies);
            answers.program.0.push(one * f64::from(u8::from(program == Answer::Violated)));
            answers.program.1.push(one * f64::from(u8::from(program != Answer::NotApplicable)));
            answers.inside.push(one);
            strata.push(u.stratum);
            pi.push(u.unit.probability * labelled[u.stratum] as f64 / drawn[u.stratum] as f64);
            count += u64::from(inside);
            found += one * so;
        }
        let said = self.said(rule, scope);
        answers.totals = (said.violated as f64, said.applies as f64);
        answers.population = self.population.get(scope).copied().unwrap_or(0) as f64;
        Asked { answers, design: Design::new(strata, &pi), labelled: count, found }
    }

    /// Strata of which no conversation was labelled on a rule, and the conversations drawn there.
    pub(super) fn unlabelled_strata(&self, rule: &'static str) -> Vec<String> {
        let mut names: BTreeMap<&str, bool> = BTreeMap::new();
        for (i, u) in self.units.iter().enumerate() {
            *names.entry(&u.unit.stratum).or_default() |= self.people.contains_key(&(i, rule));
        }
        names.into_iter().filter(|(_, any)| !any).map(|(name, _)| name.to_owned()).collect()
    }
}

/// The share of reviewers who found a rule violated, and of those who found that it applies; an adjudicator's answer counts alone.
pub(super) fn opinion(mut answers: Vec<(String, Answer)>, adjudicator: Option<&str>) -> (f64, f64) {
    if let Some(last_word) = adjudicator.filter(|a| answers.iter().any(|(who, _)| who == a)) {
        answers.retain(|(who, _)| who == last_word);
    }
    let share =
        |f: &dyn Fn(Answer) -> bool| answers.iter().filter(|(_, a)| f(*a)).count() as f64 / answers.len().max(1) as f64;
    (share(&|a| a == Answer::Violated), share(&|a| a != Answer::NotApplicable))
}

/// The drawn conversations of the sample asked for.
fn chosen(store: &Store, options: &LabelOptions) -> Result<(String, Vec<Unit>), RunError> {
    let mut samples: BTreeMap<String, Vec<Unit>> = BTreeMap::new();
    store.units()?.into_iter().for_each(|u| samples.entry(u.sample.clone()).or_default().push(u));
    let list = || {
        let one = |(name, units): (&String, &Vec<Unit>)| format!("{name:?} ({} {})", units.len(), units[0].design);
        samples.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let path = options.labels.display();
    match &options.sample {
        Some(name) => match samples.remove(name) {
            Some(units) => Ok((name.clone(), units)),
            None => Err(super::table::unknown("sample", name, samples.into_keys())),
        },
        None if samples.len() > 1 => Err(RunError::NothingToCompare(format!(
            "{path} holds {} samples: {}; choose one with --sample",
            samples.len(),
            list()
        ))),
        None => samples.into_iter().next().ok_or_else(|| {
            let next = if is_database(&options.labels) {
                format!("labels import sample.jsonl --into {path}")
            } else {
                format!("labels import {path} --into labels.db --sample sample.jsonl, and name labels.db here")
            };
            RunError::NothingToCompare(format!(
                "{path} does not say how the conversations were drawn; take in the sample too: evenhand {next}"
            ))
        }),
    }
}
