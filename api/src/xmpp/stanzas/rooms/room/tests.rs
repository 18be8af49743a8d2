use dface_domain::ids::UserId;
use minidom::Element;

use super::*;
use crate::xmpp::{
    outbox::{Next, Outbox},
    stanzas::xml::ns,
};

pub(super) fn session(user: u64, resource: &str) -> Arc<Session> {
    let outbox = Arc::new(Outbox::new(1 << 20));
    Arc::new(Session::new(Party::User(UserId::Number(user)), resource, "dface.cn", outbox))
}

fn told(session: &Session) -> Vec<Element> {
    let Some(Next::Stanzas(all)) = session.outbox.take(usize::MAX) else { return vec![] };
    let text = |one: Outgoing| [one.head, one.tail].concat();
    all.into_iter().map(|one| String::from_utf8(text(one)).unwrap().parse().unwrap()).collect()
}

/// Who, which statuses, and how many streams: `Anna 110 x2`; `-Anna` is gone.
pub(super) fn presences(session: &Session) -> Vec<String> {
    let said = told(session).into_iter().map(|presence| {
        assert!(presence.is("presence", "jabber:client"));
        assert_eq!(presence.attr("to"), Some(session.full().as_str()));
        let (room, nick) = presence.attr("from").unwrap().split_once('/').unwrap();
        assert_eq!(room, "9@c.dface.cn");
        let x = presence.get_child("x", ns::MUC_USER).unwrap();
        let codes = x
            .children()
            .filter(|child| child.name() == "status")
            .map(|status| format!(" {}", status.attr("code").unwrap()));
        let items = x.children().filter(|child| child.name() == "item").count();
        let gone = if presence.attr("type") == Some("unavailable") { "-" } else { "" };
        let streams = if items == 1 { String::new() } else { format!(" x{items}") };
        format!("{gone}{nick}{}{streams}", codes.collect::<String>())
    });
    said.collect()
}

fn begin(room: &mut Room, session: &Arc<Session>, name: &str, asked: &str) {
    let nick = nicks::nick(name, session.owner);
    for stanza in room.enter(Entry { session, nick, standing: Standing::Guest, asked }) {
        session.outbox.push(stanza).unwrap();
    }
}

pub(super) fn enter(room: &mut Room, session: &Arc<Session>, name: &str, asked: &str) {
    begin(room, session, name, asked);
    room.open(session);
}

pub(super) fn room() -> Room {
    Room::new("9@c.dface.cn", 2)
}

#[test]
fn who_comes_in_hears_of_the_others_and_then_of_oneself_and_they_of_whom_came() {
    let (mut room, anna, ben) = (room(), session(7, "phone"), session(8, "a&b"));
    enter(&mut room, &anna, "Anna", "Anna");
    assert_eq!(presences(&anna), ["Anna 100 110 170"]);
    enter(&mut room, &ben, "Anna", "the boss");
    assert_eq!(presences(&ben), ["Anna", "Anna (2) 100 110 170 210"]);
    assert_eq!(presences(&anna), ["Anna (2)"]);
    room.remind(&ben, "x");
    assert_eq!(presences(&ben), ["Anna (2) 110 210"]);
    assert!(room.leave(&ben, true) && !room.leave(&ben, true));
    assert_eq!(presences(&ben), ["-Anna (2) 110"]);
    assert_eq!(presences(&anna), ["-Anna (2)"]);
    assert_eq!(room.seats(), 1);
}

