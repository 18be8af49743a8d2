//! `dface replay`: the event log for analysts.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::{Arc, mpsc},
};

use dface_commands::Context;
use serde::Deserialize;

use super::{
    Common, Failure,
    target::{Server, existing},
};
use crate::{
    replay::{Profile, Selection, Shaper, Step, Walk},
    settings::Settings,
    writing_side::WritingSide,
};

/// `dface replay`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: dface replay --type CheckedIn --since 2012-12-01T00:00:00+08:00\n          \
                        dface replay --by occurred --format csv --out events.csv\n          \
                        dface replay --profile full --stream user-7\n\n\
                        docs/events.md lists the types and what a profile shows of each field.")]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Writes into this file, which is there when all of it is
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs it.
pub async fn run(common: &Common, args: Args) -> Result<(), Failure> {
    let settings = common.settings(&[])?;
    super::logging::start("warn")?;
    args.selection.check().map_err(|wrong| Failure::Usage(format!("--{wrong}")))?;
    let mut out = Out::open(args.out)?;
    let done = match Server::find(&settings).await? {
        Some(server) => from_server(&server, &args.selection, &mut out).await,
        None => {
            existing(&settings)?;
            from_directory(settings, args.selection, &mut out).await
        }
    };
    match done {
        Ok(()) => out.finish().or_else(quiet),
        Err(Ended::Closed) => Ok(()),
        Err(Ended::Failed(failure)) => Err(failure),
    }
}

/// Why writing ended early.
enum Ended {
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

fn quiet(error: io::Error) -> Result<(), Failure> {
    match Ended::from(error) {
        Ended::Closed => Ok(()),
        Ended::Failed(failure) => Err(failure),
    }
}

enum Out {
    Standard(io::Stdout),
    File { writer: BufWriter<File>, part: PathBuf, path: PathBuf },
}

impl Out {
    fn open(path: Option<PathBuf>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Standard(io::stdout())) };
        let mut name = path.clone().into_os_string();
        name.push(".part");
        let part = PathBuf::from(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let file = file.map_err(|e| Failure::Usage(format!("--out: cannot write {}: {e}", part.display())))?;
        Ok(Self::File { writer: BufWriter::new(file), part, path })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.write_all(bytes),
            Self::File { writer, .. } => writer.write_all(bytes),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Standard(mut out) => out.flush(),
            Self::File { writer, part, path } => {
                writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
                fs::rename(part, path)
            }
        }
    }
}

async fn from_directory(settings: Settings, selection: Selection, out: &mut Out) -> Result<(), Ended> {
    let WritingSide { store, commands, .. } = Box::pin(WritingSide::open(&settings)).await.map_err(Failure::from)?;
    let (keys, hash) = (Arc::clone(commands.keys()), commands.shared_secret());
    let shaper = Shaper::new(selection.profile, selection.raw, keys, hash);
    let (full, asked, data) = (selection.profile == Profile::Full, selection.to_query(), settings.data.clone());
    let reader = store.clone();
    let begun = tokio::task::spawn_blocking(move || Walk::begin(reader, selection, shaper, (false, true), &data));
    let walk = begun.await.map_err(Failure::work)?.map_err(Failure::work)?;
    if full {
        let context = Context::new(commands.fresh_id());
        commands.record_act("command line", "replay_full", &asked, &context).await.map_err(Failure::work)?;
    }
    let (pieces, written) = mpsc::sync_channel::<Vec<u8>>(8);
    let reading = tokio::task::spawn_blocking(move || read(walk, &pieces));
    let wrote = tokio::task::block_in_place(|| written.iter().try_for_each(|piece| out.write(&piece)));
    drop(written);
    let read = reading.await.map_err(Failure::work)?;
    store.close().await;
    wrote?;
    Ok(read?)
}

/// Reads on one thread while another writes.
fn read(mut walk: Walk, pieces: &mpsc::SyncSender<Vec<u8>>) -> Result<(), Failure> {
    loop {
        match walk.step().map_err(Failure::work)? {
            Step::More(piece) if piece.is_empty() => {}
            Step::More(piece) => {
                if pieces.send(piece).is_err() {
                    return Ok(());
                }
            }
            Step::Head(_) | Step::End => return Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Broken {
    error: String,
}

async fn from_server(server: &Server, selection: &Selection, out: &mut Out) -> Result<(), Ended> {
    let mut answer = server.get(&format!("/events?{}", selection.to_query())).await?;
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let chunk = answer.chunk().await;
        let Some(chunk) = chunk.map_err(|_| Failure::Work("the server broke off; its log says why".to_owned()))? else {
            return Ok(());
        };
        rest.extend_from_slice(&chunk);
        let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let mut piece = Vec::with_capacity(whole);
        // Empty lines only keep the connection open.
        for line in rest[..whole].split_inclusive(|byte| *byte == b'\n').filter(|line| line.len() > 1) {
            if line.starts_with(b"{\"code\":")
                && let Ok(broken) = serde_json::from_slice::<Broken>(line)
            {
                out.write(&piece)?;
                return Err(Failure::Work(broken.error).into());
            }
            piece.extend_from_slice(line);
        }
        out.write(&piece)?;
        rest.drain(..whole);
    }
}
