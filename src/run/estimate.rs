//! Rates that reviewers' labels stand behind. In: a run and a labelled sample of it. Out: for each rule, over everything and by segment, what
//! the program said, what the sample says, and the two together.

use std::path::{Path, PathBuf};

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::labelled::{Asked, LabelOptions, Labelled, Scope};
use super::output::RunError;
use super::sample::known_rules;
use crate::reports::{ByShare, Comparison, Corrected, Estimates, Figure, OfScope, Sensitivity};
use crate::stats::multiple::benjamini_hochberg;
use crate::stats::survey::{Design, Estimate};

/// What is asked.
#[derive(Debug, Clone)]
pub struct EstimateOptions {
    /// The run folder.
    pub run: PathBuf,
    /// The labels.
    pub labels: LabelOptions,
    /// Attributes whose values make segments.
    pub by: Vec<String>,
    /// Rules; all with labels where none is named.
    pub rules: Vec<String>,
}

/// Estimates the rates.
///
/// # Errors
/// When run or labels cannot be read, or do not say how the conversations were drawn.
pub fn estimate(options: &EstimateOptions) -> Result<Estimates, RunError> {
    known_rules(&options.rules)?;
    let labelled = Labelled::read(&options.run, &options.by, &options.labels)?;
    let wanted = |rule: &&'static str| options.rules.is_empty() || options.rules.iter().any(|r| r == rule);
    let rules: Vec<&'static str> = labelled.rules().into_iter().filter(wanted).collect();
    let mut notes = labelled.notes.clone();
    let (mut rows, mut sensitivity) = (Vec::new(), Vec::new());
    for rule in &rules {
        let empty = labelled.unlabelled_strata(rule);
        if !empty.is_empty() {
            notes.push(format!(
                "{rule}: no label in {} of the strata ({}); the rates speak for the others.",
                empty.len(),
                empty.iter().take(5).cloned().collect::<Vec<_>>().join("; ")
            ));
        }
        for scope in labelled.population.keys() {
            rows.push(of_scope(&labelled, rule, scope, &options.by));
        }
        sensitivity.extend((0..options.by.len()).filter_map(|by| differs(&labelled, rule, by, &options.by)));
    }
    let q = benjamini_hochberg(&sensitivity.iter().map(|s| s.p).collect::<Vec<_>>());
    sensitivity.iter_mut().zip(q).for_each(|(s, q)| s.q = q);
    let (drawn, read) = labelled.counts();
    Ok(Estimates {
        source: options.run.display().to_string(),
        sample: labelled.sample.clone(),
        design: labelled.design.clone(),
        population: labelled.population.get(&None).copied().unwrap_or(0),
        drawn,
        labelled: read,
        by: options.by.clone(),
        rows,
        sensitivity,
        notes,
    })
}

fn figure(estimate: Option<&Estimate>, ci: Option<(f64, f64)>) -> Figure {
    Figure { value: estimate.map(|e| e.value), ci }
}

/// A share with its interval, where there is one.
fn share(design: &Design, estimate: Option<Estimate>, among: &[f64], freedom: Option<f64>) -> Figure {
    let freedom = freedom.unwrap_or_else(|| design.freedom());
    let ci = estimate.as_ref().and_then(|e| design.share_interval(e, among, freedom));
    figure(estimate.as_ref(), ci)
}

fn of_scope(labelled: &Labelled, rule: &'static str, scope: &Scope, by: &[String]) -> OfScope {
    let Asked { answers, design, labelled: n, found } = labelled.ask(rule, scope);
    let said = labelled.said(rule, scope);
    let population = labelled.population.get(scope).copied().unwrap_or(0);
    let rate = |part: u64, all: u64| (all > 0).then(|| part as f64 / all as f64);
    let powered = answers.powered(&design, None);
    let corrected = answers.corrected(&design);
    let always = answers.people.1 == answers.inside && said.applies == population;
    let lang_reiczigel = answers.corrected_interval(&design);
    let corrected_ci =
        corrected.as_ref().and_then(|c| if always { lang_reiczigel } else { design.interval(c, design.freedom()) });
    let all = answers.of_all();
    let powered_all = all.powered(&design, None);
    let trial = answers.trial(&design);
    let not: Vec<f64> = answers.people.0.iter().zip(&answers.inside).map(|(y, inside)| inside - y).collect();
    let sensitivity = trial.as_ref().map(|t| t.sensitivity.clone());
    let freedom = sensitivity.as_ref().map(|s| design.effective_freedom(s));
    OfScope {
        rule: rule.to_owned(),
        by: scope.as_ref().map(|(i, _)| by[*i].clone()),
        level: scope.as_ref().map(|(_, level)| level.clone()),
        population,
        labelled: n,
        found,
        machine: rate(said.violated, said.applies),
        hajek: share(&design, design.ratio(&answers.people.0, &answers.people.1), &answers.people.1, None),
        rogan_gladen: figure(corrected.as_ref(), corrected_ci),
        ppi: figure(
            powered.as_ref().map(|p| &p.estimate),
            powered.as_ref().and_then(|p| answers.powered_interval(&design, p)),
        ),
        lambda: powered.map(|p| p.lambda),
        of_all: ByShare {
            machine: rate(said.violated, population),
            horvitz_thompson: share(&design, design.mean(&answers.people.0, answers.population), &answers.inside, None),
            hajek: share(&design, design.ratio(&answers.people.0, &answers.inside), &answers.inside, None),
            rogan_gladen: figure(all.corrected(&design).as_ref(), lang_reiczigel),
            ppi: figure(
                powered_all.as_ref().map(|p| &p.estimate),
                powered_all.as_ref().and_then(|p| all.powered_interval(&design, p)),
            ),
        },
        sensitivity: share(&design, sensitivity, &answers.people.0, freedom),
        specificity: share(&design, trial.map(|t| t.specificity), &not, None),
        precision: share(&design, answers.precision(&design), &answers.program.0, None),
    }
}

