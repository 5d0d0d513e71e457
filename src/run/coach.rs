//! Coaching reports. In: a run folder, and its inputs read again for the words around the quotes. Out: a folder with one page a person.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use rayon::prelude::*;

use super::again::{Spoken, Words, again};
use super::cases;
use super::conversations::manifest;
use super::figures::{Figures, Sums, Weeks, coached};
use super::moments::{Candidate, Moments, Praise};
use super::names::file_name;
use super::output::RunError;
use super::progress::Progress;
use super::report_folder::ReportFolder;
use super::reviewed::{ReviewOptions, Reviews, none_of_this_run};
use crate::findings::{Limits, RULES, Said, rewrite};
use crate::reports::{AgentReport, Coaching, Focus, Good, Line, METHOD, Moment, SURE, Standing, counts, precision};
use crate::signals::LabelSet;
use crate::tally::Ledger;
use crate::turns::Role;

/// What is asked.
#[derive(Debug, Clone)]
pub struct CoachOptions {
    /// The run folder.
    pub run: PathBuf,
    /// The folder to write.
    pub out: PathBuf,
    /// Where the words are.
    pub words: Words,
    /// Reviewers' labels of the run's conversations.
    pub labels: Option<ReviewOptions>,
}

/// Focuses of a page at most.
const FOCUSES: usize = 3;
/// Findings below which no rate is called high.
const FINDINGS: u64 = 3;
/// Characters of a turn that stands beside a quote.
const BESIDE: usize = 320;

