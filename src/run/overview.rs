//! The overview of a run. In: a run folder, its inputs read again for the words of problems, and a segment audit's file. Out: a folder
//! with a page, the same in Markdown, and the figures.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Manifest;
use super::again::{self, Spoken};
use super::cases::{self, day};
use super::coach::shortened;
use super::conversations::manifest;
use super::estimate::{EstimateOptions, estimate};
use super::figures::{Sums, Weeks, quantile};
use super::gather::{Gathered, NEGATIVE, Names, QUOTES, about_company, troubled};
use super::labelled::LabelOptions;
use super::output::RunError;
use super::problems::repeated;
use super::progress::Progress;
use super::quality::quality;
use super::report_folder::ReportFolder;
use super::table::table_error;
use crate::findings::RULES;
use crate::ingest::Reject;
use crate::reports::plots::Point;
use crate::reports::{
    Arc, Breakdown, Gap, Level, Overview, Quote, Remedy, Replies, RuleRow, SegmentRow, Segments, Stage,
};
use crate::stats::intervals::Z95;
use crate::stats::wilson;
use crate::tally::{Attribute, Entry, STAGES, Texts};
use crate::turns::Role;

/// What is asked.
#[derive(Debug, Clone)]
pub struct OverviewOptions {
    /// The run folder.
    pub run: PathBuf,
    /// The folder to write.
    pub out: PathBuf,
    /// Where the words are.
    pub words: again::Words,
    /// The attribute that names the team.
    pub team: String,
    /// The attribute that is the customers' own score.
    pub score: String,
    /// Reviewers' labels of a sample of the run.
    pub labels: Option<LabelOptions>,
    /// `bias.json` of a segment audit.
    pub bias: Option<PathBuf>,
}

/// Problems looked at, at most.
const PROBLEMS: u64 = 200_000;
/// Characters of a problem's quote.
const QUOTED: usize = 240;
/// Levels of an attribute, comparisons and reasons that are listed.
const LEVELS: usize = 60;
const COMPARISONS: usize = 14;
const REASONS: usize = 8;
/// Words beyond which the classifier reads only the head and the tail of a turn: about 144 tokens.
const LONG: usize = 110;

