//! Sessions of a server that was killed are begun again: their subscriptions as they were, and what came since said again, under the ids
//! that it had.

use std::{str::FromStr as _, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dface_domain::{
    envelope::LogPosition,
    events::Event,
    ids::{GroupId, UserId},
    ports::EventStore as _,
    time::Timestamp,
    topics::{self, Account, Scope},
};
use rmqtt::{
    Result,
    context::ServerContext,
    session::{DefaultSessionManager, Session, SessionLike, SessionManager},
    shared::Entry,
    types::{
        ConnectInfo, ConnectInfoType, DisconnectInfo, FitterType, From, Id, ListenerConfig, MessageQueueType,
        OutInflightType, QoS, SessionSubs, Subscribe, SubscriptionOptions, TimestampMillis, Topic, TopicFilter,
    },
};

use super::{Embedded, guards, marks::Marks, packet, scoped};
use crate::{mqtt::accounts, pushes};

/// Events read at once, and no more than half of what may wait for a client; they are acknowledged before the next are.
const BATCH: usize = 100;

/// Events of the log looked at for one person's own topic, at most: the newest.
const OWN: u64 = 100_000;

/// The types of events that one person is told on a topic of their own.
const OWN_TYPES: &[&str] = &["CircleLeft", "LocationRequested", "TalkReceipted"];

/// Between two looks whether a client has acknowledged.
const LOOK: Duration = Duration::from_millis(10);

/// How long the read models may take before it is said that they are waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes sessions, and tells clients that theirs is kept where it can be begun again. MQTT 5 is answered from what rmqtt has
/// itself: its clients subscribe again, and are told then.
pub(super) struct Sessions(pub(super) Arc<Marks>);

#[async_trait]
impl SessionManager for Sessions {
    async fn create(
        &self,
        id: Id,
        context: ServerContext,
        listener: ListenerConfig,
        fitter: FitterType,
        subscriptions: SessionSubs,
        queue: MessageQueueType,
        inflight: OutInflightType,
        connect: ConnectInfoType,
        created_at: TimestampMillis,
        connected_at: TimestampMillis,
        present: bool,
        superuser: bool,
        connected: bool,
        disconnect: Option<DisconnectInfo>,
        last_id: Option<Id>,
    ) -> Result<Arc<dyn SessionLike>> {
        let known =
            is_old(&connect) && is_kept(&connect) && !connect.clean_start() && self.0.has_left(&scoped::key(&id));
        DefaultSessionManager
            .create(
                id,
                context,
                listener,
                fitter,
                subscriptions,
                queue,
                inflight,
                connect,
                created_at,
                connected_at,
                present || known,
                superuser,
                connected,
                disconnect,
                last_id,
            )
            .await
    }
}

/// Whether a client speaks MQTT 3.
const fn is_old(connect: &ConnectInfo) -> bool {
    matches!(connect, ConnectInfo::V3(..))
}

/// Whether a client wants its session kept.
fn is_kept(connect: &ConnectInfo) -> bool {
    match connect {
        ConnectInfo::V3(_, connect) => !connect.clean_session,
        ConnectInfo::V5(_, connect) => connect.session_expiry_interval_secs > 0,
    }
}

/// A client has connected: begins its session again where this process does not have it.
pub(super) async fn begin(broker: &Arc<Embedded>, session: &Session) {
    let Ok(connect) = session.connect_info().await else { return };
    let client = scoped::key(&session.id);
    if !is_kept(&connect) || connect.clean_start() {
        broker.marks.forget(&client);
    }
    if !is_kept(&connect) {
        return;
    }
    let filters = broker.marks.came(&client);
    let Some(account) = guards::account(&session.id).filter(|_| is_old(&connect)) else { return };
    for filter in filters {
        if !accounts::may_subscribe(broker.node(), account, &filter) {
            broker.marks.unsubscribed(&client, &filter);
            continue;
        }
        let mut opts = SubscriptionOptions::default();
        opts.set_qos(QoS::AtLeastOnce);
        let subscribe = Subscribe { topic_filter: TopicFilter::from(filter), opts };
        let entry = session.scx.extends.shared().await.entry(session.id.clone());
        if let Err(error) = entry.subscribe(&subscribe).await {
            tracing::warn!(%error, "a subscription of before is not begun again");
        }
        subscribed(broker, session, &subscribe);
    }
}

/// A client has subscribed: what it missed is said again.
pub(super) fn subscribed(broker: &Arc<Embedded>, session: &Session, subscribe: &Subscribe) {
    if subscribe.opts.qos() == QoS::AtMostOnce {
        return;
    }
    let (filter, head) = (subscribe.topic_filter.to_string(), broker.node().store.head());
    let Some(from) = broker.marks.subscribed(&scoped::key(&session.id), &filter, head) else { return };
    let again = SayAgain { broker: Arc::clone(broker), session: session.clone(), filter, until: head };
    tokio::spawn(async move { again.run(from).await });
}

/// The last event that was said.
type Said = std::result::Result<Option<LogPosition>, String>;

struct SayAgain {
    broker: Arc<Embedded>,
    session: Session,
    filter: String,
    /// What came later is published.
    until: LogPosition,
}

impl SayAgain {
    async fn run(self, from: LogPosition) {
        let node = self.broker.node();
        while !node.projector.wait_for(self.until, PATIENCE).await {
            tracing::warn!("an MQTT client waits for the read models, to be told what it missed");
        }
        let said = match (guards::account(&self.session.id), topics::scope(&self.filter)) {
            (Some(Account::User(user)), Some(Scope::Group(group))) => self.circle(user, group, from).await,
            (Some(Account::User(user)), Some(Scope::User(of))) if user == of => self.own(from).await,
            // Watches are told what waits for them anyway; the account for all asks by HTTP.
            _ => Ok(None),
        };
        let client = scoped::key(&self.session.id);
        match said {
            Ok(last) => self.broker.marks.said_again(&client, &self.filter, last),
            Err(error) => {
                tracing::error!(error, "what an MQTT client missed cannot be read");
                self.broker.marks.said_again(&client, &self.filter, None);
            }
        }
    }

    /// What happened in a circle since, as far as its member may know it.
    async fn circle(&self, user: UserId, group: GroupId, from: LogPosition) -> Said {
        let (node, mut last) = (self.broker.node(), None);
        let member = node.views.circles.view().circle(group).and_then(|circle| circle.members.get(&user).copied());
        let Some(mut from) = member.map(|member| from.max(member.position)) else { return Ok(None) };
        loop {
            let entries = node.views.families.view().after(group, from, self.batch()).map_err(|e| e.to_string())?;
            let Some(end) = entries.last().map(|entry| entry.position) else { return Ok(last) };
            for entry in entries.into_iter().filter(|entry| entry.position <= self.until) {
                last = self.say(entry.event, entry.position, entry.at).await?.or(last);
            }
            if end >= self.until || !self.acknowledged(last).await {
                return Ok(last);
            }
            from = end;
        }
    }

    /// What concerned one person since.
    async fn own(&self, from: LogPosition) -> Said {
        let (node, mut last) = (self.broker.node(), None);
        let mut from = from.max(LogPosition(self.until.0.saturating_sub(OWN)));
        loop {
            let batch = node.store.read_all(from, 1_024).await.map_err(|e| e.to_string())?;
            let Some(end) = batch.last().map(|recorded| recorded.position) else { return Ok(last) };
            for recorded in batch.iter().filter(|recorded| recorded.position <= self.until) {
                if OWN_TYPES.contains(&&*recorded.data.type_name) {
                    let event = recorded.data.decode().map_err(|e| e.to_string())?;
                    last = self.say(event, recorded.position, recorded.occurred_at).await?.or(last);
                    // They are few: one after the other fits any queue.
                    if !self.acknowledged(last).await {
                        return Ok(last);
                    }
                }
            }
            if end >= self.until {
                return Ok(last);
            }
            from = end;
        }
    }

    fn batch(&self) -> usize {
        BATCH.min(self.broker.node().settings.mqtt.queued.div_ceil(2))
    }

    /// Says an event to this client alone, where it is published on a topic that the filter asks for; answers its position where it was.
    async fn say(&self, event: Event, position: LogPosition, at: Timestamp) -> Said {
        let published = pushes::publication(self.broker.node(), event, position, at).map_err(|e| e.to_string())?;
        let Some((topics, data)) = published else { return Ok(None) };
        let filter = Topic::from_str(&self.filter).map_err(|e| e.to_string())?;
        let Some(topic) = topics.iter().find(|topic| filter.matches_str(topic.as_str())) else { return Ok(None) };
        let (_, publish) = packet(&self.broker, topic, Bytes::from(data.json()), Some(position));
        // By which it is told from what is said for the first time, when it is acknowledged.
        let from = From::from_admin(self.session.id.clone());
        Ok(self.entry().await.publish(from, publish).await.is_ok().then_some(position))
    }

    async fn entry(&self) -> Box<dyn Entry> {
        self.session.scx.extends.shared().await.entry(self.session.id.clone())
    }

    /// Waits until the client has acknowledged so much; false where it is gone.
    async fn acknowledged(&self, last: Option<LogPosition>) -> bool {
        let Some(last) = last else { return true };
        let client = scoped::key(&self.session.id);
        while self.broker.marks.position(&client, &self.filter).is_some_and(|position| position < last) {
            tokio::time::sleep(LOOK).await;
            // It may be away, and come back to its session; whoever may not be told any more acknowledges nothing.
            let account = guards::account(&self.session.id);
            let may = account.is_some_and(|of| accounts::may_subscribe(self.broker.node(), of, &self.filter));
            if !may || !self.entry().await.exist() {
                return false;
            }
        }
        true
    }
}
