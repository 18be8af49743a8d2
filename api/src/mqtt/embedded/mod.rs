//! The broker inside the process, over rmqtt. What rmqtt leaves open is guarded here: the Last Will, client ids of others, what
//! clients publish, and subscriptions of those who have left.

mod clients;
mod fitter;
mod guards;
mod marks;
mod resume;
mod scoped;

use std::{
    io,
    net::SocketAddr,
    num::NonZeroU16,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dface_domain::{
    envelope::LogPosition,
    ids::{GroupId, Imei, UserId},
    ports::PortFuture,
    time::Timestamp,
    topics::{self, Account, Scope},
};
use metrics::counter;
use rmqtt::{
    codec::types::Publish as Packet,
    context::ServerContext,
    net::{Builder, Listener},
    router::DefaultRouter,
    server::MqttServer,
    session::{Session, SessionState},
    shared::DefaultShared,
    types::{ClientId, From, FromType, Id, Publish, QoS, Subscribe, Unsubscribe},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::{
    clients::Clients,
    fitter::Agreements,
    guards::Guards,
    marks::Marks,
    scoped::{Sessions, Subscriptions},
};
use super::{
    broker::{Broker, BrokerError, BrokerHealth},
    inbound::Inbound,
};
use crate::{app::App, metrics as names, node::Node, settings::Settings};

/// Bytes of a client id.
const CLIENT_ID: usize = 256;

/// Levels of a topic.
const LEVELS: usize = 8;

/// Subscriptions of watches that nobody has looked at yet.
const UNHEARD: usize = 4_096;

/// Between two times that how far clients are is kept.
const KEEP: Duration = Duration::from_secs(1);

/// How often, and how long, to look for what a session brought with it.
const CARRIED_OVER: usize = 50;
const CARRYING: Duration = Duration::from_millis(20);

/// Under which number rmqtt knows its only listener.
const LISTENER: u16 = 1;

/// A socket that listens.
pub struct Listening {
    listener: Listener,
    /// Where.
    pub at: SocketAddr,
}

/// Listens, with TLS where the settings have a certificate. Nobody is let in before [`Embedded::serve`].
///
/// # Errors
/// The address's, or the certificate's.
pub fn listen(settings: &Settings, address: SocketAddr) -> io::Result<Listening> {
    let mqtt = &settings.mqtt;
    let mut builder = Builder::new()
        .name("dface")
        .laddr(address)
        // Connections of a server that was killed linger; they must not keep the next one out.
        .reuseaddr(Some(true))
        .nodelay(true)
        .allow_anonymous(false)
        .max_connections(mqtt.connections)
        .max_packet_size(mqtt.packet_bytes)
        .handshake_timeout(Duration::from_secs(mqtt.sign_in_s))
        .max_clientid_len(CLIENT_ID)
        .max_topic_levels(LEVELS)
        .max_subscriptions(mqtt.subscriptions)
        .max_inflight(NonZeroU16::new(mqtt.inflight).unwrap_or(NonZeroU16::MIN))
        .max_mqueue_len(mqtt.queued)
        // Sent again when the client comes back, as MQTT 5 asks for, and not in between.
        .message_retry_interval(Duration::ZERO)
        // What waits is not too old before its session is.
        .message_expiry_interval(Duration::ZERO);
    let with_tls = !settings.tls.cert.as_os_str().is_empty();
    if with_tls {
        let path = |path: &std::path::Path| Some(path.display().to_string());
        builder = builder.tls_cert(path(&settings.tls.cert)).tls_key(path(&settings.tls.key));
    }
    let listener = builder.bind().map_err(bound)?;
    let listener = if with_tls { listener.tls() } else { listener.tcp() }.map_err(bound)?;
    let at = listener.local_addr().map_err(bound)?;
    Ok(Listening { listener, at })
}

fn bound(error: rmqtt::Error) -> io::Error {
    error.downcast().unwrap_or_else(|error| io::Error::other(error.to_string()))
}

/// The broker.
pub struct Embedded {
    app: Arc<App>,
    context: ServerContext,
    clients: Clients,
    since: Timestamp,
    marks: Arc<Marks>,
    /// Sessions that end now are begun again when the server is back.
    stopping: AtomicBool,
    /// Tells which watches listen now.
    watches: mpsc::Sender<Imei>,
}

impl Embedded {
    /// A broker without clients; the second part tells which watches have begun to listen.
    ///
    /// # Errors
    /// The disk's.
    pub async fn open(app: Arc<App>, inbound: Arc<Inbound>) -> Result<(Arc<Self>, mpsc::Receiver<Imei>), fjall::Error> {
        let (dir, secret) = (app.node.settings.data.join("mqtt"), app.node.commands.shared_secret());
        let marks = Arc::new(Marks::open(&dir, secret, app.now())?);
        let mqtt = app.node.settings.mqtt.clone();
        let most = isize::try_from(mqtt.connections).unwrap_or(isize::MAX);
        // Whether the machine is busy is no reason to keep a child's watch out.
        let context = ServerContext::new().busy_check_enable(false).mqtt_max_sessions(most).build().await;
        let extends = &context.extends;
        *extends.shared_mut().await = Box::new(Sessions(DefaultShared::new(Some(context.clone()))));
        *extends.router_mut().await = Box::new(Subscriptions(DefaultRouter::new(Some(context.clone()))));
        *extends.session_mgr_mut().await = Box::new(resume::Sessions(Arc::clone(&marks)));
        *extends.fitter_mgr_mut().await = Box::new(Agreements(mqtt));
        let (watches, listening) = mpsc::channel(UNHEARD);
        let since = app.now();
        let broker = Arc::new(Self {
            app,
            context,
            clients: Clients::default(),
            since,
            marks,
            stopping: AtomicBool::new(false),
            watches,
        });
        let guards = Guards { broker: Arc::downgrade(&broker), inbound };
        guards::stand(&guards, broker.context.extends.hook_mgr().register()).await;
        Ok((broker, listening))
    }

    /// Takes connections until `stop`, then ends all that are left.
    pub async fn serve(self: Arc<Self>, listening: Listening, stop: CancellationToken) {
        let server = MqttServer::new(self.context.clone()).listener_by_id(listening.listener, LISTENER).build();
        if let Some(Err(error)) = stop.run_until_cancelled(server.run()).await {
            tracing::error!(%error, "the MQTT broker has ended");
        }
        self.stopping.store(true, Ordering::Relaxed);
        for account in self.clients.accounts() {
            self.end(self.clients.of(account)).await;
        }
        self.keep();
    }

    /// Keeps how far clients are, once a second until `stop`.
    pub async fn keep_marks(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(KEEP)).await.is_some() {
            let broker = Arc::clone(&self);
            if let Err(error) = tokio::task::spawn_blocking(move || broker.keep()).await {
                tracing::error!(%error, "how far MQTT clients are is not kept");
            }
        }
    }

    fn keep(&self) {
        self.marks.keep(self.app.now(), self.node().settings.mqtt.session_s);
    }

    fn node(&self) -> &Node {
        &self.app.node
    }

    async fn came(self: &Arc<Self>, session: &Session) {
        let Some(account) = guards::account(&session.id) else { return };
        resume::begin(self, session).await;
        let is_back = session.session_present().await.unwrap_or_default();
        if let (Account::Watch(imei), true) = (account, is_back) {
            self.came_back(session, imei);
        }
        let most = self.node().settings.mqtt.sessions_of_account;
        if let Some(oldest) = self.clients.came(account, &session.id, most) {
            let broker = Arc::clone(self);
            tokio::spawn(async move { broker.end(vec![oldest]).await });
        }
    }

    fn gone(&self, id: &Id) {
        if let Some(account) = guards::account(id)
            && self.clients.gone(account, id)
        {
            self.marks.gone(&scoped::key(id), self.stopping.load(Ordering::Relaxed), self.app.now());
        }
    }

    fn subscribed(self: &Arc<Self>, session: &Session, subscribe: &Subscribe) {
        resume::subscribed(self, session, subscribe);
        if let Some(Scope::Watch(imei)) = topics::scope(&subscribe.topic_filter) {
            self.listens(imei);
        }
    }

    fn listens(&self, imei: Imei) {
        if self.watches.try_send(imei).is_err() {
            tracing::warn!("many watches listen at once: one is told what waits for it when it listens again");
        }
    }

    /// A watch that comes back to its session does not subscribe again: what it has not acknowledged is told once its subscription is
    /// carried over, which rmqtt tells nobody.
    fn came_back(self: &Arc<Self>, session: &Session, imei: Imei) {
        let (broker, session) = (Arc::clone(self), session.clone());
        tokio::spawn(async move {
            for _ in 0..CARRIED_OVER {
                tokio::time::sleep(CARRYING).await;
                let carried = session.subscriptions().await;
                let Ok(subscriptions) = carried else { return };
                if subscriptions.read().await.contains_key(topics::down(imei).as_str()) {
                    return broker.listens(imei);
                }
            }
        });
    }

    fn unsubscribed(&self, session: &Session, unsubscribe: &Unsubscribe) {
        self.marks.unsubscribed(&scoped::key(&session.id), &unsubscribe.topic_filter);
    }

    /// A client has acknowledged what an event says.
    fn acknowledged(&self, session: &Session, from: &From, publish: &Publish) {
        let position = publish.create_time.and_then(|position| u64::try_from(position).ok()).map(LogPosition);
        if let (Some(position), Some(scope)) = (position, topics::scope(&publish.topic)) {
            let again = matches!(from.typ(), FromType::Admin);
            self.marks.acknowledged(&scoped::key(&session.id), scope, position, again);
        }
    }

    /// More waits for a client than may: what was dropped is said again when it comes back.
    fn lost(self: &Arc<Self>, client: &Id) {
        self.marks.freeze(&scoped::key(client));
        let (broker, client) = (Arc::clone(self), client.clone());
        tokio::spawn(async move { broker.end(vec![client]).await });
    }

    fn may_say(&self, account: Account, id: &Id) -> bool {
        self.clients.may_say(account, id, self.node().settings.mqtt.messages_per_second, self.app.now())
    }

    /// Ends connections and sessions.
    async fn end(&self, clients: Vec<Id>) {
        for id in clients {
            let entry = self.context.extends.shared().await.entry(id.clone());
            if entry.id_same() != Some(true) {
                continue;
            }
            let ended = match entry.try_lock().await {
                Ok(mut entry) => entry.kick(true, true, true).await.map(|_| ()),
                Err(error) => Err(error),
            };
            match ended {
                // rmqtt tells of the end of those alone that are connected.
                Ok(()) => self.gone(&id),
                Err(error) => tracing::warn!(%error, "an MQTT session could not be ended"),
            }
        }
    }

    async fn forward(&self, topic: &str, payload: Bytes, position: Option<LogPosition>) -> Result<(), BrokerError> {
        let (from, publish) = packet(self, topic, payload, position);
        let forwarded = SessionState::forwards(&self.context, from, publish, false, None).await;
        counter!(names::MQTT_PUBLISHED_TOTAL).increment(1);
        forwarded.map_err(|error| BrokerError(error.to_string()))
    }

    async fn end_of_group(&self, user: UserId, group: GroupId) {
        for id in self.clients.of(Account::User(user)) {
            let key = scoped::key(&id);
            let entry = self.context.extends.shared().await.entry(id);
            for subscription in entry.subscriptions().await.unwrap_or_default() {
                if topics::scope(&subscription.topic) == Some(Scope::Group(group)) {
                    let unsubscribe = Unsubscribe { topic_filter: subscription.topic };
                    if let Err(error) = entry.unsubscribe(&unsubscribe).await {
                        // Each message is asked about again before it goes out.
                        tracing::warn!(%error, "a subscription could not be ended");
                    }
                    self.marks.unsubscribed(&key, &unsubscribe.topic_filter);
                }
            }
        }
    }
}

fn packet(broker: &Embedded, topic: &str, payload: Bytes, position: Option<LogPosition>) -> (From, Publish) {
    let packet = Packet {
        dup: false,
        retain: false,
        qos: QoS::AtLeastOnce,
        topic: topic.into(),
        packet_id: None,
        payload,
        properties: None,
    };
    // rmqtt passes this time on and, without messages that expire, does nothing with it.
    let position = position.and_then(|position| i64::try_from(position.0).ok());
    let publish = Publish::new(Box::new(packet), None, None, position);
    let from = From::from_system(Id::from(broker.context.node.id(), ClientId::from_static("dface")));
    (from, publish)
}

impl Broker for Embedded {
    fn publish<'a>(&'a self, topic: &'a str, payload: Bytes) -> PortFuture<'a, Result<(), BrokerError>> {
        Box::pin(self.forward(topic, payload, None))
    }

    fn publish_event<'a>(
        &'a self,
        topic: &'a str,
        payload: Bytes,
        position: LogPosition,
    ) -> PortFuture<'a, Result<(), BrokerError>> {
        Box::pin(self.forward(topic, payload, Some(position)))
    }

    fn end_subscriptions(&self, user: UserId, group: GroupId) -> PortFuture<'_, ()> {
        Box::pin(self.end_of_group(user, group))
    }

    fn disconnect(&self, account: Account) -> PortFuture<'_, ()> {
        Box::pin(async move { self.end(self.clients.of(account)).await })
    }

    fn health(&self) -> BrokerHealth {
        BrokerHealth { connected: true, since: self.since, error: None }
    }
}