/// Writes the overview.
///
/// # Errors
/// When the run or the segment audit cannot be read, or the folder cannot be written.
pub fn overview(options: &OverviewOptions, progress: &Progress) -> Result<Overview, RunError> {
    let manifest = manifest(&options.run)?;
    let segments = options.bias.as_deref().map(segments).transpose()?;
    let labels = options.labels.as_ref().map(|labels| {
        let (run, labels) = (options.run.clone(), labels.clone());
        estimate(&EstimateOptions { run, labels, by: Vec::new(), rules: Vec::new() })
    });
    let labels = labels.transpose()?;
    let folder = ReportFolder::create(&options.out, "report.json", |name| {
        ["index.html", "report.md", "report.json", "rates.csv"].contains(&name)
    })?;
    let every = manifest.counts.audited.div_ceil(PROBLEMS).max(1);
    let names = Names { team: &options.team, score: &options.score, every };
    let mut gathered = Gathered::new();
    let bar = progress.bar_to(manifest.counts.audited, "reading the run");
    cases::read(&options.run, |case| {
        gathered.add(&case, &names);
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    let bar = progress.spinner("reading the words again");
    let mut words = Words::default();
    words.read(&gathered, &manifest, &options.words)?;
    bar.finish_and_clear();
    let mut report = assemble(options, &manifest, &gathered, words, segments)?;
    report.labels = labels;
    let put = |name: &str, text: String| {
        let path = folder.path(name);
        fs::write(&path, text).map_err(RunError::io(&path))
    };
    put("index.html", report.page().map_err(|_| RunError::Internal("the page could not be written as HTML"))?)?;
    put("report.md", report.markdown())?;
    put("rates.csv", report.csv())?;
    put("report.json", report.json().map_err(|_| RunError::Internal("the figures could not be written as JSON"))?)?;
    folder.finish()?;
    Ok(report)
}

/// What is taken from the words.
#[derive(Default)]
pub(super) struct Words {
    pub(super) texts: Texts,
    /// For each text the problem, and its words as they may be quoted.
    pub(super) problems: Vec<(usize, String)>,
    /// The last words of clean conversations.
    last: BTreeMap<String, String>,
    turns: u64,
    long: u64,
    missing: Vec<String>,
}

impl Words {
    fn read(&mut self, gathered: &Gathered, manifest: &Manifest, from: &again::Words) -> Result<(), RunError> {
        let problems: HashMap<&str, usize> =
            gathered.problems.iter().enumerate().map(|(i, p)| (p.id.as_str(), i)).collect();
        let last: BTreeMap<&str, usize> = gathered
            .by_score
            .values()
            .flat_map(|lists| &lists[1])
            .map(|(_, q)| (q.transcript.as_str(), q.turn))
            .collect();
        let look = |spoken: &Spoken<'_>| {
            let said = (0..spoken.len()).filter(|&t| spoken.role(t) != Role::System);
            let long = |t: &usize| spoken.raw(*t).split_whitespace().nth(LONG).is_some();
            let last = last.get(spoken.id()).map(|&t| (spoken.id().to_owned(), shortened(&spoken.text(t), QUOTED)));
            let problem = problems.get(spoken.id()).map(|&p| (p, spoken.text(gathered.problems[p].turn)));
            (said.clone().count() as u64, said.filter(long).count() as u64, last, problem)
        };
        self.missing = again::again(
            manifest,
            from,
            |_| true,
            look,
            |(turns, long, last, problem)| {
                self.turns += turns;
                self.long += long;
                self.last.extend(last);
                if let Some((problem, text)) = problem {
                    self.texts.add(&text);
                    self.problems.push((problem, shortened(&text, QUOTED)));
                }
            },
        )?;
        Ok(())
    }
}

fn assemble(
    options: &OverviewOptions,
    manifest: &Manifest,
    gathered: &Gathered,
    words: Words,
    segments: Option<Segments>,
) -> Result<Overview, RunError> {
    let entries = &gathered.ledger.entries;
    let found = |e: &Entry| e.violated & about_company() != 0;
    let weeks = Weeks::of(entries.iter(), found);
    let (weeks_together, stretches) = weeks.stretches();
    let points =
        stretches.into_iter().map(|(from, to)| Point { name: day(from), own: weeks.between(from, to), others: (0, 0) });
    let dates = || entries.iter().filter_map(|e| e.week);
    let arcs = Sums::of(entries.iter());
    let c = manifest.counts;
    Ok(Overview {
        source: options.run.display().to_string(),
        made_by: format!(
            "{} {}, model {} {}",
            manifest.program.name, manifest.program.version, manifest.model.name, manifest.model.version
        ),
        counts: [c.read, c.audited, c.rejected, c.turns],
        period: dates().min().zip(dates().max()).map(|(a, b)| (day(a), day(b))),
        rejects: rejects(&options.run)?,
        with_finding: (entries.iter().filter(|e| found(e)).count() as u64, entries.len() as u64),
        rules: rules(gathered),
        labels: None,
        breakdowns: breakdowns(gathered, &options.team),
        weeks: points.collect(),
        weeks_together,
        arc: (arcs.count() > 0).then(|| Arc { cases: arcs.count(), own: arcs.means(), others: None }),
        stages: stages(gathered),
        replies: replies(gathered, manifest),
        repeated: repeated(gathered, &words, c.audited > PROBLEMS)?,
        gap: gap(gathered, &words, &options.score),
        remedies: remedies(entries),
        segments,
        quality: quality(gathered, (words.long, words.turns), &manifest.standing),
        missing_words: words.missing,
    })
}

/// Why records were rejected, the commonest first.
fn rejects(run: &Path) -> Result<Vec<(String, u64)>, RunError> {
    let path = run.join("rejects.jsonl");
    let text = fs::read_to_string(&path).map_err(RunError::io(&path))?;
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for (i, line) in text.lines().enumerate() {
        let reject: Reject = serde_json::from_str(line).map_err(|_| table_error(&path, i + 1, "not a row of a run"))?;
        *reasons.entry(shortened(&reject.reason, 160)).or_default() += 1;
    }
    let mut out: Vec<(String, u64)> = reasons.into_iter().collect();
    out.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    out.truncate(REASONS);
    Ok(out)
}

/// (cases, found) of a rule over some entries.
fn counts<'a>(rule: usize, entries: impl Iterator<Item = &'a Entry>) -> (u64, u64) {
    entries.fold((0, 0), |(cases, found), e| {
        let applies = e.applies & 1 << rule != 0;
        (cases + u64::from(applies), found + u64::from(e.violates(rule)))
    })
}

