//! What a person said is in their export, and goes with them.

use dface_tests::{Server, server::password_of};
use serde_json::Value;

use super::{HERE, asked, bodies, read, say};

#[test]
fn what_a_person_said_is_exported_and_gone_with_them() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    say(&server, shop, &anna.user, "唯一的话");
    say(&server, shop, &ben.user, "bens words");
    let file = anna.post("/user_info/export", &[]);
    let events = file.ok()["events"].as_array().expect("a list").clone();
    let said: Vec<&Value> = events.iter().filter(|event| event["type"] == "MessageSent").collect();
    assert_eq!(said.len(), 1, "{file}");
    assert_eq!(said[0]["data"]["body"], "唯一的话");
    let password = password_of("anna");
    anna.post("/user_info/delete", &[("pass", &password)]).ok();
    assert_eq!(bodies(&read(&server, &ben, "/api/gchat", &[("room", &shop)])), ["bens words"]);
    assert!(bodies(&asked(&server, "/api/chat", &[("uid", &anna.user)])).is_empty());
    server.operator().compare_all();
    server.secret("唯一的话");
}
