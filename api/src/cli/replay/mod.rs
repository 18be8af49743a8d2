//! `dface replay`: the event log for analysts. Where events come from is `source`, what becomes of them `sink`.

mod out;
mod partition;
mod sink;
mod source;

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
};

use self::sink::{ParquetSink, TextSink};
pub(super) use self::{out::Out, sink::Sink, source::Source};
use super::{Common, Failure};
use crate::{
    replay::{Selection, table::Table},
    settings::Settings,
};

/// `dface replay`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: dface replay --type CheckedIn --since 2012-12-01T00:00:00+08:00\n          \
                        dface replay --by occurred --format csv --out events.csv\n          \
                        dface replay --type CheckedIn --format parquet --out checkins.parquet\n          \
                        dface replay --format parquet --out events --partition type,date\n          \
                        dface replay --profile full --stream user-7\n\n\
                        docs/events.md lists the types and what a profile shows of each field.")]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Writes into this file, which is there when all of it is; into this directory with `--partition`
    #[arg(long, value_name = "FILE | DIR")]
    out: Option<PathBuf>,
    /// A file for each type and day, in folders `type=T/date=D`; a later run adds what came since, and rewrites what shows people who left
    #[arg(long, value_name = "type,date", value_enum, value_delimiter = ',', requires = "out")]
    partition: Vec<partition::By>,
}

/// Why a replay ended early.
#[derive(Debug)]
pub(super) enum Ended {
    /// Nobody reads any more, which is no failure: `dface replay | head`.
    Closed,
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Failed(Failure::work(error)) }
    }
}

/// Runs it.
pub async fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let settings = common.settings(&[])?;
    super::logging::start("warn")?;
    args.selection.check().map_err(|wrong| Failure::Usage(format!("--{wrong}")))?;
    let done = match &args.out {
        Some(dir) if !args.partition.is_empty() => {
            let source = Source::open(settings).await?;
            let done = partition::export(&source, &args.selection, dir, &args.partition).await;
            source.close().await;
            done
        }
        _ => whole(settings, args).await,
    };
    match done {
        Ok(()) | Err(Ended::Closed) => Ok(()),
        Err(Ended::Failed(failure)) => Err(failure),
    }
}

/// Writes all of it to one place.
async fn whole(settings: Settings, args: &Args) -> Result<(), Ended> {
    let mut sink = sink_of(args)?;
    let source = Source::open(settings).await?;
    let read = source.read(&args.selection, &mut *sink).await;
    source.close().await;
    read?;
    Ok(sink.finish()?)
}

fn sink_of(args: &Args) -> Result<Box<dyn Sink>, Failure> {
    let selection = &args.selection;
    if let Some(text) = selection.format.text() {
        return Ok(Box::new(TextSink::begin(text, Out::open(args.out.as_deref())?)));
    }
    if args.out.is_none() && io::stdout().is_terminal() {
        return Err(Failure::Usage("--format: parquet is not for a terminal; name a file with --out".to_owned()));
    }
    let table = Table::new(selection.profile, selection.only_type());
    let sink = ParquetSink::begin(table, Out::open(args.out.as_deref())?);
    Ok(Box::new(sink.map_err(Failure::work)?))
}
