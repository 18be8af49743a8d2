//! No loss, no repeat: clients talk in a room and with each other while their connections are cut, by themselves, by the road
//! between, and by kill -9 of the server. Each message is sent until it is acknowledged; then every reader has it, in the room's order,
//! and the archive has it once. `CRASH_ROUNDS` makes it long: 200 clients, 20,000 messages (`make crash`).

use std::{
    env,
    time::{Duration, Instant},
};

use dface_tests::{
    Phone, Server, Setup,
    clients::Cuts,
    talkers::{Size, Talk, chance},
};

const HERE: (f64, f64) = (30.286_91, 120.127_63);
/// The longest that nothing may come to anybody: starting again takes some of it.
const SILENCE: Duration = Duration::from_secs(90);
/// So many of the short run are for one client.
const MESSAGES_EACH: usize = 30;

/// How much is said, and how often the server is killed.
fn wanted() -> (Size, usize) {
    if env::var_os("CRASH_ROUNDS").is_some() {
        (Size { clients: 200, each: 100 }, 12)
    } else {
        (Size { clients: 20, each: MESSAGES_EACH }, 2)
    }
}

#[test]
fn crash_and_cuts_lose_no_acknowledged_message_and_repeat_none() {
    let (size, kills) = wanted();
    let setup = Setup::default().set("LIMITS__MESSAGES_PER_SECOND", 100_000).set("LIMITS__MESSAGE_BURST", 100_000);
    let mut server = setup.start();
    let shop = server.operator().add_shop("川味观", HERE);
    let people: Vec<Phone> = (0..size.clients).map(|number| server.person(&format!("person {number}"), 1)).collect();
    let road = Cuts::before(server.xmpp());
    let talk = Talk::begin(size, &people, &format!("{shop}@c.dface.cn"), vec![road.at()]);
    trouble(&mut server, &road, &talk, size, kills);
    talk.end();
}

/// Cuts and kills until all is said and heard.
fn trouble(server: &mut Server, road: &Cuts, talk: &Talk, size: Size, kills: usize) {
    // The kills are spread over what comes.
    let all = size.to_come();
    let mut killed = 0;
    let (mut last, mut since) = (0, Instant::now());
    while !talk.is_complete() {
        std::thread::sleep(Duration::from_millis(10));
        let progress = talk.progress();
        if progress != last {
            (last, since) = (progress, Instant::now());
        }
        assert!(since.elapsed() < SILENCE, "{progress} of {all} came, and nothing more; {}", server.log().end());
        if killed < kills && progress > (killed + 1) * all / (kills + 1) {
            killed += 1;
            road.close();
            server.kill();
            server.start_again();
            road.leads_to(server.xmpp());
        } else if chance(100) == 0 {
            road.cut_some(|_| chance(3) == 0);
        }
    }
    assert_eq!(killed, kills, "it was killed in the middle");
}
