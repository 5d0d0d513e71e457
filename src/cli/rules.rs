//! `evenhand rules`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use serde_json::{Map, Value, json};

use super::Common;
use crate::findings::{Doc, RULES, Rule};
use crate::reports::wrap;

const WIDTH: usize = 80;

/// List the rules, or explain one
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  evenhand rules\n  evenhand rules missing-apology")]
pub(super) struct Rules {
    /// The rule to explain
    #[arg(value_name = "RULE")]
    rule: Option<String>,
}

impl Rules {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let mut out = std::io::stdout().lock();
        let chosen: Vec<&Rule> = match &self.rule {
            Some(id) => RULES.into_iter().filter(|r| r.id == id).collect(),
            None => RULES.to_vec(),
        };
        if chosen.is_empty() {
            bail!(super::Usage(format!("no rule {}; `evenhand rules` lists them", self.rule.unwrap_or_default())));
        }
        if common.json {
            let rows: Vec<Value> = chosen.iter().map(|r| as_json(r)).collect();
            writeln!(out, "{}", Value::Array(rows))?;
        } else if self.rule.is_some() {
            write!(out, "{}", explain(chosen[0]))?;
        } else {
            for rule in chosen {
                writeln!(out, "{}\n{}\n", rule.id, wrap(&Doc::of(rule).line("What it finds"), "  ", WIDTH))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn explain(rule: &Rule) -> String {
    let parts =
        Doc::of(rule).parts.into_iter().map(|(heading, text)| format!("{heading}\n{}\n", wrap(&text, "  ", WIDTH)));
    format!("{}\n\n{}", rule.id, parts.collect::<Vec<_>>().join("\n"))
}

fn as_json(rule: &Rule) -> Value {
    let doc = Doc::of(rule);
    let parts: Map<String, Value> =
        doc.parts.iter().map(|(h, _)| (h.to_lowercase().replace(' ', "_"), doc.line(h).into())).collect();
    json!({"rule": rule.id, "context": rule.context, "doc": parts})
}
