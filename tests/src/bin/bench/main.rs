//! `bench`: how fast dface is beside references measured in the same run, and how well it ranks. See `bench --help`.

mod append;
mod chance;
mod chat;
mod exports;
mod live;
mod machine;
mod made;
mod mqtt;
mod nodes;
mod people;
mod pictures;
mod push;
mod rank;
mod replay;
mod report;
mod serving;
mod slopes;
mod stats;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

/// Anything that ends a bench.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Parser)]
#[command(
    about = "Measures dface beside references of the same run; each part writes its tables into docs/benchmarks.md"
)]
struct Cli {
    /// Shops to make
    #[arg(long, global = true, default_value_t = SHOPS)]
    shops: u64,
    /// Seconds of each measurement
    #[arg(long, global = true, default_value_t = SECONDS)]
    seconds: u64,
    /// Leaves out Redis, PostGIS, vipsthumbnail, Prosody, ejabberd and Mosquitto
    #[arg(long, global = true)]
    no_others: bool,
    /// Keeps the directory that was made, to look into
    #[arg(long, global = true)]
    keep: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Durable appends
    Append,
    /// The made log: reading it, rebuilding from it, starting on it, and HTTP at a million shops
    Serve,
    /// Rebuilding the read models of a directory that was kept with --keep
    Rebuild {
        /// The data directory
        data: PathBuf,
        /// This read model alone, or `all` for all at once alone
        #[arg(long)]
        only: Option<String>,
    },
    /// What clients meet while all read models are made anew
    Live,
    /// A million events into Parquet, beside pyarrow (--shops: the log's events)
    Exports,
    /// The followers of somebody with many, and signing in
    People,
    /// Chat in a room, in pairs, and streams that wait, beside Prosody and ejabberd
    Chat,
    /// From a watch's event to its family's phones, beside Mosquitto
    Mqtt,
    /// Pushes to a stand-in for Apple
    Push,
    /// Several nodes over a stand-in for KurrentDB: following, seeing what another node was told, and a new node (--shops: its log's events)
    Nodes,
    /// What one more of each kind costs in the log, on disk and in memory
    Slopes,
    /// Thumbnails, beside vipsthumbnail
    Pictures(pictures::Args),
    /// What `pictures` measures of ours, in a process of its own
    #[command(hide = true)]
    PicturesWork(pictures::WorkArgs),
    /// The ranking of /aroundme/shops on real check-ins: MRR, hit@1, hit@5
    Rank(rank::Args),
}

/// What every part may use.
pub struct Setup {
    /// Shops to make.
    pub shops: u64,
    /// How long each measurement takes.
    pub time: std::time::Duration,
    /// Whether to measure Redis, PostGIS, vipsthumbnail, Prosody and ejabberd too.
    pub others: bool,
    /// Where to put what is made: on the disk that is measured.
    pub dir: tempfile::TempDir,
}

const SHOPS: u64 = 1_000_000;
const SECONDS: u64 = 10;
const PAGE: &str = "docs/benchmarks.md";

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::note(&format!("bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failed> {
    if let Some(Part::PicturesWork(args)) = &cli.part {
        return pictures::work(args);
    }
    let mut setup = Setup {
        shops: cli.shops,
        time: std::time::Duration::from_secs(cli.seconds),
        others: !cli.no_others,
        dir: tempfile::Builder::new().prefix("bench-").tempdir_in(beside_the_binary()?)?,
    };
    if cli.keep {
        setup.dir.disable_cleanup(true);
        report::note(&format!("kept: {}", setup.dir.path().display()));
    }
    let mut page = report::Page::new(machine::in_words(setup.dir.path())?);
    // What was measured of less, or of somebody's own files, is shown and not written.
    let writes = cli.shops == SHOPS
        && cli.seconds == SECONDS
        && !cli.no_others
        && !matches!(cli.part, Some(Part::Rebuild { .. } | Part::Rank(_)))
        && !matches!(&cli.part, Some(Part::Pictures(args)) if args.is_own());
    match cli.part {
        Some(Part::Append) => page.add(append::run(&setup)?),
        Some(Part::Serve) => serving::run(&setup, &mut page)?,
        Some(Part::Rebuild { data, only }) => page.add(replay::of_directory(&data, only.as_deref())?),
        Some(Part::Live) => page.add(live::run(&setup)?),
        Some(Part::Exports) => page.add(exports::run(&setup)?),
        Some(Part::People) => people::run(&setup, &mut page)?,
        Some(Part::Chat) => page.add(chat::run(&setup)?),
        Some(Part::Mqtt) => page.add(mqtt::run(&setup)?),
        Some(Part::Push) => page.add(push::run(&setup)?),
        Some(Part::Nodes) => nodes::run(&setup, &mut page)?,
        Some(Part::Slopes) => slopes::run(&setup, &mut page)?,
        Some(Part::Pictures(args)) => page.add(pictures::bench(&setup, &args)?),
        Some(Part::PicturesWork(_)) => {}
        Some(Part::Rank(args)) => return rank::run(&setup, &args),
        None => {
            page.add(append::run(&setup)?);
            page.add(pictures::bench(&setup, &pictures::Args::default())?);
            serving::run(&setup, &mut page)?;
            page.add(exports::run(&setup)?);
            people::run(&setup, &mut page)?;
            page.add(chat::run(&setup)?);
            page.add(mqtt::run(&setup)?);
            page.add(push::run(&setup)?);
            nodes::run(&setup, &mut page)?;
            slopes::run(&setup, &mut page)?;
        }
    }
    if writes && Path::new(PAGE).parent().is_some_and(Path::is_dir) {
        let before = std::fs::read_to_string(PAGE).unwrap_or_default();
        std::fs::write(PAGE, page.onto(&before))?;
        report::note(&format!("written to {PAGE}"));
    }
    Ok(())
}

/// The build directory: on a disk, where the system's place for temporary files may be in memory.
fn beside_the_binary() -> Result<PathBuf, Failed> {
    let binary = std::env::current_exe()?;
    Ok(binary.parent().ok_or("the binary lies nowhere")?.to_path_buf())
}
