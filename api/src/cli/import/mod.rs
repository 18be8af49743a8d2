//! `dface import`: shops, check-ins, follows and watches from tables.

mod read;
mod sink;
mod tally;

use std::path::{Path, PathBuf};

use dface_domain::ports::Entropy;
use uuid::Uuid;

use self::{read::Piece, sink::Sink, tally::Tally};
use super::{
    Common, Failure, print_json,
    progress::{self, RowProgress},
    target::Target,
};
use crate::import::{
    Batch, CheckinRow, Datum, FollowRow, ShopRow, Table, WatchRow, batch::Import, checked_source, table::TableError,
};

const HELP: &str = "\
A table is TSV (without quoting) or CSV (with quoting), told apart by its header line, whose names say which column is \
what; other columns are ignored. Packed with gzip or not; `-` is standard input.

The ids in a table are those of its source. Tables of one --source join: check-ins find the shops and people, follows \
the people, that were imported under the same name. A person's sign-in name is SOURCE-ID.

What is in already is counted and left as it is, so a second run adds nothing. A bad row (wrong number of columns, no \
number, no name) is told with its line and counted; with more than --max-errors of them the import ends with exit code \
1, and what was read stays. A row that is well made but refers to what is not there (a shop or a person) is skipped: \
the first ten of each kind are told, all are counted, and they do not count towards --max-errors.

The result is one line of JSON on standard output: {\"rows\", \"added\", \"already_there\", \"skipped\", \"bad\", \
\"reasons\": {REASON: ROWS}, \"users\", \"seconds\"}; rows = added + already_there + skipped + bad, users are the \
accounts made.

Examples:
  dface import shops hangzhou_osm.tsv.gz
  dface import shops amap.csv --datum gcj02
  dface import shops gowalla_nyc_named.tsv.gz --source gowalla
  dface import checkins gowalla_nyc_2009_2010.tsv.gz --source gowalla --create-users
  zcat follows.tsv.gz | dface import follows - --source gowalla
  dface import watches factory.csv";

/// `dface import`
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Shops: columns id, name, lat, lng; where there are any address, phone, and type (1 to 6) or category
    #[command(after_help = HELP)]
    Shops {
        #[command(flatten)]
        from: From,
        /// Which coordinates it has
        #[arg(long, value_enum, default_value_t)]
        datum: Datum,
    },
    /// Check-ins: columns user_id, venue_id, lat, lng, utc_time
    #[command(
        long_about = "Check-ins: columns user_id, venue_id, lat, lng, utc_time (RFC 3339; without an offset, UTC).\n\nThe \
                      same person, shop and minute is one check-in. One at a shop that this source does not have is \
                      skipped and counted; import the shops first.",
        after_help = HELP
    )]
    Checkins {
        #[command(flatten)]
        from: From,
        /// Makes unknown people, who sign in as SOURCE-ID once they are given a password
        #[arg(long)]
        create_users: bool,
    },
    /// Who follows whom: columns user, follows
    #[command(after_help = HELP)]
    Follows {
        #[command(flatten)]
        from: From,
        /// Makes unknown people, who sign in as SOURCE-ID once they are given a password
        #[arg(long)]
        create_users: bool,
    },
    /// Watches from the factory's list: columns imei, key and, where one is printed on them, code
    #[command(
        long_about = "Watches from the factory's list: columns imei, key and, where one is printed on them, code.\n\nA \
                      guardian takes a watch into a circle by its code, or by its key where it has no code. Keys and \
                      codes are kept as hashes. Another key or code for a known watch replaces the earlier one.",
        after_help = HELP
    )]
    Watches {
        #[command(flatten)]
        from: From,
    },
}

#[derive(Debug, clap::Args)]
struct From {
    /// The table; `-` for standard input
    file: PathBuf,
    /// Whose ids the table has; the file's name without .tsv, .csv and .gz (standard input: `stdin`)
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Bad rows with which the import goes on; the setting limits.import_errors (100)
    #[arg(long, value_name = "N")]
    max_errors: Option<u64>,
}

/// What all batches of a run share.
struct Run {
    source: String,
    datum: Datum,
    create_users: bool,
    max_errors: u64,
}

