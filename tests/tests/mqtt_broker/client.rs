//! An MQTT client that does what it is told and keeps what it heard.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use rumqttc::{Client as Library, Connection, Event, MqttOptions, Packet, QoS};
use serde_json::Value;

/// Who connects.
pub struct Who<'a> {
    pub name: &'a str,
    pub password: &'a str,
    pub id: &'a str,
}

#[derive(Default)]
struct State {
    connected: bool,
    over: bool,
    subscriptions: usize,
    heard: Vec<(String, Value)>,
}

/// One connection; it does not come again by itself.
pub struct Client {
    library: Library,
    state: Arc<Mutex<State>>,
}

impl Client {
    /// To the broker at `url`, as somebody else than the URL says.
    pub fn connect(url: &str, who: &Who<'_>) -> Self {
        let at = url.rsplit('@').next().expect("an address");
        let (host, port) = at.rsplit_once(':').expect("a port");
        let mut options = MqttOptions::new(who.id, host, port.parse().expect("a port"));
        options.set_credentials(who.name, who.password).set_keep_alive(Duration::from_secs(5)).set_clean_session(false);
        let (library, connection) = Library::new(options, 100);
        let state = Arc::<Mutex<State>>::default();
        let kept = Arc::clone(&state);
        thread::spawn(move || follow(connection, &kept));
        Self { library, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_connected(&self) -> bool {
        let state = self.state();
        state.connected && !state.over
    }

    /// It was refused, or ended.
    pub fn is_over(&self) -> bool {
        self.state().over
    }

    pub fn subscribe(&self, filter: &str) {
        self.library.subscribe(filter, QoS::AtLeastOnce).expect("it takes requests");
    }

    /// Those that the broker has.
    pub fn subscriptions(&self) -> usize {
        self.state().subscriptions
    }

    pub fn publish(&self, topic: &str, payload: &Value) {
        self.library.publish(topic, QoS::AtLeastOnce, false, payload.to_string()).expect("it takes requests");
    }

    /// What came: topics and JSON.
    pub fn heard(&self) -> Vec<(String, Value)> {
        self.state().heard.clone()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.library.try_disconnect();
    }
}

fn follow(mut connection: Connection, state: &Mutex<State>) {
    for event in connection.iter() {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => state.connected = true,
            Ok(Event::Incoming(Packet::SubAck(_))) => state.subscriptions += 1,
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let data = serde_json::from_slice(&publish.payload).unwrap_or(Value::Null);
                state.heard.push((publish.topic, data));
            }
            Ok(_) => {}
            Err(_) => {
                state.over = true;
                return;
            }
        }
    }
}
