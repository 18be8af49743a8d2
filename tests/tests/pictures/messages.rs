//! The messages of pictures (seed §29.2, §30.2), as the log has them; chat delivers the same events.

use std::time::{Duration, Instant};

use dface_tests::{Server, dface};
use serde_json::Value;

use super::{HERE, of_seed, shown, to_album, to_person, to_room};

/// All messages of the log, oldest first.
fn messages(server: &Server) -> Vec<Value> {
    let replay = dface(server.dir(), &[], &["replay", "--profile", "full", "--type", "MessageSent"]).ended(0);
    replay.stdout.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

fn wait_for(server: &Server, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let found = messages(server);
        if found.len() >= count {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{} of {count} messages: {found:#?}", found.len());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn section_29_2_and_30_2_the_server_sends_the_message_once_in_the_senders_name() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let operator = server.operator();
    let shop = operator.add_shop("cafe", HERE);
    // Stored is enough: it does not wait for the thumbnail.
    operator.post("/admin/pause/picture", &serde_json::json!({})).ok();
    let (in_room, plain) = (to_room(&anna, shop, of_seed(3), "窗边的座位"), to_room(&anna, shop, of_seed(5), ""));
    let direct = to_person(&anna, ben.user, of_seed(11));
    to_album(&anna, of_seed(13));
    // A phone whose answer was lost sends it again.
    assert_eq!(to_room(&anna, shop, of_seed(3), "窗边的座位"), in_room);
    let found = wait_for(&server, 3);
    let (room, anna_id, ben_id) = (format!("r{shop}"), anna.user.to_string(), ben.user.to_string());
    let told: Vec<[&str; 4]> = found
        .iter()
        .map(|event| ["conversation", "from", "to", "body"].map(|name| event["data"][name].as_str().expect("a text")))
        .collect();
    let between = format!("{anna_id}-{ben_id}");
    assert_eq!(
        told,
        [
            [room.as_str(), &anna_id, &room, &format!("[img:{in_room}]窗边的座位")],
            [&room, &anna_id, &room, &format!("[img:{plain}]")],
            [&between, &anna_id, &ben_id, &format!("[img:{direct}]")],
        ]
    );
    operator.post("/admin/resume/picture", &serde_json::json!({})).ok();
    for (path, id) in [("/photos/show", &in_room), ("/photo2s/show", &direct)] {
        assert_eq!(shown(&anna, path, id, 2).status, 302);
    }
    server.stop();
    server.start_again();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(messages(&server).len(), 3, "nothing is sent again after a restart");
    let pseudonymous = dface(server.dir(), &[], &["replay", "--type", "MessageSent"]).ended(0);
    assert!(!pseudonymous.stdout.contains("窗边") && pseudonymous.stdout.contains(&room), "{}", pseudonymous.stdout);
}
