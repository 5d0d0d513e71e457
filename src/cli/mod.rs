//! The command line: each flag is defined once; help, man page and completions come from the same definitions.

mod audit;
mod bias;
mod coach;
mod complete;
mod convert;
mod doctor;
mod eval;
mod labels;
mod report;
mod rules;
mod sample;
mod score;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::ingest::{Format, IngestError};
use crate::labels::LabelsError;
use crate::reports::visible_text;
use crate::run::{Config, ConfigError, INTERRUPTED, Interrupt, Progress, RunError};
use crate::signals::{Classifier, Model, ModelError, Runtime};

/// Wrong usage that the parser cannot see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// No input could be read at all.
const NOTHING_READ: u8 = 3;
/// Done, but some records were rejected and `--strict` was given.
const REJECTED: u8 = 4;

/// Audits customer-service transcripts, offline: tone, missed apologies, refusals, loose ends, each with its quote.
#[derive(Debug, Parser)]
#[command(
    name = "evenhand",
    version,
    propagate_version = true,
    after_help = "Example:\n  evenhand audit transcripts.jsonl --out run"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
struct Common {
    /// Threads to use [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Seed of everything that is drawn by chance
    #[arg(long, global = true, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// No progress and no summary
    #[arg(long, global = true)]
    quiet: bool,
    /// Machine-readable summary on standard output
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::Audit),
    Doctor(doctor::Doctor),
    Convert(convert::Convert),
    Bias(bias::Bias),
    Sample(sample::Sample),
    Labels(labels::Labels),
    Coach(coach::Coach),
    Report(report::Report),
    Score(score::Score),
    Rules(rules::Rules),
    Eval(eval::Eval),
    Completions(complete::Completions),
    Man(complete::Man),
}

/// Where the model and the settings come from.
#[derive(Debug, Clone, Args)]
struct Source {
    /// Model folder to use instead of the built-in model; `accurate` lets both networks of the built-in model read every turn, which is slower and sees a little more
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// What runs the model
    #[arg(long, value_enum, value_name = "NAME", default_value_t)]
    backend: Runtime,
    /// Settings (TOML), such as the reply limits of each channel
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// How the input is laid out.
#[derive(Debug, Clone, Args)]
struct Layout {
    /// Format of the input
    #[arg(long, value_enum, default_value_t, hide_possible_values = true, long_help = FORMATS)]
    format: Format,
    /// What a column, an attribute or a role is called in the input, such as text=message or agent=Advisor (repeatable)
    #[arg(long, value_name = "OURS=THEIRS")]
    map: Vec<String>,
}

const FORMATS: &str = "Format of the input: auto (told from what stands in each file), jsonl, csv, parquet, zendesk, intercom, \
    contact-lens, ccai, convokit, twcs, subtitles, whisperx, whatsapp, plain";

impl Layout {
    /// The settings with the names given here.
    fn add_to(&self, mut config: Config) -> anyhow::Result<Config> {
        for pair in &self.map {
            config.columns.add(pair).map_err(Usage)?;
        }
        Ok(config)
    }
}

impl Source {
    fn classifier(&self) -> anyhow::Result<Classifier> {
        let model = match &self.model {
            Some(name) if name.as_os_str() == "accurate" => Model::built_in()?.accurate(),
            Some(folder) => {
                Model::open(folder).with_context(|| format!("cannot use the model in {}", folder.display()))?
            }
            None => Model::built_in()?,
        };
        Ok(Classifier::on(self.backend, &model)?)
    }

    fn config(&self) -> anyhow::Result<Config> {
        Ok(self.config.as_deref().map(Config::read).transpose()?.unwrap_or_default())
    }
}

impl Common {
    fn progress(&self) -> Progress {
        Progress::new(self.quiet)
    }

    /// Shows what was asked for on standard output: as JSON where that is wanted, else as text without control characters.
    fn result<J: Display>(&self, json: impl FnOnce() -> J, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", json())?;
        } else {
            out.write_all(visible_text(&text()).as_bytes())?;
        }
        Ok(())
    }

    /// The same, but no text where it is to be quiet.
    fn summary<J: Display>(&self, json: impl FnOnce() -> J, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        if self.quiet && !self.json { Ok(()) } else { self.result(json, text) }
    }
}

