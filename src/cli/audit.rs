//! `evenhand audit`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Common, Layout, REJECTED, Source};
use crate::run::{self, AuditOptions, Fault, Interrupt};

/// Read transcripts, judge every turn and rule, and write a run folder
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  evenhand audit transcripts.jsonl --out run\n  evenhand audit 'exports/*.csv.gz' --out run --strict\n  zcat all.jsonl.gz | evenhand audit - --out run\n  evenhand audit transcripts.jsonl --out run --resume"
)]
pub(super) struct Audit {
    /// Files, folders, patterns, or - for standard input (see docs/formats.md; plain, .gz or .zst)
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// Folder to write, whole or not at all
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    #[command(flatten)]
    layout: Layout,
    /// Leave out transcripts whose roles are in more doubt than this, 0 to 1; they are marked and counted
    #[arg(long, value_name = "DOUBT", value_parser = share)]
    max_role_doubt: Option<f32>,
    /// Write the tables in another format too
    #[arg(long, value_enum, value_name = "FORMAT")]
    emit: Vec<Emit>,
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

/// A format of the tables beside JSON Lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Emit {
    /// Parquet
    Parquet,
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|d| (0.0..=1.0).contains(d)).ok_or_else(|| "a number from 0 to 1 is needed".to_owned())
}

impl Audit {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let mut config = self.layout.add_to(self.source.config()?)?;
        config.max_role_doubt = self.max_role_doubt.or(config.max_role_doubt);
        let options = AuditOptions {
            config,
            inputs: self.inputs,
            format: self.layout.format,
            parquet: self.emit.contains(&Emit::Parquet),
            out: self.out,
            seed: common.seed,
            redact: !self.no_redact,
            resume: self.resume,
            slice: self.slice.map(|n| n as usize),
            fault: self.fault,
        };
        let stop = Interrupt::listen();
        let classifier = self.source.classifier()?;
        let (manifest, summary) = run::audit(classifier, &options, &common.progress(), &stop)?;
        common.summary(|| summary.json(), || summary.text(&options.out.display().to_string()))?;
        let rejected = self.strict && manifest.counts.rejected > 0;
        Ok(if rejected { ExitCode::from(REJECTED) } else { ExitCode::SUCCESS })
    }
}
