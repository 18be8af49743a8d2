//! From a connection to a bound stream, and its end.

use dface_tests::{Server, Xmpp, xmpp::SASL};

fn condition(failure: &minidom::Element) -> &str {
    assert!(failure.is("failure", SASL), "{}", String::from(failure));
    failure.children().next().expect("a condition").name()
}

#[test]
fn somebody_signs_in_binds_a_resource_and_closes() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::of(&server, &anna, "phone");
    assert_eq!(client.jid, format!("{}@dface.cn/phone", anna.user));
    assert!(client.quiet().is_empty());
    client.close();
}

#[test]
fn a_wrong_password_is_refused_and_the_third_ends_the_stream() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::connect(server.xmpp());
    client.open();
    let name = anna.user.to_string();
    assert_eq!(condition(&client.plain(&name, "0123456789abcdef")), "not-authorized");
    assert_eq!(condition(&client.plain("999", &anna.chat_password)), "not-authorized");
    assert_eq!(condition(&client.plain(&name, "wrong")), "not-authorized");
    assert_eq!(client.ended().as_deref(), Some("policy-violation"));
}
