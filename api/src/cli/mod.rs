//! The command line (spec cli.md): one file for each command. Results go to standard output, all else to standard
//! error. Exit codes: 0 done, 1 failed while working, 2 wrong use or settings.

mod backup;
mod completions;
mod copy;
mod doctor;
mod export;
mod import;
mod logging;
mod openapi;
pub mod progress;
mod rebuild;
mod reload;
mod replay;
mod serve;
mod stats;
pub mod target;
mod told;
mod user;
mod worker;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    node::StartError,
    settings::{BadSettings, Settings},
};

#[derive(Debug, Parser)]
#[command(
    name = "dface",
    version,
    about = "The backend of a venue social app (脸脸): one program, nothing to install",
    after_help = "Example: dface serve --demo\n\n\
                  Settings come from dface.toml, the environment (DFACE_LISTEN__HTTP=…) and flags, in that order.\n\
                  Exit codes: 0 done, 1 failed while working, 2 wrong use or settings."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Data directory; ./data by default, made where there is none
    #[arg(long, global = true, value_name = "DIR", display_order = 100)]
    pub data: Option<PathBuf>,
    /// Settings file; ./dface.toml where present
    #[arg(long, global = true, value_name = "FILE", display_order = 101)]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server
    Serve(serve::Args),
    /// Makes, lists and resets local accounts
    User(user::Args),
    /// Adds shops, check-ins and follows from tables
    Import(import::Args),
    /// Makes read models anew from the log
    Rebuild(rebuild::Args),
    /// Writes out the event log, for analysts
    Replay(replay::Args),
    /// Writes out a table that events are joined with, for analysts
    Export(export::Args),
    /// Writes log, objects and settings into a backup, while the server runs
    Backup(backup::BackupArgs),
    /// Restores a backup into an empty directory
    Restore(backup::RestoreArgs),
    /// Writes keys and the server secret into a file of their own, encrypted
    BackupKeys(backup::BackupKeysArgs),
    /// Brings keys and the server secret back
    RestoreKeys(backup::RestoreKeysArgs),
    /// Copies the event log into another store
    Copy(copy::Args),
    /// Tells what the log holds: events by type and day, streams, sizes, lag
    Stats(stats::Args),
    /// Looks whether everything is as it must be
    Doctor(doctor::Args),
    /// Prints what a shell completes the command line by
    Completions(completions::Args),
    /// Prints the OpenAPI document of a listener
    Openapi(openapi::Args),
}

/// Why a command did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Wrong use or settings: exit 2.
    #[error("{0}")]
    Usage(String),
    /// Failed while working: exit 1.
    #[error("{0}")]
    Work(String),
}

impl From<BadSettings> for Failure {
    fn from(error: BadSettings) -> Self {
        Self::Usage(error.0)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Refused(text) => Self::Usage(text),
            StartError::Failed(text) => Self::Work(text),
        }
    }
}

impl Failure {
    /// Failed while working, for that reason.
    pub fn work(error: impl std::fmt::Display) -> Self {
        Self::Work(error.to_string())
    }
}

impl Common {
    /// The settings, with flags of a command's own on top.
    ///
    /// # Errors
    /// Names the key or flag.
    pub fn settings(&self, flags: &[(&str, String)]) -> Result<Settings, Failure> {
        let mut all: Vec<(&str, String)> = Vec::new();
        if let Some(data) = &self.data {
            all.push(("data", data.display().to_string()));
        }
        all.extend_from_slice(flags);
        Ok(Settings::load(self.config.as_deref(), &all)?)
    }
}

/// Tasks that a thread does between two looks at the network, where tasks always wait. Tokio's 61 are many where one task is a whole answer.
const TASKS_BETWEEN_LOOKS: u32 = 11;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().event_interval(TASKS_BETWEEN_LOOKS).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return told(&Failure::work(error)),
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => told(&failure),
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let common = cli.common;
    match cli.command {
        Command::Serve(args) => serve::run(&common, args).await,
        Command::User(args) => user::run(&common, args).await,
        Command::Import(args) => import::run(&common, args).await,
        Command::Rebuild(args) => rebuild::run(&common, args).await,
        Command::Replay(args) => replay::run(&common, &args).await,
        Command::Export(args) => export::run(&common, &args).await,
        Command::Backup(args) => backup::backup(&common, args).await,
        Command::Restore(args) => backup::restore_backup(&common, args).await,
        Command::BackupKeys(args) => backup::backup_keys(&common, args).await,
        Command::RestoreKeys(args) => backup::restore_keys(&common, args).await,
        Command::Copy(args) => copy::run(&common, args).await,
        Command::Stats(args) => stats::run(&common, &args).await,
        Command::Doctor(args) => doctor::run(&common, &args).await,
        Command::Completions(args) => completions::run(&args),
        Command::Openapi(args) => openapi::run(&args),
    }
}

#[expect(clippy::print_stderr, reason = "the last words of a command")]
fn told(failure: &Failure) -> ExitCode {
    eprintln!("dface: {failure}");
    match failure {
        Failure::Usage(_) => ExitCode::from(2),
        Failure::Work(_) => ExitCode::from(1),
    }
}

/// Prints a result as one line of JSON.
///
/// # Errors
/// Standard output is closed.
pub fn print_json<T: serde::Serialize>(value: &T) -> Result<(), Failure> {
    use std::io::Write as _;
    let line = serde_json::to_string(value).map_err(Failure::work)?;
    writeln!(std::io::stdout(), "{line}").map_err(Failure::work)
}
