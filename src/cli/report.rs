//! `evenhand report`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::Common;
use super::labels::Which;
use crate::reports::wrap;
use crate::run::{self, OverviewOptions, Words};

/// Write the overview of a run: rates, trends, what comes back, where customers' scores and transcripts disagree
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  evenhand report run --out report\n  evenhand report run --out report --labels labels.db --bias bias --team segments.team"
)]
pub(super) struct Report {
    /// Run folder written by evenhand audit
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Folder for index.html, report.md, report.json and rates.csv; one that evenhand report wrote before gives way
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where the audited files are now, if they were moved (files, folders or patterns)
    #[arg(long, value_name = "FILE", num_args = 1..)]
    transcripts: Vec<String>,
    /// Reviewers' labels of a sample of this run (database or label file): adds rates that they stand behind
    #[arg(long, value_name = "LABELS")]
    labels: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// bias.json, or its folder, written by evenhand bias --out
    #[arg(long, value_name = "PATH")]
    bias: Option<PathBuf>,
    /// Attribute that names the team
    #[arg(long, value_name = "ATTR", default_value = "team")]
    team: String,
    /// Attribute that is the customers' own score
    #[arg(long, value_name = "ATTR", default_value = "scores.csat")]
    score: String,
}

impl Report {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let options = OverviewOptions {
            run: self.run,
            out: self.out,
            words: Words { files: self.transcripts, ..Words::default() },
            team: self.team,
            score: self.score,
            labels: self.labels.map(|labels| self.which.options(labels)),
            bias: self.bias,
        };
        let report = run::overview(&options, &common.progress())?;
        let json = || {
            let rules: Vec<_> = report
                .rules
                .iter()
                .map(|r| json!({"rule": r.rule, "cases": r.cases, "found": r.found, "rate": r.rate.map(|r| r.0)}))
                .collect();
            json!({
                "conversations": report.with_finding.1, "with_finding": report.with_finding.0, "rules": rules,
                "missing_words": report.missing_words, "out": options.out,
            })
        };
        common.summary(json, || {
            let mut text = format!("Wrote {}.", options.out.join("index.html").display());
            if !report.missing_words.is_empty() {
                text.push_str(&format!(
                    " Some words are missing, because {}: name the audited files with --transcripts.",
                    report.missing_words.join("; ")
                ));
            }
            wrap(&text, "", 80) + "\n"
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
