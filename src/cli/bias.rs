//! `evenhand bias`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::labels::Which;
use super::{Common, Usage};
use crate::reports::BiasReport;
use crate::run::{self, BiasOptions, Cases, RunError};

/// Compare customer segments, channels or agent cohorts, with the legitimate causes held fixed
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  evenhand bias run --by segments.tier --adjust issue --adjust channel --out bias\n  evenhand bias run --by channel --outcome missing-apology\n  evenhand bias --table admissions.csv --outcome admitted --by sex --adjust department --count n"
)]
pub(super) struct Bias {
    /// Run folder written by evenhand audit
    #[arg(required_unless_present = "table", conflicts_with = "table", value_name = "RUN")]
    run: Option<PathBuf>,
    /// CSV file with a header, in place of a run
    #[arg(long, value_name = "FILE", requires = "outcome")]
    table: Option<PathBuf>,
    /// Rule, measure or column to compare (repeatable) [default: all rules and measures of a run]
    #[arg(long, value_name = "NAME")]
    outcome: Vec<String>,
    /// Column that says how many cases a row stands for
    #[arg(long, value_name = "COL", requires = "table")]
    count: Option<String>,
    /// Attribute whose values are the segments (repeatable)
    #[arg(long, required = true, value_name = "ATTR")]
    by: Vec<String>,
    /// Segment that the others are held against [default: the largest]
    #[arg(long, value_name = "VALUE")]
    reference: Option<String>,
    /// Attribute to hold fixed (repeatable)
    #[arg(long, value_name = "ATTR")]
    adjust: Vec<String>,
    /// Attribute whose cases belong together [default: agent_id, where there is one]
    #[arg(long, value_name = "ATTR")]
    cluster: Option<String>,
    /// Take every case as independent
    #[arg(long, conflicts_with = "cluster")]
    no_cluster: bool,
    /// Dealings of the permutation test
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    permutations: u64,
    /// Reviewers' labels of a sample of the run: compare corrected rates too
    #[arg(long, value_name = "LABELS", conflicts_with = "table")]
    labels: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// Folder for bias.json and index.html, or a .json file
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

impl Bias {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let cases = match (self.run, self.table) {
            (Some(run), _) => Cases::Run(run),
            (None, Some(table)) => Cases::Csv(table, self.count),
            (None, None) => return Err(Usage("name a run folder, or a table with --table".to_owned()).into()),
        };
        let options = BiasOptions {
            cases,
            outcomes: once(self.outcome),
            by: once(self.by),
            reference: self.reference,
            adjust: once(self.adjust),
            cluster: self.cluster,
            no_cluster: self.no_cluster,
            labels: self.labels.map(|labels| self.which.options(labels)),
            permutations: self.permutations,
            seed: common.seed,
        };
        let report = run::bias(&options)?;
        if let Some(out) = &self.out {
            write_out(&report, out)?;
        }
        common.summary(|| report.json(), || report.text())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Each name once, in the order given.
fn once(names: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    names.into_iter().for_each(|n| {
        if !out.contains(&n) {
            out.push(n);
        }
    });
    out
}

/// Writes the figures, and beside them the page.
fn write_out(report: &BiasReport, out: &Path) -> anyhow::Result<()> {
    let file = out.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    let (json, page) = if file {
        (out.to_path_buf(), out.with_extension("html"))
    } else {
        (out.join("bias.json"), out.join("index.html"))
    };
    let ours = [(&json, "\"verdict_rule\""), (&page, "<title>Segment audit</title>")];
    for (path, sign) in ours {
        if path.exists() && !fs::read_to_string(path).is_ok_and(|text| text.contains(sign)) {
            return Err(RunError::InTheWay(path.clone()).into());
        }
    }
    if let Some(folder) = json.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut text = serde_json::to_string_pretty(&report.json())?;
    text.push('\n');
    fs::write(&json, text).with_context(|| format!("cannot write {}", json.display()))?;
    fs::write(&page, report.page()?).with_context(|| format!("cannot write {}", page.display()))
}
