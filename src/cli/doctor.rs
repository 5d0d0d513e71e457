//! `evenhand doctor`.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{Common, Layout, NOTHING_READ, Source};
use crate::run::{self, DoctorOptions};

/// Look at transcripts before an audit: what is recognised, what would be rejected, and how long it would take
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  evenhand doctor exports/\n  evenhand doctor calls/*.vtt --map agent=Maria")]
pub(super) struct Doctor {
    /// Files, folders, patterns, or - for standard input (see docs/formats.md; plain, .gz or .zst)
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    #[command(flatten)]
    layout: Layout,
    #[command(flatten)]
    source: Source,
}

impl Doctor {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let options = DoctorOptions {
            config: self.layout.add_to(self.source.config()?)?,
            inputs: self.inputs,
            format: self.layout.format,
        };
        let checkup = run::doctor(&self.source.classifier()?, &options, &common.progress())?;
        common.result(|| json!(checkup), || checkup.text())?;
        Ok(if checkup.transcripts == 0 { ExitCode::from(NOTHING_READ) } else { ExitCode::SUCCESS })
    }
}
