//! A stand-in for an EventStoreDB / KurrentDB cluster on loopback: the protocol of the real one over gRPC, one log in memory, as many nodes as
//! asked for. It can be cut off, answer late, lose what it was sent or what it answers, and change its leader.
//!
//! Nobody had a real server at hand when it was written: it does what the protocol's files and the server's documents say. Where these are
//! silent it guesses, and says so at the place. It knows the calls that our adapter makes, and answers all others with `UNIMPLEMENTED`.

mod calls;
mod filling;
mod grpc;
mod log;
mod reading;
mod serving;
mod wire;

use std::{net::TcpListener, sync::Arc, thread, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};
use tokio_util::sync::{CancellationToken, DropGuard};

use self::log::Log;
pub use self::{
    filling::{Fact, bytes_of},
    log::Record,
};
use crate::Certificate;

/// What happens to an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It is lost on the way: nothing is written.
    Request,
    /// It is written, and the answer is lost.
    Answer,
}

/// What was asked of it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Appends.
    pub appends: u64,
    /// Reads of single streams.
    pub streams: u64,
    /// Reads of the log.
    pub log: u64,
    /// Subscriptions to the log.
    pub subscriptions: u64,
}

/// The cluster. Clones share it; it ends with the last one.
#[derive(Clone)]
pub struct StandIn {
    cluster: Arc<Cluster>,
    _end: Arc<DropGuard>,
}

/// Who may connect, and how.
#[derive(Default)]
struct Guard {
    tls: Option<TlsAcceptor>,
    /// The header that says who calls.
    authorization: Option<String>,
}

/// What its nodes share.
struct Cluster {
    ports: Vec<u16>,
    guard: Guard,
    log: Mutex<Log>,
    state: Mutex<State>,
    /// Moves whenever something is written or the leader changes.
    news: watch::Sender<u64>,
}

struct State {
    leader: Option<usize>,
    /// Nodes that cannot be reached.
    away: Vec<bool>,
    /// Ends the connections of each node.
    connections: Vec<CancellationToken>,
    delay: Duration,
    losses: Vec<Loss>,
    /// The largest append that is taken, in bytes.
    most_bytes: usize,
    at_once: usize,
    most_at_once: usize,
    asked: Asked,
    /// Whether subscriptions are told nothing for now.
    silent: bool,
}

impl Cluster {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn tell(&self) {
        self.news.send_modify(|news| *news += 1);
    }
}

impl StandIn {
    /// A server of one node.
    #[must_use]
    pub fn start() -> Self {
        Self::cluster(1)
    }

    /// A cluster of so many nodes; the first one leads.
    ///
    /// # Panics
    /// No port is free.
    #[must_use]
    pub fn cluster(nodes: usize) -> Self {
        Self::begin(nodes, Guard::default())
    }

    /// A server that talks TLS alone and answers nobody else.
    ///
    /// # Panics
    /// The certificate cannot be used.
    #[must_use]
    pub fn secured(certificate: &Certificate, user: &str, password: &str) -> Self {
        let chain = CertificateDer::from_pem_file(&certificate.cert).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(&certificate.key).expect("a key");
        let config =
            ServerConfig::builder_with_provider(default_provider().into()).with_safe_default_protocol_versions();
        let config = config.expect("versions of TLS").with_no_client_auth();
        let mut config = config.with_single_cert(vec![chain], key).expect("they belong together");
        config.alpn_protocols = vec![b"h2".to_vec()];
        let authorization = Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
        Self::begin(1, Guard { tls: Some(TlsAcceptor::from(Arc::new(config))), authorization })
    }

    fn begin(nodes: usize, guard: Guard) -> Self {
        let listeners: Vec<_> = (0..nodes).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let port = |listener: &TcpListener| listener.local_addr().expect("it listens").port();
        let state = State {
            leader: Some(0),
            away: vec![false; nodes],
            connections: (0..nodes).map(|_| CancellationToken::new()).collect(),
            delay: Duration::ZERO,
            losses: Vec::new(),
            most_bytes: 1 << 20,
            at_once: 0,
            most_at_once: 0,
            asked: Asked::default(),
            silent: false,
        };
        let cluster = Arc::new(Cluster {
            ports: listeners.iter().map(port).collect(),
            guard,
            log: Mutex::new(Log::begun()),
            state: Mutex::new(state),
            news: watch::Sender::new(0),
        });
        let end = CancellationToken::new();
        let serving = (Arc::clone(&cluster), end.clone());
        thread::spawn(move || serving::serve(&serving.0, listeners, &serving.1));
        Self { cluster, _end: Arc::new(end.drop_guard()) }
    }

    /// The connection string: one host for a server, all of them for a cluster.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.cluster.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let tls = self.cluster.guard.tls.is_some();
        format!("esdb://{}?tls={tls}&discoveryInterval=20&gossipTimeout=1000", hosts.join(","))
    }

    /// No node can be reached any more, and all connections end.
    pub fn cut(&self) {
        for node in 0..self.cluster.ports.len() {
            self.cut_node(node);
        }
    }

    /// One node cannot be reached any more.
    pub fn cut_node(&self, node: usize) {
        let mut state = self.cluster.state();
        state.away[node] = true;
        state.connections[node].cancel();
    }

    /// All nodes can be reached again.
    pub fn heal(&self) {
        let mut state = self.cluster.state();
        let State { away, connections, .. } = &mut *state;
        for (away, connections) in away.iter_mut().zip(connections).filter(|(away, _)| **away) {
            *away = false;
            *connections = CancellationToken::new();
        }
    }

    /// Every call waits so long before it is looked at.
    pub fn delay(&self, delay: Duration) {
        self.cluster.state().delay = delay;
    }

    /// What happens to the next appends, the first one first.
    pub fn lose(&self, mut losses: Vec<Loss>) {
        losses.reverse();
        self.cluster.state().losses = losses;
    }

    /// Another node leads from now on, or none until the next call.
    pub fn elect(&self, leader: Option<usize>) {
        self.cluster.state().leader = leader;
        self.cluster.tell();
    }

    /// Who leads.
    #[must_use]
    pub fn leader(&self) -> Option<usize> {
        self.cluster.state().leader
    }

    /// Deletes a stream for good.
    pub fn delete(&self, stream: &str) {
        self.cluster.log.lock().delete(stream);
        self.cluster.tell();
    }

    /// The largest append that is taken, in bytes.
    pub fn takes_at_most(&self, bytes: usize) {
        self.cluster.state().most_bytes = bytes;
    }

    /// All that it holds in streams whose names begin with `prefix`.
    #[must_use]
    pub fn records(&self, prefix: &str) -> Vec<Record> {
        let log = self.cluster.log.lock();
        log.records().iter().filter(|record| record.stream.starts_with(prefix)).cloned().collect()
    }

    /// How many calls were looked at together since this was asked last, at most.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        std::mem::take(&mut self.cluster.state().most_at_once)
    }

    /// What was asked since this was asked last.
    #[must_use]
    pub fn asked(&self) -> Asked {
        std::mem::take(&mut self.cluster.state().asked)
    }

    /// Whether subscriptions are told nothing from now on; what was written meanwhile they are told afterwards.
    pub fn silent(&self, silent: bool) {
        self.cluster.state().silent = silent;
        self.cluster.tell();
    }

    /// How many appends were repeats.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        self.cluster.log.lock().repeats
    }
}
