//! HTTP with answers that tell what was asked where they are not as expected.

use std::{
    fmt::{self, Display},
    net::SocketAddr,
    sync::{Arc, Once, PoisonError, RwLock},
    time::Duration,
};

use reqwest::{
    Method,
    blocking::{Client, RequestBuilder},
    header::HeaderMap,
};
use serde_json::Value;

/// Parameters by name.
pub type Given<'a> = &'a [(&'a str, &'a dyn Display)];

/// Where a server is now: another port after each start.
#[derive(Debug, Clone)]
pub struct Door {
    client: Client,
    scheme: &'static str,
    at: Arc<RwLock<SocketAddr>>,
}

/// A client that takes its time and follows nothing.
///
/// # Panics
/// TLS cannot be set up.
#[must_use]
pub fn client(certificate: Option<&str>) -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Only this harness chooses one in a test's process.
        let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
    let roots = certificate.map(|pem| reqwest::Certificate::from_pem(pem.as_bytes()).expect("a certificate"));
    let builder =
        Client::builder().no_proxy().timeout(Duration::from_secs(60)).redirect(reqwest::redirect::Policy::none());
    builder.tls_certs_only(roots).build().expect("a client can be made")
}

impl Door {
    /// The listener at `at`.
    #[must_use]
    pub fn new(client: Client, scheme: &'static str, at: SocketAddr) -> Self {
        Self { client, scheme, at: Arc::new(RwLock::new(at)) }
    }

    /// Where the listener is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        *self.at.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server was started again, there.
    pub fn moved(&self, at: SocketAddr) {
        *self.at.write().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// A request to `path`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}://{}{path}", self.scheme, self.address()))
    }
}

/// Parameters as `reqwest` wants them.
#[must_use]
pub fn pairs(given: Given<'_>) -> Vec<(String, String)> {
    given.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect()
}

/// Adds parameters to the query.
pub fn with_query(request: RequestBuilder, given: Given<'_>) -> RequestBuilder {
    if given.is_empty() { request } else { request.query(&pairs(given)) }
}

/// An answer with what was asked.
#[derive(Debug, Clone)]
pub struct Answer {
    asked: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  answered {} {:?}\n  {}", self.asked, self.status, self.headers, self.text)
    }
}

impl Answer {
    /// Sends `request`; none where the connection broke.
    ///
    /// # Panics
    /// The request itself cannot be made.
    pub fn try_to(request: RequestBuilder) -> Result<Self, String> {
        let (client, request) = request.build_split();
        let request = request.expect("a request that can be sent");
        let path = request.url().path().to_owned();
        let query = request.url().query().map(|query| format!("?{}", query.get(..200).unwrap_or(query)));
        let asked = format!("{} {path}{}", request.method(), query.unwrap_or_default());
        let broken = |error: reqwest::Error| format!("{asked}: {error:?}");
        let got = client.execute(request).map_err(broken)?;
        let (status, headers) = (got.status().as_u16(), got.headers().clone());
        let text = got.text().map_err(broken)?;
        Ok(Self { asked, status, headers, text })
    }

    /// Sends `request`.
    ///
    /// # Panics
    /// The connection broke.
    #[track_caller]
    pub fn to(request: RequestBuilder) -> Self {
        Self::try_to(request).unwrap_or_else(|broken| panic!("no answer: {broken}"))
    }

    /// A header's text, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The position that the request wrote.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn position(&self) -> u64 {
        self.header("x-position").parse().unwrap_or_else(|_| panic!("no X-Position: {self}"))
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert!(self.header("content-type").starts_with("application/json"), "not JSON: {self}");
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The body of a success.
    ///
    /// # Panics
    /// It is none.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{self}");
        self.json()
    }

    /// Asserts a refusal in the form of the specification. The sentence.
    ///
    /// # Panics
    /// It is another one, or of another form.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{self}");
        self.json()["error"].as_str().expect("checked with the code").to_owned()
    }

    /// The code of a refusal, after its form was checked.
    ///
    /// # Panics
    /// The answer is of another form, or tells a failure of the server.
    #[track_caller]
    pub fn code(&self) -> String {
        let body = self.json();
        let (error, code) = (body["error"].as_str().unwrap_or_default(), body["code"].as_str().unwrap_or_default());
        assert!(self.status >= 400 && self.status != 500, "{self}");
        assert!(!error.is_empty() && error.len() < 400 && !error.contains('\n'), "not one sentence: {self}");
        assert!(!code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{self}");
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(2), "{self}");
        // What never became a request has no id.
        let no_request = ["head_too_large", "bad_request", "busy"].contains(&code);
        assert!(no_request || !self.header("x-request-id").is_empty(), "no X-Request-Id: {self}");
        code.to_owned()
    }
}