/// Runs the command.
///
/// # Errors
/// Whatever ended it; [`exit_code`] says which code that is.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Some(threads) = cli.common.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.into())
            .build_global()
            .context("cannot start the threads")?;
    }
    if !matches!(cli.command, Command::Audit(_)) {
        Interrupt::end_at_once();
    }
    match cli.command {
        Command::Audit(command) => command.run(&cli.common),
        Command::Doctor(command) => command.run(&cli.common),
        Command::Convert(command) => command.run(&cli.common),
        Command::Bias(command) => command.run(&cli.common),
        Command::Sample(command) => command.run(&cli.common),
        Command::Labels(command) => command.run(&cli.common),
        Command::Coach(command) => command.run(&cli.common),
        Command::Report(command) => command.run(&cli.common),
        Command::Score(command) => command.run(&cli.common),
        Command::Rules(command) => command.run(&cli.common),
        Command::Eval(command) => command.run(&cli.common),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    }
}

/// The exit code of an error: 3 where the input could not be read at all, 2 for wrong usage or configuration, 130 where somebody stopped it,
/// else 1.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    let ingest = |e: &IngestError| {
        if matches!(e, IngestError::Pattern { .. }) { 2 } else { 3 }
    };
    error
        .chain()
        .find_map(|e| {
            if let Some(e) = e.downcast_ref::<RunError>() {
                return Some(match e {
                    RunError::Ingest(e) => ingest(e),
                    RunError::NothingRead(_) => 3,
                    RunError::NoRun(_) | RunError::Table { .. } | RunError::NoWords(_) => 3,
                    RunError::Labels(LabelsError::Store { .. }) => 1,
                    RunError::Labels(_) => 3,
                    RunError::Model(_)
                    | RunError::NotARun(_)
                    | RunError::HoldsMore(_)
                    | RunError::InTheWay(_)
                    | RunError::Worked(_)
                    | RunError::ItsOwnInput(_)
                    | RunError::Ending(_)
                    | RunError::NotAReport(_)
                    | RunError::Busy(_)
                    | RunError::CannotResume { .. }
                    | RunError::Finished { .. }
                    | RunError::Gold { .. }
                    | RunError::Unknown { .. }
                    | RunError::Design(_)
                    | RunError::NothingToCompare(_) => 2,
                    RunError::Interrupted(_) => INTERRUPTED,
                    RunError::Io { .. } | RunError::Internal(_) => 1,
                });
            }
            let usage = e.is::<Usage>() || e.is::<ConfigError>() || e.is::<ModelError>();
            e.downcast_ref::<IngestError>().map(ingest).or(usage.then_some(2))
        })
        .unwrap_or(1)
}

/// An error in one line: each cause once, without the number that the system gives it, without control characters, and what to do where the system's reason tells it.
pub fn told(error: &anyhow::Error) -> String {
    let mut out = String::new();
    for cause in error.chain().map(|e| unnumbered(&e.to_string())) {
        if !out.contains(&cause) {
            out.push_str(if out.is_empty() { "" } else { ": " });
            out.push_str(&cause);
        }
    }
    let reason = error.chain().find_map(|e| e.downcast_ref::<io::Error>());
    out.push_str(reason.and_then(|e| next_step(e.kind())).unwrap_or_default());
    visible_text(&out)
}

/// What may help against the system's reason.
fn next_step(reason: io::ErrorKind) -> Option<&'static str> {
    Some(match reason {
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::PermissionDenied => "; ask for the right to it, or use a copy",
        io::ErrorKind::StorageFull => "; make room on the disk, or write elsewhere",
        _ => return None,
    })
}

/// A message without ` (os error 2)`.
fn unnumbered(message: &str) -> String {
    let mut parts = message.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |said, part| said + part.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(')'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once_and_without_its_number() {
        let source = io::Error::from_raw_os_error(2);
        let reason = unnumbered(&source.to_string());
        let missing = IngestError::Open { path: "calls.csv".into(), source };
        assert_eq!(told(&missing.into()), format!("calls.csv: {reason}; check the path"));
        let damaged =
            IngestError::Open { path: "calls.csv.zst".into(), source: io::Error::other("the file is damaged") };
        assert_eq!(told(&damaged.into()), "calls.csv.zst: the file is damaged");
        let deep = anyhow::anyhow!("the middle").context("the top");
        assert_eq!(told(&deep), "the top: the middle");
    }
}
