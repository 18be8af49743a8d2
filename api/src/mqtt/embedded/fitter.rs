//! What is agreed with a client when it connects.

use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
    time::Duration,
};

use rmqtt::{
    Result,
    codec::types::Publish,
    fitter::{Fitter, FitterManager},
    types::{ConnectInfo, Disconnect, FitterType, Id, ListenerConfig},
};

use crate::settings::Mqtt;

/// Agrees with every client by the settings.
pub(super) struct Agreements(pub(super) Mqtt);

impl FitterManager for Agreements {
    fn create(&self, client: Arc<ConnectInfo>, _: Id, _: ListenerConfig) -> FitterType {
        Arc::new(Agreement { client, settings: self.0.clone() })
    }
}

struct Agreement {
    client: Arc<ConnectInfo>,
    settings: Mqtt,
}

impl Agreement {
    fn most(&self) -> Duration {
        Duration::from_secs(self.settings.session_s.into())
    }
}

impl Fitter for Agreement {
    /// How long to wait for a sign of the client: one and a half times what was agreed (§3.1.2.10 of MQTT 3.1.1).
    fn keep_alive(&self, keep_alive: &mut u16) -> Result<u16> {
        let most = self.settings.keep_alive_most_s;
        if *keep_alive == 0 || *keep_alive > most {
            *keep_alive = most;
        }
        Ok((*keep_alive).saturating_add(keep_alive.div_ceil(2)))
    }

    fn max_mqueue_len(&self) -> usize {
        self.settings.queued
    }

    fn mqueue_rate_limit(&self) -> (NonZeroU32, Duration) {
        (NonZeroU32::MAX, Duration::from_secs(1))
    }

    fn max_inflight(&self) -> NonZeroU16 {
        let ours = NonZeroU16::new(self.settings.inflight).unwrap_or(NonZeroU16::MIN);
        match self.client.as_ref() {
            ConnectInfo::V5(_, connect) => connect.receive_max.map_or(ours, |theirs| ours.min(theirs)),
            ConnectInfo::V3(..) => ours,
        }
    }

    fn session_expiry_interval(&self, disconnect: Option<&Disconnect>) -> Duration {
        let ConnectInfo::V5(_, connect) = self.client.as_ref() else { return self.most() };
        let changed = match disconnect {
            Some(Disconnect::V5(disconnect)) => disconnect.session_expiry_interval_secs,
            _ => None,
        };
        let asked = changed.unwrap_or(connect.session_expiry_interval_secs);
        self.most().min(Duration::from_secs(asked.into()))
    }

    fn message_expiry_interval(&self, _: &Publish) -> Duration {
        self.most()
    }

    fn max_client_topic_aliases(&self) -> u16 {
        0
    }

    fn max_server_topic_aliases(&self) -> u16 {
        0
    }
}
