//! `dface stats`: a table on a terminal, JSON lines elsewhere; each line says in `of` what it counts.

use std::{
    io::{self, IsTerminal, Write, stdout},
    sync::Arc,
};

use dface_commands::system::SystemClock;
use dface_projections::projector::positions;
use serde::Serialize;

use super::{
    Common, Failure, print_json,
    target::{Server, existing},
};
use crate::{
    settings::Settings,
    stats::{Stats, count},
    store::Store,
};

/// `dface stats`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: dface stats\n\nA table on a terminal. Elsewhere JSON lines: {\"of\": \"log\" | \"type\" | \"day\" | \
                        \"streams\" | \"size\" | \"lag\" | \"boots\", …}, the last with --boots alone. Days are those of append, in UTC."
)]
pub struct Args {
    /// The starts of the app alone, by day, version, model and system
    #[arg(long)]
    boots: bool,
}

/// Runs it.
pub async fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let settings = common.settings(&[])?;
    super::logging::start("warn")?;
    let stats = match Server::find(&settings).await? {
        Some(server) => server.get_json("/admin/stats").await?,
        None => {
            existing(&settings)?;
            of_directory(settings).await?
        }
    };
    if args.boots {
        return if stdout().is_terminal() {
            boots_table(&stats, &mut stdout().lock()).map_err(Failure::work)
        } else {
            stats.boots.iter().try_for_each(|what| print_json(&Line { of: "boots", what }))
        };
    }
    if stdout().is_terminal() { table(&stats, &mut stdout().lock()).map_err(Failure::work) } else { lines(&stats) }
}

async fn of_directory(settings: Settings) -> Result<Stats, Failure> {
    let store = Store::open(&settings, Arc::new(SystemClock)).await?;
    let read = settings.data.join("read");
    let models = if read.is_dir() { positions(&read).map_err(Failure::work)? } else { Vec::new() };
    let reader = store.clone();
    let counted = tokio::task::spawn_blocking(move || count(&reader, &settings.data, models)).await;
    store.close().await;
    counted.map_err(Failure::work)?.map_err(Failure::work)
}

#[derive(Serialize)]
struct Line<'a, T> {
    of: &'static str,
    #[serde(flatten)]
    what: &'a T,
}

fn lines(stats: &Stats) -> Result<(), Failure> {
    print_json(&serde_json::json!({ "of": "log", "head": stats.head, "events": stats.events }))?;
    stats.types.iter().try_for_each(|what| print_json(&Line { of: "type", what }))?;
    stats.days.iter().try_for_each(|what| print_json(&Line { of: "day", what }))?;
    stats.streams.iter().try_for_each(|what| print_json(&Line { of: "streams", what }))?;
    stats.sizes.iter().try_for_each(|what| print_json(&Line { of: "size", what }))?;
    stats.lag.iter().try_for_each(|what| print_json(&Line { of: "lag", what }))
}

fn boots_table(stats: &Stats, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:<12} {:<10} {:<20} {:<16} {:>10}", "day (UTC)", "version", "model", "system", "starts")?;
    for one in &stats.boots {
        writeln!(out, "{:<12} {:<10} {:<20} {:<16} {:>10}", one.day, one.version, one.model, one.os, one.boots)?;
    }
    Ok(())
}

fn table(stats: &Stats, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{} events, the last at position {}\n", stats.events, stats.head)?;
    writeln!(out, "{:<22} {:>12} {:>14}  {:<27}  last", "type", "events", "bytes", "first")?;
    for one in &stats.types {
        writeln!(out, "{:<22} {:>12} {:>14}  {}  {}", one.name, one.events, one.bytes, one.first, one.last)?;
    }
    writeln!(out, "\n{:<12} {:<22} {:>10}", "day (UTC)", "type", "events")?;
    for one in &stats.days {
        writeln!(out, "{:<12} {:<22} {:>10}", one.day, one.name, one.events)?;
    }
    writeln!(out, "\n{:<12} {:>12}", "streams", "")?;
    for one in &stats.streams {
        writeln!(out, "{:<12} {:>12}", one.category, one.streams)?;
    }
    writeln!(out, "\n{:<12} {:>12}", "on disk", "bytes")?;
    for one in &stats.sizes {
        writeln!(out, "{:<12} {:>12}", one.part, one.bytes)?;
    }
    writeln!(out, "\n{:<12} {:>12} {:>10}", "read model", "position", "lag")?;
    for one in &stats.lag {
        writeln!(out, "{:<12} {:>12} {:>10}", one.name, one.position, one.lag)?;
    }
    Ok(())
}
