//! `go-sendxmpp` and `profanity`.

use dface_tests::{
    Certificate, Setup,
    clients::{Driver, Library, Profanity, Wanted, go_sendxmpp},
};
use serde_json::json;

use crate::place::{Place, jid};

#[test]
fn go_sendxmpp_sends_to_a_person_and_to_a_room() {
    // It talks nothing but TLS.
    let certificate = Certificate::new();
    let setup = Setup::default().set("TLS__CERT", &certificate.cert).set("TLS__KEY", &certificate.key);
    let place = Place::with(setup.tls(certificate.pem.clone()));
    let driver = Driver::start(Library::Slixmpp, Some(&certificate.cert));
    driver.online("ben", &Wanted { tls: true, ..place.wanted(&place.ben, "phone") });
    driver.tell("ben", "join", json!({ "room": place.room, "nick": "ben" }));
    driver.expect("ben", "joined", |_| true);
    let (user, password) = (place.anna.user.to_string(), &place.anna.chat_password);
    let send = |to: &str, room, text: &str| {
        go_sendxmpp(place.server.xmpp(), &user, password, to, room, text, &certificate.cert);
    };
    send(&jid(&place.ben), false, "from a script");
    let heard = driver.expect("ben", "message", |message| {
        message["body"].as_str().is_some_and(|body| body.trim() == "from a script")
    });
    assert!(heard["from"].as_str().is_some_and(|from| from.starts_with(&jid(&place.anna))), "{heard}");
    send(&place.room, true, "to all, from a script");
    let heard =
        driver.expect("ben", "message", |message| message["type"] == "groupchat" && message["body"].is_string());
    assert_eq!(heard["body"].as_str().map(str::trim), Some("to all, from a script"), "{heard}");
    assert_eq!(heard["from"], format!("{}/anna", place.room), "{heard}");
}

#[test]
fn profanity_signs_in_joins_and_talks() {
    let place = Place::new();
    let driver = Driver::start(Library::Slixmpp, None);
    driver.online("ben", &place.wanted(&place.ben, "phone"));
    driver.tell("ben", "join", json!({ "room": place.room, "nick": "ben" }));
    driver.expect("ben", "joined", |_| true);
    let profanity = Profanity::start();
    profanity.connects(place.server.xmpp(), &place.anna.user.to_string(), &place.anna.chat_password);
    profanity.types(&format!("/join {}", place.room));
    profanity.sees("You have joined the room as anna");
    profanity.types("hello, all");
    assert_eq!(driver.hears("ben", "hello, all")["from"], format!("{}/anna", place.room));
    driver.tell(
        "ben",
        "say",
        json!({ "to": place.room, "type": "groupchat", "id": "to-profanity-1", "body": "hello, anna" }),
    );
    profanity.sees("ben: hello, anna");
    // In a room's window it would be for an occupant.
    profanity.types("/win 1");
    profanity.types(&format!("/msg {} just for you", jid(&place.ben)));
    driver.hears("ben", "just for you");
}
