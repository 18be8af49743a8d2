//! TLS as a client: whom to trust.

use std::sync::Arc;

use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Nobody can be trusted as the settings have it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct BadTls(pub &'static str);

/// Trusts the certificates (PEM) that are given, or the system's, and speaks these protocols (ALPN; none: says nothing of them).
///
/// # Errors
/// The certificates cannot be used.
pub fn trusting(ca: Option<&[u8]>, protocols: &[&[u8]]) -> Result<ClientConfig, BadTls> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|_| BadTls("`ca` is no PEM file"))?;
                roots.add(certificate).map_err(|_| BadTls("`ca` holds a certificate that cannot be used"))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(BadTls("there is no certificate to trust: set `ca`"));
    }
    let versions =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    let versions = versions.map_err(|_| BadTls("TLS 1.2 and 1.3 are missing"))?;
    let mut config = versions.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}
