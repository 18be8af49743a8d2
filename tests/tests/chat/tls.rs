//! STARTTLS.

use dface_tests::{Certificate, Setup, Xmpp, xmpp::SASL};

const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";

#[test]
fn a_stream_becomes_private_and_goes_on_by_the_usual_way() {
    let certificate = Certificate::new();
    let mut server = certificate.used(Setup::default()).start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::connect(server.xmpp());
    let features = client.open();
    let offered = features.get_child("starttls", TLS).expect("TLS is offered");
    assert!(!offered.has_child("required", TLS), "loopback may do without");
    client.start_tls(&certificate.pem);
    let features = client.open();
    assert!(!features.has_child("starttls", TLS), "there is nothing more to start");
    assert!(features.has_child("mechanisms", SASL));
    assert!(client.plain(&anna.user.to_string(), &anna.chat_password).is("success", SASL));
    client.open();
    client.bind("phone");
    let id = client.manage();
    client.quiet();
    client.cut();
    // What was private may be resumed over another connection of the same account.
    let mut client = Xmpp::signed_in(server.xmpp(), &anna.user.to_string(), &anna.chat_password);
    let resumed = client.ask(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='1'/>"));
    assert_eq!(resumed.name(), "resumed", "{}", String::from(&resumed));
}

#[test]
fn what_is_said_in_the_same_breath_as_starttls_is_not_heard() {
    let certificate = Certificate::new();
    let mut server = certificate.used(Setup::default()).start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::connect(server.xmpp());
    client.open();
    let smuggled = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AAAA</auth>";
    let proceed = client.ask(&format!("<starttls xmlns='{TLS}'/>{smuggled}"));
    assert!(proceed.is("proceed", TLS));
    client.speak_tls(&certificate.pem);
    client.open();
    assert!(client.plain(&anna.user.to_string(), &anna.chat_password).is("success", SASL));
}

#[test]
fn without_a_certificate_tls_fails() {
    let server = dface_tests::Server::start();
    let mut client = Xmpp::connect(server.xmpp());
    client.open();
    assert!(client.ask(&format!("<starttls xmlns='{TLS}'/>")).is("failure", TLS));
    assert_eq!(client.ended(), None);
}

#[test]
fn listening_without_tls_off_loopback_must_be_asked_for() {
    let refused = dface_tests::dface(
        tempfile::tempdir().expect("a directory").path(),
        &[("DFACE_LISTEN__XMPP", "0.0.0.0:0")],
        &["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
    );
    refused.ended(2).says(&["listen.xmpp", "chat.allow_plaintext"]);
}
