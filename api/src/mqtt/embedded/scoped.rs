//! Keeps client ids apart by account: rmqtt knows sessions and subscriptions by the client id alone, so that whoever came with
//! somebody else's would get what waits for that one. Here both are known by account and client id together.

use std::str::FromStr as _;

use async_trait::async_trait;
use rmqtt::{
    Result,
    router::{DefaultRouter, Router},
    session::Session,
    shared::{DefaultShared, Entry, Shared},
    types::{
        AllRelationsMap, ClientId, ForwardedCount, ForwardedRecipients, From, HashMap, Id, IsAdmin, MsgID, NodeId,
        OfflineSession, Publish, Reason, Route, SessionStatus, SubRelations, SubRelationsMap, SubsSearchParams,
        SubsSearchResult, Subscribe, SubscribeReturn, SubscriptionOptions, To, Topic, TopicFilter, TopicName, Tx,
        Unsubscribe,
    },
    utils::Counter,
};

/// By what a client is known: names of accounts have no slash.
pub(super) fn key(id: &Id) -> ClientId {
    ClientId::from(format!("{}/{}", id.username_ref(), id.client_id))
}

type Undelivered = Vec<(To, From, Publish, Reason)>;

/// The sessions.
pub(super) struct Sessions(pub(super) DefaultShared);

impl Sessions {
    fn scoped(&self, id: Id) -> Box<dyn Entry> {
        let known = Id::new(id.node_id, id.lid, id.local_addr, id.remote_addr, key(&id), id.username.clone());
        Box::new(Scoped { id, inner: self.0.entry(known) })
    }
}

#[async_trait]
impl Shared for Sessions {
    fn entry(&self, id: Id) -> Box<dyn Entry> {
        self.scoped(id)
    }

    fn exist(&self, client_id: &str) -> bool {
        self.0.exist(client_id)
    }

    async fn forwards(
        &self,
        message: Option<MsgID>,
        from: From,
        publish: Publish,
    ) -> std::result::Result<ForwardedCount, (ForwardedCount, Undelivered)> {
        self.0.forwards(message, from, publish).await
    }

    async fn forwards_and_get_shareds(
        &self,
        from: From,
        publish: Publish,
    ) -> std::result::Result<(SubRelationsMap, ForwardedRecipients), (ForwardedRecipients, Undelivered)> {
        self.0.forwards_and_get_shareds(from, publish).await
    }

    async fn forwards_to(
        &self,
        from: From,
        publish: &Publish,
        relations: SubRelations,
        message: Option<MsgID>,
    ) -> std::result::Result<ForwardedRecipients, (ForwardedRecipients, Undelivered)> {
        self.0.forwards_to(from, publish, relations, message).await
    }

    fn iter(&self) -> Box<dyn Iterator<Item = Box<dyn Entry>> + Sync + Send + '_> {
        Box::new(self.0.iter().map(|entry| self.scoped(entry.id())))
    }

    fn random_session(&self) -> Option<Session> {
        self.0.random_session()
    }

    async fn session_status(&self, client_id: &str) -> Option<SessionStatus> {
        self.0.session_status(client_id).await
    }

    async fn client_states_count(&self) -> usize {
        self.0.client_states_count().await
    }

    fn sessions_count(&self) -> usize {
        self.0.sessions_count()
    }

    async fn query_subscriptions(&self, q: &SubsSearchParams) -> Vec<SubsSearchResult> {
        self.0.query_subscriptions(q).await
    }

    async fn subscriptions_count(&self) -> usize {
        self.0.subscriptions_count().await
    }
}

/// One session: `id` is the client's own, `inner` is known by both.
struct Scoped {
    id: Id,
    inner: Box<dyn Entry>,
}

#[async_trait]
impl Entry for Scoped {
    async fn try_lock(&self) -> Result<Box<dyn Entry>> {
        Ok(Box::new(Self { id: self.id.clone(), inner: self.inner.try_lock().await? }))
    }

    fn id(&self) -> Id {
        self.id.clone()
    }

    fn id_same(&self) -> Option<bool> {
        self.inner.session().map(|session| session.id == self.id)
    }

    async fn set(&mut self, session: Session, tx: Tx) -> Result<()> {
        self.inner.set(session, tx).await
    }

    async fn remove(&mut self) -> Result<Option<(Session, Tx)>> {
        self.inner.remove().await
    }

    async fn remove_with(&mut self, id: &Id) -> Result<Option<(Session, Tx)>> {
        self.inner.remove_with(id).await
    }

    async fn kick(&mut self, clean_start: bool, clear: bool, is_admin: IsAdmin) -> Result<OfflineSession> {
        self.inner.kick(clean_start, clear, is_admin).await
    }

