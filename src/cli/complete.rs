//! `evenhand completions` and `evenhand man`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;

/// Write completions for a shell to standard output
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  evenhand completions bash > ~/.local/share/bash-completion/completions/evenhand")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        // The generator panics where it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "evenhand", &mut script);
        io::stdout().write_all(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Write the man page to standard output
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  evenhand man > evenhand.1")]
pub(super) struct Man {}

impl Man {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut out = io::stdout().lock();
        let command = Cli::command();
        clap_mangen::Man::new(command.clone()).render(&mut out)?;
        for sub in command.get_subcommands() {
            let name = format!("evenhand-{}", sub.get_name());
            clap_mangen::Man::new(sub.clone().name(name)).render(&mut out)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
