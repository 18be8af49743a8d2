//! What rmqtt asks us at each step of a client: who may sign in, subscribe and publish, and what becomes of what it says.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Weak},
};

use async_trait::async_trait;
use dface_domain::topics::Account;
use metrics::{counter, gauge};
use rmqtt::{
    codec::v5::{PublishAckReason, SubscribeAckReason},
    hook::{Handler, HookResult, Parameter, Register, ReturnType, Type},
    session::Session,
    types::{
        AuthResult, ConnectInfo, FromType, Id, LastWill, Publish, PublishAclResult, PublishResult, Reason, Subscribe,
        SubscribeAclResult,
    },
};

use super::Embedded;
use crate::{
    metrics as names,
    mqtt::{
        accounts::{self, NotAdmitted},
        inbound::Inbound,
    },
};

/// All that we are asked.
const ASKED: &[Type] = &[
    Type::ClientAuthenticate,
    Type::ClientConnected,
    Type::ClientDisconnected,
    Type::SessionTerminated,
    Type::ClientSubscribeCheckAcl,
    Type::SessionSubscribed,
    Type::SessionUnsubscribed,
    Type::MessageAcked,
    Type::MessageDropped,
    Type::MessagePublish,
    Type::MessagePublishCheckAcl,
    Type::MessageExpiryCheck,
];

#[derive(Clone)]
pub(super) struct Guards {
    pub(super) broker: Weak<Embedded>,
    pub(super) inbound: Arc<Inbound>,
}

/// Answers all that rmqtt asks from now on.
pub(super) async fn stand(guards: &Guards, register: Box<dyn Register>) {
    for &asked in ASKED {
        register.add(asked, Box::new(guards.clone())).await;
    }
    register.start().await;
}

#[async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own form: with '_ it is another one")]
impl Handler for Guards {
    async fn hook(&self, asked: &Parameter, before: Option<HookResult>) -> ReturnType {
        let Some(broker) = self.broker.upgrade() else { return (true, before) };
        let answer = match asked {
            Parameter::ClientAuthenticate(connect) => Some(HookResult::AuthResult(sign_in(&broker, connect).await)),
            Parameter::ClientSubscribeCheckAcl(session, subscribe) => {
                Some(HookResult::SubscribeAclResult(may_subscribe(&broker, session, subscribe)))
            }
            Parameter::MessagePublishCheckAcl(session, publish) => {
                Some(HookResult::PublishAclResult(self.publish(&broker, session, publish).await))
            }
            Parameter::MessageExpiryCheck(session, _, publish) => {
                // Whoever has left meanwhile is not told what waited.
                let may = account(&session.id).is_some_and(|of| accounts::may_read(broker.node(), of, &publish.topic));
                (!may).then_some(HookResult::MessageExpiry)
            }
            _ => {
                self.heard(&broker, asked).await;
                before
            }
        };
        (true, answer)
    }
}

impl Guards {
    async fn heard(&self, broker: &Arc<Embedded>, asked: &Parameter<'_>) {
        match asked {
            Parameter::ClientConnected(session) => {
                gauge!(names::MQTT_CONNECTIONS).increment(1.0);
                broker.came(session).await;
            }
            Parameter::ClientDisconnected(session, _) => {
                gauge!(names::MQTT_CONNECTIONS).decrement(1.0);
                if let Some(of) = account(&session.id) {
                    self.inbound.client_gone(of, &connection(&session.id));
                }
            }
            Parameter::SessionTerminated(session, _) => broker.gone(&session.id),
            Parameter::SessionSubscribed(session, subscribe) => broker.subscribed(session, subscribe),
            Parameter::SessionUnsubscribed(session, unsubscribe) => {
                broker.unsubscribed(session, unsubscribe);
            }
            Parameter::MessageAcked(session, from, publish) => broker.acknowledged(session, from, publish),
            Parameter::MessageDropped(Some(to), _, _, Reason::MessageQueueFull) => broker.lost(to),
            // A Last Will comes by no other hook, and nobody checked it but the sign-in.
            Parameter::MessagePublish(Some(session), from, publish) if matches!(from.typ(), FromType::LastWill) => {
                self.last_will(session, publish).await;
            }
            _ => {}
        }
    }

