//! What nodes tell each other of what is kept nowhere (ARCHITECTURE.md, "Between nodes"): who is in a room, who is writing, one's own streams.
//!
//! | file | does |
//! |---|---|
//! | `wire` | signals as they go from node to node |
//! | `teller` | telling, without waiting |
//! | `peers` | which nodes are there, and what of them was missed |
//! | `act` | what a signal does here |
//! | `elsewhere` | one's own streams on other nodes |
//!
//! Who missed a signal finds a gap in the numbers, at the latest with the next sign of life, and asks for the whole: the node tells all that is so, and what it does
//! not tell meanwhile is so no more.

mod act;
mod elsewhere;
mod peers;
mod teller;
mod wire;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dface_domain::{
    messages::Party,
    signals::{Heard, Signals},
};
use dface_workers::signals::amqp::{AmqpSignals, SignalsConfig};
use metrics::{counter, gauge};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
    time::{interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use self::{
    elsewhere::Elsewhere,
    teller::{Place, Teller},
    wire::{Seat, Signal},
};
use self::{
    peers::Peers,
    wire::{Head, Sealer},
};
use super::{chat::Chat, session::Session, stanzas::presence};
use crate::{
    metrics as names,
    node::{Node, StartError},
    settings::{QueueAddress, Role},
};

/// Those who ask for the whole within this time are answered together.
const TOGETHER: Duration = Duration::from_millis(100);

/// Streams that are in a room, in one signal.
const SEATS: usize = 50;

/// Streams that are available, in one signal.
const STREAMS: usize = 200;

/// How long a node that stops has to say so.
const LEAVING: Duration = Duration::from_secs(1);

/// A node's way to the others.
pub struct Way {
    /// This node; unlike any other.
    pub node: Uuid,
    /// How it reaches them.
    pub signals: Arc<dyn Signals>,
}

/// The way to the other nodes, where the log is shared and there is a broker: without one each node knows its own streams alone.
///
/// # Errors
/// The broker's certificates cannot be read.
pub fn open(node: &Node) -> Result<Option<Way>, StartError> {
    let (settings, QueueAddress::Amqp { url, .. }) = (&node.settings, &node.settings.queue) else { return Ok(None) };
    if node.leases.is_alone() || !settings.roles.has(Role::Chat) {
        return Ok(None);
    }
    let id = node.leases.identity().node;
    let config = SignalsConfig {
        amqp: settings.amqp_config(url)?,
        node: id.simple().to_string(),
        queue: settings.signals.queue,
        queue_bytes: settings.signals.queue_bytes,
    };
    let signals: Arc<dyn Signals> = Arc::new(AmqpSignals::connect(config, Arc::clone(node.commands.clock())));
    Ok(Some(Way { node: id, signals: Arc::clone(node.signals.get_or_init(|| signals)) }))
}

/// The other nodes, as the chat of this one knows them.
pub struct Others {
    /// What the other nodes are told by.
    pub teller: Teller,
    /// One's own streams there.
    pub elsewhere: Elsewhere,
    peers: Mutex<Peers>,
    /// Somebody asks for the whole.
    asked: Notify,
    /// What the tasks need, until they run.
    begin: Mutex<Option<Begin>>,
}

struct Begin {
    way: Arc<dyn Signals>,
    sealer: Sealer,
    told: mpsc::Receiver<(u64, Signal)>,
}

impl Others {
    /// As the way leads to them; without one there are none.
    #[must_use]
    pub fn new(node: &Node, way: Option<Way>) -> Self {
        let settings = &node.settings.signals;
        let (mut teller, mut begin) = (Teller::default(), None);
        if let Some(Way { node: own, signals: way }) = way {
            let (telling, told) = Teller::new(own, settings.waiting);
            let run = u64::from_be_bytes(node.commands.entropy().bytes());
            let sealer = Sealer::new(node.commands.secret(), own, run);
            (teller, begin) = (telling, Some(Begin { way, sealer, told }));
        }
        Self {
            teller,
            elsewhere: Elsewhere::default(),
            peers: Mutex::new(Peers::new(Duration::from_secs(settings.silent_s))),
            asked: Notify::new(),
            begin: Mutex::new(begin),
        }
    }
}

/// Tells and hears, until `stop`; at once over where there is no way to others.
pub async fn run(chat: Arc<Chat>, stop: CancellationToken) {
    let Some(Begin { way, sealer, told }) = chat.others.begin.lock().take() else { return };
    let mut tasks = JoinSet::new();
    let handing_on = teller::hand_on(Arc::clone(&way), sealer, told);
    tasks.spawn(hear(Arc::clone(&chat), way, stop.clone()));
    tasks.spawn(tell_whole(Arc::clone(&chat), stop.clone()));
    tasks.spawn(live(Arc::clone(&chat), stop));
    // It ends by itself, with the word that this node leaves, unless nobody takes that.
    let handing_on = tokio::spawn(handing_on);
    tasks.join_all().await;
    chat.others.teller.tell(|| Signal::Leaving);
    let ending = handing_on.abort_handle();
    if timeout(LEAVING, handing_on).await.is_err() {
        ending.abort();
    }
}

/// Hears the others.
async fn hear(chat: Arc<Chat>, way: Arc<dyn Signals>, stop: CancellationToken) {
    while let Some(heard) = stop.run_until_cancelled(way.hear()).await {
        match heard {
            Heard::Connected => {
                chat.others.peers.lock().asks_all(Instant::now());
                chat.others.teller.tell(|| Signal::Ask(None));
                // Who missed what was told here meanwhile finds out by the number of that.
            }
            Heard::Message(bytes) => message(&chat, &bytes),
        }
    }
}

/// Gives a sign of life now and then, and finds out who gives none.
async fn live(chat: Arc<Chat>, stop: CancellationToken) {
    let mut due = interval(Duration::from_secs(chat.node.settings.signals.every_s));
    while stop.run_until_cancelled(due.tick()).await.is_some() {
        chat.others.teller.tell(|| Signal::Here);
        let silent = chat.others.peers.lock().silent(Instant::now());
        for node in silent {
            tracing::info!(%node, "nothing was heard of a node: who was there is gone");
            lose(&chat, node);
        }
        tell_metrics(&chat);
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
fn tell_metrics(chat: &Chat) {
    gauge!(names::SIGNALS_NODES).set(chat.others.peers.lock().count() as f64);
    gauge!(names::CHAT_OCCUPANTS_ELSEWHERE).set(chat.rooms.elsewhere() as f64);
}

/// Tells all that is so, whenever somebody asked. It waits for room, so that it always comes to an end.
async fn tell_whole(chat: Arc<Chat>, stop: CancellationToken) {
    let teller = &chat.others.teller;
    stop.run_until_cancelled(async {
        loop {
            chat.others.asked.notified().await;
            sleep(TOGETHER).await;
            let Some(place) = teller.place().await else { return };
            place.tell(Signal::Whole);
            let mut at = None;
            loop {
                let Some(place) = teller.place().await else { return };
                at = chat.rooms.tell_part(at, SEATS, place);
                if at.is_none() {
                    break;
                }
            }
            if tell_streams(&chat).await.is_none() {
                return;
            }
            let Some(place) = teller.place().await else { return };
            place.tell(Signal::Done);
        }
    })
    .await;
}

/// Tells which streams of this node are available; none where nobody is to be told any more.
async fn tell_streams(chat: &Chat) -> Option<()> {
    let teller = &chat.others.teller;
    let is_there = |one: &Arc<Session>| one.state.presence().is_some();
    for some in chat.sessions.all().chunks(STREAMS) {
        let place = teller.place().await?;
        let there: Vec<&Arc<Session>> = some.iter().filter(|one| is_there(one)).collect();
        place.tell(Signal::Streams(there.iter().map(|one| (one.owner, one.resource.to_string())).collect()));
        // What went in this very moment may have been told before that.
        for gone in there.iter().filter(|one| !is_there(one)) {
            teller.tell(|| Signal::Gone { owner: gone.owner, resource: gone.resource.to_string() });
        }
    }
    Some(())
}

/// Something came from another node.
fn message(chat: &Chat, bytes: &[u8]) {
    let Some(head) = Head::read(bytes).filter(|head| head.node != chat.others.teller.node()) else { return };
    counter!(names::SIGNALS_HEARD_TOTAL).increment(1);
    let now = Instant::now();
    let known = chat.others.peers.lock().sealer(&head).map(|sealer| sealer.open(&head, bytes));
    let opened = match known {
        Some(opened) => opened,
        None => {
            let sealer = Sealer::new(chat.node.commands.secret(), head.node, head.run);
            let opened = sealer.open(&head, bytes);
            if opened.is_some() && chat.others.peers.lock().begins(&head, sealer, now) {
                lose(chat, head.node);
            }
            opened
        }
    };
    let Some(signal) = opened else {
        counter!(names::SIGNALS_MISSED_TOTAL, "why" => "forged").increment(1);
        return;
    };
    let Some(missed) = chat.others.peers.lock().heard(&head, now) else { return };
    if missed > 0 {
        counter!(names::SIGNALS_MISSED_TOTAL, "why" => "lost").increment(missed);
    }
    match signal {
        Ok(signal) => act::act(chat, head.node, signal),
        // A newer program tells things that this one does not know.
        Err(_) => counter!(names::SIGNALS_MISSED_TOTAL, "why" => "newer").increment(1),
    }
    if chat.others.peers.lock().asks(head.node, now) {
        chat.others.teller.tell(|| Signal::Ask(Some(head.node)));
    }
}

/// The log says that a node's term is over: who was there is gone. A node that is there all the same is met anew with its next signal.
pub(in crate::xmpp) fn ended(chat: &Chat, node: Uuid) {
    if chat.others.peers.lock().ends(node) {
        lose(chat, node);
    }
}

/// All that was so on a node is so no more.
fn lose(chat: &Chat, node: Uuid) {
    chat.rooms.lose(node);
    are_gone(chat, chat.others.elsewhere.lose(node));
}

/// Streams of another node are available no more.
fn are_gone(chat: &Chat, streams: Vec<(Party, Box<str>)>) {
    for (owner, resource) in streams {
        presence::gone_elsewhere(chat, owner, &resource);
    }
}

#[cfg(test)]
mod tests;
