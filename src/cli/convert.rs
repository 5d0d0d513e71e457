//! `evenhand convert`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{Common, Layout, Source};
use crate::reports::counted;
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
        common.summary(
            || json!(done),
            || {
                let out = options.out.display();
                let mut text = format!(
                    "Wrote {} ({}) to {out}.\n",
                    counted(done.written, "transcript", "transcripts"),
                    counted(done.turns, "turn", "turns")
                );
                if let Some(path) = &done.rejects {
                    let (rejected, read) = (done.rejected, counted(done.read, "record", "records"));
                    text.push_str(&format!("Rejected: {rejected} of {read}; see {}.\n", path.display()));
                }
                text
            },
        )?;
        Ok(ExitCode::SUCCESS)
    }
}
