//! The provider's token (a JWT with ES256), which says who sends: made of the key, used for most of an hour, and made anew then.
//! Apple takes one that is at most an hour old, and no new one more often than every twenty minutes.

use std::sync::Arc;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use dface_domain::{ports::Clock, time::Timestamp};
use http::HeaderValue;
use parking_lot::Mutex;
use serde_json::json;
use tokio_rustls::rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};

use super::BadApns;

/// Seconds that a token is used.
const USED_S: i64 = 45 * 60;

/// Seconds that a token is used at least, also where Apple says that it has expired: then it is the clock that is wrong.
const LEAST_S: i64 = 60;

struct Token {
    value: HeaderValue,
    since: Timestamp,
    /// Apple does not take it any more.
    expired: bool,
}

/// Makes tokens.
pub(super) struct Provider {
    key: EcdsaKeyPair,
    key_id: String,
    team_id: String,
    clock: Arc<dyn Clock>,
    token: Mutex<Option<Token>>,
}

impl Provider {
    pub fn new(p8: &[u8], key_id: &str, team_id: &str, clock: Arc<dyn Clock>) -> Result<Self, BadApns> {
        let bad = || BadApns("`key` is no key of Apple's (.p8)".to_owned());
        let der = PrivatePkcs8KeyDer::from_pem_slice(p8).map_err(|_| bad())?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der());
        let (key_id, team_id) = (key_id.to_owned(), team_id.to_owned());
        Ok(Self { key: key.map_err(|_| bad())?, key_id, team_id, clock, token: Mutex::new(None) })
    }

    /// What a request's `authorization` says now.
    pub fn authorization(&self) -> Result<HeaderValue, BadApns> {
        let now = self.clock.now();
        let mut token = self.token.lock();
        if let Some(token) = &*token {
            let used_s = now.seconds_since(token.since);
            if (0..USED_S).contains(&used_s) && !(token.expired && used_s >= LEAST_S) {
                return Ok(token.value.clone());
            }
        }
        let value = self.made(now)?;
        *token = Some(Token { value: value.clone(), since: now, expired: false });
        Ok(value)
    }

    /// Apple says that this one has expired. Many pushes may be told so of one token, which is replaced once.
    pub fn expired(&self, authorization: &HeaderValue) {
        if let Some(token) = self.token.lock().as_mut().filter(|token| token.value == authorization) {
            token.expired = true;
        }
    }

    fn made(&self, now: Timestamp) -> Result<HeaderValue, BadApns> {
        let bad = || BadApns("the provider's token cannot be made".to_owned());
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let head = part(&json!({ "alg": "ES256", "kid": self.key_id }));
        let signed = format!("{head}.{}", part(&json!({ "iss": self.team_id, "iat": now.seconds() })));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| bad())?;
        let mut value = HeaderValue::try_from(format!("bearer {signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
            .map_err(|_| bad())?;
        value.set_sensitive(true);
        Ok(value)
    }
}
