//! What an external MQTT broker asks (`rabbitmq_auth_backend_http`): who may sign in, and who may read and write which topic. The same rules
//! as the embedded broker's. RabbitMQ must ask by POST (`auth_http.http_method = post`), so that no password stands in a URL.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use dface_domain::{ports::KeyedHash as _, topics::Account};
use http::HeaderValue;

use super::{Admin, AdminAccess, Operator};
use crate::{
    http::{Answer, Request, Route, route::Reply},
    mqtt::{
        accounts::{self, NotAdmitted},
        external::{BrokerAddress, clients::Clients},
    },
};

/// What RabbitMQ's MQTT calls the queues of its clients, with the client's id behind it.
const QUEUE: &str = "mqtt-subscription-";

/// Where RabbitMQ's MQTT publishes.
const EXCHANGE: &str = "amq.topic";

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::post("/mqtt/auth/user", AdminAccess::Listener, user),
        Route::post("/mqtt/auth/vhost", AdminAccess::Listener, vhost),
        Route::post("/mqtt/auth/resource", AdminAccess::Listener, resource),
        Route::post("/mqtt/auth/topic", AdminAccess::Listener, topic),
    ]
}

fn told(allowed: bool) -> Reply {
    let text = if allowed { "allow" } else { "deny" };
    Ok(Answer::bytes(HeaderValue::from_static("text/plain"), text.to_owned()))
}

/// The account of a name, where an external broker is used at all.
fn named(admin: &Admin, name: &str) -> Option<Account> {
    match admin.node.settings.mqtt.broker {
        BrokerAddress::External(_) => Account::named(name),
        BrokerAddress::Embedded => None,
    }
}

/// Where failures are counted from: the broker does not say where its clients are, and all of them must not pay for one. So each name is an
/// address of its own (out of 0100::/64, which nobody has).
fn address(admin: &Admin, name: &str) -> IpAddr {
    let hash = admin.node.commands.secret().keyed_hash("mqtt-address", &[name.as_bytes()]);
    let host = hash.first_chunk().copied().map_or(0, u64::from_be_bytes);
    Ipv6Addr::from((0x0100_u128 << 112) | u128::from(host)).into()
}

/// A client of an account is seen: a client too many is ended.
fn seen(admin: &Admin, account: Account, client: &str) {
    if let Some(oldest) = admin.node.clients.seen(account, client)
        && let Some(external) = admin.node.external.get().cloned()
    {
        tokio::spawn(async move { external.end(&oldest).await });
    }
}

/// Whether somebody may sign in at the broker.
#[utoipa::path(
    post, path = "/mqtt/auth/user", tag = "mqtt",
    params(
        ("username" = String, Query, description = "A user's id, or a watch's imei"),
        ("password" = String, Query, description = "The chat password, or the watch's key"),
        ("client_id" = Option<String>, Query, description = "The client's id, which must begin with the name"),
    ),
    responses((status = 200, body = String, description = "allow or deny"))
)]
pub(super) async fn user(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let name: String = request.params.required("username")?;
    let password = request.params.get("password").unwrap_or_default();
    let client = request.params.get("client_id").unwrap_or_default();
    if named(&admin, &name).is_none() || !Clients::is_of(&name, client) {
        return told(false);
    }
    match accounts::authenticate(&admin.app, &name, password.as_bytes(), address(&admin, &name)).await {
        Ok(account) => {
            seen(&admin, account, client);
            told(true)
        }
        Err(NotAdmitted::Failed(error)) => Err(error.into()),
        Err(NotAdmitted::Wrong | NotAdmitted::Suspended | NotAdmitted::TooMany) => told(false),
    }
}

/// Whether somebody may use a virtual host: there is one for all.
#[utoipa::path(
    post, path = "/mqtt/auth/vhost", tag = "mqtt",
    params(("username" = String, Query, description = "Who")),
    responses((status = 200, body = String, description = "allow or deny"))
)]
pub(super) async fn vhost(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let name: String = request.params.required("username")?;
    told(named(&admin, &name).is_some())
}

/// Whether somebody may use an exchange or a queue: that of all topics, and the queues of their own clients.
#[utoipa::path(
    post, path = "/mqtt/auth/resource", tag = "mqtt",
    params(
        ("username" = String, Query, description = "Who"),
        ("resource" = String, Query, description = "exchange or queue"),
        ("name" = String, Query, description = "Its name"),
        ("permission" = String, Query, description = "configure, write or read"),
    ),
    responses((status = 200, body = String, description = "allow or deny"))
)]
pub(super) async fn resource(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let of = |name: &str| request.params.required::<String>(name);
    let (name, resource, thing, permission) = (of("username")?, of("resource")?, of("name")?, of("permission")?);
    let may = match resource.as_str() {
        "exchange" => thing == EXCHANGE && matches!(permission.as_str(), "read" | "write"),
        "queue" => client_of(&thing).is_some_and(|client| Clients::is_of(&name, client)),
        _ => false,
    };
    told(may && named(&admin, &name).is_some())
}

/// The client whose queue that is: one for each quality of service.
fn client_of(queue: &str) -> Option<&str> {
    let rest = queue.strip_prefix(QUEUE)?;
    rest.strip_suffix("qos0").or_else(|| rest.strip_suffix("qos1"))
}

/// Whether somebody may read or write a topic now.
#[utoipa::path(
    post, path = "/mqtt/auth/topic", tag = "mqtt",
    params(
        ("username" = String, Query, description = "Who"),
        ("permission" = String, Query, description = "write, or read to subscribe"),
        ("routing_key" = String, Query, description = "The topic or the filter, as AMQP writes it"),
    ),
    responses((status = 200, body = String, description = "allow or deny"))
)]
pub(super) async fn topic(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let of = |name: &str| request.params.required::<String>(name);
    let (name, permission, key) = (of("username")?, of("permission")?, of("routing_key")?);
    let Some(account) = named(&admin, &name) else { return told(false) };
    if let Some(client) = request.params.get("variable_map.client_id").filter(|client| Clients::is_of(&name, client)) {
        seen(&admin, account, client);
    }
    let topic = of_routing_key(&key);
    let may = match permission.as_str() {
        "write" => accounts::may_publish(account, &topic),
        "read" => accounts::may_subscribe(&admin.node, account, &topic),
        _ => false,
    };
    if let (true, "read", Account::Watch(imei)) = (may, permission.as_str(), account)
        && let Some(external) = admin.node.external.get().cloned()
    {
        tokio::spawn(async move { external.listens(imei).await });
    }
    told(may)
}

/// A topic or a filter of MQTT, from what AMQP calls it.
fn of_routing_key(key: &str) -> String {
    let of = |letter| match letter {
        '.' => '/',
        '*' => '+',
        letter => letter,
    };
    key.chars().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routing_keys_are_topics_and_queues_are_clients() {
        assert_eq!(client_of("mqtt-subscription-7-phoneqos1"), Some("7-phone"));
        assert_eq!((client_of("mqtt-subscription-7"), client_of("jobsqos0")), (None, None));
        assert_eq!(of_routing_key("xunqun.group.*.#"), "xunqun/group/+/#");
    }
}
