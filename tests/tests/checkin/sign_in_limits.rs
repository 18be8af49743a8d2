//! How often signing in may fail (§2.2 as decided).

use std::{thread, time::Duration};

use dface_tests::{Answer, Server, Setup, phone::sign_in, server::password_of};

#[track_caller]
fn closed(answer: &Answer, window: u64) {
    answer.refused(429, "too_many_requests");
    let after: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=window).contains(&after), "{answer}");
}

#[test]
fn section_2_2_the_eleventh_failure_closes_a_name_the_right_password_included() {
    let mut server = Server::start();
    server.person("anna", 0);
    server.person("ben", 0);
    let door = server.public();
    for _ in 0..10 {
        sign_in(door, "anna", "wrong").refused(401, "sign_in_failed");
    }
    closed(&sign_in(door, "anna", "wrong"), 300);
    closed(&sign_in(door, "anna", &password_of("anna")), 300);
    assert_eq!(sign_in(door, "ben", &password_of("ben")).status, 200, "another name from there is open");
}

#[test]
fn section_2_2_the_limits_and_their_window_are_settings() {
    let mut server = Setup::default().set("LIMITS__SIGN_IN_PAIR", 1).set("LIMITS__SIGN_IN_WINDOW_S", 3).start();
    server.person("anna", 0);
    let door = server.public();
    sign_in(door, "anna", "wrong").refused(401, "sign_in_failed");
    closed(&sign_in(door, "anna", "wrong"), 3);
    thread::sleep(Duration::from_millis(3_200));
    assert_eq!(sign_in(door, "anna", &password_of("anna")).status, 200);
}

#[test]
fn section_2_2_an_address_is_closed_for_all_names() {
    let mut server = Setup::default().set("LIMITS__SIGN_IN_ADDRESS", 3).start();
    server.person("anna", 0);
    let door = server.public();
    for name in ["a", "b", "c"] {
        sign_in(door, name, "wrong").refused(401, "sign_in_failed");
    }
    closed(&sign_in(door, "d", "wrong"), 300);
    closed(&sign_in(door, "anna", &password_of("anna")), 300);
}

#[test]
fn section_2_2_a_wrong_hash_is_no_failed_try() {
    let mut server = Setup::default().set("LIMITS__SIGN_IN_PAIR", 0).start();
    server.person("anna", 0);
    let form = [("name", "anna"), ("pass", "x"), ("mac", "m"), ("hash", "00")];
    for _ in 0..3 {
        let request = server.request(reqwest::Method::POST, "/oauth2/login").form(&form);
        Answer::to(request).refused(403, "wrong_hash");
    }
    assert_eq!(sign_in(server.public(), "anna", &password_of("anna")).status, 200);
}