#[test]
fn streams_of_one_person_share_a_nick_and_it_goes_with_the_last_of_them() {
    let (mut room, anna, phone, web) = (room(), session(7, "phone"), session(8, "phone"), session(8, "web"));
    enter(&mut room, &anna, "Anna", "Anna");
    enter(&mut room, &phone, "Ben", "Ben");
    enter(&mut room, &web, "Ben", "Ben");
    assert_eq!(presences(&anna), ["Anna 100 110 170", "Ben", "Ben x2"]);
    assert_eq!(presences(&phone), ["Anna", "Ben 100 110 170", "Ben 110 x2"]);
    assert_eq!(presences(&web), ["Anna", "Ben 100 110 170 x2"]);
    room.leave(&phone, false);
    assert_eq!((presences(&anna), presences(&web)), (vec!["Ben".to_owned()], vec!["Ben 110".to_owned()]));
    assert_eq!(presences(&phone), Vec::<String>::new());
    room.leave(&web, true);
    assert_eq!(presences(&anna), ["-Ben"]);
}

#[test]
fn what_is_said_waits_for_who_is_still_told_what_was_said_before() {
    let (mut room, anna, ben) = (room(), session(7, "phone"), session(8, "phone"));
    enter(&mut room, &anna, "Anna", "Anna");
    begin(&mut room, &ben, "Ben", "Ben");
    for one in [&anna, &ben] {
        told(one);
    }
    room.say(&Bytes::from(" id=\"1\"/>"));
    assert_eq!((told(&anna).len(), told(&ben).len()), (1, 0));
    room.say(&Bytes::from(" id=\"2\"/>"));
    room.open(&ben);
    room.say(&Bytes::from(" id=\"3\"/>"));
    let ids: Vec<_> = told(&ben).iter().map(|said| said.attr("id").unwrap().to_owned()).collect();
    assert_eq!(ids, ["1", "2", "3"]);
}

#[test]
fn a_stream_that_holds_back_too_much_is_ended() {
    let (mut room, anna) = (room(), session(7, "phone"));
    begin(&mut room, &anna, "Anna", "Anna");
    for _ in 0..3 {
        room.say(&Bytes::from("/>"));
    }
    assert!(anna.outbox.is_ending());
}

#[test]
fn a_kick_takes_out_all_streams_of_a_person_and_says_who_did_it() {
    let (mut room, anna, phone, web) = (room(), session(7, "phone"), session(8, "phone"), session(8, "web"));
    enter(&mut room, &anna, "Anna", "Anna");
    enter(&mut room, &phone, "Ben", "Ben");
    enter(&mut room, &web, "Ben", "Ben");
    for one in [&anna, &phone, &web] {
        told(one);
    }
    let actor = presences::Actor { nick: "Anna", reason: "spam <" };
    assert_eq!(room.kick("Ben", &actor).len(), 2);
    assert_eq!(presences(&anna), ["-Ben 307"]);
    assert_eq!(presences(&web), ["-Ben 110 307"]);
    let item =
        told(&phone).remove(0).get_child("x", ns::MUC_USER).unwrap().get_child("item", ns::MUC_USER).unwrap().clone();
    assert_eq!((item.attr("role"), item.attr("jid")), (Some("none"), Some("8@dface.cn/phone")));
    assert_eq!(item.get_child("actor", ns::MUC_USER).unwrap().attr("nick"), Some("Anna"));
    assert_eq!(item.get_child("reason", ns::MUC_USER).unwrap().text(), "spam <");
    assert!(room.kick("Ben", &actor).is_empty() && room.seats() == 1);
}

#[test]
fn who_becomes_staff_is_shown_so_to_all() {
    let (mut room, anna, ben) = (room(), session(7, "phone"), session(8, "phone"));
    enter(&mut room, &anna, "Anna", "Anna");
    enter(&mut room, &ben, "Ben", "Ben");
    for one in [&anna, &ben] {
        told(one);
    }
    room.stand(ben.owner, Standing::Staff);
    room.stand(ben.owner, Standing::Staff);
    let shown = told(&anna);
    let item = shown[0].get_child("x", ns::MUC_USER).unwrap().get_child("item", ns::MUC_USER).unwrap();
    assert_eq!((item.attr("role"), item.attr("affiliation"), shown.len()), (Some("moderator"), Some("admin"), 1));
    assert_eq!(presences(&ben), ["Ben 110"]);
}
