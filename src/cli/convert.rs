//! `evenhand convert`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Common, Layout, Source};
use crate::run::{self, ConvertOptions};

/// Write transcripts of any format as JSON Lines or Parquet, without judging them
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  evenhand convert zendesk/ --out tickets.jsonl\n  evenhand convert calls/*.vtt --out calls.parquet --map agent=Maria\n\nText is written as it stands: nothing is redacted."
)]
pub(super) struct Convert {
    /// Files, folders, patterns, or - for standard input (see docs/formats.md; plain, .gz or .zst)
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// File to write, .jsonl or .parquet; what is rejected is listed in FILE.rejects.jsonl
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    layout: Layout,
    #[command(flatten)]
    source: Source,
}

impl Convert {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let options = ConvertOptions {
            config: self.layout.add_to(self.source.config()?)?,
            inputs: self.inputs,
            format: self.layout.format,
            out: self.out,
        };
        let done = run::convert(&options, &common.progress())?;
        let mut out = std::io::stdout().lock();
        if common.json {
            writeln!(out, "{}", serde_json::to_string(&done)?)?;
        } else if !common.quiet {
            writeln!(out, "Wrote {} transcripts ({} turns) to {}.", done.written, done.turns, options.out.display())?;
            if let Some(path) = &done.rejects {
                writeln!(out, "{} of {} records were rejected: see {}.", done.rejected, done.read, path.display())?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
