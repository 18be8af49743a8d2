//! A Mosquitto for one test: Debian's program on a free port of loopback, which lets anybody in and keeps nothing on a disk.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

const SERVER: &str = "/usr/sbin/mosquitto";
/// The longest that a start may take on a busy machine.
const STARTING: Duration = Duration::from_secs(30);

/// A broker. Ends when dropped.
pub struct Mosquitto {
    at: SocketAddr,
    child: Child,
    _dir: TempDir,
}

impl Mosquitto {
    /// Starts one.
    ///
    /// # Panics
    /// It does not come up; `.ci/setup test` installs it.
    #[must_use]
    pub fn start() -> Self {
        assert!(Path::new(SERVER).is_file(), "there is no Mosquitto: run .ci/setup test");
        let dir = tempfile::tempdir().expect("a directory");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let at = free.local_addr().expect("it is bound");
        drop(free);
        // As root it would take another user's rights, who may not read the directory.
        let settings = format!(
            "listener {} {}\nallow_anonymous true\npersistence false\nmax_queued_messages 100000\nuser root\n",
            at.port(),
            at.ip()
        );
        let (conf, out) = (dir.path().join("mosquitto.conf"), dir.path().join("out"));
        fs::write(&conf, settings).expect("it can be written");
        let log = File::create(&out).expect("a file");
        let mut command = Command::new(SERVER);
        command.arg("-c").arg(conf).stdin(Stdio::null()).stdout(log.try_clone().expect("a second handle")).stderr(log);
        let child = command.spawn().expect("the broker starts");
        let broker = Self { at, child, _dir: dir };
        let begun = Instant::now();
        while TcpStream::connect(at).is_err() {
            let said = || fs::read_to_string(&out).unwrap_or_default();
            assert!(begun.elapsed() < STARTING, "Mosquitto does not come up: {}", said());
            thread::sleep(Duration::from_millis(20));
        }
        broker
    }

    /// Where it is.
    #[must_use]
    pub const fn at(&self) -> SocketAddr {
        self.at
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
