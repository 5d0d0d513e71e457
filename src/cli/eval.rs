//! `evenhand eval`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::{Common, Layout, Source, Usage};
use crate::run::{self, EvalOptions};

/// Compare the program's judgement with that of readers: precision, recall and F1
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  evenhand eval transcripts.jsonl --gold gold.jsonl\n\nA line of gold.jsonl:\n  {\"id\": \"c1\", \"turns\": [[\"neg\", \"problem\"], [\"neu\", \"ask-info\"]],\n   \"violated\": {\"missing-apology\": [0, 1]}, \"ok\": [\"cold-open\"], \"disputed\": []}\n\nWhat reviewers filled into a sheet is compared by evenhand labels\nagreement and labels estimate."
)]
pub(super) struct Eval {
    /// The transcripts that were read [default: NAME.transcripts.jsonl beside NAME.gold.jsonl]
    #[arg(value_name = "INPUT")]
    inputs: Vec<String>,
    /// What readers found (JSON Lines): a line for each transcript, with each turn's sentiment and labels, and the rules that are violated, each with its turns, or ok
    #[arg(long, value_name = "FILE")]
    gold: PathBuf,
    #[command(flatten)]
    layout: Layout,
    /// Judge the rules from the readers' labels: what is wrong then is the rules' own, or lies in the finer cues that readers do not give
    #[arg(long)]
    readers_labels: bool,
    /// Write every disagreement on a rule to this file (JSON Lines)
    #[arg(long, value_name = "FILE")]
    differences: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

impl Eval {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let inputs = if self.inputs.is_empty() { beside(&self.gold)? } else { self.inputs };
        let options = EvalOptions {
            inputs,
            format: self.layout.format,
            gold: self.gold,
            config: self.layout.add_to(self.source.config()?)?,
            seed: common.seed,
            readers_labels: self.readers_labels,
            differences: self.differences,
        };
        let evaluation = run::evaluate(&self.source.classifier()?, &options, &common.progress())?;
        common.result(|| evaluation.json(), || evaluation.text())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The transcripts that stand beside a gold file.
fn beside(gold: &Path) -> anyhow::Result<Vec<String>> {
    let name = gold.to_string_lossy();
    match name.strip_suffix(".gold.jsonl").map(|stem| format!("{stem}.transcripts.jsonl")) {
        Some(path) if Path::new(&path).is_file() => Ok(vec![path]),
        _ => bail!(Usage("name the transcripts: evenhand eval TRANSCRIPTS --gold FILE".to_owned())),
    }
}
