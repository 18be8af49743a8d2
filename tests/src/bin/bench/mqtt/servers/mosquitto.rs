//! Mosquitto, of Debian, as it comes: nothing is kept, anybody is let in.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{Account, Running};
use crate::{Failed, serving::server};

/// The longest that a start may take.
const STARTING: Duration = Duration::from_secs(30);

/// A process that is told to stop when this goes.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        server::stop(&mut self.0);
    }
}

pub fn start(dir: &Path, (circles, members): (usize, usize)) -> Result<Running, Failed> {
    let at: SocketAddr = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let settings = format!(
        "listener {} {}\nallow_anonymous true\npersistence false\nmax_queued_messages 100000\nset_tcp_nodelay true\nuser root\n",
        at.port(),
        at.ip()
    );
    fs::write(dir.join("mosquitto.conf"), settings)?;
    let log = File::create(dir.join("out"))?;
    let mut command = Command::new("/usr/sbin/mosquitto");
    command.arg("-c").arg(dir.join("mosquitto.conf")).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let child = Ends(command.spawn()?);
    let begun = Instant::now();
    while TcpStream::connect(at).is_err() {
        if begun.elapsed() > STARTING {
            return Err(format!("mosquitto does not start: {}", fs::read_to_string(dir.join("out"))?).into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let account = |client: String, topic: String| Account {
        name: client.clone(),
        password: "open-sesame".to_owned(),
        client,
        topic,
    };
    let topic = |circle: usize| format!("xunqun/group/{circle}/watch_locate");
    let phones = (0..circles * members).map(|number| account(format!("phone{number}"), topic(number / members)));
    let watches = (0..circles).map(|number| account(format!("watch{number}"), topic(number)));
    let (phones, watches) = (phones.collect(), watches.collect());
    Ok(Running { process: child.0.id(), at, phones, watches, apple: None, _held: Box::new(child) })
}
