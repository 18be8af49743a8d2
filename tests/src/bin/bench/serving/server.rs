//! The real program on a data directory.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Failed, machine};

/// Builds the program as it is released; where it lies.
pub fn build() -> Result<PathBuf, Failed> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built =
        Command::new(cargo).args(["build", "--release", "--quiet", "-p", "dface-api", "--bin", "dface"]).status()?;
    if !built.success() {
        return Err("dface cannot be built".into());
    }
    Ok(std::env::current_exe()?.with_file_name("dface"))
}

/// A server that runs; it is told to stop when this goes.
pub struct Server {
    child: Child,
    pub http: SocketAddr,
    /// Where operators connect.
    pub admin: SocketAddr,
    /// Where XMPP clients connect, where it has the role.
    pub xmpp: Option<SocketAddr>,
    /// Where MQTT clients connect, where there is a broker.
    pub mqtt: Option<SocketAddr>,
}

impl Server {
    /// Starts it. How long it took until it said that it is ready.
    pub fn start(program: &Path, data: &Path) -> Result<(Self, Duration), Failed> {
        Self::start_with(program, data, &[])
    }

    /// The same with some settings (`DFACE_…`).
    pub fn start_with(program: &Path, data: &Path, settings: &[(&str, &str)]) -> Result<(Self, Duration), Failed> {
        let begun = Instant::now();
        let mut child = Command::new(program)
            .args(["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data"])
            .envs([("DFACE_LISTEN__XMPP", "127.0.0.1:0"), ("DFACE_LISTEN__XMPP_API", "127.0.0.1:0")])
            .env("DFACE_LISTEN__MQTT", "127.0.0.1:0")
            .arg(data)
            .env("DFACE_LOG__LEVEL", "warn")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("the server has no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let took = begun.elapsed();
        let ready: serde_json::Value = serde_json::from_str(&line).map_err(|_| "the server did not start")?;
        let address = |key: &str| ready[key].as_str().ok_or("the server named no address");
        let (http, admin) = (address("http")?.parse()?, address("admin")?.parse()?);
        let [xmpp, mqtt] = ["xmpp", "mqtt"].map(|key| ready[key].as_str().map(str::parse).transpose());
        Ok((Self { child, http, admin, xmpp: xmpp?, mqtt: mqtt? }, took))
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Processor time that it has used, all threads, user and system.
    pub fn processor_time(&self) -> Duration {
        processor_time(self.child.id())
    }

    /// Waits until it does nothing by itself: what follows the log is at its end.
    pub fn rest(&self) {
        let mut last = self.processor_time();
        for _ in 0..120 {
            std::thread::sleep(Duration::from_secs(1));
            let now = self.processor_time();
            if now - last < Duration::from_millis(60) {
                return;
            }
            last = now;
        }
    }

    /// The most bytes that it had in memory.
    pub fn peak_memory(&self) -> u64 {
        machine::kilobytes(&format!("/proc/{}/status", self.child.id()), "VmHWM:").unwrap_or_default() << 10
    }

    /// Bytes in memory.
    pub fn memory(&self) -> u64 {
        machine::kilobytes(&format!("/proc/{}/status", self.child.id()), "VmRSS:").unwrap_or_default() << 10
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// Asks a process to end, and waits until it has.
pub fn stop(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // One that is gone already needs no signal.
        let _ = kill_process(pid, Signal::TERM);
    }
    let _ = child.wait();
}

/// Processor time of a process.
pub fn processor_time(process: u32) -> Duration {
    /// `USER_HZ`, the same on all Linux machines of today.
    const TICKS_A_SECOND: f64 = 100.0;
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The program's name may have spaces in it: fields count from the bracket behind it.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = fields.iter().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Duration::from_secs_f64(ticks / TICKS_A_SECOND)
}
