//! Where the events come from: the directory itself, or the server that runs on it.

use std::{
    path::PathBuf,
    sync::{Arc, mpsc},
};

use dface_commands::Context;
use dface_domain::{envelope::Recorded, ports::EventStore as _};
use serde::Deserialize;

use super::{Ended, sink::Sink};
use crate::{
    cli::{
        Failure,
        target::{Server, existing},
    },
    replay::{Format, Profile, Row, Selection, Shaper, Shown, Step, Walk},
    settings::Settings,
    writing_side::WritingSide,
};

/// Batches of events that are read ahead.
const AHEAD: usize = 2;

/// A log that can be read.
pub enum Source {
    /// Opened by this process, with where it may sort.
    Directory(Box<WritingSide>, PathBuf),
    /// A server has it open.
    Server(Server),
}

impl Source {
    /// Opens it.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub async fn open(settings: Settings) -> Result<Self, Failure> {
        if let Some(server) = Server::find(&settings).await? {
            return Ok(Self::Server(server));
        }
        existing(&settings)?;
        let side = Box::pin(WritingSide::open(&settings)).await?;
        Ok(Self::Directory(Box::new(side), settings.data))
    }

    /// Closes what it opened.
    pub async fn close(self) {
        if let Self::Directory(side, _) = self {
            side.store.close().await;
        }
    }

    /// Which log it is, and its last position.
    ///
    /// # Errors
    /// The server's.
    pub async fn log(&self) -> Result<(String, u64), Failure> {
        #[derive(Deserialize)]
        struct Status {
            log: String,
            head: u64,
        }
        match self {
            Self::Server(server) => {
                let Status { log, head } = server.get_json("/admin/status").await?;
                Ok((log, head))
            }
            Self::Directory(side, _) => Ok((hex::encode(side.store.log_id()), side.store.head().0)),
        }
    }

    /// Gives what is selected to `sink`, in its order. A full read is kept in the audit log first.
    ///
    /// # Errors
    /// The log's, or where the sink writes to.
    pub async fn read(&self, selection: &Selection, sink: &mut dyn Sink) -> Result<(), Ended> {
        match self {
            Self::Server(server) => from_server(server, selection, sink).await,
            Self::Directory(side, dir) => from_directory(side, dir.clone(), selection.clone(), sink).await,
        }
    }
}

async fn from_directory(
    side: &WritingSide,
    dir: PathBuf,
    selection: Selection,
    sink: &mut dyn Sink,
) -> Result<(), Ended> {
    let commands = &side.commands;
    let shaper = Shaper::new(selection.profile, selection.raw, Arc::clone(commands.keys()), commands.shared_secret());
    let mut shown = Shown::new(selection.raw, shaper.clone());
    let (full, asked, store) = (selection.profile == Profile::Full, selection.to_query(), side.store.clone());
    let begun = tokio::task::spawn_blocking(move || Walk::begin(store, selection, shaper, (false, true), &dir));
    let walk = begun.await.map_err(Failure::work)?.map_err(Failure::work)?;
    if full {
        let context = Context::new(commands.fresh_id());
        commands.record_act("command line", "replay_full", &asked, &context).await.map_err(Failure::work)?;
    }
    let (batches, taken) = mpsc::sync_channel(AHEAD);
    let reading = tokio::task::spawn_blocking(move || read(walk, &batches));
    let gave = tokio::task::block_in_place(|| give(&taken, &mut shown, sink));
    // Whoever reads learns by it that nobody takes any more.
    drop(taken);
    let read = reading.await.map_err(Failure::work)?;
    gave?;
    Ok(read?)
}

/// Reads on one thread while another shows what was read.
fn read(mut walk: Walk, batches: &mpsc::SyncSender<Vec<Recorded>>) -> Result<(), Failure> {
    loop {
        match walk.step().map_err(Failure::work)? {
            Step::More(batch) => {
                if batches.send(batch).is_err() {
                    return Ok(());
                }
            }
            Step::Head(_) | Step::End => return Ok(()),
        }
    }
}

fn give(batches: &mpsc::Receiver<Vec<Recorded>>, shown: &mut Shown, sink: &mut dyn Sink) -> Result<(), Ended> {
    for batch in batches {
        for event in &batch {
            shown.row(event, |row| sink.row(row)).map_err(Failure::work)??;
        }
    }
    Ok(())
}

/// What a server says that could not go on.
#[derive(Deserialize)]
struct Broken {
    error: String,
}

/// The server sends NDJSON, whatever becomes of it here.
async fn from_server(server: &Server, selection: &Selection, sink: &mut dyn Sink) -> Result<(), Ended> {
    let asked = Selection { format: Format::Ndjson, ..selection.clone() };
    let mut answer = server.get(&format!("/events?{}", asked.to_query())).await?;
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let chunk = answer.chunk().await;
        let Some(chunk) = chunk.map_err(|_| Failure::Work("the server broke off; its log says why".to_owned()))? else {
            return Ok(());
        };
        rest.extend_from_slice(&chunk);
        let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        tokio::task::block_in_place(|| lines(&rest[..whole], sink))?;
        rest.drain(..whole);
    }
}

fn lines(whole: &[u8], sink: &mut dyn Sink) -> Result<(), Ended> {
    // Empty lines only keep the connection open.
    for line in whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        if line.starts_with(b"{\"code\":")
            && let Ok(broken) = serde_json::from_slice::<Broken>(line)
        {
            sink.pause()?;
            return Err(Failure::Work(broken.error).into());
        }
        let row = Row::from_json(line).map_err(|error| Failure::Work(format!("the server's answer: {error}")))?;
        sink.row(&row)?;
    }
    Ok(sink.pause()?)
}
