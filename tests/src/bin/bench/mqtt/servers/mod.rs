//! The servers that are measured, on a free port of loopback, without TLS.

mod dface;
mod mosquitto;

use std::{any::Any, fmt, fs, net::SocketAddr, path::Path};

use dface_tests::apns::StandIn;
use tokio::runtime::Runtime;

use super::client::Account;
use crate::{Failed, machine};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Dface,
    /// With a device for one member of each circle.
    DfaceAndApple,
    Mosquitto,
}

impl Kind {
    pub const OURS: [Self; 2] = [Self::Dface, Self::DfaceAndApple];
    pub const ALL: [Self; 3] = [Self::Dface, Self::DfaceAndApple, Self::Mosquitto];

    /// Starts it for so many circles of so many members.
    pub fn start(self, runtime: &Runtime, program: &Path, dir: &Path, of: (usize, usize)) -> Result<Running, Failed> {
        let dir = dir.join(format!("{self:?}"));
        fs::create_dir_all(&dir)?;
        match self {
            Self::Dface => dface::start(runtime, program, &dir, of, false),
            Self::DfaceAndApple => dface::start(runtime, program, &dir, of, true),
            Self::Mosquitto => mosquitto::start(&dir, of),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dface => "dface",
            Self::DfaceAndApple => "dface, and a push for each event",
            Self::Mosquitto => "Mosquitto",
        })
    }
}

/// A server that runs; it is told to stop when this goes.
pub struct Running {
    process: u32,
    pub at: SocketAddr,
    /// Phones, each with its circle's topic.
    pub phones: Vec<Account>,
    /// Watches, each with the topic that it publishes on.
    pub watches: Vec<Account>,
    /// Who takes a push for each event.
    pub apple: Option<StandIn>,
    _held: Box<dyn Any>,
}

impl Running {
    /// Bytes in memory.
    pub fn memory(&self) -> u64 {
        machine::kilobytes(&format!("/proc/{}/status", self.process), "VmRSS:").unwrap_or_default() << 10
    }

    /// What a watch tells: where it is. The event's number is its radius.
    pub fn event(&self, watch: usize, number: usize) -> (String, Vec<u8>) {
        let topic = self.watches.get(watch).map(|watch| watch.topic.clone()).unwrap_or_default();
        let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let event = serde_json::json!({
            "id": format!("e{number}"),
            "kind": "locate",
            "type": 2,
            "locus": 0,
            "radius": number,
            "lat": 30.2741,
            "lon": 120.1551,
            "timestamp": at,
        });
        (topic, event.to_string().into_bytes())
    }

    /// The number of an event that reached a phone.
    pub fn number(&self, payload: &[u8]) -> Option<usize> {
        let value: serde_json::Value = serde_json::from_slice(payload).ok()?;
        usize::try_from(value.get("radius")?.as_u64()?).ok()
    }
}
