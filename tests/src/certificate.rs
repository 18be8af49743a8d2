//! A certificate of its own for a server that talks TLS.

use std::fs;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

use crate::Setup;

/// A self-signed certificate for loopback and the chat's domain, in files.
#[derive(Debug)]
pub struct Certificate {
    _dir: TempDir,
    /// Its file.
    pub cert: String,
    /// The file of its key.
    pub key: String,
    /// The certificate itself, for clients to trust.
    pub pem: String,
}

impl Certificate {
    /// A new one.
    ///
    /// # Panics
    /// It cannot be made or written.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "dface.cn".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).expect("a key");
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).expect("writable");
            path.display().to_string()
        };
        let (pem, key) = (cert.pem(), write("key.pem", &signing_key.serialize_pem()));
        Self { cert: write("cert.pem", &pem), key, pem, _dir: dir }
    }
    /// A server that uses it, and clients that trust it.
    #[must_use]
    pub fn used(&self, setup: Setup) -> Setup {
        setup.set("TLS__CERT", &self.cert).set("TLS__KEY", &self.key).tls(self.pem.clone())
    }
}
