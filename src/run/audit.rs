//! The main job: input in, run folder out.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::time::Instant;

use rayon::prelude::*;

use super::checkpoint::{Job, inputs_now};
use super::config::Config;
use super::disk::{Disk, Fault};
use super::first_pass::{FirstPass, Spooled};
use super::folder::{Folder, SPOOL};
use super::interrupt::Interrupt;
use super::judge;
use super::manifest::{Manifest, ModelUsed, Program};
use super::output::RunError;
use super::parquet;
use super::pipeline::{self, Classified, Scope};
use super::progress::Progress;
use crate::findings::Canned;
use crate::ingest::{self, Format, Reject};
use crate::reports::Summary;
use crate::signals::Classifier;
use crate::turns::redact;

/// Transcripts judged between two writes at most …
const JUDGED: usize = 128;
/// … and bytes.
const JUDGED_BYTES: usize = 32 * 1024 * 1024;

/// What to audit and where to write.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// Files, folders, globs, `-`.
    pub inputs: Vec<String>,
    /// How to read them.
    pub format: Format,
    /// The run folder.
    pub out: PathBuf,
    /// Settings.
    pub config: Config,
    /// The seed, kept in the manifest.
    pub seed: u64,
    /// Whether personal data is replaced in what is written.
    pub redact: bool,
    /// Whether the tables are written as Parquet too.
    pub parquet: bool,
    /// Whether to go on where a run of the same job was interrupted.
    pub resume: bool,
    /// Turns classified between two notes of what is finished; for tests.
    pub slice: Option<usize>,
    /// What is to go wrong; for tests.
    pub fault: Option<Fault>,
}

/// Audits the input and writes the run folder. The classifier is given up before the rules are applied, for its memory is needed there.
///
/// # Errors
/// When nothing can be read, the model is damaged, a file cannot be written, or `stop` is asked for; where something was finished it is
/// kept, and `resume` goes on from there. Bad records are no error: they are in `rejects.jsonl`.
pub fn audit(
    classifier: Classifier,
    options: &AuditOptions,
    progress: &Progress,
    stop: &Interrupt,
) -> Result<(Manifest, Summary), RunError> {
    let start = Instant::now();
    let files = ingest::locate(&options.inputs)?;
    let mut folder = Folder::take(&options.out, options.resume, Disk::new(options.fault))?;
    let made = make(classifier, options, files, &mut folder, progress, stop, start);
    if let Err(RunError::Interrupted(_) | RunError::Io { .. } | RunError::CannotResume { .. }) = &made {
        folder.keep();
    }
    let (manifest, mut summary, first_reject) = made?;
    let counts = manifest.counts;
    folder.finish(counts.rejected > 0)?;
    summary.counts(counts.read, counts.audited, counts.rejected, counts.turns, manifest.seconds);
    summary.deferred = manifest.model.first.then_some(counts.deferred);
    summary.standing = manifest.standing.clone();
    summary.first_reject = first_reject;
    Ok((manifest, summary))
}

