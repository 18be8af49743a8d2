//! Logs go to standard error: for people on a terminal, JSON lines elsewhere.
//!
//! Our own lines hold no password, token, name or position at any level, and a test holds them to it. Nobody holds other
//! crates to it, whose details are of headers, queries and keys of rows: of them at most `info` is told.

use std::io::IsTerminal;

use tracing_subscriber::{
    EnvFilter, Registry,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use super::Failure;

/// How much is told, which may change.
pub struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Tells so much from now on.
    ///
    /// # Errors
    /// The directives cannot be read: it stays as it was.
    pub fn set(&self, level: &str) -> Result<(), Failure> {
        self.0.reload(filter(level)?).map_err(Failure::work)
    }
}

fn filter(level: &str) -> Result<EnvFilter, Failure> {
    EnvFilter::try_new(level).map_err(|e| Failure::Usage(format!("setting `log.level`: {e}")))
}

/// Begins to log at `level` (a level, or directives).
///
/// # Errors
/// The directives cannot be read.
pub fn start(level: &str) -> Result<Level, Failure> {
    let (filter, handle) = reload::Layer::new(filter(level)?);
    // The client of EventStoreDB tells every try that fails as an error; the adapter says once that the store is away, and once that it is back.
    let details = Targets::new().with_default(LevelFilter::INFO).with_target("dface", LevelFilter::TRACE);
    let details = details.with_target("kurrentdb", LevelFilter::OFF);
    let registry = tracing_subscriber::registry().with(filter).with(details);
    let started = if std::io::stderr().is_terminal() {
        registry.with(fmt::layer().with_writer(std::io::stderr).with_target(false)).try_init()
    } else {
        registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()
    };
    started.map_err(Failure::work)?;
    Ok(Level(handle))
}