/// Writes the pages.
///
/// # Errors
/// When the run cannot be read, it names nobody, or the folder cannot be written.
pub fn coach(options: &CoachOptions, progress: &Progress) -> Result<Coaching, RunError> {
    let manifest = manifest(&options.run)?;
    let reviews = options.labels.as_ref().map(Reviews::read).transpose()?.unwrap_or_default();
    let folder = ReportFolder::create(&options.out, "coach.json", |name| {
        ["index.html", "coach.json", "rates.csv"].contains(&name)
            || name.starts_with("agent-") && (name.ends_with(".html") || name.ends_with(".md"))
    })?;
    let (mut ledger, mut moments) = (Ledger::default(), Moments::default());
    let mut shared: BTreeMap<u32, u64> = BTreeMap::new();
    let mut read_again = 0_u64;
    let bar = progress.bar_to(manifest.counts.audited, "reading the run");
    cases::read(&options.run, |case| {
        let mut entry = case.entry(&mut ledger, None, None);
        let read = reviews.of(&case.id);
        read_again += u64::from(read.is_some());
        let read = read.unwrap_or_default();
        entry.reversed = read.reversed & entry.violated;
        moments.add(&case, &entry, read);
        if entry.shared {
            let people = case.people();
            people.iter().filter_map(|p| ledger.agents.learn(p)).for_each(|p| *shared.entry(p).or_default() += 1);
        }
        ledger.entries.push(entry);
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    if ledger.agents.levels.is_empty() {
        return Err(RunError::NothingToCompare(
            "no turn of an agent in this run has an agent_id; name the agents in the input and audit it again"
                .to_owned(),
        ));
    }
    if let Some(labels) = options.labels.as_ref().filter(|_| read_again == 0) {
        return Err(none_of_this_run(&labels.labels));
    }
    let mut coaching = draft(options, &manifest, &ledger, &mut moments, &shared);
    let bar = progress.spinner("reading the words again");
    fill(&mut coaching, &manifest, &options.words)?;
    bar.finish_and_clear();
    write(&coaching, &folder)?;
    folder.finish()?;
    Ok(coaching.report)
}

/// The pages without the words of the transcripts, and the labels that a wording needs, by person, focus and moment.
struct Draft {
    report: Coaching,
    labels: BTreeMap<(usize, usize, usize), Evidence>,
}

struct Evidence {
    turns: Vec<usize>,
    from: usize,
    labels: Vec<LabelSet>,
}

fn draft(
    options: &CoachOptions,
    manifest: &super::Manifest,
    ledger: &Ledger,
    moments: &mut Moments,
    shared: &BTreeMap<u32, u64>,
) -> Draft {
    let figures = Figures::new(ledger);
    let all = Everyone { weeks: figures.all_weeks(), replies: figures.all_responses(), arcs: figures.all_arcs() };
    let mut names: Vec<usize> = (0..ledger.agents.levels.len()).collect();
    names.sort_by_key(|&a| &ledger.agents.levels[a]);
    let mut abusive = vec![0; names.len()];
    ledger.entries.iter().filter(|e| e.abusive).filter_map(|e| e.agent).for_each(|a| abusive[a as usize] += 1);
    let mut labels = BTreeMap::new();
    let mut agents = Vec::new();
    for (place, agent) in names.into_iter().enumerate() {
        let mut report = counted(&figures, &all, &manifest.config.limits, agent);
        report.shared = shared.get(&(agent as u32)).copied().unwrap_or_default();
        report.abusive = abusive[agent];
        report.read_again = options.labels.as_ref().map(|_| moments.read_again(agent as u32));
        report.good = moments.good(agent as u32).into_iter().map(good).collect();
        for (f, (rule, standing, impact)) in focuses(&report, moments, agent as u32).into_iter().enumerate() {
            let (level, others) = figures.peers(rule, agent);
            let picked = moments.findings(agent as u32, rule).map(|p| std::mem::take(&mut p.best)).unwrap_or_default();
            let mut shown = Vec::new();
            for (m, candidate) in picked.into_iter().enumerate() {
                let (moment, evidence) = apart(candidate);
                shown.push(moment);
                labels.insert((place, f, m), evidence);
            }
            report.focuses.push(Focus { rule: RULES[rule].id, standing, impact, moments: shown, others, level });
        }
        agents.push(report);
    }
    let report = Coaching {
        source: options.run.display().to_string(),
        conversations: ledger.entries.len() as u64,
        unattended: ledger.entries.iter().filter(|e| e.agent.is_none() && !e.shared).count() as u64,
        missing_words: Vec::new(),
        labels: options.labels.as_ref().map(|l| l.labels.display().to_string()),
        method: METHOD,
        agents,
    };
    Draft { report, labels }
}

/// What one person's figures are held against.
struct Everyone {
    weeks: Weeks,
    replies: Vec<Vec<f64>>,
    arcs: Sums,
}

/// A person's figures, without quotes.
fn counted(figures: &Figures<'_>, all: &Everyone, limits: &Limits, agent: usize) -> AgentReport {
    let (weeks_together, weeks) = figures.weeks(&all.weeks, agent);
    AgentReport {
        agent: figures.name(agent).to_owned(),
        file: file_name(figures.name(agent)),
        conversations: figures.conversations(agent),
        shared: 0,
        abusive: 0,
        period: figures.period(agent),
        rates: figures.rates(agent),
        good: Vec::new(),
        focuses: Vec::new(),
        read_again: None,
        weeks_together,
        weeks,
        responses: figures.responses(limits, &all.replies, agent),
        arc: figures.arc(&all.arcs, agent),
        mix: figures.mix(agent),
    }
}

fn good(p: Praise) -> Good {
    Good { what: p.what, transcript: p.transcript, turn: p.turn, before: None, quote: None, after: None }
}

/// A finding as it is shown, and what its wording needs.
fn apart(c: Candidate) -> (Moment, Evidence) {
    let moment = Moment {
        transcript: c.finding.transcript_id,
        turn: c.finding.turns[0],
        speaker: c.speaker.name(),
        quote: c.finding.quote,
        seen: c.seen,
        confidence: c.finding.confidence,
        reviewed: c.reviewed,
        before: None,
        after: None,
        suggestion: c.finding.suggestion,
        rewrite: None,
    };
    (moment, Evidence { turns: c.finding.turns, from: c.from, labels: c.labels })
}

/// What to work on: what stands above like cases by impact, then hints; else what is commonest, and said to be no more than that.
fn focuses(report: &AgentReport, moments: &mut Moments, agent: u32) -> Vec<(usize, Standing, f64)> {
    let (mut above, mut common) = (Vec::new(), Vec::new());
    for rule in (0..RULES.len()).filter(|i| coached() & 1 << i != 0) {
        let id = RULES[rule].id;
        let Some(picked) = moments.findings(agent, rule).filter(|p| p.count > 0) else { continue };
        let drawn = report.rate_of(id).and_then(|r| Some((r.expected?, r.judged()?)));
        // What people took back can take a focus away; it must not bring one, as a common mean that it lowered might.
        let program = report.rate_of(id).and_then(|r| r.shrunken).is_some_and(|s| s.above >= SURE);
        match drawn.filter(|(e, s)| program && s.above >= SURE && s.rate > *e && picked.count >= FINDINGS) {
            Some((expected, s)) => {
                let standing = if counts(id) { Standing::Above } else { Standing::Hint };
                let impact = (s.rate - expected) * picked.mean_severity() * s.above * precision(id);
                above.push((rule, standing, impact));
            }
            // What lies below is no focus, and neither is a number of hints.
            None if counts(id) && drawn.is_none_or(|(_, s)| s.above > 1.0 - SURE) => {
                let standing = if drawn.is_some() { Standing::AsExpected } else { Standing::TooFew };
                common.push((rule, standing, picked.count as f64 * picked.mean_severity()));
            }
            None => {}
        }
    }
    above.sort_by(|a, b| (a.1 == Standing::Hint).cmp(&(b.1 == Standing::Hint)).then(b.2.total_cmp(&a.2)));
    common.sort_by(|a, b| b.2.total_cmp(&a.2));
    if above.is_empty() {
        common.truncate(2);
        // The order among them says nothing that a page should weigh.
        return common.into_iter().map(|(rule, standing, _)| (rule, standing, 0.0)).collect();
    }
    above.truncate(FOCUSES);
    above
}

/// Where the words of a transcript belong.
enum Slot {
    Good(usize, usize),
    Moment(usize, usize, usize),
}

/// What belongs there, with its words.
enum Filled {
    Good(usize, usize, Good),
    Moment(usize, usize, usize, Moment),
}

/// Puts the words in: what stood before and after each quote, the good moments, and the suggested wordings.
fn fill(draft: &mut Draft, manifest: &super::Manifest, words: &Words) -> Result<(), RunError> {
    let mut slots: BTreeMap<String, Vec<Slot>> = BTreeMap::new();
    for (a, agent) in draft.report.agents.iter().enumerate() {
        for (i, good) in agent.good.iter().enumerate() {
            slots.entry(good.transcript.clone()).or_default().push(Slot::Good(a, i));
        }
        for (f, focus) in agent.focuses.iter().enumerate() {
            for (m, moment) in focus.moments.iter().enumerate() {
                slots.entry(moment.transcript.clone()).or_default().push(Slot::Moment(a, f, m));
            }
        }
    }
    let Draft { report, labels } = draft;
    let pages = &report.agents;
    let look = |spoken: &Spoken<'_>| -> Vec<Filled> {
        let fill = |slot: &Slot| match *slot {
            Slot::Good(a, i) => {
                let mut good = pages[a].good[i].clone();
                praise(&mut good, spoken);
                Some(Filled::Good(a, i, good))
            }
            Slot::Moment(a, f, m) => {
                let focus = &pages[a].focuses[f];
                let mut moment = focus.moments[m].clone();
                around(&mut moment, focus.rule, labels.get(&(a, f, m))?, spoken);
                Some(Filled::Moment(a, f, m, moment))
            }
        };
        slots.get(spoken.id()).into_iter().flatten().filter_map(fill).collect()
    };
    let mut filled = Vec::new();
    let missing = again(manifest, words, |id| slots.contains_key(id), look, |own| filled.extend(own))?;
    report.missing_words = missing;
    for one in filled {
        match one {
            Filled::Good(a, i, good) => report.agents[a].good[i] = good,
            Filled::Moment(a, f, m, moment) => report.agents[a].focuses[f].moments[m] = moment,
        }
    }
    Ok(())
}

fn praise(good: &mut Good, spoken: &Spoken<'_>) {
    good.before = neighbour(spoken, good.turn, false);
    good.quote = Some(shortened(&spoken.text(good.turn), BESIDE));
    good.after = neighbour(spoken, good.turn, true);
}

fn around(moment: &mut Moment, rule: &str, evidence: &Evidence, spoken: &Spoken<'_>) {
    // A quote that is not there would make everything around it wrong.
    if !spoken.text(moment.turn).contains(moment.quote.trim()) {
        return;
    }
    moment.before = neighbour(spoken, moment.turn, false);
    moment.after = neighbour(spoken, moment.turn, true);
    let turns: Vec<Said> = evidence
        .labels
        .iter()
        .enumerate()
        .map(|(i, labels)| {
            let turn = evidence.from + i;
            Said { role: spoken.role(turn), text: spoken.text(turn), labels: *labels }
        })
        .collect();
    let main: Vec<usize> = evidence.turns.iter().map(|t| t - evidence.from).collect();
    moment.rewrite = rewrite(rule, &turns, &main, &moment.quote);
}

/// The next turn in which somebody says something, or the one before.
fn neighbour(spoken: &Spoken<'_>, turn: usize, after: bool) -> Option<Line> {
    let speaks = |i: &usize| spoken.role(*i) != Role::System && !spoken.text(*i).trim().is_empty();
    let at = if after { (turn + 1..spoken.len()).find(speaks) } else { (0..turn).rev().find(speaks) }?;
    Some(Line { speaker: spoken.role(at).name(), turn: at, text: shortened(&spoken.text(at), BESIDE) })
}

/// The beginning of a text, up to a word, with an ellipsis where something is left out.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = text.char_indices().nth(limit) else { return text };
    let end = text[..end].rfind(' ').unwrap_or(end);
    format!("{} …", text[..end].trim_end())
}

fn write(draft: &Draft, folder: &ReportFolder) -> Result<(), RunError> {
    let report = &draft.report;
    let failed = |_| RunError::Internal("a page could not be written as HTML");
    let put = |name: &str, text: String| {
        let path = folder.path(name);
        fs::write(&path, text).map_err(RunError::io(&path))
    };
    report.agents.par_iter().try_for_each(|agent| {
        put(&agent.text_file(), report.markdown(agent))?;
        put(&agent.file, report.page(agent).map_err(failed)?)
    })?;
    put("index.html", report.index().map_err(failed)?)?;
    put("rates.csv", report.csv())?;
    put("coach.json", report.json().map_err(|_| RunError::Internal("the figures could not be written as JSON"))?)
}
