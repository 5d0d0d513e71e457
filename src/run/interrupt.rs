//! A request to stop. The first SIGINT or SIGTERM lets a run finish what is in flight; the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of whatever was interrupted.
pub const INTERRUPTED: u8 = 130;

/// Whether somebody asked the run to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens to SIGINT and SIGTERM from now on. Where the system does not let us, they end the program as ever.
    pub fn listen() -> Self {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // The order matters: what is registered first sees the flag as it was.
            let _ = flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(&asked));
            let _ = flag::register(signal, Arc::clone(&asked));
        }
        Self(asked)
    }

    /// For work that leaves nothing behind: SIGINT and SIGTERM end it at once, with the same code.
    pub fn end_at_once() {
        let yes = Arc::new(AtomicBool::new(true));
        for signal in [SIGINT, SIGTERM] {
            let _ = flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(&yes));
        }
    }

    /// Whether a signal has come.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
