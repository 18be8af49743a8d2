//! A phone with a session.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use reqwest::{Method, blocking::RequestBuilder};
use serde_json::Value;

use crate::client::{Answer, Door, Given, pairs, with_query};

/// Seed §2.2: the first 32 hex digits of SHA-1 of name, password, address and `dface`.
#[must_use]
pub fn sign_in_hash(name: &str, pass: &str, mac: &str) -> String {
    let text = [name, pass, mac, "dface"].concat();
    let mut digits = hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()));
    digits.truncate(32);
    digits
}

/// Asks to sign in.
#[must_use]
pub fn sign_in(door: &Door, name: &str, pass: &str) -> Answer {
    let (mac, hash) = ("00:11:22:33:44:55", sign_in_hash(name, pass, "00:11:22:33:44:55"));
    let form = pairs(&[("name", &name), ("pass", &pass), ("mac", &mac), ("hash", &hash)]);
    Answer::to(door.request(Method::POST, "/oauth2/login").form(&form))
}

/// The cookie's value that an answer sets; empty where it takes it away.
///
/// # Panics
/// It sets none.
#[must_use]
pub fn cookie_of(answer: &Answer) -> String {
    let (pair, _) = answer.header("set-cookie").split_once(';').unwrap_or_default();
    pair.strip_prefix("_session_id=").unwrap_or_else(|| panic!("no cookie: {answer}")).to_owned()
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Phone {
    door: Door,
    /// Whose.
    pub user: u64,
    /// The session's cookie.
    pub cookie: String,
    /// What chat asks for.
    pub chat_password: String,
}

impl Phone {
    /// What a sign-in answered.
    ///
    /// # Panics
    /// It was refused.
    #[must_use]
    #[track_caller]
    pub fn new(door: &Door, signed_in: &Answer) -> Self {
        let user = signed_in.ok()["id"].as_u64().expect("a new account has a whole number");
        let chat_password = signed_in.ok()["password"].as_str().expect("a chat password").to_owned();
        Self { door: door.clone(), user, cookie: cookie_of(signed_in), chat_password }
    }

    /// The same phone with the same session, at another node.
    #[must_use]
    pub fn at(&self, door: &Door) -> Self {
        Self { door: door.clone(), ..self.clone() }
    }

    /// A request with the session's cookie.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.door.request(method, path).header("cookie", format!("other=1; _session_id={}", self.cookie))
    }

    /// GET with parameters in the query.
    #[track_caller]
    pub fn get(&self, path: &str, given: Given<'_>) -> Answer {
        Answer::to(with_query(self.request(Method::GET, path), given))
    }

    /// POST of a form.
    #[track_caller]
    pub fn post(&self, path: &str, given: Given<'_>) -> Answer {
        Answer::to(self.request(Method::POST, path).form(&pairs(given)))
    }

    /// A check-in's request, the first of its list, 65 m.
    pub fn checking_in(&self, shop: u64, (lat, lng): (f64, f64)) -> RequestBuilder {
        let form = pairs(&[
            ("lat", &lat),
            ("lng", &lng),
            ("accuracy", &65),
            ("shop_id", &shop),
            ("user_id", &self.user),
            ("od", &1),
        ]);
        self.request(Method::POST, "/checkins").form(&form)
    }

    /// Checks in. The check-in's id.
    ///
    /// # Panics
    /// It was refused.
    #[track_caller]
    pub fn check_in(&self, shop: u64, at: (f64, f64)) -> String {
        let answer = Answer::to(self.checking_in(shop, at));
        answer.ok()["id"].as_str().expect("a check-in's id is a string").to_owned()
    }

    /// All check-ins, page by page, newest first.
    ///
    /// # Panics
    /// A page was refused.
    #[must_use]
    #[track_caller]
    pub fn check_ins(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1.. {
            let listed = self.get("/checkins.json", &[("page", &page), ("pcount", &100)]).ok();
            let listed = listed.as_array().expect("a list").clone();
            let last = listed.len() < 100;
            all.extend(listed);
            if last {
                break;
            }
        }
        all
    }
}
