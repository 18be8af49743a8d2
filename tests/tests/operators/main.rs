//! What operators do over the admin listener: tokens, the audit log, and dealing with what people do.

mod moderation;
mod tokens;

use dface_tests::{Operator, Server};
use serde_json::{Value, json};

/// A place of the document's examples, WGS-84.
pub const HERE: (f64, f64) = (30.286_91, 120.127_63);

/// A named token that does not end in the time of a test.
#[track_caller]
pub fn token(operator: &Operator, name: &str, scopes: &[&str]) -> String {
    let made = operator
        .post("/admin/tokens", &json!({ "name": name, "scopes": scopes, "until": "2999-01-01T00:00:00Z" }))
        .ok();
    made["token"].as_str().expect("a token is a text").to_owned()
}

/// Whoever has that token.
pub fn with(server: &Server, token: &str) -> Operator {
    Operator::new(server.operator().door(), token.to_owned())
}

/// What of a list stands under a name.
#[track_caller]
pub fn each<'a>(list: &'a Value, name: &str) -> Vec<&'a Value> {
    list.as_array().expect("a list").iter().map(|one| &one[name]).collect()
}
