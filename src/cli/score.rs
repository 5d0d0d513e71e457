//! `evenhand score`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::{Common, Source, Usage};
use crate::ingest::IngestError;
use crate::reports::counted;
use crate::run::scores;
use crate::signals::Input;
use crate::turns::Role;

/// Judge single turns: one line in, one JSON object out, in order
#[derive(Debug, Args)]
#[command(
    after_help = "Each line is judged by itself; an audit also weighs the mood of the same\ncustomer's turn before. A line that cannot be read is answered with an error,\nand the rest is judged.\n\nExamples:\n  echo 'I was charged twice!' | evenhand score\n  echo '{\"text\":\"nope, no can do\",\"role\":\"agent\"}' | evenhand score"
)]
pub(super) struct Score {
    /// File to read, or - for standard input
    #[arg(default_value = "-", value_name = "FILE")]
    file: PathBuf,
    /// Role of plain lines
    #[arg(long, default_value = "customer", value_parser = role)]
    role: Role,
    #[command(flatten)]
    source: Source,
}

fn role(name: &str) -> Result<Role, String> {
    Role::parse(name).ok_or_else(|| "use customer, agent, bot or system".to_owned())
}

/// A line of input; plain text is a turn without context.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    text: String,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    before: Option<String>,
    #[serde(default)]
    before_role: Option<String>,
}

/// Lines judged together where they are ready; a slow writer gets each answer at once.
const TOGETHER: usize = 256;

impl Score {
    pub(super) fn run(self, _common: &Common) -> anyhow::Result<ExitCode> {
        let input: Box<dyn Read> = if self.file.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(&self.file).map_err(|source| IngestError::Open { path: self.file.clone(), source })?)
        };
        let mut reader = BufReader::new(input);
        let classifier = self.source.classifier()?;
        let mut out = io::stdout().lock();
        let (mut number, mut wrong) = (0, 0);
        loop {
            let lines = ready(&mut reader)?;
            if lines.is_empty() {
                break;
            }
            let parsed: Vec<Result<(Role, Line), String>> = lines
                .iter()
                .map(|line| {
                    number += 1;
                    self.parse(line).map_err(|reason| format!("line {number}: {reason}"))
                })
                .collect();
            let before = |l: &Line, role: Role| -> Role {
                let other = if role == Role::Customer { Role::Agent } else { Role::Customer };
                l.before_role.as_deref().and_then(Role::parse).unwrap_or(other)
            };
            let inputs: Vec<Input<'_>> = parsed
                .iter()
                .flatten()
                .map(|(role, l)| Input {
                    role: *role,
                    text: &l.text,
                    before: l.before.as_deref().map(|t| (before(l, *role), t)),
                })
                .collect();
            let mut judged = inputs.iter().zip(classifier.classify(&inputs)?);
            for line in &parsed {
                if let Err(reason) = line {
                    wrong += 1;
                    writeln!(out, "{}", json!({"error": reason}))?;
                    continue;
                }
                let Some((input, mut signals)) = judged.next() else { continue };
                classifier.settle(std::iter::once((input.role, input.text)), std::slice::from_mut(&mut signals));
                let labels: Vec<_> = signals.labels.iter().collect();
                let row = json!({"sentiment": signals.sentiment.name(), "labels": labels, "scores": scores(&signals, input.role)});
                writeln!(out, "{row}")?;
            }
            out.flush()?;
        }
        if wrong > 0 {
            let what = counted(wrong, "line was", "lines were");
            return Err(Usage(format!("{what} not read; the answer to each says why")).into());
        }
        Ok(ExitCode::SUCCESS)
    }

    fn parse(&self, line: &str) -> Result<(Role, Line), String> {
        if !line.trim_start().starts_with('{') {
            return Ok((self.role, Line { text: line.to_owned(), role: None, before: None, before_role: None }));
        }
        let line: Line =
            serde_json::from_str(line).map_err(|_| "not an object with \"text\" and \"role\"".to_owned())?;
        let role = line.role.as_deref().map_or(Ok(self.role), role)?;
        Ok((role, line))
    }
}

/// The next line, and those after it that have arrived already: a writer who waits for an answer gets it.
fn ready(reader: &mut BufReader<Box<dyn Read>>) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).context("cannot read a line of text")? == 0 {
            return Ok(lines);
        }
        lines.push(line.trim_end_matches(['\n', '\r']).to_owned());
        if lines.len() >= TOGETHER || !reader.buffer().contains(&b'\n') {
            return Ok(lines);
        }
    }
}
