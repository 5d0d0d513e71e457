//! The main job: input in, run folder out.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::judge;
use super::manifest::{Counts, InputFile, Manifest, ModelUsed, Program};
use super::output::{Folder, RunError, Table};
use super::parquet;
use super::pipeline::{self, Classified, Scope, Step};
use super::progress::Progress;
use crate::findings::Canned;
use crate::ingest::{self, Format, Reject};
use crate::reports::Summary;
use crate::signals::{Classifier, Signals};
use crate::tally::{LeftOut, Standing};
use crate::turns::{Transcript, redact};

/// Transcripts judged between two writes at most …
const JUDGED: usize = 512;
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
}

/// A transcript between the two passes.
#[derive(Serialize, Deserialize)]
struct Spooled {
    transcript: Transcript,
    signals: Vec<Signals>,
    left_out: Option<LeftOut>,
}

/// What is gathered while the input is read.
struct FirstPass<'a> {
    classifier: &'a Classifier,
    scope: Scope,
    spool: Table,
    rejects: Table,
    canned: Canned,
    inputs: Vec<InputFile>,
    counts: Counts,
    standing: Standing,
    first_reject: Option<Reject>,
}

/// Audits the input and writes the run folder.
///
/// # Errors
/// When nothing can be read, the model is damaged, or a file cannot be written. Bad records are no error: they are in `rejects.jsonl`.
pub fn audit(
    classifier: &Classifier,
    options: &AuditOptions,
    progress: &Progress,
) -> Result<(Manifest, Summary), RunError> {
    let start = Instant::now();
    let files = ingest::locate(&options.inputs)?;
    let folder = Folder::create(&options.out)?;
    let spool_path = folder.path("spool.jsonl");
    let mut first = FirstPass {
        classifier,
        scope: Scope::new(classifier, &options.config),
        spool: Table::create(spool_path.clone())?,
        rejects: folder.table("rejects.jsonl")?,
        canned: Canned::default(),
        inputs: Vec::new(),
        counts: Counts::default(),
        standing: Standing::default(),
        first_reject: None,
    };
    let bar = progress.count("classifying turns");
    pipeline::read(files, options.config.reading(options.format), |step| {
        first.take(step)?;
        bar.set_position(first.counts.turns);
        Ok(())
    })?;
    bar.finish_and_clear();
    let FirstPass { spool, rejects, canned, inputs, counts, standing, first_reject, .. } = first;
    spool.close()?;
    rejects.close()?;
    if let (0, Some(reject)) = (counts.audited + counts.skipped, &first_reject) {
        return Err(RunError::NothingRead(format!("{}, line {}: {}", reject.source, reject.line, reject.reason)));
    }
    let mut summary = second_pass(&folder, &spool_path, &canned, options, counts.audited + counts.skipped, progress)?;
    std::fs::remove_file(&spool_path).map_err(RunError::io(&spool_path))?;
    if options.parquet {
        parquet::tables(&folder)?;
    }
    let manifest = Manifest {
        program: Program::this(),
        model: ModelUsed::new(classifier.info(), classifier.backend()),
        config: options.config.clone(),
        config_sha256: options.config.hash(),
        inputs,
        counts,
        standing: standing.clone(),
        seed: options.seed,
        redacted: options.redact,
        seconds: (start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
    };
    write_manifest(&folder.path("run.json"), &manifest, options.redact)?;
    folder.finish()?;
    summary.counts(counts.read, counts.audited, counts.rejected, counts.turns, manifest.seconds);
    summary.standing = standing;
    summary.first_reject = first_reject;
    Ok((manifest, summary))
}

impl FirstPass<'_> {
    fn take(&mut self, step: Step) -> Result<(), RunError> {
        self.counts.rejected += step.rejects.len() as u64;
        self.counts.read += (step.rejects.len() + step.transcripts.len()) as u64;
        self.inputs.extend(step.finished);
        for reject in step.rejects {
            self.rejects.row(&reject)?;
            self.first_reject.get_or_insert(reject);
        }
        let classified = pipeline::classify(self.classifier, step.transcripts, &self.scope)?;
        for Classified { transcript, signals, left_out } in classified {
            self.standing.add(&transcript, left_out);
            if left_out.is_none() {
                self.counts.audited += 1;
                self.counts.turns += transcript.turns.len() as u64;
                self.canned.add(&transcript);
            }
            self.spool.row(&Spooled { transcript, signals, left_out })?;
        }
        self.counts.skipped = self.standing.skipped();
        Ok(())
    }
}

/// Applies the rules to what the first pass left on disk.
fn second_pass(
    folder: &Folder,
    spool: &Path,
    canned: &Canned,
    options: &AuditOptions,
    total: u64,
    progress: &Progress,
) -> Result<Summary, RunError> {
    let (mut transcripts, mut turns, mut findings) =
        (folder.table("transcripts.jsonl")?, folder.table("turns.jsonl")?, folder.table("findings.jsonl")?);
    let mut summary = Summary::default();
    let bar = progress.bar_to(total, "judging transcripts");
    let mut lines = BufReader::with_capacity(1 << 17, File::open(spool).map_err(RunError::io(spool))?).lines();
    loop {
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
    for table in [transcripts, turns, findings] {
        table.close()?;
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

fn write_manifest(path: &Path, manifest: &Manifest, redacted: bool) -> Result<(), RunError> {
    let mut manifest = manifest.clone();
    if redacted {
        manifest.inputs.iter_mut().for_each(|i| i.source = redact(&i.source).text);
    }
    let mut json = serde_json::to_vec_pretty(&manifest)
        .map_err(|_| RunError::Internal("the manifest could not be written as JSON"))?;
    json.push(b'\n');
    std::fs::write(path, json).map_err(RunError::io(path))
}
