//! The stand-in's CA and certificate, and the key that signs in with it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::Value;
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// The key's id.
pub const KEY_ID: &str = "ABCDE12345";
/// The team's.
pub const TEAM_ID: &str = "TEAM123456";

pub struct Keys {
    /// The CA (PEM).
    pub ca: String,
    /// The key that signs in.
    pub p8: String,
    public: Vec<u8>,
    certificate: Vec<u8>,
    key: Vec<u8>,
    /// The token whose signature was found good last: the same one comes with each push.
    good: Mutex<String>,
}

impl Keys {
    pub fn new() -> Self {
        let pair = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, pair()).expect("a certificate");
        let (key, provider) = (pair(), pair());
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &ca).expect("a certificate");
        Self {
            ca: ca.pem(),
            p8: provider.serialize_pem(),
            public: provider.public_key_raw().to_vec(),
            certificate: certificate.der().to_vec(),
            key: key.serialize_der(),
            good: Mutex::default(),
        }
    }

    pub fn tls(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let chain = vec![CertificateDer::from(self.certificate.clone())];
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("its own key");
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config)
    }

    /// Why a request does not sign in.
    pub fn refuses(&self, authorization: &str) -> Option<&'static str> {
        let Some((signed, signature)) = authorization.strip_prefix("bearer ").and_then(|token| token.rsplit_once('.'))
        else {
            return Some("MissingProviderToken");
        };
        if !self.is_signed(authorization, signed, signature) {
            return Some("InvalidProviderToken");
        }
        let part = |nth: usize| {
            let bytes = URL_SAFE_NO_PAD.decode(signed.split('.').nth(nth)?).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        };
        let (Some(head), Some(claims)) = (part(0), part(1)) else { return Some("InvalidProviderToken") };
        if head["kid"] != KEY_ID || head["alg"] != "ES256" || claims["iss"] != TEAM_ID {
            return Some("InvalidProviderToken");
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let age = now.abs_diff(claims["iat"].as_u64().unwrap_or(0));
        (age > 3600).then_some("ExpiredProviderToken")
    }

    fn is_signed(&self, authorization: &str, signed: &str, signature: &str) -> bool {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if *good == authorization {
            return true;
        }
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.public);
        let is_good = public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap_or_default()).is_ok();
        if is_good {
            authorization.clone_into(&mut good);
        }
        is_good
    }
}