/// Fewer cases that people found violated than this say nothing about a segment's sensitivity.
const ENOUGH: f64 = 5.0;

/// Whether the program finds a larger share of what is there in some segments than in others: Cochran's Q (1954) over the segments with at least
/// five such cases, each share drawn in by one case of each kind (Agresti and Coull 1998) so that none has no error.
fn differs(labelled: &Labelled, rule: &'static str, by: usize, names: &[String]) -> Option<Sensitivity> {
    let scopes = labelled.population.keys().filter(|s| s.as_ref().is_some_and(|(i, _)| *i == by));
    let mut levels = Vec::new();
    for scope in scopes {
        let asked = labelled.ask(rule, scope);
        if asked.found < ENOUGH {
            continue;
        }
        let Some(trial) = asked.answers.trial(&asked.design) else { continue };
        let (p, variance) = drawn_in(&asked, &trial.sensitivity);
        levels.push((scope.as_ref().map(|(_, l)| l.clone()).unwrap_or_default(), trial.sensitivity.value, p, variance));
    }
    if levels.len() < 2 {
        return None;
    }
    let weights: f64 = levels.iter().map(|l| 1.0 / l.3).sum();
    let mean = levels.iter().map(|l| l.2 / l.3).sum::<f64>() / weights;
    let q: f64 = levels.iter().map(|l| (l.2 - mean).powi(2) / l.3).sum();
    let p = ChiSquared::new((levels.len() - 1) as f64).map_or(1.0, |d| d.sf(q));
    Some(Sensitivity {
        rule: rule.to_owned(),
        by: names[by].clone(),
        statistic: q,
        p,
        q: p,
        levels: levels.into_iter().map(|l| (l.0, l.1)).collect(),
    })
}

/// A sensitivity drawn towards one half by two cases, with its variance.
fn drawn_in(asked: &Asked, sensitivity: &Estimate) -> (f64, f64) {
    let people = &asked.answers.people.0;
    let weights = asked.design.weights();
    let squares: f64 = people.iter().zip(weights).map(|(y, w)| (y * w).powi(2)).sum();
    let kish = asked.design.total(people).powi(2) / squares;
    let p = (sensitivity.value * kish + 1.0) / (kish + 2.0);
    (p, p * (1.0 - p) / (kish + 2.0))
}

/// The corrected rates of a segment and of the one it is held against.
pub(super) struct Corrections {
    labelled: Labelled,
    by: Vec<String>,
}

impl Corrections {
    /// Reads labels and run.
    pub(super) fn read(run: &Path, by: &[String], options: &LabelOptions) -> Result<Self, RunError> {
        Ok(Self { labelled: Labelled::read(run, by, options)?, by: by.to_vec() })
    }

    /// What the reader should know about the labels.
    pub(super) fn notes(&self) -> &[String] {
        &self.labelled.notes
    }

    /// Corrects the comparisons.
    pub(super) fn apply(&self, results: &mut [Comparison]) {
        for r in results.iter_mut() {
            r.corrected = self.compare(&r.outcome, &r.by, &r.segment, &r.reference);
        }
        let p = |c: &Corrected| c.sensitivity.map(|(_, _, p)| p);
        let mut asked: Vec<&mut Corrected> =
            results.iter_mut().filter_map(|r| r.corrected.as_mut()).filter(|c| p(c).is_some()).collect();
        let q = benjamini_hochberg(&asked.iter().filter_map(|c| p(c)).collect::<Vec<_>>());
        asked.iter_mut().zip(q).for_each(|(c, q)| c.sensitivity_q = Some(q));
    }

    /// None where a segment has too few labels to say anything.
    fn compare(&self, rule: &str, by: &str, segment: &str, reference: &str) -> Option<Corrected> {
        let place = self.by.iter().position(|b| b == by)?;
        let rule = self.labelled.rules().into_iter().find(|r| *r == rule)?;
        let ask = |level: &str| self.labelled.ask(rule, &Some((place, level.to_owned())));
        let (ours, theirs) = (ask(segment), ask(reference));
        let design = &ours.design;
        let (a, b) = (ours.answers.powered(design, None)?, theirs.answers.powered(design, None)?);
        let difference = minus(&a.estimate, &b.estimate);
        let trials = ours.answers.trial(design).zip(theirs.answers.trial(design));
        let enough = ours.found >= ENOUGH && theirs.found >= ENOUGH;
        let by_sensitivity = trials.filter(|_| enough).map(|(s, r)| {
            let ((p, v), (q, w)) = (drawn_in(&ours, &s.sensitivity), drawn_in(&theirs, &r.sensitivity));
            let z2 = (p - q).powi(2) / (v + w);
            let p = ChiSquared::new(1.0).map_or(1.0, |d| d.sf(z2));
            (s.sensitivity.value, r.sensitivity.value, p)
        });
        Some(Corrected {
            labelled: (ours.labelled, theirs.labelled),
            found: (ours.found, theirs.found),
            segment: figure(Some(&a.estimate), ours.answers.powered_interval(design, &a)),
            reference: figure(Some(&b.estimate), theirs.answers.powered_interval(design, &b)),
            difference: figure(Some(&difference), design.interval(&difference, design.effective_freedom(&difference))),
            sensitivity: by_sensitivity,
            sensitivity_q: None,
        })
    }
}

fn minus(a: &Estimate, b: &Estimate) -> Estimate {
    Estimate { value: a.value - b.value, linear: a.linear.iter().zip(&b.linear).map(|(a, b)| a - b).collect() }
}
