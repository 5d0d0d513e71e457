//! `evenhand audit`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Common, REJECTED, Source};
use crate::ingest::Format;
use crate::run::{self, AuditOptions, Fault, Interrupt};

/// Read transcripts, judge every turn and rule, and write a run folder
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  evenhand audit transcripts.jsonl --out run\n  evenhand audit 'exports/*.csv.gz' --out run --strict\n  zcat all.jsonl.gz | evenhand audit - --out run\n  evenhand audit transcripts.jsonl --out run --resume"
)]
pub(super) struct Audit {
    /// Files, folders, patterns, or - for standard input (JSON Lines or CSV; plain, .gz or .zst)
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// Folder to write, whole or not at all
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// Format of the input
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Exit with code 4 where a record was rejected
    #[arg(long)]
    strict: bool,
    /// Keep names, e-mail addresses, phone and card numbers in quotes
    #[arg(long)]
    no_redact: bool,
    /// Go on where a run of the same command was interrupted
    #[arg(long)]
    resume: bool,
    /// Turns between two notes of what is finished, for tests
    #[arg(long, hide = true, value_parser = clap::value_parser!(u32).range(1..))]
    slice: Option<u32>,
    /// What is to go wrong and where, for tests
    #[arg(long, hide = true)]
    fault: Option<Fault>,
    #[command(flatten)]
    source: Source,
}

impl Audit {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let options = AuditOptions {
            config: self.source.config()?,
            inputs: self.inputs,
            format: self.format,
            out: self.out,
            seed: common.seed,
            redact: !self.no_redact,
            resume: self.resume,
            slice: self.slice.map(|n| n as usize),
            fault: self.fault,
        };
        let stop = Interrupt::listen();
        let classifier = self.source.classifier()?;
        let (manifest, summary) = run::audit(&classifier, &options, &common.progress(), &stop)?;
        let mut out = std::io::stdout().lock();
        if common.json {
            writeln!(out, "{}", summary.json())?;
        } else if !common.quiet {
            write!(out, "{}", summary.text(&options.out.display().to_string()))?;
        }
        let rejected = self.strict && manifest.counts.rejected > 0;
        Ok(if rejected { ExitCode::from(REJECTED) } else { ExitCode::SUCCESS })
    }
}
