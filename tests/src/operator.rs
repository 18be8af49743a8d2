//! An operator with the token of the data directory.

use reqwest::{Method, blocking::RequestBuilder};
use serde_json::{Value, json};

use crate::client::{Answer, Door};

/// Who may call `/admin`.
#[derive(Debug, Clone)]
pub struct Operator {
    door: Door,
    token: String,
}

impl Operator {
    /// With a token.
    #[must_use]
    pub fn new(door: &Door, token: String) -> Self {
        Self { door: door.clone(), token }
    }

    /// The listener.
    #[must_use]
    pub const fn door(&self) -> &Door {
        &self.door
    }

    /// A request with the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.door.request(method, path).bearer_auth(&self.token)
    }

    /// GET.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path))
    }

    /// POST of JSON.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(body))
    }

    /// Makes an account. Its id.
    ///
    /// # Panics
    /// It was refused.
    #[track_caller]
    pub fn add_user(&self, name: &str, password: &str, gender: u8) -> u64 {
        let made = self.post("/admin/users", &json!({ "name": name, "password": password, "gender": gender })).ok();
        made["id"].as_u64().expect("a new account has a whole number")
    }

    /// Adds a shop at a WGS-84 place. Its id.
    ///
    /// # Panics
    /// It was refused.
    #[track_caller]
    pub fn add_shop(&self, name: &str, (lat, lng): (f64, f64)) -> u64 {
        let made = self.post("/admin/shops", &json!({ "name": name, "lat": lat, "lng": lng, "t": 2 })).ok();
        made["id"].as_u64().expect("a shop's id is a whole number")
    }

    /// The names of all read models.
    ///
    /// # Panics
    /// They cannot be listed.
    #[must_use]
    #[track_caller]
    pub fn models(&self) -> Vec<String> {
        let listed = self.get("/admin/projections").ok();
        let listed = listed.as_array().expect("a list");
        listed.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// Asserts that every read model is what a rebuild from nothing makes.
    ///
    /// # Panics
    /// One is not.
    #[track_caller]
    pub fn compare_all(&self) {
        let models = self.models();
        assert!(models.len() >= 7, "{models:?}");
        for name in models {
            let found = self.post(&format!("/admin/projections/{name}/compare"), &json!({})).ok();
            let same = ["only_serving", "only_rebuilt", "unequal"].iter().all(|key| found[key] == 0);
            assert!(same, "the serving rows of a read model are not those of a rebuild: {found}");
        }
    }
}
