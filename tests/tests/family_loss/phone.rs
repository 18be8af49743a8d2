//! Members' apps: sessions that are kept, so that nothing is missed while a connection is away.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dface_tests::family::{Family, event_of};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::Shared;

/// After a connection that was refused or lost.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest until all have subscribed.
const SUBSCRIBING: Duration = Duration::from_secs(60);

/// What one app heard: event → its `message_id`s.
#[derive(Default)]
pub struct Heard {
    events: Mutex<BTreeMap<String, Option<String>>>,
    subscribed: AtomicBool,
}

impl Heard {
    /// Different events.
    pub fn count(&self) -> usize {
        self.events.lock().expect("no task panicked with it").len()
    }

    /// Whether that was new.
    fn hear(&self, data: &Value) -> bool {
        let Some(event) = event_of(data) else { return false };
        let message = data["message_id"].as_str().map(str::to_owned);
        let mut events = self.events.lock().expect("no task panicked with it");
        match events.get(&event) {
            Some(before) => {
                assert_eq!(*before, message, "the event {event} came again as another message");
                false
            }
            None => events.insert(event, message).is_none(),
        }
    }
}

/// Starts all apps, and waits until each has subscribed.
pub async fn all(families: &[Family], road: SocketAddr, shared: &Arc<Shared>) -> Vec<Arc<Heard>> {
    let mut all = Vec::new();
    for family in families {
        for member in &family.members {
            let heard = Arc::new(Heard::default());
            let mut options = MqttOptions::new(format!("app-of-{}", member.user), road.ip().to_string(), road.port());
            options
                .set_credentials(member.user.to_string(), member.chat_password.clone())
                .set_clean_session(false)
                .set_keep_alive(Duration::from_secs(5));
            let (client, events) = AsyncClient::new(options, 100);
            let topic = format!("xunqun/group/{}/#", family.group);
            tokio::spawn(run(client, events, topic, Arc::clone(&heard), Arc::clone(shared)));
            all.push(heard);
        }
    }
    let subscribed = async {
        while !all.iter().all(|heard| heard.subscribed.load(Ordering::SeqCst)) {
            sleep(PAUSE).await;
        }
    };
    timeout(SUBSCRIBING, subscribed).await.expect("all apps subscribe");
    all
}

async fn run(client: AsyncClient, mut events: EventLoop, topic: String, heard: Arc<Heard>, shared: Arc<Shared>) {
    while !shared.over.load(Ordering::SeqCst) {
        match events.poll().await {
            // The broker may have forgotten the session.
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                let _ = client.try_subscribe(topic.clone(), QoS::AtLeastOnce);
            }
            Ok(Event::Incoming(Packet::SubAck(_))) => heard.subscribed.store(true, Ordering::SeqCst),
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let data = serde_json::from_slice(&publish.payload).expect("JSON");
                if heard.hear(&data) {
                    shared.progress.fetch_add(1, Ordering::SeqCst);
                }
            }
            Ok(_) => {}
            Err(_) => sleep(PAUSE).await,
        }
    }
}