/// Runs it.
pub async fn run(common: &Common, args: Args) -> Result<(), Failure> {
    match args.what {
        What::Shops { from, datum } => import::<ShopRow>(common, from, datum, false).await,
        What::Checkins { from, create_users } => {
            import::<CheckinRow>(common, from, Datum::default(), create_users).await
        }
        What::Watches { from } => import::<WatchRow>(common, from, Datum::default(), false).await,
        What::Follows { from, create_users } => import::<FollowRow>(common, from, Datum::default(), create_users).await,
    }
}

async fn import<R: Import>(common: &Common, from: From, datum: Datum, create_users: bool) -> Result<(), Failure> {
    let settings = common.settings(&[])?;
    super::logging::start("warn")?;
    let source = from.source.unwrap_or_else(|| stem(&from.file));
    checked_source(&source).map_err(|problem| Failure::Usage(format!("--source: `{source}` {problem}")))?;
    let named = |error: TableError| named(&from.file, &error);
    let table = Table::open(&from.file).map_err(named)?;
    table.expect::<R>().map_err(named)?;
    let max_errors = from.max_errors.unwrap_or(settings.limits.import_errors);
    let run = Run { source, datum, create_users, max_errors };
    let target = Target::of(settings).await?;
    let done = match &target {
        Target::Server(server) => whole::<R>(server, &run, table, &from.file).await,
        Target::Directory(node) => whole::<R>(node.as_ref(), &run, table, &from.file).await,
    };
    target.close().await;
    done
}

/// The file's name without .gz, .tsv and .csv.
fn stem(file: &Path) -> String {
    if file.as_os_str() == "-" {
        return "stdin".to_owned();
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let name = name.strip_suffix(".tsv").or_else(|| name.strip_suffix(".csv")).unwrap_or(name);
    name.to_owned()
}

fn named(file: &Path, error: &TableError) -> Failure {
    let text = format!("FILE {}: {error}", file.display());
    match error {
        TableError::Unusable(_) => Failure::Usage(text),
        TableError::Broken(_) => Failure::Work(text),
    }
}

/// From the first row to the result line, which is printed whatever happens: what was read stays.
async fn whole<R: Import>(sink: &impl Sink, run: &Run, table: Table, file: &Path) -> Result<(), Failure> {
    let progress = progress::rows(R::KIND, table.size());
    let (pieces, reader) = read::pieces::<R>(table, run.max_errors);
    let mut tally = Tally::default();
    let imported = put_all(sink, run, pieces, &mut tally, &progress).await;
    progress.finish(tally.rows());
    tally.close(&run.source, &progress);
    print_json(&tally)?;
    imported?;
    if tally.bad() > run.max_errors {
        return Err(Failure::Work(format!(
            "more than {} bad rows (--max-errors, setting limits.import_errors); what was read stays",
            run.max_errors
        )));
    }
    reader.await.map_err(Failure::work)?.map_err(|error| named(file, &error))
}

async fn put_all<R: Import>(
    sink: &impl Sink,
    run: &Run,
    mut pieces: tokio::sync::mpsc::Receiver<Piece<R>>,
    tally: &mut Tally,
    progress: &RowProgress,
) -> Result<(), Failure> {
    let mut bytes = [0; 16];
    dface_commands::system::SystemEntropy.fill(&mut bytes);
    let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
    while let Some(piece) = pieces.recv().await {
        tally.note(piece.bad, progress);
        if !piece.rows.is_empty() {
            let done = sink.put(batch(run, id, piece.rows)).await?;
            tally.made(done.users);
            tally.note(done.rows, progress);
        }
        progress.set(piece.taken, tally.rows());
        if tally.bad() > run.max_errors {
            break;
        }
    }
    Ok(())
}

fn batch<R>(run: &Run, id: Uuid, rows: Vec<R>) -> Batch<R> {
    Batch { run: id, source: run.source.clone(), datum: run.datum, create_users: run.create_users, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_as_the_file() {
        for (file, source) in [
            ("a/hangzhou_osm.tsv.gz", "hangzhou_osm"),
            ("b.csv", "b"),
            ("c.d.tsv", "c.d"),
            ("e", "e"),
            ("f.gz", "f"),
            ("-", "stdin"),
        ] {
            assert_eq!(stem(Path::new(file)), source);
        }
    }
}
