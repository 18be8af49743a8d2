use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

use super::*;

#[derive(Debug, Default)]
struct Clocked(AtomicI64);

impl Clock for Clocked {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

fn key() -> (EcdsaKeyPair, String) {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = key.to_pkcs8v1().unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
    (key, pem)
}

#[test]
fn the_providers_token_is_signed_and_renewed_before_it_is_too_old_or_once_it_is_refused() {
    let ((key, pem), clock) = (key(), Arc::new(Clocked::default()));
    let provider = Provider::new(pem.as_bytes(), "ABCDE12345", "TEAM123456", Arc::clone(&clock) as _).unwrap();
    let at = |seconds: i64| {
        clock.0.store(seconds, Ordering::SeqCst);
        provider.authorization().unwrap()
    };
    let first = at(1_700_000_000);
    let text = first.to_str().unwrap().strip_prefix("bearer ").unwrap().to_owned();
    let (signed, signature) = text.rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref());
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let parts: Vec<Value> =
        signed.split('.').map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()).collect();
    assert_eq!(parts[0], serde_json::json!({ "alg": "ES256", "kid": "ABCDE12345" }));
    assert_eq!(parts[1], serde_json::json!({ "iss": "TEAM123456", "iat": 1_700_000_000 }));
    assert_eq!(at(1_700_000_000 + 44 * 60), first);
    let second = at(1_700_000_000 + 46 * 60);
    assert_ne!(second, first, "a token lives less than 50 minutes");
    provider.expired(&first);
    assert_eq!(at(1_700_000_000 + 48 * 60), second, "it was another one that was refused");
    provider.expired(&second);
    assert_ne!(at(1_700_000_000 + 48 * 60), second);
    assert!(format!("{second:?}").contains("Sensitive"), "{second:?}");
}

#[test]
fn another_key_signs_from_then_on_and_the_same_one_makes_no_new_token() {
    let ((_, one), (other, two), clock) = (key(), key(), Arc::new(Clocked::default()));
    let provider = Provider::new(one.as_bytes(), "ABCDE12345", "TEAM123456", clock as _).unwrap();
    let first = provider.authorization().unwrap();
    provider.turn_to(one.as_bytes(), "ABCDE12345", "TEAM123456").unwrap();
    assert_eq!(
        provider.authorization().unwrap(),
        first,
        "Apple takes no new token more often than every twenty minutes"
    );
    assert!(provider.turn_to(b"no key", "ABCDE12345", "TEAM123456").is_err());
    assert_eq!(provider.authorization().unwrap(), first);
    provider.turn_to(two.as_bytes(), "FGHIJ67890", "TEAM123456").unwrap();
    let second = provider.authorization().unwrap();
    let (signed, signature) = second.to_str().unwrap().strip_prefix("bearer ").unwrap().rsplit_once('.').unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, other.public_key().as_ref());
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
}

#[test]
fn what_the_settings_have_wrong_is_named() {
    let (_, pem) = key();
    let of = |url: &str, key: &str, ca: Option<&str>| {
        let config = ApnsConfig {
            sandbox_url: url.to_owned(),
            production_url: "https://127.0.0.1:1".to_owned(),
            ca: ca.map(|pem| pem.as_bytes().to_vec()),
            key: key.as_bytes().to_vec(),
            key_id: "ABCDE12345".to_owned(),
            team_id: "TEAM123456".to_owned(),
            topic: "cn.dface".to_owned(),
            timeout: Duration::from_secs(1),
        };
        Apns::new(&config, Arc::new(Clocked::default())).err().map(|error| error.0).unwrap_or_default()
    };
    assert!(of("https://localhost:1", "no key", None).contains("`key`"));
    assert!(of("http://localhost:1", &pem, None).contains("http://localhost:1"));
    assert!(of("https://localhost:1", &pem, Some("")).contains("`ca`"));
    assert!(
        !of("https://localhost:1", &pem, Some("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"))
            .is_empty()
    );
}
