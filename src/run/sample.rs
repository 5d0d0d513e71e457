//! Drawing conversations for people to read. In: a run folder and a design. Out: a sample with the words, ready to be written.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::again::{Spoken, Words, again};
use super::conversations::{self, Conversation};
use super::manifest::Manifest;
use super::output::RunError;
use super::progress::Progress;
use super::table::{table_error, unknown};
use crate::findings::{Finding, RULES, is_about_company};
use crate::labels::{self, Line, Store, is_database};
use crate::reports::{Sample, SampleRow};
use crate::sampling::{
    Allocation, DesignError, Drawn, Lottery, Sampford, Sizes, Smallest, Stratum, WHOLE, allocate, assign, risk_score,
    uniform,
};
use crate::turns::Turn;

/// The design of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Plan {
    /// Each conversation as likely as another
    Random,
    /// So many from each stratum (--stratify)
    Stratified,
    /// In proportion to a risk score of severity and uncertainty
    Risk,
}

/// What to draw.
#[derive(Debug, Clone)]
pub struct SampleOptions {
    /// The run folder.
    pub run: PathBuf,
    /// How many; the floors of the strata where it is not given.
    pub size: Option<u64>,
    /// The design.
    pub plan: Plan,
    /// Attributes that make the strata.
    pub stratify: Vec<String>,
    /// How the sample is shared out.
    pub allocation: Allocation,
    /// The least of each stratum.
    pub floor: u64,
    /// Draw the most contested cases, so many, in place of a sample.
    pub calibration: Option<u64>,
    /// Labels that say what is contested.
    pub labels: Option<PathBuf>,
    /// A file with ids that are not drawn.
    pub exclude: Option<PathBuf>,
    /// Rules to review; all where none is named.
    pub rules: Vec<String>,
    /// Hide what the program found.
    pub blind: bool,
    /// The share that two reviewers get.
    pub double: f64,
    /// Reviewers.
    pub reviewers: Vec<String>,
    /// Where the words are; none: draw without them.
    pub words: Option<Words>,
    /// The seed.
    pub seed: u64,
}

/// Draws a sample.
///
/// # Errors
/// When the run or the words cannot be read, or the design cannot be drawn from it.
pub fn sample(options: &SampleOptions, progress: &Progress) -> Result<Sample, RunError> {
    known_rules(&options.rules)?;
    let manifest = conversations::manifest(&options.run)?;
    let frame = Frame::new(options, progress)?;
    let drawn = match options.calibration {
        Some(n) => frame.contested(n)?,
        None => frame.draw()?,
    };
    let ids: BTreeSet<String> = drawn.iter().map(|d| d.id.clone()).collect();
    let mut turns = match &options.words {
        Some(from) => turns_of(&ids, from, &manifest, progress)?,
        None => BTreeMap::new(),
    };
    let list: Vec<String> = ids.iter().cloned().collect();
    let mut reviewers: BTreeMap<String, Vec<String>> = assign(&list, &options.reviewers, options.double, options.seed)
        .into_iter()
        .map(|a| (a.id, a.reviewers))
        .collect();
    let mut places: BTreeMap<String, Drawn> = drawn.into_iter().map(|d| (d.id.clone(), d)).collect();
    let name = name(options, places.values());
    let (mut rows, mut population) = (Vec::new(), 0);
    frame.each(|c| {
        population += 1;
        if let Some(drawn) = places.remove(&c.id) {
            rows.push(SampleRow {
                turns: turns.remove(&c.id),
                reviewers: reviewers.remove(&c.id).unwrap_or_default(),
                drawn,
                row: c.row,
                findings: c.findings,
            });
        }
        Ok(())
    })?;
    // An order that says nothing about how a conversation was drawn.
    rows.sort_by(|a, b| {
        let key = |r: &SampleRow| uniform(options.seed, "order", &r.drawn.id);
        key(a).total_cmp(&key(b))
    });
    Ok(Sample {
        name,
        design: if options.calibration.is_some() { "calibration" } else { options.plan.name() },
        seed: options.seed,
        population,
        excluded: frame.excluded.len() as u64,
        blind: options.blind,
        rules: options.rules.clone(),
        rulebook: labels::rulebook(),
        rows,
    })
}

