//! The listener of §32 over the real binary, and what processes say in rooms.

mod back_end;
mod export;
mod history;
mod processes;
mod push_tokens;

use std::{
    fmt::Display,
    thread::sleep,
    time::{Duration, Instant},
};

use dface_tests::{Answer, Given, Phone, Server, client::pairs};
use reqwest::{Method, blocking::RequestBuilder};
use serde_json::Value;

/// A place of the document's examples, WGS-84.
pub const HERE: (f64, f64) = (30.286_91, 120.127_63);

/// A request of the back end, with its token.
pub fn back_end(server: &Server, method: Method, path: &str) -> RequestBuilder {
    server.chat_api().request(method, path).bearer_auth(server.token("internal-token"))
}

/// What the back end asks.
#[track_caller]
pub fn asked(server: &Server, path: &str, given: Given<'_>) -> Answer {
    Answer::to(back_end(server, Method::POST, path).form(&pairs(given)))
}

/// What somebody asks who is signed in.
#[track_caller]
pub fn read(server: &Server, phone: &Phone, path: &str, given: Given<'_>) -> Answer {
    let request =
        server.chat_api().request(Method::GET, path).header("cookie", format!("_session_id={}", phone.cookie));
    Answer::to(request.query(&pairs(given)))
}

/// Something is said in a room; the message's id.
#[track_caller]
pub fn say(server: &Server, shop: u64, uid: &dyn Display, message: &str) -> String {
    let said = asked(server, "/api/room", &[("roomid", &shop), ("message", &message), ("uid", uid)]).ok();
    said["id"].as_str().expect("a message's id").to_owned()
}

/// The texts of a history.
#[track_caller]
pub fn bodies(history: &Answer) -> Vec<String> {
    let list = history.ok();
    let list = list.as_array().expect("a list");
    list.iter().map(|one| one["body"].as_str().expect("a text").to_owned()).collect()
}

/// Asks until it holds, and answers the last answer.
#[track_caller]
pub fn becomes(what: &str, mut ask: impl FnMut() -> Answer, holds: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let answer = ask().ok();
        if holds(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not become so: {what}; {answer}");
        sleep(Duration::from_millis(25));
    }
}
