//! The servers that are measured, each with as many accounts, on a free port of loopback, without TLS.

mod dface;
mod ejabberd;
mod prosody;

use std::{
    any::Any,
    fmt,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

use super::stream::Account;
use crate::{Failed, machine, serving::server};

/// The longest that a start may take.
const STARTING: Duration = Duration::from_secs(60);

/// Which server.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Dface,
    Prosody,
    Ejabberd,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Dface, Self::Prosody, Self::Ejabberd];

    /// Starts it with so many accounts.
    pub fn start(self, runtime: &Runtime, program: &Path, dir: &Path, accounts: usize) -> Result<Running, Failed> {
        let dir = dir.join(self.to_string());
        fs::create_dir_all(&dir)?;
        match self {
            Self::Dface => dface::start(runtime, program, &dir, accounts),
            Self::Prosody => prosody::start(&dir, accounts),
            Self::Ejabberd => ejabberd::start(&dir, accounts),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dface => "dface",
            Self::Prosody => "Prosody",
            Self::Ejabberd => "ejabberd",
        })
    }
}

/// A server that runs; it is told to stop when this goes.
pub struct Running {
    process: u32,
    pub at: SocketAddr,
    pub accounts: Vec<Account>,
    /// The localpart of a room.
    pub room: String,
    _held: Box<dyn Any>,
}

/// A process that is told to stop when this goes.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        server::stop(&mut self.0);
    }
}

impl Running {
    /// Starts a program and waits until its port answers.
    fn begin(mut command: Command, dir: &Path, at: SocketAddr, accounts: Vec<Account>) -> Result<Self, Failed> {
        let log = File::create(dir.join("out"))?;
        let mut child = Ends(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?);
        let begun = Instant::now();
        while TcpStream::connect(at).is_err() {
            if child.0.try_wait()?.is_some() || begun.elapsed() > STARTING {
                let told = fs::read_to_string(dir.join("out")).unwrap_or_default();
                return Err(format!("{:?} does not start: {told}", command.get_program()).into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { process: child.0.id(), at, accounts, room: "1".to_owned(), _held: Box::new(child) })
    }

    /// Bytes in memory.
    pub fn memory(&self) -> u64 {
        machine::kilobytes(&format!("/proc/{}/status", self.process), "VmRSS:").unwrap_or_default() << 10
    }
}

fn free_port() -> Result<SocketAddr, Failed> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Accounts `u1`, `u2`… with one password.
fn accounts(count: usize) -> Vec<Account> {
    (1..=count).map(|number| Account { name: format!("u{number}"), password: "open-sesame".to_owned() }).collect()
}
