//! HTTP/2 and HTTP/1.1 over TLS, and a certificate swapped while the server runs.

use std::sync::Arc;

use arc_swap::ArcSwap;
use dface_api::http::{Limits, RouterSettings, tls::http_config};
use http::Version;
use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::support::{client, start, start_with};

struct Made {
    chain: String,
    key: String,
}

fn make() -> Made {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
    Made { chain: cert.pem(), key: signing_key.serialize_pem() }
}

fn trusting(made: &Made) -> reqwest::ClientBuilder {
    let root = reqwest::Certificate::from_pem(made.chain.as_bytes()).expect("a certificate");
    client().tls_certs_only([root])
}

#[tokio::test]
async fn both_versions_speak_tls_and_certificates_can_be_swapped() {
    let (old, new) = (make(), make());
    let config = |made: &Made| http_config(made.chain.as_bytes(), made.key.as_bytes()).expect("usable");
    let tls = Arc::new(ArcSwap::from_pointee(config(&old)));
    let server = start_with(Limits::default(), RouterSettings::default(), Some(Arc::clone(&tls))).await;
    let url = format!("https://localhost:{}", server.address.port());

    let http2 = trusting(&old).build().expect("a client");
    let got = http2.get(format!("{url}/who")).send().await.expect("an answer");
    assert_eq!(got.version(), Version::HTTP_2);
    let body: serde_json::Value = got.json().await.expect("JSON");
    assert_eq!(body["tls"], true);
    let got = http2.post(format!("{url}/echo")).body(vec![0; 5 << 20]).send().await.expect("an answer");
    assert_eq!(got.status(), 413);
    let many = (0..50).map(|n| http2.get(format!("{url}/echo?a={n}")).send());
    for (n, got) in futures::future::join_all(many).await.into_iter().enumerate() {
        assert_eq!(got.expect("an answer").text().await.expect("a body"), format!(r#"{{"a":"{n}"}}"#));
    }

    let http1 = trusting(&old).http1_only().build().expect("a client");
    let got = http1.get(format!("{url}/who")).send().await.expect("an answer");
    assert_eq!((got.version(), got.status().as_u16()), (Version::HTTP_11, 200));

    tls.store(Arc::new(config(&new)));
    assert!(trusting(&old).build().expect("a client").get(format!("{url}/who")).send().await.is_err());
    let got = trusting(&new).build().expect("a client").get(format!("{url}/who")).send().await;
    assert_eq!(got.expect("an answer").status(), 200);
    // Connections of before go on.
    assert_eq!(http2.get(format!("{url}/who")).send().await.expect("an answer").status(), 200);

    server.stop.cancel();
    tokio::time::timeout(std::time::Duration::from_secs(3), server.task).await.expect("stops").expect("cleanly");
}

#[tokio::test]
async fn http2_without_tls_works_by_prior_knowledge() {
    let server = start().await;
    let http2 = client().http2_prior_knowledge().build().expect("a client");
    let got = http2.get(format!("http://{}/echo?a=1", server.address)).send().await.expect("an answer");
    assert_eq!((got.version(), got.status().as_u16()), (Version::HTTP_2, 200));
}
