//! The provider's token (a JWT with ES256), which says who sends: made of the key, used for most of an hour, and made anew then.
//! Apple takes one that is at most an hour old, and no new one more often than every twenty minutes.

use std::sync::Arc;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
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

/// What signs in with Apple.
struct Key {
    pair: EcdsaKeyPair,
    id: String,
    team_id: String,
}

impl Key {
    fn read(p8: &[u8], id: &str, team_id: &str) -> Result<Self, BadApns> {
        let bad = || BadApns("`key` is no key of Apple's (.p8)".to_owned());
        let der = PrivatePkcs8KeyDer::from_pem_slice(p8).map_err(|_| bad())?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der());
        Ok(Self { pair: pair.map_err(|_| bad())?, id: id.to_owned(), team_id: team_id.to_owned() })
    }
}

/// Makes tokens.
pub(super) struct Provider {
    clock: Arc<dyn Clock>,
    used: Mutex<(Key, Option<Token>)>,
}

impl Provider {
    pub fn new(p8: &[u8], key_id: &str, team_id: &str, clock: Arc<dyn Clock>) -> Result<Self, BadApns> {
        Ok(Self { clock, used: Mutex::new((Key::read(p8, key_id, team_id)?, None)) })
    }

    /// Signs in with another key from now on; the same one goes on with its token.
    pub fn turn_to(&self, p8: &[u8], key_id: &str, team_id: &str) -> Result<(), BadApns> {
        let key = Key::read(p8, key_id, team_id)?;
        let mut used = self.used.lock();
        let is_same = {
            let known = &used.0;
            (known.pair.public_key().as_ref(), &known.id, &known.team_id)
                == (key.pair.public_key().as_ref(), &key.id, &key.team_id)
        };
        if !is_same {
            *used = (key, None);
        }
        Ok(())
    }

    /// What a request's `authorization` says now.
    pub fn authorization(&self) -> Result<HeaderValue, BadApns> {
        let now = self.clock.now();
        let mut used = self.used.lock();
        let (key, token) = &mut *used;
        if let Some(token) = token {
            let used_s = now.seconds_since(token.since);
            if (0..USED_S).contains(&used_s) && !(token.expired && used_s >= LEAST_S) {
                return Ok(token.value.clone());
            }
        }
        let value = made(key, now)?;
        *token = Some(Token { value: value.clone(), since: now, expired: false });
        Ok(value)
    }

    /// Apple says that this one has expired. Many pushes may be told so of one token, which is replaced once.
    pub fn expired(&self, authorization: &HeaderValue) {
        if let Some(token) = self.used.lock().1.as_mut().filter(|token| token.value == authorization) {
            token.expired = true;
        }
    }
}

fn made(key: &Key, now: Timestamp) -> Result<HeaderValue, BadApns> {
    let bad = || BadApns("the provider's token cannot be made".to_owned());
    let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let head = part(&json!({ "alg": "ES256", "kid": key.id }));
    let signed = format!("{head}.{}", part(&json!({ "iss": key.team_id, "iat": now.seconds() })));
    let signature = key.pair.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| bad())?;
    let mut value =
        HeaderValue::try_from(format!("bearer {signed}.{}", URL_SAFE_NO_PAD.encode(signature))).map_err(|_| bad())?;
    value.set_sensitive(true);
    Ok(value)
}