/// The turns of the conversations `ids`, all of which must be there.
fn turns_of(
    ids: &BTreeSet<String>,
    words: &Words,
    manifest: &Manifest,
    progress: &Progress,
) -> Result<BTreeMap<String, Vec<Turn>>, RunError> {
    let bar = progress.spinner("reading the words again");
    let mut turns = BTreeMap::new();
    let look = |spoken: &Spoken<'_>| (spoken.id().to_owned(), spoken.turns());
    let missing = again(
        manifest,
        words,
        |id| ids.contains(id),
        look,
        |(id, own)| {
            turns.insert(id, own);
        },
    )?;
    bar.finish_and_clear();
    let Some(first) = ids.iter().find(|id| !turns.contains_key(*id)) else { return Ok(turns) };
    let why = if missing.is_empty() {
        String::new()
    } else {
        format!("a run keeps only quotes, and {}; ", missing.join("; "))
    };
    Err(RunError::NoWords(format!(
        "{why}{} of {} drawn conversations are not in the files read, the first {first:?}; name the files that were audited with --transcripts FILE, or draw without words with --no-text",
        ids.len() - turns.len(),
        ids.len()
    )))
}

/// Every rule named is one.
pub(super) fn known_rules(rules: &[String]) -> Result<(), RunError> {
    match rules.iter().find(|r| !RULES.iter().any(|known| known.id == **r)) {
        Some(other) => Err(unknown("rule", other, RULES.iter().map(|r| r.id.to_owned()))),
        None => Ok(()),
    }
}

impl Plan {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Stratified => "stratified",
            Self::Risk => "risk",
        }
    }
}

/// A name that tells one sample from another.
fn name<'a>(options: &SampleOptions, drawn: impl Iterator<Item = &'a Drawn>) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{:?} {:?} {}\n", options.plan, options.calibration, options.seed));
    drawn.for_each(|d| hash.update(format!("{}\t{}\t{}\n", d.id, d.stratum, d.probability)));
    hex::encode(&hash.finalize()[..6])
}

/// The conversations that can be drawn.
struct Frame<'a> {
    options: &'a SampleOptions,
    excluded: HashSet<String>,
    progress: &'a Progress,
}

impl<'a> Frame<'a> {
    fn new(options: &'a SampleOptions, progress: &'a Progress) -> Result<Self, RunError> {
        let excluded = options.exclude.as_deref().map(ids_of).transpose()?.unwrap_or_default();
        Ok(Self { options, excluded, progress })
    }

    fn each(&self, mut take: impl FnMut(Conversation) -> Result<(), RunError>) -> Result<(), RunError> {
        let bar = self.progress.count("reading the run");
        conversations::each(&self.options.run, &self.options.stratify, |c| {
            bar.inc(1);
            if self.excluded.contains(&c.id) { Ok(()) } else { take(c) }
        })?;
        bar.finish_and_clear();
        Ok(())
    }

    fn draw(&self) -> Result<Vec<Drawn>, RunError> {
        match self.options.plan {
            Plan::Risk => self.by_risk(),
            Plan::Random => {
                let size = self.options.size.unwrap_or_default();
                let mut lottery = Lottery::new(self.options.seed, &BTreeMap::from([(WHOLE.to_owned(), size)]));
                self.each(|c| {
                    lottery.offer(WHOLE, &c.id);
                    Ok(())
                })?;
                let drawn = lottery.finish();
                if (drawn.len() as u64) < size {
                    return Err(DesignError::TooFew { size, population: drawn.len() as u64 }.into());
                }
                Ok(drawn)
            }
            Plan::Stratified => {
                let mut strata: BTreeMap<String, Stratum> = BTreeMap::new();
                self.each(|c| {
                    let s = strata.entry(self.stratum(&c)).or_default();
                    s.population += 1;
                    s.events += u64::from(self.found(&c));
                    Ok(())
                })?;
                let o = self.options;
                let mut lottery = Lottery::new(o.seed, &allocate(&strata, o.size, o.floor, o.allocation)?);
                self.each(|c| {
                    lottery.offer(&self.stratum(&c), &c.id);
                    Ok(())
                })?;
                Ok(lottery.finish())
            }
        }
    }

    /// `segments.tier=gold, channel=chat`.
    fn stratum(&self, c: &Conversation) -> String {
        let part = |a: &String| format!("{a}={}", c.attribute(a).unwrap_or_else(|| "(none)".to_owned()));
        self.options.stratify.iter().map(part).collect::<Vec<_>>().join(", ")
    }

    /// Whether the program found something among the rules to review.
    fn found(&self, c: &Conversation) -> bool {
        match self.options.rules.as_slice() {
            [] => c.harms().next().is_some(),
            rules => rules.iter().any(|r| c.verdict(r) == "violated"),
        }
    }

    fn risk(&self, c: &Conversation) -> f64 {
        let rules = &self.options.rules;
        let wanted = |rule: &String| rules.is_empty() || rules.contains(rule);
        let chosen = c.findings.iter().filter(|f| wanted(&f.rule) && (is_about_company(&f.rule) || !rules.is_empty()));
        risk_score(chosen.map(|f| (f.severity, f64::from(f.confidence))))
    }

