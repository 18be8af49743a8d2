//! What no honest phone sends: errors of the specification, no 500, no panic, and a server that lives on after each.

mod bodies;
mod connections;
mod parameters;
mod wire;

use dface_tests::{Phone, Server};

/// A place of the document's examples, WGS-84.
pub const HERE: (f64, f64) = (30.286_91, 120.127_63);

/// A server with a shop, and somebody signed in.
pub fn prepared() -> (Server, Phone, u64) {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let phone = server.person("anna", 0);
    (server, phone, shop)
}
