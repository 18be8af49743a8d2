//! PLAIN, with and without the push token of §33.1, SCRAM, and TLS.

use dface_tests::{
    Certificate, Setup,
    clients::{Driver, Library, Wanted},
};
use serde_json::json;

use crate::place::{Place, jid};

pub fn plain_signs_in_and_a_wrong_password_does_not(library: Library) {
    let place = Place::new();
    let driver = Driver::start(library, None);
    let wanted = place.wanted(&place.anna, "phone");
    driver.connect("stranger", &Wanted { password: "0123456789abcdef".to_owned(), ..wanted.clone() });
    assert_eq!(driver.expect("stranger", "refused", |_| true)["condition"], "not-authorized");
    driver.connect("anna", &wanted);
    let online = driver.expect("anna", "online", |_| true);
    assert_eq!(online["jid"], format!("{}/phone", jid(&place.anna)));
    driver.tell("anna", "ping", json!({ "to": "dface.cn" }));
    driver.expect("anna", "done", |done| done["of"] == "ping");
}

pub fn the_password_may_carry_the_push_token(library: Library) {
    let place = Place::new();
    let driver = Driver::start(library, None);
    let token = "ea6e4f05b48f4a057816956e567c6feacf14ee28cbbbab67993e263c3dfa2c27";
    let wanted = place.wanted(&place.anna, "phone");
    for environment in ["1", "2"] {
        let password = format!("{}{environment}{token}", wanted.password);
        let client = format!("anna {environment}");
        driver.connect(&client, &Wanted { password, ..wanted.clone() });
        driver.expect(&client, "online", |_| true);
        driver.tell(&client, "stop", json!({}));
        driver.expect(&client, "offline", |_| true);
    }
}

pub fn scram_signs_in_where_it_is_set(library: Library) {
    let place = Place::with(Setup::default().set("CHAT__SCRAM", true));
    let driver = Driver::start(library, None);
    // @xmpp/client knows no other.
    let mechanisms: &[&str] =
        if library == Library::Slixmpp { &["SCRAM-SHA-1", "SCRAM-SHA-256"] } else { &["SCRAM-SHA-1"] };
    for mechanism in mechanisms {
        let wanted = Wanted { mechanism, ..place.wanted(&place.anna, "phone") };
        let wrong = Wanted { password: "0123456789abcdef".to_owned(), ..wanted.clone() };
        driver.connect(&format!("stranger {mechanism}"), &wrong);
        driver.expect(&format!("stranger {mechanism}"), "refused", |refused| refused["condition"] == "not-authorized");
        driver.connect(mechanism, &wanted);
        driver.expect(mechanism, "online", |_| true);
        driver.tell(mechanism, "stop", json!({}));
        driver.expect(mechanism, "offline", |_| true);
    }
}

pub fn tls_begins_within_the_stream(library: Library) {
    let certificate = Certificate::new();
    let setup = Setup::default().set("TLS__CERT", &certificate.cert).set("TLS__KEY", &certificate.key);
    let place = Place::with(setup.tls(certificate.pem.clone()));
    let driver = Driver::start(library, Some(&certificate.cert));
    let tls = |phone| Wanted { tls: true, ..place.wanted(phone, "phone") };
    driver.online("anna", &tls(&place.anna));
    driver.online("ben", &tls(&place.ben));
    driver.tell("anna", "say", json!({ "to": jid(&place.ben), "id": "over-tls-1", "body": "只有你能看到" }));
    driver.hears("ben", "只有你能看到");
}