    async fn last_will(&self, session: &Session, publish: &Publish) {
        let Some(of) = account(&session.id).filter(|of| accounts::may_publish(*of, &publish.topic)) else { return };
        let client = connection(&session.id);
        if let Err(error) = self.inbound.take(of, &client, &publish.topic, &publish.payload).await {
            tracing::warn!(%error, "a Last Will is lost");
        }
    }

    /// Takes what a client publishes. It is routed to nobody: no account may subscribe to what clients publish on.
    async fn publish(&self, broker: &Embedded, session: &Session, publish: &Publish) -> PublishAclResult {
        let Some(of) = account(&session.id) else { return refused("publish", PublishAckReason::NotAuthorized, true) };
        if !broker.may_say(of, &session.id) {
            return refused("rate", PublishAckReason::QuotaExceeded, true);
        }
        if publish.retain {
            return refused("retain", PublishAckReason::NotAuthorized, false);
        }
        if !accounts::may_publish(of, &publish.topic) {
            return refused("publish", PublishAckReason::NotAuthorized, false);
        }
        let client = connection(&session.id);
        match self.inbound.take(of, &client, &publish.topic, &publish.payload).await {
            Ok(()) => PublishAclResult::allow(),
            Err(error) => {
                // MQTT 3.1.1 has no other way of saying "again, later" than not to acknowledge.
                tracing::warn!(%error, "a client is sent away so that it says it again");
                PublishAclResult(PublishResult::reason_code(PublishAckReason::UnspecifiedError, None, true))
            }
        }
    }
}

/// The account of a session; the name was checked when it signed in.
pub(super) fn account(id: &Id) -> Option<Account> {
    Account::named(id.username_ref())
}

/// What tells a connection from others of the same client.
fn connection(id: &Id) -> String {
    format!("{}/{}", id.client_id, id.create_time)
}

fn refused(what: &'static str, why: PublishAckReason, disconnect: bool) -> PublishAclResult {
    counter!(names::MQTT_REFUSED_TOTAL, "what" => what).increment(1);
    PublishAclResult(PublishResult::reason_code(why, None, disconnect))
}

async fn sign_in(broker: &Embedded, connect: &ConnectInfo) -> AuthResult {
    let (name, password) = (connect.username(), connect.password());
    let (Some(name), Some(password)) = (name, password) else {
        return signed_in("anonymous", AuthResult::NotAuthorized);
    };
    let from = connect.ipaddress().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
    match accounts::authenticate(&broker.app, name, password, from).await {
        Ok(of) if !may_will(of, connect.last_will()) => signed_in("last_will", AuthResult::NotAuthorized),
        Ok(_) => signed_in("success", AuthResult::Allow(false, None)),
        Err(NotAdmitted::Wrong) => signed_in("wrong", AuthResult::BadUsernameOrPassword),
        Err(NotAdmitted::Suspended) => signed_in("suspended", AuthResult::NotAuthorized),
        Err(NotAdmitted::TooMany) => signed_in("too_many", AuthResult::NotAuthorized),
        Err(NotAdmitted::Failed(error)) => {
            tracing::error!(%error, "somebody cannot sign in over MQTT");
            signed_in("failed", AuthResult::NotAuthorized)
        }
    }
}

fn signed_in(outcome: &'static str, result: AuthResult) -> AuthResult {
    counter!(names::MQTT_SIGN_INS_TOTAL, "outcome" => outcome).increment(1);
    result
}

/// A Last Will is published without being asked for again: it must be one that its client may publish.
fn may_will(of: Account, will: Option<LastWill<'_>>) -> bool {
    will.is_none_or(|will| {
        let topic = match will {
            LastWill::V3(will) => &will.topic,
            LastWill::V5(will) => &will.topic,
        };
        !will.retain() && accounts::may_publish(of, topic)
    })
}

fn may_subscribe(broker: &Embedded, session: &Session, subscribe: &Subscribe) -> SubscribeAclResult {
    let may =
        account(&session.id).is_some_and(|of| accounts::may_subscribe(broker.node(), of, &subscribe.topic_filter));
    if may {
        SubscribeAclResult::new_success(subscribe.opts.qos(), None)
    } else {
        counter!(names::MQTT_REFUSED_TOTAL, "what" => "subscribe").increment(1);
        SubscribeAclResult::new_failure(SubscribeAckReason::NotAuthorized)
    }
}
