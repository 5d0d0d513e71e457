//! `evenhand labels`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Common, REJECTED};
use crate::run::{self, AgreementOptions, EstimateOptions, ImportOptions, LabelOptions};

/// Keep what reviewers found, see how far they agree, and correct the program's rates by it
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  evenhand labels import sheet.csv --into labels.db --sample sample.jsonl\n  evenhand labels agreement labels.db --run run\n  evenhand labels estimate run labels.db --by segments.tier"
)]
pub(super) struct Labels {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Import(Import),
    Export(Export),
    Agreement(Agreement),
    Estimate(Estimate),
}

/// Take a filled sheet or label file into a labels database
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  evenhand labels import sheet.csv --into labels.db --sample sample.jsonl --run run")]
struct Import {
    /// Label file: JSON Lines, or CSV with one label a row or a column for each rule
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Labels database; made where there is none
    #[arg(long, value_name = "DB")]
    into: PathBuf,
    /// The sample the labels belong to, as drawn (JSON Lines)
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// Run folder, to tell ids that are not in it
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// Who labelled, where the file does not say
    #[arg(long, value_name = "NAME")]
    reviewer: Option<String>,
    /// Exit with code 4 where a line is no label or an id is unknown
    #[arg(long)]
    strict: bool,
}

/// Write every label ever taken in, with whether it still counts
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  evenhand labels export labels.db --out labels.csv")]
struct Export {
    /// Labels database
    #[arg(value_name = "LABELS")]
    labels: PathBuf,
    /// File to write: CSV where it ends in .csv, else JSON Lines
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// How far reviewers agree, with each other and with the program
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  evenhand labels agreement labels.db --run run --out agreement.json")]
struct Agreement {
    /// Labels database or label file
    #[arg(value_name = "LABELS")]
    labels: PathBuf,
    /// Run folder, to hold the program against the people
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// Rule (repeatable) [default: all with labels]
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,
    /// JSON file to write
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Which labels count, and against which frame.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The sample's name, where the labels belong to several
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,
    /// File with the ids that were not to be drawn, as at the draw
    #[arg(long, value_name = "FILE")]
    exclude: Option<PathBuf>,
    /// Reviewer whose answer counts alone where there is one
    #[arg(long, value_name = "NAME")]
    adjudicator: Option<String>,
}

impl Which {
    pub(super) fn options(self, labels: PathBuf) -> LabelOptions {
        LabelOptions { labels, sample: self.sample, exclude: self.exclude, adjudicator: self.adjudicator }
    }
}

/// Rates that the labels stand behind, over everything and by segment
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  evenhand labels estimate run labels.db --by segments.tier --by agent_id --out estimate.json"
)]
struct Estimate {
    /// Run folder that the sample was drawn from
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Labels database or label file
    #[arg(value_name = "LABELS")]
    labels: PathBuf,
    /// Attribute whose values are the segments (repeatable): segments.tier, agent_id, month
    #[arg(long, value_name = "ATTR")]
    by: Vec<String>,
    /// Rule (repeatable) [default: all with labels]
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,
    #[command(flatten)]
    which: Which,
    /// JSON file to write
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Labels {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Import(c) => {
                let options =
                    ImportOptions { file: c.file, into: c.into, sample: c.sample, run: c.run, reviewer: c.reviewer };
                let report = run::import(&options)?;
                show(&report.json(), &report.text(), None, common)?;
                let rejected = c.strict && report.troubled();
                Ok(if rejected { ExitCode::from(REJECTED) } else { ExitCode::SUCCESS })
            }
            Command::Export(c) => {
                let n = run::export(&c.labels, &c.out)?;
                let text = format!("Wrote {n} labels to {}.\n", c.out.display());
                show(&serde_json::json!({"labels": n}), &text, None, common)?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Agreement(c) => {
                let options = AgreementOptions { labels: c.labels, run: c.run, rules: c.rules, seed: common.seed };
                let report = run::agreement(&options)?;
                show(&report.json(), &report.text(), c.out.as_deref(), common)?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Estimate(c) => {
                let mut by: Vec<String> = Vec::new();
                c.by.into_iter().for_each(|b| {
                    if !by.contains(&b) {
                        by.push(b);
                    }
                });
                let options = EstimateOptions { run: c.run, labels: c.which.options(c.labels), by, rules: c.rules };
                let report = run::estimate(&options)?;
                show(&report.json(), &report.text(), c.out.as_deref(), common)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// Writes the figures where that was asked, and shows them or their text.
fn show(json: &Value, text: &str, out: Option<&Path>, common: &Common) -> anyhow::Result<()> {
    if let Some(path) = out {
        run::write_whole(path, &format!("{}\n", serde_json::to_string_pretty(json)?))?;
    }
    common.summary(|| json, || text.to_owned())
}