    fn by_risk(&self) -> Result<Vec<Drawn>, RunError> {
        let mut sizes = Sizes::new(self.options.size.unwrap_or_default() as usize);
        self.each(|c| {
            sizes.add(&c.id, self.risk(&c));
            Ok(())
        })?;
        let scale = sizes.finish()?;
        let mut first = 0;
        loop {
            let mut pass = Sampford::new(&scale, self.options.seed, first);
            self.each(|c| {
                pass.offer(&c.id, self.risk(&c));
                Ok(())
            })?;
            match pass.finish() {
                Ok(drawn) => return Ok(drawn),
                Err(next) => first = next,
            }
        }
    }

    /// The most contested cases: first those on which reviewers differ, on most rules first, then those in which the program is least sure.
    fn contested(&self, n: u64) -> Result<Vec<Drawn>, RunError> {
        let disputes = self.options.labels.as_deref().map(|p| self.disputes(p)).transpose()?.unwrap_or_default();
        let mut top = Smallest::new(n as usize);
        let mut population = 0;
        self.each(|c| {
            population += 1;
            let unsure = |f: &Finding| {
                let p = f64::from(f.confidence).clamp(0.0, 1.0);
                4.0 * p * (1.0 - p)
            };
            let wanted = |rule: &String| self.options.rules.is_empty() || self.options.rules.contains(rule);
            let uncertain = c.findings.iter().filter(|f| wanted(&f.rule)).map(unsure).fold(0.0, f64::max);
            let score = 10.0 * disputes.get(&c.id).map_or(0.0, |n| *n as f64) + uncertain;
            if score > 0.0 {
                top.offer(-score, &c.id, ());
            }
            Ok(())
        })?;
        let one =
            |(id, ())| Drawn { id, stratum: WHOLE.to_owned(), probability: f64::NAN, stratum_population: population };
        Ok(top.into_sorted().into_iter().map(one).collect())
    }

    /// On how many rules reviewers differ, by conversation.
    fn disputes(&self, path: &Path) -> Result<BTreeMap<String, usize>, RunError> {
        let (store, _) = Store::read(path)?;
        let mut answers: BTreeMap<(String, String), BTreeSet<labels::Answer>> = BTreeMap::new();
        let rules = &self.options.rules;
        let wanted = |rule: &String| rules.is_empty() || rules.contains(rule);
        for l in store.labels()?.into_iter().filter(|l| l.current && wanted(&l.label.rule)) {
            answers.entry((l.label.id, l.label.rule)).or_default().insert(l.label.value);
        }
        let mut out: BTreeMap<String, usize> = BTreeMap::new();
        answers.into_iter().filter(|(_, a)| a.len() > 1).for_each(|((id, _), _)| *out.entry(id).or_default() += 1);
        Ok(out)
    }
}

/// The ids that a file names: a labels database, JSON Lines or CSV with an `id`, or one id a line.
pub(super) fn ids_of(path: &Path) -> Result<HashSet<String>, RunError> {
    if is_database(path) {
        let (store, _) = Store::read(path)?;
        let labelled = store.labels()?.into_iter().map(|l| l.label.id);
        return Ok(labelled.chain(store.units()?.into_iter().map(|u| u.id)).collect());
    }
    let bytes = std::fs::read(path).map_err(RunError::io(path))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = String::from_utf8_lossy(bytes);
    if text.trim_start().starts_with('{') {
        let id = |line: &str| {
            let row: serde_json::Value = serde_json::from_str(line).ok()?;
            let id = row.get("id")?;
            Some(id.as_str().map_or_else(|| id.to_string(), str::to_owned))
        };
        let lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty());
        let wrong = |i: usize| table_error(path, i + 1, "a line without an id");
        return lines.map(|(i, l)| id(l).ok_or_else(|| wrong(i))).collect();
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().filter_map(Result::ok).collect();
    let place = rows.first().and_then(|r| r.iter().position(|c| c.trim() == "id"));
    let skip = usize::from(place.is_some());
    let cell = |r: &csv::StringRecord| r.get(place.unwrap_or(0)).map(|c| labels::restored(c).to_owned());
    Ok(rows.iter().skip(skip).filter_map(cell).filter(|c| !c.trim().is_empty()).collect())
}

/// A sheet that people have filled in, or another's table, is not written over.
///
/// # Errors
/// When there is one.
pub fn sheet_is_free(sheet: &Path) -> Result<(), RunError> {
    let worked =
        |lines: Vec<(u64, Line)>| lines.iter().any(|(_, line)| !matches!(line, Line::Unit(_) | Line::Drawn(_)));
    let taken = sheet.exists() && labels::read(sheet, Some("anybody")).map_or(true, worked);
    if taken { Err(RunError::Worked(sheet.to_path_buf())) } else { Ok(()) }
}
