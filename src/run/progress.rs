//! Progress on standard error: a bar where it is a terminal, else nothing.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where progress is shown.
pub struct Progress {
    quiet: bool,
}

impl Progress {
    /// Shown unless `quiet`.
    pub fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// A count that goes up, with its speed; the end is not known.
    pub(super) fn count(&self, what: &'static str) -> ProgressBar {
        self.bar(ProgressBar::no_length(), "{spinner} {msg}: {human_pos} ({per_sec}, {elapsed})", what)
    }

    /// Something whose length is not known and not counted.
    pub(super) fn spinner(&self, what: &'static str) -> ProgressBar {
        let bar = self.bar(ProgressBar::no_length(), "{spinner} {msg} ({elapsed})", what);
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        bar
    }

    /// A bar up to `length`.
    pub(super) fn bar_to(&self, length: u64, what: &'static str) -> ProgressBar {
        self.bar(ProgressBar::new(length), "{msg} {bar:30} {human_pos}/{human_len} ({eta} left)", what)
    }

    fn bar(&self, bar: ProgressBar, template: &str, what: &'static str) -> ProgressBar {
        // indicatif draws nothing where standard error is not a terminal.
        bar.set_draw_target(if self.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() });
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar
    }
}