fn rules(gathered: &Gathered) -> Vec<RuleRow> {
    let mut out: Vec<RuleRow> = RULES
        .iter()
        .enumerate()
        .map(|(i, rule)| {
            let (cases, found) = counts(i, gathered.ledger.entries.iter());
            // A context rule is about what happened, over all conversations.
            let cases = if rule.context { gathered.ledger.entries.len() as u64 } else { cases };
            let rate = (cases > 0).then(|| (found as f64 / cases as f64, wilson(found, cases)));
            let quote = gathered.clearest[i].as_ref().map(|(_, q)| q.clone());
            RuleRow { rule: rule.id, context: rule.context, cases, found, rate, quote }
        })
        .collect();
    let rate = |r: &RuleRow| r.rate.map_or(-1.0, |r| r.0);
    out.sort_by(|a, b| a.context.cmp(&b.context).then(rate(b).total_cmp(&rate(a))).then_with(|| a.rule.cmp(b.rule)));
    out
}

fn breakdowns(gathered: &Gathered, team: &str) -> Vec<Breakdown> {
    let ledger = &gathered.ledger;
    let kinds: [(&str, &Attribute); 3] =
        [("channel", &ledger.channels), ("issue", &ledger.issues), (team, &ledger.teams)];
    let of = |kind: usize, e: &Entry| [e.channel, e.issue, e.team][kind];
    let mut out = Vec::new();
    for (kind, (by, names)) in kinds.into_iter().enumerate().filter(|(_, (_, names))| names.levels.len() > 1) {
        let mut sizes = vec![0_u64; names.levels.len()];
        ledger.entries.iter().filter_map(|e| of(kind, e)).for_each(|l| sizes[l as usize] += 1);
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by(|&a, &b| sizes[b].cmp(&sizes[a]).then_with(|| names.levels[a].cmp(&names.levels[b])));
        let rest = order.split_off(LEVELS.min(order.len()));
        let place: HashMap<u32, usize> = order.iter().enumerate().map(|(i, &l)| (l as u32, i)).collect();
        let mut counts = vec![[(0_u64, 0_u64); RULES.len()]; order.len()];
        for entry in &ledger.entries {
            let Some(&at) = of(kind, entry).and_then(|l| place.get(&l)) else { continue };
            for (rule, count) in counts[at].iter_mut().enumerate() {
                count.0 += u64::from(entry.applies & 1 << rule != 0);
                count.1 += u64::from(entry.violates(rule));
            }
        }
        let level = |(&level, counts): (&usize, &[(u64, u64); RULES.len()])| Level {
            name: names.levels[level].clone(),
            conversations: sizes[level],
            rules: (0..RULES.len())
                .filter(|&r| !RULES[r].context)
                .map(|r| (RULES[r].id, counts[r].0, counts[r].1))
                .collect(),
        };
        out.push(Breakdown {
            by: by.to_owned(),
            levels: order.iter().zip(&counts).map(level).collect(),
            others: (rest.len() as u64, rest.iter().map(|&l| sizes[l]).sum()),
        });
    }
    out
}

