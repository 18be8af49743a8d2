//! The sections of the interface document that belong to people, as tests named by their sections, against the real
//! binary: field names, types and null-ness as in the document's examples, and what the specification decides.

mod again;
mod blacklist;
mod erasure;
mod export;
mod follows;
mod init;
mod invisible;
mod largest;
mod logs;
mod matrix;
mod nearby;
mod operators;
mod passwords;
mod profiles;
mod weibo;

use dface_tests::{Given, Phone};
use serde_json::Value;

/// A place of the document's examples, WGS-84.
pub const HERE: (f64, f64) = (30.286_91, 120.127_63);

/// A place so many metres north of `HERE`, about.
pub fn north(metres: f64) -> (f64, f64) {
    (HERE.0 + metres / 111_195.0, HERE.1)
}

/// Posts, and waits until everybody sees what it wrote.
#[track_caller]
pub fn done(phone: &Phone, path: &str, given: Given<'_>) -> Value {
    let answer = phone.post(path, given).ok();
    settle(phone);
    answer
}

/// Waits until everybody sees what this phone wrote last.
#[track_caller]
pub fn settle(phone: &Phone) {
    phone.get("/user_info/get_self", &[]).ok();
}

/// One follows another.
#[track_caller]
pub fn follow(user: &Phone, other: &Phone) -> Value {
    done(user, "/follows/create", &[("user_id", &user.user), ("follow_id", &other.user)])
}

/// One blocks another.
#[track_caller]
pub fn block(user: &Phone, other: &Phone) -> Value {
    done(user, "/blacklists/create", &[("user_id", &user.user), ("block_id", &other.user)])
}

/// Checks in, and waits until everybody sees it.
#[track_caller]
pub fn arrive(phone: &Phone, shop: u64) {
    phone.check_in(shop, HERE);
    settle(phone);
}

/// The ids of a list, in its order.
#[track_caller]
pub fn ids(list: &Value) -> Vec<u64> {
    list.as_array().expect("a list").iter().map(|one| one["id"].as_u64().expect("a number")).collect()
}
