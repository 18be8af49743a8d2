//! PostGIS with the same points: nearest first by `<->`, asked by PostgreSQL's own `pgbench`.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use dface_domain::{events::ShopDetails, geo::Position};

use super::{load::Measured, redis::free_port, server};
use crate::Failed;

/// A PostgreSQL of our own.
pub struct PostGis {
    server: Child,
    port: u16,
    dir: tempfile::TempDir,
}

const TABLES: &str = "
    CREATE EXTENSION postgis;
    CREATE TABLE shops (id bigint, place geography(Point, 4326));
    CREATE TABLE asked (id bigint PRIMARY KEY, place geography(Point, 4326));
    CREATE TEMP TABLE given (id bigint, lng float8, lat float8);
    CREATE TEMP TABLE questions (id bigint, lng float8, lat float8);
";

const INDEX: &str = "
    INSERT INTO shops SELECT id, ST_Point(lng, lat, 4326)::geography FROM given;
    INSERT INTO asked SELECT id, ST_Point(lng, lat, 4326)::geography FROM questions;
    CREATE INDEX ON shops USING gist (place);
    VACUUM ANALYZE shops;
    VACUUM ANALYZE asked;
";

impl PostGis {
    /// Starts it in a directory of its own and gives it all points, and the places to ask from.
    pub fn start(shops: &[ShopDetails], asked: &[Position]) -> Result<Self, Failed> {
        // Root may not run it, and whoever may must be able to reach the directory.
        let dir = tempfile::Builder::new().prefix("bench-postgis-").tempdir()?;
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
        started.fill(shops, asked)?;
        Ok(started)
    }

    fn fill(&self, shops: &[ShopDetails], asked: &[Position]) -> Result<(), Failed> {
        for _ in 0..100 {
            if self.psql().args(["-c", "SELECT 1"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?.success() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let mut psql = self.psql().stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let mut script = std::io::BufWriter::new(psql.stdin.take().ok_or("psql takes no input")?);
        writeln!(script, "{TABLES}COPY given FROM STDIN;")?;
        for (shop, id) in shops.iter().zip(1_u64..) {
            writeln!(script, "{id}\t{}\t{}", shop.position.lng(), shop.position.lat())?;
        }
        writeln!(script, "\\.\nCOPY questions FROM STDIN;")?;
        for (place, id) in asked.iter().zip(1_u64..) {
            writeln!(script, "{id}\t{}\t{}", place.lng(), place.lat())?;
        }
        writeln!(script, "\\.\n{INDEX}")?;
        drop(script.into_inner()?);
        if psql.wait()?.success() { Ok(()) } else { Err("PostGIS could not be filled".into()) }
    }

    fn psql(&self) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "bench", "-d", "postgres", "-p"]);
        psql.arg(self.port.to_string());
        psql
    }

    /// Lets so many clients ask for the 50 nearest.
    pub fn ask(&self, clients: usize, asked: usize, time: Duration) -> Result<Measured, Failed> {
        let script = self.dir.path().join("ask.sql");
        fs::write(
            &script,
            format!(
                "\\set n random(1, {asked})\n\
                 SELECT s.id, s.place <-> a.place AS metres FROM asked a CROSS JOIN LATERAL (SELECT id, place FROM shops \
                 ORDER BY place <-> a.place LIMIT 50) s WHERE a.id = :n;\n"
            ),
        )?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o644))?;
        let (clients, seconds) = (clients.to_string(), time.as_secs().max(1).to_string());
        run(tool("pgbench")?
            .current_dir(self.dir.path())
            .args(["-n", "-l", "-M", "prepared", "-h", "127.0.0.1", "-U", "bench", "-j", "1", "-p"])
            .arg(self.port.to_string())
            .args(["-c", &clients, "-T", &seconds, "-f"])
            .arg(&script)
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

impl Drop for PostGis {
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
