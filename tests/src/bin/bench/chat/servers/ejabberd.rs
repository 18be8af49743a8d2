//! ejabberd, of Debian, with Mnesia, started in Erlang's machine itself: its own script wants to be another user. Two
//! schedulers or as many as there are cores, as it chooses.

use std::{fs, path::Path, process::Command};

use super::{Running, accounts, free_port};
use crate::{
    Failed,
    chat::stream::{DOMAIN, ROOM_DOMAIN},
};

const SCRIPT: &str = "/usr/sbin/ejabberdctl";

pub fn start(dir: &Path, count: usize) -> Result<Running, Failed> {
    let (at, accounts) = (free_port()?, accounts(count));
    let settings = format!(
        r#"hosts: ["{DOMAIN}"]
loglevel: error
auth_method: mnesia
auth_password_format: plain
listen:
  - port: {port}
    ip: "{ip}"
    module: ejabberd_c2s
    # Its own 5 are too few for sign-ins at once: a connection beyond them waits a second for its next SYN.
    backlog: 1024
    max_stanza_size: 65536
    shaper: none
    access: all
    starttls: false
acl: {{}}
access_rules: {{}}
shaper_rules: {{}}
modules:
  mod_carboncopy: {{}}
  mod_disco: {{}}
  mod_muc:
    hosts: ["{ROOM_DOMAIN}"]
    max_users: 1000
    min_message_interval: 0
    min_presence_interval: 0
    history_size: 20
  mod_offline: {{}}
  mod_ping: {{}}
  mod_blocking: {{}}
  mod_privacy: {{}}
  mod_roster: {{}}
  mod_stream_mgmt: {{}}
"#,
        ip = at.ip(),
        port = at.port(),
    );
    fs::write(dir.join("ejabberd.yml"), settings)?;
    let libraries = fs::read_to_string(SCRIPT)?;
    let libraries = libraries.lines().find_map(|line| line.strip_prefix("ERL_LIBS='")?.strip_suffix('\''));
    let libraries = libraries.ok_or("Debian's ejabberdctl does not say where ejabberd lies")?;
    let password = accounts.first().map_or("", |account| &account.password);
    let register = format!(
        "[{{ok, _}} = {{ejabberd_auth:try_register(list_to_binary(\"u\" ++ integer_to_list(N)), <<\"{DOMAIN}\">>, <<\"{password}\">>), N}} || N <- lists:seq(1, {count})]."
    );
    let mut command = Command::new("erl");
    command
        .args(["-noinput", "+K", "true", "+P", "250000", "-mnesia", "dir"])
        .arg(format!("\"{}\"", dir.join("mnesia").display()))
        .args(["-s", "ejabberd", "-eval", &register])
        .env("ERL_LIBS", libraries)
        .env("HOME", dir)
        .env("EJABBERD_CONFIG_PATH", dir.join("ejabberd.yml"))
        .env("EJABBERD_LOG_PATH", dir.join("ejabberd.log"))
        .env("ERL_CRASH_DUMP", dir.join("crash"));
    Running::begin(command, dir, at, accounts)
}
