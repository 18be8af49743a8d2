//! Redis with the same points: `GEOSEARCH … BYRADIUS … ASC COUNT 50`.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use dface_domain::{events::ShopDetails, geo::Position};

use super::{load, server};
use crate::{Failed, machine};

/// A Redis of our own.
pub struct Redis {
    child: Child,
    pub address: SocketAddr,
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16, Failed> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Redis {
    /// Starts it without any file, and gives it all points.
    pub fn start(dir: &Path, shops: &[ShopDetails]) -> Result<Self, Failed> {
        let port = free_port()?;
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string(), "--dir"])
            .arg(dir)
            .stdout(Stdio::null())
            .spawn()?;
        let redis = Self { child, address: ([127, 0, 0, 1], port).into() };
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(redis.fill(shops))?;
        Ok(redis)
    }

    async fn fill(&self, shops: &[ShopDetails]) -> Result<(), Failed> {
        let begun = Instant::now();
        let mut connection = loop {
            match load::Connection::open(self.address, load::redis).await {
                Ok(connection) => break connection,
                Err(error) if begun.elapsed() > Duration::from_secs(10) => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        for (chunk, first) in shops.chunks(1_000).zip((0..).step_by(1_000)) {
            let mut words = vec!["GEOADD".to_owned(), "shops".to_owned()];
            for (shop, id) in chunk.iter().zip(first + 1..) {
                let place = shop.position;
                words.extend([place.lng().to_string(), place.lat().to_string(), format!("{id:07}")]);
            }
            let (_, good) = connection.ask(&command(&words)).await?;
            if !good {
                return Err("Redis refused the points".into());
            }
        }
        Ok(())
    }

    pub fn processor_time(&self) -> Duration {
        server::processor_time(self.child.id())
    }

    /// Bytes in memory.
    pub fn memory(&self) -> u64 {
        machine::kilobytes(&format!("/proc/{}/status", self.child.id()), "VmRSS:").unwrap_or_default() << 10
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        server::stop(&mut self.child);
    }
}

/// The 50 nearest within 250 m: Redis sorts all within the radius, so it is given a small one.
pub fn search(place: Position) -> Vec<u8> {
    let words = ["GEOSEARCH", "shops", "FROMLONLAT"].map(str::to_owned).into_iter();
    let words = words.chain([place.lng().to_string(), place.lat().to_string()]);
    let words = words.chain(["BYRADIUS", "250", "m", "ASC", "COUNT", "50", "WITHDIST"].map(str::to_owned));
    command(&words.collect::<Vec<_>>())
}

fn command(words: &[String]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len());
    for word in words {
        bytes.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    bytes.into_bytes()
}
