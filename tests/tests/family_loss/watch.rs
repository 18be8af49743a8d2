//! A watch that tells until it is answered.

use std::{
    sync::atomic::Ordering,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use reqwest::Method;
use serde_json::{Value, json};

use super::{Shared, family::Watch};

/// Events in one message.
const AT_ONCE: usize = 10;

/// Tells so many events, each at least once and until it is answered.
pub fn tell(watch: &Watch, count: usize, shared: &Shared) {
    let numbers: Vec<usize> = (0..count).collect();
    for chunk in numbers.chunks(AT_ONCE) {
        let body = Value::Array(chunk.iter().map(|number| event(*number)).collect()).to_string();
        while !shared.over.load(Ordering::SeqCst) {
            let request =
                shared.http.request(Method::POST, "/watches/events").basic_auth(&watch.imei, Some(&watch.key));
            let answer = request.header("content-type", "application/json").body(body.clone()).send();
            match answer {
                Ok(answer) if answer.status().is_success() => break,
                Ok(answer) if answer.status().as_u16() < 500 => {
                    panic!("{}: {}", answer.status(), answer.text().unwrap_or_default())
                }
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        }
        shared.progress.fetch_add(chunk.len(), Ordering::SeqCst);
    }
    shared.told.fetch_add(1, Ordering::SeqCst);
}

/// An SMS and a position in turn: the number stands in what comes out.
fn event(number: usize) -> Value {
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs_f64();
    let id = format!("event-{number}");
    if number.is_multiple_of(2) {
        json!({"id": id, "kind": "sms", "timestamp": timestamp, "phone": "10086", "content": number.to_string()})
    } else {
        json!({
            "id": id, "kind": "locate", "timestamp": timestamp,
            "type": 2, "locus": 0, "radius": number, "lat": 30.2741, "lon": 120.1551,
        })
    }
}
