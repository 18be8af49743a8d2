//! What a restored server tells families over MQTT: nothing until it is released, and nothing of before.

use dface_tests::{
    Answer, Server,
    family::{Family, event_of, events},
    mqtt::{KINDS, MqttClient, Wanted},
    server::password_of,
};
use serde_json::json;

use super::{back_up, becomes, restored, setup, signed_in};

/// The app of a circle's first member, which listens to all that it may.
fn app(server: &mut Server, family: &Family) -> MqttClient {
    let phone = signed_in(server, "member 0 0");
    let mut app = MqttClient::connect(KINDS[0], &Wanted::new(server.mqtt(), &phone.user, &phone.chat_password));
    app.listens(&format!("xunqun/group/{}/#", family.group));
    app.listens(&format!("xunqun/user/{}/#", phone.user));
    app
}

/// Events of watches that the log has.
fn known(server: &Server) -> usize {
    server.operator().get("/events?type=SmsReceived").text.lines().count()
}

#[test]
fn families_hear_nothing_over_mqtt_until_the_release_and_then_what_came_since_the_restore() {
    let mut server = setup().start();
    let family = Family::made(&mut server, 0);
    Answer::to(family.watch.telling(server.public(), &events(&[2]))).ok();
    becomes("the log has it", || known(&server) == 1);
    let place = tempfile::tempdir().expect("a directory");
    let (backup, data) = (place.path().join("backup.tar"), place.path().join("data"));
    back_up(server.dir(), &backup);
    restored(&server, &backup, &data, &[]);
    server.stop();

    let mut other = setup().on(&data).start();
    other.secret(family.watch.key.clone());
    other.secret(password_of("member 0 0"));
    let app = app(&mut other, &family);
    Answer::to(family.watch.telling(other.public(), &events(&[4]))).ok();
    becomes("the log has it", || known(&other) == 2);
    // All that follows the log has had its time.
    other.operator().compare_all();
    assert_eq!(app.heard(), Vec::<serde_json::Value>::new(), "nothing goes out");
    other.operator().post("/admin/release", &json!({})).ok();
    Answer::to(family.watch.telling(other.public(), &events(&[6]))).ok();
    app.hears_with("content", &json!("6"));
    let told: Vec<String> = app.heard().iter().filter_map(event_of).collect();
    assert_eq!(told, ["4", "6"], "what came while it was held, then what came since; nothing of before");
}
