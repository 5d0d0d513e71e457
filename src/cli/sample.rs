//! `evenhand sample`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Common, Usage};
use crate::ingest::Format;
use crate::run::{self, Plan, SampleOptions, Words};
use crate::sampling::Allocation;

/// Draw conversations for people to read, each with the probability with which it was to be drawn
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  evenhand sample run --size 200 --out sample.jsonl\n  evenhand sample run --size 200 --stratify segments.tier --stratify channel --blind --reviewers ana,ben --double 0.2 --out sample.jsonl\n  evenhand sample run --per-agent 5 --out sample.jsonl\n  evenhand sample run --size 200 --design risk --rule missing-apology --out sample.jsonl\n  evenhand sample run --calibration 12 --labels labels.db --out meeting.jsonl\n\nThe sheet for reviewers is written beside FILE, as .csv. A sheet that\nholds answers is never written over."
)]
pub(super) struct Sample {
    /// Run folder written by evenhand audit
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// How many conversations
    #[arg(long, value_name = "N", required_unless_present_any = ["per_agent", "per_stratum", "calibration"], value_parser = clap::value_parser!(u64).range(1..))]
    size: Option<u64>,
    /// Design [default: stratified where strata are named, else random]
    #[arg(long, value_enum)]
    design: Option<Plan>,
    /// Attribute whose values make strata (repeatable): agent_id, segments.tier, channel, month
    #[arg(long, value_name = "ATTR")]
    stratify: Vec<String>,
    /// How the sample is shared out among the strata
    #[arg(long, value_enum, default_value_t)]
    allocation: Allocation,
    /// The least of each stratum, or all it has [default: 2; without --size exactly so many]
    #[arg(long, value_name = "N", requires = "stratify", value_parser = clap::value_parser!(u64).range(1..))]
    per_stratum: Option<u64>,
    /// The same with the agents as strata
    #[arg(long, value_name = "N", conflicts_with_all = ["stratify", "per_stratum"], value_parser = clap::value_parser!(u64).range(1..))]
    per_agent: Option<u64>,
    /// The N most contested conversations for a meeting, in place of a sample
    #[arg(long, value_name = "N", conflicts_with_all = ["size", "design", "stratify", "per_agent", "per_stratum"], value_parser = clap::value_parser!(u64).range(1..))]
    calibration: Option<u64>,
    /// Labels that say what is contested (a database or label file)
    #[arg(long, value_name = "FILE", requires = "calibration")]
    labels: Option<PathBuf>,
    /// File with ids not to draw: one a line, a label file, a sample or a labels database
    #[arg(long, value_name = "FILE")]
    exclude: Option<PathBuf>,
    /// Rule to review (repeatable) [default: all]
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,
    /// Hide what the program found
    #[arg(long)]
    blind: bool,
    /// Share of the conversations that two reviewers read, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, requires = "reviewers")]
    double: f64,
    /// Who reviews, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    reviewers: Vec<String>,
    /// File with the conversations' words (repeatable) [default: the files that were audited]
    #[arg(long, value_name = "FILE", conflicts_with = "no_text")]
    transcripts: Vec<String>,
    /// Format of these files
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Draw without the words
    #[arg(long)]
    no_text: bool,
    /// JSON Lines file to write; the sheet is written beside it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Sample {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let sheet = self.out.with_extension("csv");
        if sheet == self.out {
            return Err(Usage(
                "--out names the JSON Lines file, such as sample.jsonl; the sheet is written beside it as .csv"
                    .to_owned(),
            )
            .into());
        }
        run::sheet_is_free(&sheet)?;
        let lines = self.out.clone();
        let sample = run::sample(&self.options(common.seed)?, &common.progress())?;
        run::write_whole(&lines, &sample.lines())?;
        run::write_whole(&sheet, &sample.sheet())?;
        let text = || sample.text(&lines.display().to_string(), &sheet.display().to_string());
        common.summary(|| sample.json(), text)?;
        Ok(ExitCode::SUCCESS)
    }

    fn options(self, seed: u64) -> anyhow::Result<SampleOptions> {
        let mut stratify: Vec<String> = Vec::new();
        let agents = self.per_agent.map(|_| "agent_id".to_owned());
        self.stratify.into_iter().chain(agents).for_each(|a| {
            if !stratify.contains(&a) {
                stratify.push(a);
            }
        });
        let plan = self.design.unwrap_or(if stratify.is_empty() { Plan::Random } else { Plan::Stratified });
        if (plan == Plan::Stratified) == stratify.is_empty() {
            let reason = if stratify.is_empty() {
                "--design stratified needs strata: name them with --stratify ATTR or --per-agent N"
            } else {
                "strata go with --design stratified only; leave out --stratify and --per-agent, or --design"
            };
            return Err(Usage(reason.to_owned()).into());
        }
        let mut reviewers: Vec<String> = Vec::new();
        self.reviewers.iter().map(|r| r.trim()).filter(|r| !r.is_empty()).for_each(|r| {
            if !reviewers.iter().any(|known| known == r) {
                reviewers.push(r.to_owned());
            }
        });
        if !(0.0..=1.0).contains(&self.double) || (self.double > 0.0 && reviewers.len() < 2) {
            return Err(Usage("--double is a share from 0 to 1, and needs two names in --reviewers".to_owned()).into());
        }
        let mut rules: Vec<String> = Vec::new();
        self.rules.into_iter().for_each(|r| {
            if !rules.contains(&r) {
                rules.push(r);
            }
        });
        Ok(SampleOptions {
            run: self.run,
            size: self.size,
            plan,
            stratify,
            allocation: self.allocation,
            floor: self.per_agent.or(self.per_stratum).unwrap_or(2),
            calibration: self.calibration,
            labels: self.labels,
            exclude: self.exclude,
            rules,
            blind: self.blind,
            double: self.double,
            reviewers,
            words: (!self.no_text).then_some(Words { files: self.transcripts, format: self.format }),
            seed,
        })
    }
}