    async fn online(&self) -> bool {
        self.inner.online().await
    }

    async fn is_connected(&self) -> bool {
        self.inner.is_connected().await
    }

    fn session(&self) -> Option<Session> {
        self.inner.session()
    }

    fn exist(&self) -> bool {
        self.inner.exist()
    }

    fn tx(&self) -> Option<Tx> {
        self.inner.tx()
    }

    async fn subscribe(&self, subscribe: &Subscribe) -> Result<SubscribeReturn> {
        // The router must know the session's own id, by which it is taken out again.
        let Some(session) = self.session() else { return Ok(gone()) };
        let (filter, options) = (&subscribe.topic_filter, &subscribe.opts);
        session.scx.extends.router().await.add(filter, session.id.clone(), options.clone()).await?;
        let before = session.subscriptions_add(filter.clone(), options.clone()).await?;
        Ok(SubscribeReturn::new_success(options.qos(), before))
    }

    async fn unsubscribe(&self, unsubscribe: &Unsubscribe) -> Result<bool> {
        let Some(session) = self.session() else { return Ok(false) };
        let filter = &unsubscribe.topic_filter;
        session.scx.extends.router().await.remove(filter, session.id.clone()).await?;
        Ok(session.subscriptions_remove(filter).await?.is_some())
    }

    async fn publish(&self, from: From, publish: Publish) -> std::result::Result<(), (From, Publish, Reason)> {
        self.inner.publish(from, publish).await
    }

    async fn subscriptions(&self) -> Option<Vec<SubsSearchResult>> {
        self.inner.subscriptions().await
    }
}

/// The session ended while its client subscribed.
fn gone() -> SubscribeReturn {
    SubscribeReturn::new_failure(rmqtt::codec::v5::SubscribeAckReason::UnspecifiedError)
}

/// The subscriptions.
pub(super) struct Subscriptions(pub(super) DefaultRouter);

#[async_trait]
impl Router for Subscriptions {
    async fn add(&self, filter: &str, id: Id, options: SubscriptionOptions) -> Result<()> {
        let topic = Topic::from_str(filter)?;
        self.0.topics.write().await.insert(&topic, ());
        let mut of_filter = self.0.relations.entry(TopicFilter::from(filter)).or_default();
        if of_filter.insert(key(&id), (id, options)).is_none() {
            self.0.relations_count.inc();
        }
        Ok(())
    }

    async fn remove(&self, filter: &str, id: Id) -> Result<bool> {
        let key = key(&id);
        let is_last = {
            let Some(mut of_filter) = self.0.relations.get_mut(filter) else { return Ok(false) };
            if of_filter.get(&key).is_none_or(|(known, _)| *known != id) {
                return Ok(false);
            }
            of_filter.remove(&key);
            of_filter.is_empty()
        };
        self.0.relations_count.dec();
        if is_last && self.0.relations.remove_if(filter, |_, of_filter| of_filter.is_empty()).is_some() {
            self.0.topics.write().await.remove(&Topic::from_str(filter)?, &());
            // Somebody may have subscribed in between.
            if self.0.relations.contains_key(filter) {
                self.0.topics.write().await.insert(&Topic::from_str(filter)?, ());
            }
        }
        Ok(true)
    }

    async fn matches(&self, id: Id, topic: &TopicName) -> Result<SubRelationsMap> {
        self.0.matches(id, topic).await
    }

    async fn is_online(&self, node: NodeId, client_id: &str) -> bool {
        self.0.is_online(node, client_id).await
    }

    async fn gets(&self, limit: usize) -> Vec<Route> {
        self.0.gets(limit).await
    }

    async fn get(&self, topic: &str) -> Result<Vec<Route>> {
        self.0.get(topic).await
    }

    async fn query_subscriptions(&self, q: &SubsSearchParams) -> Vec<SubsSearchResult> {
        self.0.query_subscriptions(q).await
    }

    async fn topics_tree(&self) -> usize {
        self.0.topics_tree().await
    }

    fn topics(&self) -> Counter {
        self.0.topics()
    }

    fn routes(&self) -> Counter {
        self.0.routes()
    }

    fn merge_topics(&self, topics: &HashMap<NodeId, Counter>) -> Counter {
        self.0.merge_topics(topics)
    }

    fn merge_routes(&self, routes: &HashMap<NodeId, Counter>) -> Counter {
        self.0.merge_routes(routes)
    }

    async fn list_topics(&self, top: usize) -> Vec<String> {
        self.0.list_topics(top).await
    }

    async fn list_relations(&self, top: usize) -> Vec<serde_json::Value> {
        self.0.list_relations(top).await
    }

    fn relations(&self) -> &AllRelationsMap {
        self.0.relations()
    }
}
