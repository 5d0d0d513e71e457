//! evenhand: audits customer-service transcripts, offline.

use std::process::ExitCode;

use clap::Parser;
use evenhand::cli::{self, Cli};

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(fault));
    let done = std::panic::catch_unwind(|| cli::run(Cli::parse()));
    match done.unwrap_or(Ok(ExitCode::FAILURE)) {
        Ok(code) => code,
        Err(error) if broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "the one place where an error is shown")]
            {
                eprintln!("evenhand: {}", cli::told(&error));
            }
            ExitCode::from(cli::exit_code(&error))
        }
    }
}

/// Says where, and not what: the message of a panic may hold words of a transcript.
#[allow(clippy::print_stderr, reason = "the one place where a fault of the program is shown")]
fn fault(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map_or(String::new(), |l| format!(" at {}:{}", l.file(), l.line()));
    eprintln!("evenhand: internal error{place}, version {}; please report it", env!("CARGO_PKG_VERSION"));
}

/// Whoever read our output went away: nothing is wrong.
fn broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|e| e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe))
}
