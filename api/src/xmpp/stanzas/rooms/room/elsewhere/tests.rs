use std::sync::Arc;

use dface_domain::ids::UserId;

use super::*;
use crate::xmpp::{
    session::Session,
    stanzas::rooms::room::{
        Actor,
        tests::{enter, presences, room, session},
    },
};

const OWN: Uuid = Uuid::from_u128(5);
const LOWER: Uuid = Uuid::from_u128(1);
const HIGHER: Uuid = Uuid::from_u128(9);

fn party(user: u64) -> Party {
    Party::User(UserId::Number(user))
}

fn address(user: u64, resource: &str) -> String {
    format!("{user}@dface.cn/{resource}")
}

fn seat(room: &mut Room, node: Uuid, (user, resource): (u64, &str), nick: &str) -> Vec<Party> {
    let (party, address, nick) = (party(user), address(user, resource), nick.to_owned());
    room.seat(OWN, Seated { node, party, address, nick, standing: Standing::Guest })
}

fn with_anna() -> (Room, Arc<Session>) {
    let (mut room, anna) = (room(), session(7, "phone"));
    enter(&mut room, &anna, "Anna", "Anna");
    presences(&anna);
    (room, anna)
}

fn nicks_of(room: &Room) -> Vec<(Party, String)> {
    room.all().map(|one| (one.party, one.nick.to_string())).collect()
}

#[test]
fn who_comes_by_another_node_is_told_and_counted_and_leaves_with_the_last_stream() {
    let (mut room, anna) = with_anna();
    assert_eq!(seat(&mut room, HIGHER, (8, "a"), "Ben"), []);
    seat(&mut room, HIGHER, (8, "a"), "Ben");
    seat(&mut room, LOWER, (8, "b"), "Ben");
    assert_eq!(presences(&anna), ["Ben", "Ben x2"], "what is told again is not told on");
    assert_eq!((room.seats(), room.elsewhere(), room.streams_of(party(8))), (3, 2, 2));
    let ben = session(8, "c");
    enter(&mut room, &ben, "Ben", "Ben");
    assert_eq!(
        (presences(&anna), presences(&ben)),
        (vec!["Ben x3".to_owned()], vec!["Anna".to_owned(), "Ben 100 110 170 x3".to_owned()])
    );
    room.leave(&ben, true);
    room.unseat(LOWER, party(8), &address(8, "a"));
    assert_eq!(presences(&anna), ["Ben x2"], "that one is on the other node");
    room.lose(HIGHER);
    room.unseat(LOWER, party(8), &address(8, "b"));
    assert_eq!(presences(&anna), ["Ben", "-Ben"]);
    assert_eq!((room.seats(), room.elsewhere()), (1, 0));
}

#[test]
fn a_room_with_nobody_of_this_node_is_kept_and_not_heard() {
    let (mut room, anna) = with_anna();
    seat(&mut room, HIGHER, (8, "a"), "Ben");
    room.leave(&anna, false);
    assert!(!room.is_heard() && room.seats() == 1);
    assert_eq!(room.called(party(9), "Ben".to_owned()), "Ben (2)");
}

#[test]
fn what_a_node_does_not_tell_when_it_tells_all_is_so_no_more() {
    let (mut room, anna) = with_anna();
    for user in [8, 9] {
        seat(&mut room, HIGHER, (user, "a"), &format!("user {user}"));
    }
    seat(&mut room, LOWER, (10, "a"), "user 10");
    presences(&anna);
    room.doubt(HIGHER);
    seat(&mut room, HIGHER, (9, "a"), "user 9");
    room.settle(HIGHER);
    assert_eq!(presences(&anna), ["-user 8"]);
}

