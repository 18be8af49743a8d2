//! §33.1 and §33.2: which device gets somebody's pushes.

use dface_tests::{Operator, Server, xmpp::Xmpp};

const TOKEN: &str = "ea6e4f05b48f4a057816956e567c6feacf14ee28cbbbab67993e263c3dfa2c27";

fn count(operator: &Operator, event: &str) -> usize {
    let events = operator.get(&format!("/events?type={event}"));
    assert_eq!(events.status, 200, "{events}");
    assert!(!events.text.contains(TOKEN), "{events}");
    events.text.lines().count()
}

#[test]
fn section_33_2_signing_out_unbinds_the_device_where_it_is_the_bound_one() {
    let mut server = Server::start();
    server.secret(TOKEN);
    let operator = server.operator();
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    let password = format!("{}1{TOKEN}", anna.chat_password);
    Xmpp::signed_in(server.xmpp(), &anna.user.to_string(), &password).close();
    assert_eq!(count(&operator, "PushTokenBound"), 1);
    ben.get("/oauth2/logout", &[("pushtoken", &TOKEN)]).ok();
    anna.get("/oauth2/logout", &[("pushtoken", &"f".repeat(64))]).ok();
    assert_eq!(count(&operator, "PushTokenUnbound"), 0, "not theirs, or not bound");
    let anna = server.sign_in("anna");
    anna.get("/oauth2/logout", &[("pushtoken", &TOKEN.to_uppercase())]).ok();
    assert_eq!(count(&operator, "PushTokenUnbound"), 1);
}
