//! Prosody, of Debian, with its files as storage, as Debian has it (epoll), and nothing loaded that the load does not need.

use std::{fs, path::Path, process::Command};

use super::{Running, accounts, free_port};
use crate::{
    Failed,
    chat::stream::{DOMAIN, ROOM_DOMAIN},
};

pub fn start(dir: &Path, count: usize) -> Result<Running, Failed> {
    let (at, accounts) = (free_port()?, accounts(count));
    // It writes `.` in names of its folders so.
    let host = dir.join("data").join(DOMAIN.replace('.', "%2e")).join("accounts");
    fs::create_dir_all(&host)?;
    for account in &accounts {
        let text = format!("return {{ [\"password\"] = \"{}\" }};\n", account.password);
        fs::write(host.join(format!("{}.dat", account.name)), text)?;
    }
    let data = dir.join("data");
    let settings = format!(
        r#"run_as_root = true
daemonize = false
pidfile = "{data}/pid"
data_path = "{data}"
certificates = "{data}"
log = {{ error = "*console" }}
interfaces = {{ "{ip}" }}
c2s_ports = {{ {port} }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
modules_enabled = {{ "roster", "saslauth", "disco", "ping", "offline", "carbons", "smacks", "blocklist" }}
modules_disabled = {{ "s2s" }}
VirtualHost "{DOMAIN}"
Component "{ROOM_DOMAIN}" "muc"
  muc_room_locking = false
"#,
        data = data.display(),
        ip = at.ip(),
        port = at.port(),
    );
    fs::write(dir.join("prosody.cfg.lua"), settings)?;
    let mut command = Command::new("prosody");
    command.arg("--config").arg(dir.join("prosody.cfg.lua"));
    Running::begin(command, dir, at, accounts)
}
