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
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate to read"
    )]
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

/// Shows how many rows of a table are done, and, by the bytes read of it, how long the rest takes.
pub struct RowProgress {
    bar: ProgressBar,
    what: String,
    size: Option<u64>,
    plain: bool,
    begun: Instant,
    told: AtomicU64,
}

/// Progress through the table `what` of `size` bytes, where that is known.
#[must_use]
pub fn rows(what: &str, size: Option<u64>) -> RowProgress {
    let plain = !std::io::stderr().is_terminal();
    let bar = match size {
        _ if plain => ProgressBar::hidden(),
        Some(size) => ProgressBar::new(size),
        None => ProgressBar::new_spinner(),
    };
    let style = if size.is_some() { "{prefix} {wide_bar} {msg}, {eta} left" } else { "{prefix} {spinner} {msg}" };
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    RowProgress { bar, what: what.to_owned(), size, plain, begun: Instant::now(), told: AtomicU64::new(0) }
}

impl RowProgress {
    /// So many rows are done, after so many bytes.
    pub fn set(&self, bytes: u64, rows: u64) {
        if !self.plain {
            self.bar.set_message(self.rate(rows));
            self.bar.set_position(bytes);
            return;
        }
        let tick = self.begun.elapsed().as_secs() / EVERY.as_secs();
        if self.told.swap(tick, Ordering::Relaxed) < tick {
            self.say(&format!("{}: {}{}", self.what, self.rate(rows), self.left(bytes)));
        }
    }

    /// A line for people, above the bar.
    #[expect(clippy::print_stderr, reason = "lines for people, beside the log")]
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    /// It is done, with so many rows.
    pub fn finish(&self, rows: u64) {
        self.bar.finish_and_clear();
        self.say(&format!("{}: {}", self.what, self.rate(rows)));
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate to read"
    )]
    fn rate(&self, rows: u64) -> String {
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        format!("{rows} rows in {seconds:.1} s, {} a second", (rows as f64 / seconds) as u64)
    }

    #[expect(clippy::cast_precision_loss, reason = "a share to read")]
    fn left(&self, bytes: u64) -> String {
        match self.size {
            Some(size) if bytes > 0 => {
                let rest = size.saturating_sub(bytes) as f64 / bytes as f64;
                format!(", {:.0} s left", self.begun.elapsed().as_secs_f64() * rest)
            }
            _ => String::new(),
        }
    }
}
