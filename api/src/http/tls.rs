//! The server's certificate and key, from PEM, swappable while it runs.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_rustls::rustls::{
    self, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// The TLS that new connections get. Store another configuration in it, and the next ones get that.
pub type Tls = Arc<ArcSwap<ServerConfig>>;

/// What is wrong with certificate or key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificates cannot be read.
    #[error("the certificate is not readable as PEM: {0}")]
    Certificate(rustls::pki_types::pem::Error),
    /// It does not say until when it holds.
    #[error("the certificate does not say until when it holds")]
    NoTimes,
    /// The key cannot be read.
    #[error("the key is not readable as PEM: {0}")]
    Key(rustls::pki_types::pem::Error),
    /// They do not fit together, or not to the library.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// What makes a configuration of a chain and a key.
pub type Making = fn(&[u8], &[u8]) -> Result<ServerConfig, TlsError>;

/// When the first certificate of a chain ends, in seconds since 1970.
///
/// # Errors
/// It cannot be read.
pub fn ends(chain_pem: &[u8]) -> Result<i64, TlsError> {
    let first = CertificateDer::from_pem_slice(chain_pem).map_err(TlsError::Certificate)?;
    let (_, read) = x509_parser::parse_x509_certificate(&first).map_err(|_| TlsError::NoTimes)?;
    Ok(read.validity().not_after.timestamp())
}

/// A configuration that offers HTTP/2 and HTTP/1.1 with this chain and key.
///
/// # Errors
/// Where one cannot be read or they do not fit.
pub fn http_config(chain_pem: &[u8], key_pem: &[u8]) -> Result<ServerConfig, TlsError> {
    let mut config = stream_config(chain_pem, key_pem)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// A configuration for a protocol that was agreed on before TLS begins (STARTTLS).
///
/// # Errors
/// Where one cannot be read or they do not fit.
pub fn stream_config(chain_pem: &[u8], key_pem: &[u8]) -> Result<ServerConfig, TlsError> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(chain_pem).collect::<Result<_, _>>().map_err(TlsError::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(TlsError::Key)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?)
}
