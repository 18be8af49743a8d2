//! Opens the broker of the settings and starts what goes with it.

use std::{sync::Arc, time::Duration};

use dface_domain::{
    leases::Duty,
    ports::{KeyedHash as _, PortFuture},
    topics::Account,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    broker::Broker,
    downs,
    embedded::{Embedded, Listening},
    external::{Arrivals, BrokerAddress, External, ExternalConfig, NotTaken},
    inbound::{self, Inbound},
    revocations,
};
use crate::{app::App, node::Node, pushes, settings::BadSettings};

/// Starts the embedded broker on `listening`.
///
/// # Errors
/// The disk's.
pub async fn embedded(
    app: &Arc<App>,
    listening: Listening,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Result<(), fjall::Error> {
    let (inbound, focus_log) = Inbound::new(Arc::clone(&app.node));
    let (broker, listening_watches) = Embedded::open(Arc::clone(app), inbound).await?;
    let shown = Arc::clone(&broker) as Arc<dyn Broker>;
    let shown = Arc::clone(app.node.mqtt.get_or_init(|| shown));
    tasks.spawn(revocations::follow(Arc::clone(&app.node), Arc::clone(&shown), stop.clone()));
    let (node, ends) = (Arc::clone(&app.node), stop.clone());
    tasks.spawn(async move {
        let telling = downs::run(Arc::clone(&node), shown, Some(listening_watches), ends.clone());
        node.leases.once_released(&ends, telling).await;
    });
    tasks.spawn(focus_log.run(stop.clone()));
    tasks.spawn(Arc::clone(&broker).keep_marks(stop.clone()));
    tasks.spawn(broker.serve(listening, stop.clone()));
    Ok(())
}

/// Connects to the external broker of the settings, where there is one.
///
/// # Errors
/// The certificates to trust it by cannot be used.
pub fn external(app: &Arc<App>, tasks: &mut JoinSet<()>, stop: &CancellationToken) -> Result<(), BadSettings> {
    let (node, settings) = (&app.node, &app.node.settings.mqtt);
    let BrokerAddress::External(url) = &settings.broker else { return Ok(()) };
    let tls = if url.tls { Some(Arc::new(node.settings.broker_tls()?)) } else { None };
    let (name, is_alone) = (client(node), node.leases.is_alone());
    let config = ExternalConfig {
        url: url.clone(),
        tls,
        // Each node publishes under a name of its own; one of them listens, under that of all.
        client: if is_alone { name.clone() } else { format!("{name}-{}", node.leases.identity().node.simple()) },
        patience: Duration::from_secs(settings.broker_timeout_s),
        packet_bytes: settings.packet_bytes as usize,
    };
    let (broker, link, listening) = External::new(config, Arc::clone(&node.clients), Arc::clone(node.commands.clock()));
    let shown = Arc::clone(node.mqtt.get_or_init(|| Arc::clone(&broker) as Arc<dyn Broker>));
    let broker = Arc::clone(node.external.get_or_init(|| broker));
    let (inbound, focus_log) = Inbound::new(Arc::clone(node));
    let forwarded: Arc<dyn Arrivals> = Arc::new(Forwarded(inbound));
    tasks.spawn(revocations::follow(Arc::clone(node), Arc::clone(&shown), stop.clone()));
    tasks.spawn(focus_log.run(stop.clone()));
    if is_alone {
        let (node, stop) = (Arc::clone(node), stop.clone());
        // What a restored log says is told nobody until it is let go: the broker's clients are the same as before.
        tasks.spawn(async move {
            let work = async {
                let telling = downs::run(Arc::clone(&node), shown, Some(listening), stop.clone());
                let publishing = pushes::publish(Arc::clone(&node), stop.clone());
                tokio::join!(telling, publishing, link.run(Some(forwarded), stop.clone()));
            };
            Box::pin(node.leases.once_released(&stop, work)).await;
        });
        return Ok(());
    }
    tasks.spawn(downs::hear(Arc::clone(node), Arc::clone(&shown), listening, stop.clone()));
    tasks.spawn(link.run(None, stop.clone()));
    let (node, stop) = (Arc::clone(node), stop.clone());
    tasks.spawn(async move {
        let work = |ends: CancellationToken| {
            let listener = broker.listener(name.clone(), Arc::clone(node.commands.clock()));
            let listening = listener.run(Some(Arc::clone(&forwarded)), ends.clone());
            let publishing = pushes::publish(Arc::clone(&node), ends.clone());
            let telling = downs::run(Arc::clone(&node), Arc::clone(&shown), None, ends);
            async move {
                tokio::join!(listening, publishing, telling);
            }
        };
        Box::pin(node.leases.hold(Duty::Mqtt, &stop, work)).await;
    });
    Ok(())
}

/// By what the broker knows this installation: of two at one broker neither may take the other one's place.
fn client(node: &Node) -> String {
    let name = node.commands.secret().keyed_hash("mqtt-client", &[]);
    format!("dface-{}", hex::encode(&name[..8]))
}

/// What an external broker forwards. It says on which topic, and not who: so a watch is who its topic says, where the broker asked whether it
/// is; and an app is who its message says.
struct Forwarded(Arc<Inbound>);

/// By what the clients of an external broker are known: it does not tell them apart.
const CLIENT: &str = "broker";

impl Arrivals for Forwarded {
    fn take<'a>(&'a self, topic: &'a str, payload: &'a [u8]) -> PortFuture<'a, Result<(), NotTaken>> {
        Box::pin(async move {
            let watch = topic.strip_prefix("xunqun/watch/").and_then(|rest| rest.strip_suffix("/up")?.parse().ok());
            // What names nobody is ignored and counted where the rest is.
            let user = || inbound::claimed(payload).map_or(Account::Shared, Account::User);
            let from = watch.map_or_else(user, Account::Watch);
            let taken = self.0.take(from, CLIENT, topic, payload).await;
            taken.map_err(|error| NotTaken(error.to_string()))
        })
    }
}
