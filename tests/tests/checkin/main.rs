//! The sections of the interface document that belong to checking in, as tests named by their sections, against the
//! real binary: field names, types and null-ness as in the document's examples, and what the specification decides.

mod checkins;
mod idempotency;
mod positions;
mod presence;
mod sessions;
mod shops;
mod sign_in;
mod sign_in_limits;
mod trace;

use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

/// 浙江科技产业大厦 or near it: a place of the document's examples, WGS-84.
pub const HERE: (f64, f64) = (30.286_91, 120.127_63);

/// A place so many metres north of `HERE`, about.
pub fn north(metres: f64) -> (f64, f64) {
    (HERE.0 + metres / 111_195.0, HERE.1)
}

/// Check-ins of one minute are one: waits where the minute ends within 15 s.
pub fn well_within_a_minute() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let left = 60 - now.as_secs() % 60;
    if left <= 15 {
        thread::sleep(Duration::from_secs(left));
    }
}

/// The fields of these names, however deep, by their type's name alone.
pub fn without(mut value: Value, names: &[&str]) -> Value {
    match &mut value {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without(item.take(), names)),
        Value::Object(fields) => {
            for (name, field) in fields {
                let kind = match field {
                    Value::String(_) => "string",
                    Value::Number(_) => "number",
                    _ => "other",
                };
                *field = if names.contains(&name.as_str()) { json!(kind) } else { without(field.take(), names) };
            }
        }
        _ => {}
    }
    value
}

/// The ids of a list, in its order.
pub fn ids(list: &Value) -> Vec<u64> {
    list.as_array().expect("a list").iter().map(|one| one["id"].as_u64().expect("a number")).collect()
}
