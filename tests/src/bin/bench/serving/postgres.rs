//! A PostgreSQL of our own, asked by its own `pgbench`.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{load::Measured, redis::free_port, server};
use crate::Failed;

/// It, in a directory of its own.
pub struct Postgres {
    server: Child,
    port: u16,
    dir: tempfile::TempDir,
}

impl Postgres {
    /// Starts it, empty.
    pub fn start() -> Result<Self, Failed> {
        // Root may not run it, and whoever may must be able to reach the directory.
        let dir = tempfile::Builder::new().prefix("bench-postgres-").tempdir()?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777))?;
        let (data, port) = (dir.path().join("data"), free_port()?);
        run(tool("initdb")?
            .args(["--auth=trust", "--username=bench", "--encoding=UTF8", "--no-sync", "-D"])
            .arg(&data))?;
        let server = tool("postgres")?
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=1GB", "-c", "fsync=off", "-p"])
            .arg(port.to_string())
            .arg("-k")
            .arg(dir.path())
            .arg("-D")
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let started = Self { server, port, dir };
        for _ in 0..100 {
            if started.psql().args(["-c", "SELECT 1"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?.success() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(started)
    }

    /// Runs a script, written as it is read.
    pub fn script(&self, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), Failed> {
        let mut psql = self.psql().stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let mut script = std::io::BufWriter::new(psql.stdin.take().ok_or("psql takes no input")?);
        write(&mut script)?;
        drop(script.into_inner()?);
        if psql.wait()?.success() { Ok(()) } else { Err("PostgreSQL could not be filled".into()) }
    }

    fn psql(&self) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "bench", "-d", "postgres", "-p"]);
        psql.arg(self.port.to_string());
        psql
    }

    /// Lets so many clients run a prepared script of `pgbench` again and again.
    pub fn ask(&self, clients: usize, script: &str, time: Duration) -> Result<Measured, Failed> {
        let file = self.dir.path().join("ask.sql");
        fs::write(&file, script)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
        let (clients, seconds) = (clients.to_string(), time.as_secs().max(1).to_string());
        run(tool("pgbench")?
            .current_dir(self.dir.path())
            .args(["-n", "-l", "-M", "prepared", "-h", "127.0.0.1", "-U", "bench", "-j", "1", "-p"])
            .arg(self.port.to_string())
            .args(["-c", &clients, "-T", &seconds, "-f"])
            .arg(&file)
            .arg("postgres"))?;
        let waits = self.waits()?;
        Ok(Measured { count: waits.len() as u64, failed: 0, time, waits })
    }

    /// Out of the logs of `pgbench`: the third field is microseconds.
    fn waits(&self) -> Result<Vec<Duration>, Failed> {
        let mut waits = Vec::new();
        for entry in fs::read_dir(self.dir.path())? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pgbench_log")) {
                let text = fs::read_to_string(path)?;
                let micros = text.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok());
                waits.extend(micros.map(Duration::from_micros));
            }
        }
        Ok(waits)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        server::stop(&mut self.server);
    }
}

/// One of PostgreSQL's programs, which Debian keeps out of the path, as a user that may run it.
fn tool(name: &str) -> Result<Command, Failed> {
    let versions =
        fs::read_dir("/usr/lib/postgresql")?.filter_map(|entry| Some(entry.ok()?.path().join("bin").join(name)));
    let path: PathBuf = versions.filter(|path| path.exists()).max().ok_or("PostgreSQL is not installed")?;
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(path);
        command.current_dir("/");
        return Ok(command);
    }
    Ok(Command::new(path))
}

fn run(command: &mut Command) -> Result<(), Failed> {
    let done = command.stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("{}: {}", Path::new(command.get_program()).display(), String::from_utf8_lossy(&done.stderr)).into())
}
