//! Progress: a bar with rate and time left in a terminal, plain lines elsewhere, both on standard error.

use std::{
    io::IsTerminal,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two plain lines.
const EVERY: Duration = Duration::from_secs(5);

/// Shows how far something is.
pub struct Progress {
    bar: ProgressBar,
    what: String,
    total: u64,
    plain: bool,
    begun: Instant,
    told_ms: AtomicU64,
}

/// Progress of `what` towards `total`.
#[must_use]
pub fn bar(what: &str, total: u64) -> Progress {
    let plain = !std::io::stderr().is_terminal();
    let bar = if plain { ProgressBar::hidden() } else { ProgressBar::new(total) };
    let style = "{prefix} {wide_bar} {human_pos}/{human_len} {per_sec} {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    Progress { bar, what: what.to_owned(), total, plain, begun: Instant::now(), told_ms: AtomicU64::new(0) }
}

impl Progress {
    /// It is at `position` now.
    pub fn set(&self, position: u64) {
        self.bar.set_position(position);
        let elapsed = self.begun.elapsed();
        let now_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let told = self.told_ms.load(Ordering::Relaxed);
        if self.plain && now_ms.saturating_sub(told) >= u64::try_from(EVERY.as_millis()).unwrap_or(u64::MAX) {
            self.told_ms.store(now_ms, Ordering::Relaxed);
            self.line(position);
        }
    }

    /// It is done.
    pub fn finish(&self) {
        if self.plain {
            self.line(self.total);
        }
        self.bar.finish_and_clear();
    }

    #[expect(clippy::print_stderr, reason = "progress is for people, beside the log")]
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate to read")]
    fn line(&self, position: u64) {
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        let rate = position as f64 / seconds;
        let left = if rate > 0.0 { self.total.saturating_sub(position) as f64 / rate } else { 0.0 };
        eprintln!(
            "{}: {position} of {} in {seconds:.1} s, {} a second, {} s left",
            self.what, self.total, rate as u64, left as u64
        );
    }
}