fn stages(gathered: &Gathered) -> Vec<Stage> {
    let one = |(i, name): (usize, &&'static str)| {
        let mut findings: Vec<(&'static str, u64)> =
            gathered.findings[i].iter().map(|(rule, n)| (RULES[*rule].id, *n)).collect();
        findings.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        Stage { name, sentiment: gathered.sentiment[i], findings }
    };
    STAGES.iter().enumerate().map(one).collect()
}

fn replies(gathered: &Gathered, manifest: &Manifest) -> Vec<Replies> {
    let ledger = &gathered.ledger;
    let limits = &manifest.config.limits;
    let mut out: Vec<Replies> = Vec::new();
    for (code, name) in ledger.channels.levels.iter().enumerate() {
        let own = ledger.entries.iter().filter(|e| e.channel == Some(code as u32));
        let mut times: Vec<f64> = own.filter_map(|e| e.response).collect();
        if times.is_empty() {
            continue;
        }
        times.sort_by(f64::total_cmp);
        let due = limits.reply_seconds.get(&name.to_lowercase()).copied();
        let limit = due.unwrap_or(limits.reply_seconds_otherwise) as f64;
        out.push(Replies {
            channel: name.clone(),
            cases: times.len() as u64,
            quantiles: [0.1, 0.25, 0.5, 0.75, 0.9].map(|q| quantile(&times, q)),
            limit,
            within: times.iter().filter(|t| **t <= limit).count() as u64,
        });
    }
    out.sort_by(|a, b| b.cases.cmp(&a.cases).then_with(|| a.channel.cmp(&b.channel)));
    out
}

/// Scores against transcripts. The scale is 1 to 5, 0 to 10 or 0 to 100, the narrowest that holds all scores; low and high are its lowest and
/// highest quarter.
fn gap(gathered: &Gathered, words: &Words, score: &str) -> Option<Gap> {
    let entries = &gathered.ledger.entries;
    let scores: Vec<f64> = entries.iter().filter_map(|e| e.score).collect();
    let largest = scores.iter().copied().reduce(f64::max)?;
    let least = scores.iter().copied().fold(f64::MAX, f64::min);
    let (bottom, top) = if largest <= 5.0 && least >= 1.0 {
        (1.0, 5.0)
    } else if largest <= 10.0 && least >= 0.0 {
        (0.0, 10.0)
    } else {
        (0.0_f64.min(least), 100.0_f64.max(largest))
    };
    let (low, high) = (bottom + (top - bottom) / 4.0, top - (top - bottom) / 4.0);
    let mut cells = [[0; 2]; 2];
    for entry in entries {
        let side = entry.score.and_then(|s| if s <= low { Some(0) } else { (s >= high).then_some(1) });
        if let Some((side, troubled)) = side.zip(troubled(entry)) {
            cells[side][usize::from(!troubled)] += 1;
        }
    }
    let chosen = |keep: &dyn Fn(f64) -> bool, clean: usize| {
        let mut all: Vec<&(f32, Quote)> = gathered
            .by_score
            .iter()
            .filter(|(key, _)| keep(**key as f64 / 100.0))
            .flat_map(|(_, lists)| &lists[clean])
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        all.into_iter().take(QUOTES).map(|(_, q)| q.clone()).collect::<Vec<_>>()
    };
    let mut low_but_clean = chosen(&|s| s <= low, 1);
    low_but_clean.iter_mut().for_each(|q| q.text = words.last.get(&q.transcript).cloned().unwrap_or_default());
    Some(Gap {
        score: score.to_owned(),
        low_high: (low, high),
        scored: scores.len() as u64,
        cells,
        glad_but_troubled: chosen(&|s| s >= high, 0),
        low_but_clean,
    })
}

fn remedies(entries: &[Entry]) -> Vec<Remedy> {
    let names = [
        ("neither", (false, false)),
        ("apology alone", (true, false)),
        ("remedy alone", (false, true)),
        ("both", (true, true)),
    ];
    let one = |(name, given): (&'static str, (bool, bool))| {
        let ends: Vec<f64> =
            entries.iter().filter(|e| e.remedy == Some(given)).filter_map(|e| Some(e.sentiment?.1)).collect();
        let n = ends.len() as f64;
        let mean = ends.iter().sum::<f64>() / n.max(1.0);
        let variance = ends.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        let half = Z95 * (variance / n.max(1.0)).sqrt();
        Remedy {
            name,
            given,
            conversations: ends.len() as u64,
            end: (ends.len() >= 10).then(|| (mean, ((mean - half).max(-1.0), (mean + half).min(1.0)))),
            ended_negative: ends.iter().filter(|e| **e <= NEGATIVE).count() as u64,
        }
    };
    names.into_iter().map(one).collect()
}

/// The comparisons of a `bias.json`.
fn segments(path: &Path) -> Result<Segments, RunError> {
    let path = if path.is_dir() { path.join("bias.json") } else { path.to_path_buf() };
    let text = fs::read_to_string(&path).map_err(RunError::io(&path))?;
    let file: Value = serde_json::from_str(&text).map_err(|e| table_error(&path, e.line(), "not JSON"))?;
    let Some(results) = file["results"].as_array() else {
        return Err(table_error(&path, 1, "not the bias.json that evenhand bias --out writes"));
    };
    let name = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let rank = |verdict: &str| ["disparity", "no-evidence"].iter().position(|v| *v == verdict).unwrap_or(2);
    let mut verdicts = [0; 3];
    let mut rows: Vec<SegmentRow> = results
        .iter()
        .map(|r| {
            let l = &r["logistic"];
            let number = |v: &Value| v.as_f64();
            let odds = number(&l["odds_ratio"]).zip(number(&l["ci"][0]).zip(number(&l["ci"][1])));
            verdicts[rank(&name(r, "verdict"))] += 1;
            SegmentRow {
                outcome: name(r, "outcome"),
                by: name(r, "by"),
                segment: name(r, "segment"),
                reference: name(r, "reference"),
                verdict: name(r, "verdict"),
                odds,
                cases: r["n"].as_u64().unwrap_or(0),
            }
        })
        .collect();
    rows.retain(|r| rank(&r.verdict) < 2 && r.odds.is_some() || r.verdict == "disparity");
    rows.sort_by_key(|r| rank(&r.verdict));
    rows.truncate(COMPARISONS);
    let adjusted = file["adjusted_for"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(Segments {
        source: path.display().to_string(),
        adjusted_for: adjusted.map(str::to_owned).collect(),
        verdicts,
        rows,
    })
}