#[test]
fn of_two_with_one_nick_the_lower_keeps_it_whoever_came_first() {
    let (mut room, anna) = with_anna();
    assert_eq!(seat(&mut room, HIGHER, (8, "a"), "Anna"), []);
    assert_eq!(presences(&anna), ["Anna (8)"]);
    // Its node has settled it by then.
    seat(&mut room, HIGHER, (8, "a"), "Anna (8)");
    assert_eq!(presences(&anna), [""; 0]);
    assert_eq!(seat(&mut room, HIGHER, (6, "a"), "Anna"), [party(7)]);
    assert_eq!(presences(&anna), ["-Anna 110 303", "Anna (7) 110", "Anna"]);
    let expected = [(6, "Anna"), (7, "Anna (7)"), (8, "Anna (8)")].map(|(user, nick)| (party(user), nick.to_owned()));
    assert_eq!(nicks_of(&room), expected);
    assert_eq!(room.seats_of(party(7))[0].nick, "Anna (7)");
}

#[test]
fn all_nodes_come_to_the_same_nicks_in_whichever_order_they_hear() {
    // Each is told by its own node, and takes what the others come to.
    let mut claims = vec![(6, "Anna"), (7, "Anna"), (8, "Anna (7)"), (9, "Anna")];
    let mut outcomes = Vec::new();
    for _ in 0..claims.len() {
        claims.rotate_left(1);
        let mut room = room();
        for (user, nick) in &claims {
            seat(&mut room, HIGHER, (*user, "a"), nick);
        }
        outcomes.push(nicks_of(&room));
    }
    outcomes.dedup();
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    let mut nicks: Vec<_> = outcomes[0].iter().map(|(_, nick)| nick).collect();
    nicks.sort();
    nicks.dedup();
    assert_eq!(nicks.len(), 4);
}

#[test]
fn who_is_on_two_nodes_is_called_as_the_lower_one_says() {
    let (mut room, anna) = with_anna();
    assert_eq!(seat(&mut room, HIGHER, (7, "web"), "Anna (2)"), []);
    assert_eq!(presences(&anna), ["Anna 110 x2"]);
    assert_eq!(seat(&mut room, LOWER, (7, "pad"), "Anna (3)"), [party(7)]);
    assert_eq!(presences(&anna), ["Anna 110 x3", "-Anna 110 303 x3", "Anna (3) 110 x3"]);
}

#[test]
fn the_same_address_on_two_nodes_is_shown_once() {
    let (mut room, anna) = with_anna();
    seat(&mut room, HIGHER, (7, "phone"), "Anna");
    assert_eq!(presences(&anna), ["Anna 110"]);
    room.leave(&anna, false);
    assert_eq!((room.seats(), room.is_heard()), (1, false));
}

#[test]
fn a_kick_takes_out_streams_of_all_nodes() {
    let (mut room, anna) = with_anna();
    seat(&mut room, HIGHER, (8, "a"), "Ben");
    presences(&anna);
    assert!(room.kick("Ben", &Actor { nick: "Anna", reason: "" }).is_empty());
    assert_eq!((presences(&anna), room.seats()), (vec!["-Ben 307".to_owned()], 1));
}

#[test]
fn other_nodes_are_told_of_the_streams_of_this_one_part_by_part() {
    let (mut room, anna) = with_anna();
    let (web, ben) = (session(7, "web"), session(9, "phone"));
    enter(&mut room, &web, "Anna", "Anna");
    enter(&mut room, &ben, "Ben", "Ben");
    seat(&mut room, HIGHER, (8, "a"), "Carl");
    let (seats, last) = room.seats_behind(None, 1).unwrap();
    let of = |seats: Vec<signals::Seat>| seats.into_iter().map(|seat| (seat.party, seat.resource)).collect::<Vec<_>>();
    assert_eq!((of(seats), last), (vec![(party(7), "phone".to_owned()), (party(7), "web".to_owned())], anna.owner));
    let (seats, last) = room.seats_behind(Some(last), 1).unwrap();
    assert_eq!((of(seats), last), (vec![(party(9), "phone".to_owned())], party(9)));
    assert_eq!(room.seats_behind(Some(last), 1), None);
}
