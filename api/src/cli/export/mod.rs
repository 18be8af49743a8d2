//! `dface export`: tables that the events of a replay are joined with. They are folded from the log, as it is now, by the same rules of what
//! is shown: ids are those that a replay of the same profile has.

mod campaigns;
mod shops;
mod table;
mod users;

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
};

use dface_domain::events::Field;

use self::{campaigns::Campaigns, shops::Shops, users::Users};
use super::{
    Common, Failure,
    replay::{Ended, Out, Sink, Source},
};
use crate::replay::{Format, Profile, Row, Selection};

/// `dface export`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: dface export shops --format parquet --out shops.parquet\n          \
                        dface export users --format csv\n          \
                        dface export campaigns | head\n\n\
                        docs/analysts.md joins them with events, and says what is shown of people.")]
pub struct Args {
    /// Which table
    #[arg(value_enum)]
    table: Which,
    /// What is shown of people
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
    /// The form of the output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Writes into this file, which is there when all of it is
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Which {
    /// Where they are, their type, how many work there
    Shops,
    /// When they came and left, sex, visibility; names with `--profile full` alone
    Users,
    /// What they offer and when, how many coupons were delivered and used
    Campaigns,
}

/// A table that events are folded into.
trait Dimension: Default + Send {
    /// Its columns, in the order of what `rows` gives.
    const FIELDS: &'static [Field];
    /// The types of events that it is made of.
    const TYPES: &'static [&'static str];

    /// Takes an event; those come in their order.
    ///
    /// # Errors
    /// Its data is not as the type says.
    fn event(&mut self, row: &Row<'_>) -> serde_json::Result<()>;

    /// Its rows as JSON objects, in the order of their making.
    fn rows(self) -> impl Iterator<Item = serde_json::Result<String>>;
}

/// Folds what is read.
struct Fold<D>(D);

impl<D: Dimension> Sink for Fold<D> {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let malformed = |error| io::Error::other(format!("the event at position {}: {error}", row.position));
        self.0.event(row).map_err(malformed)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// Runs it.
pub async fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let settings = common.settings(&[])?;
    super::logging::start("warn")?;
    if args.format == Format::Parquet && args.out.is_none() && io::stdout().is_terminal() {
        return Err(Failure::Usage("--format: parquet is not for a terminal; name a file with --out".to_owned()));
    }
    let source = Source::open(settings).await?;
    let done = match args.table {
        Which::Shops => export::<Shops>(&source, args).await,
        Which::Users => export::<Users>(&source, args).await,
        Which::Campaigns => export::<Campaigns>(&source, args).await,
    };
    source.close().await;
    match done {
        Ok(()) | Err(Ended::Closed) => Ok(()),
        Err(Ended::Failed(failure)) => Err(failure),
    }
}

async fn export<D: Dimension>(source: &Source, args: &Args) -> Result<(), Ended> {
    let types = D::TYPES.iter().map(|name| (*name).to_owned()).collect();
    let selection = Selection { types, profile: args.profile, ..Selection::default() };
    let out = Out::open(args.out.as_deref())?;
    let mut fold = Fold(D::default());
    source.read(&selection, &mut fold).await?;
    tokio::task::block_in_place(|| table::write(D::FIELDS, fold.0.rows(), args.format, args.profile, out))?;
    Ok(())
}