/// Fills the folder.
fn make(
    classifier: Classifier,
    options: &AuditOptions,
    files: Vec<PathBuf>,
    folder: &mut Folder,
    progress: &Progress,
    stop: &Interrupt,
    start: Instant,
) -> Result<(Manifest, Summary, Option<Reject>), RunError> {
    let job = Job {
        program: Program::this(),
        model: ModelUsed::new(classifier.info(), classifier.backend()),
        config_sha256: options.config.hash(),
        format: options.format,
        inputs: inputs_now(&files, progress, stop)?,
        seed: options.seed,
        redacted: options.redact,
    };
    let done = folder.resumed(&job, options.resume)?;
    let read = done.read.is_some();
    let scope = Scope::new(&classifier, &options.config);
    let mut first = FirstPass::new(&classifier, scope, folder, stop, done, options.redact, options.slice)?;
    if !read {
        let bar = progress.count("classifying turns");
        pipeline::read(files, options.config.reading(options.format), stop, |step| {
            first.take(step)?;
            bar.set_position(first.counts.turns);
            Ok(())
        })
        .inspect_err(|_| bar.finish_and_clear())?;
        bar.finish_and_clear();
        first.close()?;
    }
    let FirstPass { canned, inputs, counts, standing, first_reject, .. } = first;
    drop(classifier);
    let spooled = counts.audited + counts.skipped;
    if let (0, Some(reject)) = (spooled, &first_reject) {
        return Err(RunError::NothingRead(format!("{}, line {}: {}", reject.source, reject.line, reject.reason)));
    }
    let summary = second_pass(folder, &canned, options, spooled, progress, stop)?;
    if options.parquet {
        parquet::tables(folder)?;
    }
    let manifest = Manifest {
        program: job.program,
        model: job.model,
        config: options.config.clone(),
        config_sha256: job.config_sha256,
        inputs,
        counts,
        standing,
        seed: options.seed,
        redacted: options.redact,
        seconds: (start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
    };
    write_manifest(folder, &manifest, options.redact)?;
    Ok((manifest, summary, first_reject))
}

/// Applies the rules to what the first pass left on disk.
fn second_pass(
    folder: &Folder,
    canned: &Canned,
    options: &AuditOptions,
    total: u64,
    progress: &Progress,
    stop: &Interrupt,
) -> Result<Summary, RunError> {
    let spool = &folder.path(SPOOL);
    let (mut transcripts, mut turns, mut findings) =
        (folder.table("transcripts.jsonl")?, folder.table("turns.jsonl")?, folder.table("findings.jsonl")?);
    let mut summary = Summary::default();
    let bar = progress.bar_to(total, "judging transcripts");
    let mut lines = BufReader::with_capacity(1 << 17, File::open(spool).map_err(RunError::io(spool))?).lines();
    loop {
        if stop.asked() {
            return Err(RunError::Interrupted(Some(folder.partial().to_path_buf())));
        }
        let step = some_lines(&mut lines).map_err(RunError::io(spool))?;
        if step.is_empty() {
            break;
        }
        let rows = step
            .par_iter()
            .map(|line| {
                let item: Spooled =
                    serde_json::from_str(line).map_err(|_| RunError::Internal("the spool is damaged"))?;
                let item = Classified { transcript: item.transcript, signals: item.signals, left_out: item.left_out };
                judge::rows(&item, canned, &options.config.limits, options.redact)
            })
            .collect::<Result<Vec<_>, RunError>>()?;
        for row in rows {
            transcripts.bytes(&row.transcript)?;
            turns.bytes(&row.turns)?;
            findings.bytes(&row.findings)?;
            row.judgement.into_iter().for_each(|j| summary.add(j));
        }
        bar.inc(step.len() as u64);
    }
    bar.finish_and_clear();
    for mut table in [transcripts, turns, findings] {
        table.sync()?;
    }
    Ok(summary)
}

/// The next lines, as many as are judged together.
fn some_lines(lines: &mut impl Iterator<Item = io::Result<String>>) -> io::Result<Vec<String>> {
    let (mut out, mut bytes) = (Vec::new(), 0);
    while out.len() < JUDGED && bytes < JUDGED_BYTES {
        let Some(line) = lines.next() else { break };
        let line = line?;
        bytes += line.len();
        out.push(line);
    }
    Ok(out)
}

fn write_manifest(folder: &Folder, manifest: &Manifest, redacted: bool) -> Result<(), RunError> {
    let mut manifest = manifest.clone();
    if redacted {
        manifest.inputs.iter_mut().for_each(|i| i.source = redact(&i.source).text);
    }
    let mut json = serde_json::to_vec_pretty(&manifest)
        .map_err(|_| RunError::Internal("the manifest could not be written as JSON"))?;
    json.push(b'\n');
    let mut file = folder.table("run.json")?;
    file.bytes(&json)?;
    file.sync()
}
