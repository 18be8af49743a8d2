//! A connection that is cut without a word (XEP-0198).

use dface_tests::clients::{Cuts, Driver, Library, Wanted};
use serde_json::json;

use crate::place::{Place, jid};

pub fn a_cut_stream_is_resumed_without_gap_or_repeat(library: Library) {
    let place = Place::new();
    let driver = Driver::start(library, None);
    let (tcp, http) = (Cuts::before(place.server.xmpp()), Cuts::before(place.server.public().address()));
    let wanted = Wanted { at: tcp.at(), websocket: http.at(), ..place.wanted(&place.anna, "phone") };
    driver.online("anna", &wanted);
    driver.online("ben", &place.wanted(&place.ben, "phone"));
    for client in ["anna", "ben"] {
        driver.tell(client, "join", json!({ "room": place.room, "nick": client }));
        driver.expect(client, "joined", |_| true);
    }
    for round in 0..3 {
        let [direct, room, after] = ["direct", "room", "after"].map(|what| format!("{what} {round}"));
        assert_eq!(tcp.cut() + http.cut(), 1);
        driver.expect("anna", "offline", |_| true);
        driver.tell(
            "ben",
            "say",
            json!({ "to": jid(&place.anna), "id": format!("direct-{round:04}"), "body": direct }),
        );
        let said = json!({ "to": place.room, "type": "groupchat", "id": format!("in-room-{round:04}"), "body": room });
        driver.tell("ben", "say", said);
        driver.hears("ben", &room);
        driver.expect("anna", "resumed", |_| true);
        driver.hears("anna", &direct);
        driver.hears("anna", &room);
        let id = format!("after-{round:04}");
        driver.tell("anna", "say", json!({ "to": jid(&place.ben), "id": id, "body": after }));
        driver.hears("ben", &after);
        driver.expect("anna", "acked", |acked| acked["id"] == id);
    }
    assert_eq!((driver.bodies("anna"), driver.bodies("ben")), (Vec::new(), Vec::new()), "nothing came twice");
}
