//! Whether the listeners' addresses are free.

use std::{io, net::TcpListener};

use super::Finding;
use crate::settings::{Role, Settings};

/// Each listener's address; one that is taken while this directory's own server runs is no error.
#[must_use]
pub fn ports(settings: &Settings, own_server: bool) -> Vec<Finding> {
    let mut listeners = vec![("--http", settings.listen.http), ("--admin", settings.listen.admin)];
    if settings.roles.has(Role::Chat) {
        listeners.extend([("--xmpp", settings.listen.xmpp), ("--xmpp-api", settings.listen.xmpp_api)]);
    }
    let each = listeners.into_iter().map(|(flag, address)| match TcpListener::bind(address) {
        Ok(_) => Finding::ok("ports", format!("{flag} {address} is free")),
        Err(error) if own_server && error.kind() == io::ErrorKind::AddrInUse => {
            Finding::ok("ports", format!("{flag} {address} is taken; this directory's server runs"))
        }
        Err(error) => {
            let remedy = format!("end what listens there, or choose another with {flag}; port 0 takes any free one");
            Finding::error("ports", format!("{flag} {address}: {error}"), remedy)
        }
    });
    each.collect()
}
