//! `evenhand coach`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::Common;
use crate::reports::{counted, wrap};
use crate::run::{self, CoachOptions, ReviewOptions, Words};

/// Write a coaching page for each person, with what went well, where to look, and how sure it is
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  evenhand coach run --out coaching\n  evenhand coach run --out coaching --labels labels.db --transcripts moved/transcripts.jsonl"
)]
pub(super) struct Coach {
    /// Run folder written by evenhand audit
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Folder for the pages; one that evenhand coach wrote before gives way
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Where the audited files are now, if they were moved (files, folders or patterns)
    #[arg(long, value_name = "FILE", num_args = 1..)]
    transcripts: Vec<String>,
    /// Reviewers' labels (database or label file): findings that they saw otherwise are marked, and do not count towards a focus
    #[arg(long, value_name = "LABELS")]
    labels: Option<PathBuf>,
    /// Reviewer whose answer counts alone where there is one
    #[arg(long, value_name = "NAME", requires = "labels")]
    adjudicator: Option<String>,
}

impl Coach {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let words = Words { files: self.transcripts, ..Words::default() };
        let adjudicator = self.adjudicator;
        let labels = self.labels.map(|labels| ReviewOptions { labels, adjudicator });
        let options = CoachOptions { run: self.run, out: self.out, words, labels };
        let report = run::coach(&options, &common.progress())?;
        let json = || {
            json!({
                "pages": report.agents.len(), "conversations": report.conversations,
                "missing_words": report.missing_words, "out": options.out,
            })
        };
        common.summary(json, || {
            let mut text = format!(
                "Wrote {}. Start with {}.",
                counted(report.agents.len() as u64, "page", "pages"),
                options.out.join("index.html").display()
            );
            if !report.missing_words.is_empty() {
                text.push_str(&format!(
                    " Some words are missing, because {}: name the audited files with --transcripts to have the turns around the quotes.",
                    report.missing_words.join("; ")
                ));
            }
            wrap(&text, "", 80) + "\n"
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
