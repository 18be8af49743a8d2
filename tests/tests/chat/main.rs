//! Chat over XMPP: the built binary, and clients that speak to it.

mod hostile;
mod resumption;
mod rooms;
mod sasl;
mod sections;
mod services;
mod streams;
mod tls;
mod websocket;

use minidom::Element;

/// The condition of a failure to sign in.
fn failure(element: &Element) -> &str {
    assert!(element.is("failure", dface_tests::xmpp::SASL), "{}", String::from(element));
    element.children().next().expect("a condition").name()
}
