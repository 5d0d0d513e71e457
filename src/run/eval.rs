//! How well the program agrees with readers. In: transcripts and a gold file. Out: an [`Evaluation`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::config::Config;
use super::interrupt::Interrupt;
use super::judge::judgement;
use super::output::RunError;
use super::pipeline::{self, Classified, Scope};
use super::progress::Progress;
use crate::findings::{Canned, Judgement, RULES};
use crate::ingest::{self, Format};
use crate::labels::is_database;
use crate::reports::Evaluation;
use crate::signals::{Classifier, Label, Sentiment, Signals};
use crate::tally::Scored;
use crate::turns::{Role, Transcript};

/// What to compare.
#[derive(Debug, Clone)]
pub struct EvalOptions {
    /// The transcripts.
    pub inputs: Vec<String>,
    /// How to read them.
    pub format: Format,
    /// What readers found.
    pub gold: PathBuf,
    /// Settings.
    pub config: Config,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Judge the rules from the readers' labels instead of the classifier's: what is wrong then is the rules' own, or lies in the cues, which stay the classifier's.
    pub readers_labels: bool,
    /// Where to write each disagreement on a rule, if wanted.
    pub differences: Option<PathBuf>,
}

/// One line of a gold file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gold {
    id: String,
    turns: Vec<Vec<String>>,
    violated: BTreeMap<String, Vec<usize>>,
    ok: Vec<String>,
    #[serde(default)]
    disputed: Vec<String>,
    #[serde(default)]
    disputed_labels: BTreeMap<usize, Vec<String>>,
}

