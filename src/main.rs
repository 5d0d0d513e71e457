//! evenhand: audits customer-service transcripts, offline.

use std::process::ExitCode;

use clap::Parser;
use evenhand::cli::{self, Cli};

fn main() -> ExitCode {
    match cli::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) if broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "the one place where an error is shown")]
            {
                eprintln!("evenhand: {error:#}");
            }
            ExitCode::from(cli::exit_code(&error))
        }
    }
}

/// Whoever read our output went away: nothing is wrong.
fn broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|e| e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe))
}
