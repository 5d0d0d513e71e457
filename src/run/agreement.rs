//! How far reviewers agree, with each other and with the program. In: labels, and a run where the program is to be held against them. Out:
//! figures for each rule and each reviewer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::conversations;
use super::output::RunError;
use super::sample::known_rules;
use crate::findings::RULES;
use crate::labels::{Answer, Label, Store};
use crate::reports::{Agreement, Between, Figure, OfRule, Reviewer};
use crate::stats::agreement::{Coincidences, Scale, cohen, fleiss};
use crate::stats::percentile_intervals;

/// What is asked.
#[derive(Debug, Clone)]
pub struct AgreementOptions {
    /// A labels database or label file.
    pub labels: PathBuf,
    /// The run whose verdicts are held against the people's.
    pub run: Option<PathBuf>,
    /// Rules; all that have labels where none is named.
    pub rules: Vec<String>,
    /// Seed of the bootstrap.
    pub seed: u64,
}

/// Resamples.
const REPLICATES: usize = 1000;

/// The present answers on one rule by conversation: (reviewer, answer).
type Answers<'a> = BTreeMap<&'a str, Vec<(&'a str, Answer)>>;

/// Compares the reviewers.
///
/// # Errors
/// When labels or run cannot be read, or there are none.
pub fn agreement(options: &AgreementOptions) -> Result<Agreement, RunError> {
    known_rules(&options.rules)?;
    let (store, imported) = Store::read(&options.labels)?;
    let labels: Vec<Label> = store.labels()?.into_iter().filter(|l| l.current).map(|l| l.label).collect();
    let wanted = |rule: &str| options.rules.is_empty() || options.rules.iter().any(|r| r == rule);
    let labels: Vec<Label> = labels.into_iter().filter(|l| wanted(&l.rule)).collect();
    if labels.is_empty() {
        return Err(RunError::NothingToCompare(format!(
            "{} holds no labels for these rules; take some in with evenhand labels import FILE --into {}",
            options.labels.display(),
            options.labels.display()
        )));
    }
    let verdicts = options.run.as_deref().map(|run| verdicts(run, &labels)).transpose()?;
    let mut by_rule: BTreeMap<&str, Answers<'_>> = BTreeMap::new();
    for l in &labels {
        by_rule.entry(&l.rule).or_default().entry(&l.id).or_default().push((&l.reviewer, l.value));
    }
    let rules = RULES.iter().filter_map(|r| {
        let answers = by_rule.get(r.id)?;
        let program = verdicts.as_ref().and_then(|v| with_program(r.id, answers, v, options.seed));
        Some(of_rule(r.id, answers, program, options.seed))
    });
    let rules = rules.collect();
    let rulebooks: BTreeSet<&str> = labels.iter().map(|l| l.rulebook.as_str()).collect();
    Ok(Agreement {
        source: options.labels.display().to_string(),
        labels: labels.len() as u64,
        rules,
        reviewers: reviewers(&by_rule, options.seed),
        rulebooks: rulebooks.into_iter().map(str::to_owned).collect(),
        unread: imported.map_or(0, |i| i.unread.len() as u64),
    })
}

/// The program's verdicts on the labelled conversations, by id and rule.
fn verdicts(run: &std::path::Path, labels: &[Label]) -> Result<BTreeMap<(String, String), Answer>, RunError> {
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    labels.iter().for_each(|l| {
        wanted.entry(&l.id).or_default().insert(&l.rule);
    });
    let mut out = BTreeMap::new();
    conversations::each(run, &[], |c| {
        for rule in wanted.get(c.id.as_str()).into_iter().flatten() {
            if let Some(answer) = Answer::parse(c.verdict(rule)) {
                out.insert((c.id.clone(), (*rule).to_owned()), answer);
            }
        }
        Ok(())
    })?;
    Ok(out)
}

fn of_rule(rule: &str, answers: &Answers<'_>, program: Option<Between>, seed: u64) -> OfRule {
    let all: Vec<Answer> = answers.values().flatten().map(|(_, a)| *a).collect();
    let units: Vec<&Vec<(&str, Answer)>> = answers.values().filter(|u| u.len() > 1).collect();
    let pairs = pairs(&units);
    let statistics = |drawn: &[usize]| {
        let kappas = pairs.iter().map(|p| (p.units.len(), p.kappa(drawn)));
        [
            raw(&units, drawn),
            mean_kappa(kappas),
            alpha(&units, drawn, Scale::Nominal),
            alpha(&units, drawn, Scale::Ordinal),
            fleiss_of(&units, drawn),
        ]
    };
    let everyone: Vec<usize> = (0..units.len()).collect();
    let values = statistics(&everyone);
    let intervals = percentile_intervals(units.len(), REPLICATES, seed, statistics);
    let figure = |k: usize| Figure { value: values[k], ci: real(intervals[k]) };
    OfRule {
        rule: rule.to_owned(),
        labels: all.len() as u64,
        n: units.len() as u64,
        prevalence: all.iter().filter(|a| **a == Answer::Violated).count() as f64 / all.len().max(1) as f64,
        raw: figure(0),
        cohen: figure(1),
        cohen_error: if pairs.len() == 1 { pairs[0].error() } else { None },
        pairs: pairs.len() as u64,
        fleiss: figure(4),
        nominal: figure(2),
        ordinal: figure(3),
        program,
    }
}

/// Where every resample says the same, as where nobody ever differed, there is no interval to show.
fn real(interval: Option<(f64, f64)>) -> Option<(f64, f64)> {
    interval.filter(|(low, high)| low < high)
}

fn place(answer: Answer) -> usize {
    Answer::ALL.iter().position(|a| *a == answer).unwrap_or(0)
}

fn counts(unit: &[(&str, Answer)]) -> [f64; 3] {
    let mut out = [0.0; 3];
    unit.iter().for_each(|(_, a)| out[place(*a)] += 1.0);
    out
}

/// The mean share of pairs of answers that are the same.
fn raw(units: &[&Vec<(&str, Answer)>], drawn: &[usize]) -> Option<f64> {
    let of = |unit: &Vec<(&str, Answer)>| {
        let m = unit.len() as f64;
        counts(unit).iter().map(|n| n * (n - 1.0)).sum::<f64>() / (m * (m - 1.0))
    };
    (!drawn.is_empty()).then(|| drawn.iter().map(|&i| of(units[i])).sum::<f64>() / drawn.len() as f64)
}

fn alpha(units: &[&Vec<(&str, Answer)>], drawn: &[usize], scale: Scale) -> Option<f64> {
    let mut kinds: BTreeMap<[u64; 3], f64> = BTreeMap::new();
    drawn.iter().for_each(|&i| *kinds.entry(counts(units[i]).map(|n| n as u64)).or_default() += 1.0);
    let mut all = Coincidences::new(vec![0.0, 1.0, 2.0]);
    for (kind, times) in kinds {
        let given: Vec<(usize, f64)> = (0..3).filter(|&k| kind[k] > 0).map(|k| (k, kind[k] as f64)).collect();
        all.add(&given, times);
    }
    all.alpha(scale)
}

/// Two reviewers and the answers both gave, by unit.
struct Pair {
    units: BTreeMap<usize, (usize, usize)>,
}

impl Pair {
    fn table(&self, drawn: impl Iterator<Item = usize>) -> [u64; 9] {
        let mut table = [0; 9];
        for i in drawn {
            if let Some((a, b)) = self.units.get(&i) {
                table[a * 3 + b] += 1;
            }
        }
        table
    }

    fn kappa(&self, drawn: &[usize]) -> Option<f64> {
        cohen(&self.table(drawn.iter().copied()), 3).map(|k| k.kappa)
    }

    fn error(&self) -> Option<f64> {
        cohen(&self.table(self.units.keys().copied()), 3).map(|k| k.error)
    }
}

fn pairs(units: &[&Vec<(&str, Answer)>]) -> Vec<Pair> {
    let mut out: BTreeMap<(&str, &str), Pair> = BTreeMap::new();
    for (i, unit) in units.iter().enumerate() {
        for (a, x) in unit.iter() {
            for (b, y) in unit.iter().filter(|(b, _)| a < b) {
                let pair = out.entry((a, b)).or_insert_with(|| Pair { units: BTreeMap::new() });
                pair.units.insert(i, (place(*x), place(*y)));
            }
        }
    }
    out.into_values().collect()
}

/// The mean of the pairs' kappas (Light 1971), weighted by their units.
fn mean_kappa(kappas: impl Iterator<Item = (usize, Option<f64>)>) -> Option<f64> {
    let (sum, n) =
        kappas.filter_map(|(n, k)| Some((n as f64, k?))).fold((0.0, 0.0), |(sum, all), (n, k)| (sum + n * k, all + n));
    (n > 0.0).then(|| sum / n)
}

/// Over the units with the most common number of reviewers.
fn fleiss_of(units: &[&Vec<(&str, Answer)>], drawn: &[usize]) -> Option<f64> {
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    units.iter().for_each(|u| *sizes.entry(u.len()).or_default() += 1);
    let size = sizes.into_iter().max_by_key(|(size, n)| (*n, std::cmp::Reverse(*size)))?.0;
    let chosen: Vec<Vec<u64>> = drawn
        .iter()
        .map(|&i| units[i])
        .filter(|u| u.len() == size)
        .map(|u| counts(u).iter().map(|n| *n as u64).collect())
        .collect();
    fleiss(&chosen)
}

/// The program against every label of the people.
fn with_program(
    rule: &str,
    answers: &Answers<'_>,
    verdicts: &BTreeMap<(String, String), Answer>,
    seed: u64,
) -> Option<Between> {
    let units: Vec<(Answer, &Vec<(&str, Answer)>)> = answers
        .iter()
        .filter_map(|(id, unit)| Some((*verdicts.get(&((*id).to_owned(), rule.to_owned()))?, unit)))
        .collect();
    let statistics = |drawn: &[usize]| {
        let mut table = [0; 9];
        let mut same = 0.0;
        for &i in drawn {
            let (program, unit) = &units[i];
            unit.iter().for_each(|(_, a)| table[place(*program) * 3 + place(*a)] += 1);
            same += unit.iter().filter(|(_, a)| a == program).count() as f64 / unit.len() as f64;
        }
        [(!drawn.is_empty()).then(|| same / drawn.len() as f64), cohen(&table, 3).map(|k| k.kappa)]
    };
    let values = statistics(&(0..units.len()).collect::<Vec<_>>());
    let intervals = percentile_intervals(units.len(), REPLICATES, seed, statistics);
    let figure = |k: usize| Figure { value: values[k], ci: real(intervals[k]) };
    (!units.is_empty()).then(|| Between { n: units.len() as u64, raw: figure(0), cohen: figure(1) })
}

/// Each reviewer against the others on the same conversations and rules; conversations are resampled whole.
fn reviewers(by_rule: &BTreeMap<&str, Answers<'_>>, seed: u64) -> Vec<Reviewer> {
    let mut names: BTreeMap<&str, u64> = BTreeMap::new();
    // By reviewer and conversation: judgements shared with others, the sum of the shares that agree, and of how much oftener "violated".
    let mut shared: BTreeMap<&str, BTreeMap<&str, (f64, f64, f64)>> = BTreeMap::new();
    for answers in by_rule.values() {
        for (id, unit) in answers {
            for (name, own) in unit {
                *names.entry(name).or_default() += 1;
                let others: Vec<Answer> = unit.iter().filter(|(n, _)| n != name).map(|(_, a)| *a).collect();
                if others.is_empty() {
                    continue;
                }
                let share =
                    |f: &dyn Fn(&Answer) -> bool| others.iter().filter(|a| f(a)).count() as f64 / others.len() as f64;
                let s = shared.entry(name).or_default().entry(id).or_default();
                let violated = f64::from(u8::from(*own == Answer::Violated));
                *s = (s.0 + 1.0, s.1 + share(&|a| a == own), s.2 + violated - share(&|a| *a == Answer::Violated));
            }
        }
    }
    let one = |(name, labels): (&str, u64)| {
        let cases: Vec<(f64, f64, f64)> = shared.get(name).map(|s| s.values().copied().collect()).unwrap_or_default();
        let statistics = |drawn: &[usize]| {
            let (n, same, more) =
                drawn.iter().map(|&i| cases[i]).fold((0.0, 0.0, 0.0), |s, c| (s.0 + c.0, s.1 + c.1, s.2 + c.2));
            [(n > 0.0).then(|| same / n), (n > 0.0).then(|| more / n)]
        };
        let values = statistics(&(0..cases.len()).collect::<Vec<_>>());
        let intervals = percentile_intervals(cases.len(), REPLICATES, seed, statistics);
        Reviewer {
            name: name.to_owned(),
            labels,
            shared: cases.iter().map(|c| c.0 as u64).sum(),
            conversations: cases.len() as u64,
            raw: Figure { value: values[0], ci: real(intervals[0]) },
            stricter_by: Figure { value: values[1], ci: real(intervals[1]) },
        }
    };
    names.into_iter().map(one).collect()
}