/// Compares the program's judgement with the readers'.
///
/// # Errors
/// When the gold file is not one, no transcript of it is in the input, or a file cannot be read.
pub fn evaluate(classifier: &Classifier, options: &EvalOptions, progress: &Progress) -> Result<Evaluation, RunError> {
    let mut gold = read_gold(&options.gold)?;
    let files = ingest::locate(&options.inputs)?;
    let scope = Scope::new(classifier, &options.config);
    let (mut items, mut canned) = (Vec::new(), Canned::default());
    let bar = progress.count("classifying turns");
    pipeline::read(files, options.config.reading(options.format), &Interrupt::default(), |step| {
        step.transcripts.iter().filter(|t| scope.left_out(t).is_none()).for_each(|t| canned.add(t));
        let wanted: Vec<Transcript> = step.transcripts.into_iter().filter(|t| gold.contains_key(&t.id)).collect();
        bar.inc(wanted.iter().map(|t| t.turns.len() as u64).sum());
        for mut item in pipeline::classify(classifier, wanted, &scope)? {
            if options.readers_labels && item.left_out.is_none() {
                item.signals = readers_signals(&gold[&item.transcript.id], &item);
            }
            items.push(item);
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    if items.is_empty() {
        return Err(RunError::NothingRead(format!(
            "no transcript has an id that is found in {}",
            options.gold.display()
        )));
    }
    let mut differences = Vec::new();
    let (mut scored, mut unfit) = (Vec::new(), 0);
    for item in &items {
        let Some(gold) = gold.remove(&item.transcript.id) else {
            continue;
        };
        // A gold file may judge rules only.
        let turns = item.transcript.turns.len();
        let beyond = gold.violated.values().flatten().any(|t| *t >= turns);
        unfit += usize::from(beyond || !gold.turns.is_empty() && gold.turns.len() != turns);
        let judged = judgement(item, &canned, &options.config.limits);
        differences.extend(differing(&gold, &judged));
        scored.push(score(&gold, item, &judged));
    }
    let absent = gold.len();
    if let Some(path) = &options.differences {
        std::fs::write(path, differences.concat()).map_err(RunError::io(path))?;
    }
    Ok(Evaluation::new(&scored, absent, unfit, options.seed))
}

/// What to do with a file of another kind.
const ANOTHER_KIND: &str = "; a line is {\"id\", \"turns\", \"violated\", \"ok\"}, see evenhand eval --help. A filled sheet or a labels database is for \
                            evenhand labels agreement and labels estimate";

fn read_gold(path: &Path) -> Result<BTreeMap<String, Gold>, RunError> {
    let other =
        |line: usize, reason: String| RunError::Gold { path: path.to_path_buf(), line, reason: reason + ANOTHER_KIND };
    if is_database(path) {
        return Err(other(1, "not what readers found, but a labels database".to_owned()));
    }
    let file = BufReader::new(File::open(path).map_err(RunError::io(path))?);
    let mut out = BTreeMap::new();
    for (i, line) in file.lines().enumerate() {
        let line = line.map_err(RunError::io(path))?;
        if line.trim().is_empty() {
            continue;
        }
        let wrong = |reason: String| RunError::Gold { path: path.to_path_buf(), line: i + 1, reason };
        let gold: Gold = serde_json::from_str(&line).map_err(|e| other(i + 1, e.to_string()))?;
        for turn in &gold.turns {
            if turn.first().and_then(|s| sentiment(s)).is_none() {
                return Err(wrong("a turn's list begins with neg, neu or pos".to_owned()));
            }
            if let Some(label) = turn[1..].iter().find(|l| Label::parse(l).is_none()) {
                return Err(wrong(format!("unknown label {label}")));
            }
        }
        let rules = gold.violated.keys().chain(&gold.ok).chain(&gold.disputed);
        if let Some(rule) = rules.into_iter().find(|r| RULES.iter().all(|k| k.id != **r)) {
            return Err(wrong(format!("unknown rule {rule}; `evenhand rules` lists them")));
        }
        if let Some(label) = gold.disputed_labels.values().flatten().find(|l| Label::parse(l).is_none()) {
            return Err(wrong(format!("unknown label {label}")));
        }
        if out.contains_key(&gold.id) {
            return Err(wrong("the id stands in an earlier line".to_owned()));
        }
        out.insert(gold.id.clone(), gold);
    }
    Ok(out)
}

fn sentiment(name: &str) -> Option<Sentiment> {
    Sentiment::ALL.into_iter().find(|s| s.name() == name)
}

fn labels_of(gold: &Gold, turn: usize) -> Vec<Label> {
    gold.turns.get(turn).map(|t| t.iter().filter_map(|l| Label::parse(l)).collect()).unwrap_or_default()
}

fn sentiment_of(gold: &Gold, turn: usize) -> Option<Sentiment> {
    gold.turns.get(turn)?.first().and_then(|s| sentiment(s))
}

/// The readers' labels; cues are the classifier's, as readers give none.
fn readers_signals(gold: &Gold, item: &Classified) -> Vec<Signals> {
    let certain = |(i, s): (usize, &Signals)| Signals {
        cues: s.cues,
        focus: s.focus.clone(),
        ..Signals::certain(sentiment_of(gold, i).unwrap_or(Sentiment::Neu), labels_of(gold, i).into_iter().collect())
    };
    item.signals.iter().enumerate().map(certain).collect()
}

fn score(gold: &Gold, item: &Classified, judged: &Judgement) -> Scored {
    let mut scored = Scored::new(Label::ALL.len(), Sentiment::ALL.len(), RULES.len());
    for (i, (turn, signals)) in item.transcript.turns.iter().zip(&item.signals).enumerate() {
        if turn.role == Role::System || turn.text.trim().is_empty() || i >= gold.turns.len() {
            continue;
        }
        let truth = labels_of(gold, i);
        let disputed = gold.disputed_labels.get(&i);
        for (k, label) in Label::ALL.into_iter().enumerate().filter(|(_, l)| l.fits(turn.role)) {
            if disputed.is_none_or(|d| !d.iter().any(|name| name == label.name())) {
                scored.labels[k].add(signals.has(label), truth.contains(&label));
            }
        }
        for (k, s) in Sentiment::ALL.into_iter().enumerate() {
            scored.sentiments[k].add(signals.sentiment == s, sentiment_of(gold, i) == Some(s));
        }
    }
    for (k, (rule, verdict)) in judged.verdicts.iter().enumerate() {
        if !gold.disputed.iter().any(|d| d == rule) {
            scored.rules[k].add(*verdict == "violated", gold.violated.contains_key(*rule));
        }
    }
    scored
}

/// A line for each rule on which program and readers differ.
fn differing(gold: &Gold, judged: &Judgement) -> Vec<String> {
    let readers = |rule: &str| match () {
        () if gold.violated.contains_key(rule) => "violated",
        () if gold.ok.iter().any(|r| r == rule) => "ok",
        () => "n/a",
    };
    let differs = judged.verdicts.iter().filter(|(rule, verdict)| {
        !gold.disputed.iter().any(|d| d == rule) && (*verdict == "violated") != gold.violated.contains_key(*rule)
    });
    differs
        .map(|(rule, verdict)| {
            let turns = judged.findings.iter().find(|f| f.rule == **rule).map(|f| f.turns.clone()).unwrap_or_default();
            let row = serde_json::json!({"id": gold.id, "rule": rule, "program": verdict, "readers": readers(rule),
                "program_turns": turns, "readers_turns": gold.violated.get(*rule)});
            format!("{row}\n")
        })
        .collect()
}
