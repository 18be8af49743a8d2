//! Ends a client of the broker: whoever connects with its id takes its place, and with a clean session what waits for it and what it subscribed
//! are gone too (MQTT 3.1.1, 3.1.2.4 and 3.1.4). No broker has another way that all brokers have.

use std::time::Duration;

use rumqttc::{AsyncClient, Event, Outgoing, Packet};
use tokio::time::{sleep, timeout};

use super::ExternalConfig;

/// Tries, and the pause between two.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// Ends that client's connection and session.
pub async fn end(config: &ExternalConfig, client: &str) {
    for _ in 0..TRIES {
        match timeout(config.patience, once(config, client)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::warn!(error, "a client of the MQTT broker could not be ended; trying again"),
            Err(_) => tracing::warn!("a client of the MQTT broker could not be ended in time; trying again"),
        }
        sleep(PAUSE).await;
    }
    tracing::error!("a client of the MQTT broker could not be ended: restart the broker");
}

async fn once(config: &ExternalConfig, client: &str) -> Result<(), String> {
    let (library, mut events) = AsyncClient::new(config.options(client, true), 1);
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => library.disconnect().await.map_err(|error| error.to_string())?,
            Ok(Event::Outgoing(Outgoing::Disconnect)) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}
