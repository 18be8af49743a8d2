//! What an endpoint is handed: the head of the request, who asks, and the parameters.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

use super::{
    error::ApiError,
    params::{Params, read},
    upload::FormFile,
    value::FromParam,
};

/// Longest `X-Request-Id` of a client that is taken over.
const MAX_ID_LEN: usize = 64;

/// Names a request in the log and in its answer (`X-Request-Id`).
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The client's own where it is short and plain, else a new one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let plain = |value: &&HeaderValue| {
            let bytes = value.as_bytes();
            (1..=MAX_ID_LEN).contains(&bytes.len())
                && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        headers.get("x-request-id").filter(plain).map_or_else(Self::fresh, |value| Self(value.clone()))
    }

    /// A new one: 16 hex digits, unlike any other of this process and, by chance, of others.
    #[must_use]
    pub fn fresh() -> Self {
        static START: OnceLock<u64> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // The start is from the system's source of chance (the seed of hash maps); the count makes them differ.
        let start = *START.get_or_init(|| RandomState::new().hash_one("request id"));
        let number = start.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut digits = [0; 16];
        hex::encode_to_slice(number.to_be_bytes(), &mut digits).expect("8 bytes are 16 digits");
        Self(HeaderValue::from_bytes(&digits).expect("hex digits are a header's text"))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// As the answer's header has it.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The other end of a connection, and the server's wish to stop.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Who connected; a proxy perhaps.
    pub address: SocketAddr,
    /// Over TLS.
    pub tls: bool,
    /// Cancelled when the server stops: endless answers (streams) end then.
    pub stopping: CancellationToken,
}

/// A request without its body.
#[derive(Clone)]
pub struct Head {
    /// GET, POST, …; HEAD is told as such.
    pub method: Method,
    /// As it came, percent-encoded, without the query.
    pub path: String,
    /// As they came.
    pub headers: HeaderMap,
    /// Who connected (a proxy perhaps), and whether the server wants to stop.
    pub peer: Arc<Peer>,
    /// Who asks: the peer, or whom trusted proxies name.
    pub client: IpAddr,
    /// In the log and in the answer.
    pub id: RequestId,
    /// The parts of the path that the route names, decoded.
    pub(super) segments: Vec<(String, String)>,
}

impl Head {
    /// A cookie's value, where it is there and text.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(known, value)| (known == name).then_some(value))
    }

    /// A header's value, where it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The token of `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// A part of the path that the route names: `id` in `/admin/users/{id}`.
    ///
    /// # Errors
    /// 400 where it is unreadable.
    pub fn segment<T: FromParam>(&self, name: &str) -> Result<T, ApiError> {
        let text = self.segments.iter().find_map(|(known, value)| (known == name).then_some(value.as_str()));
        read(name, text.unwrap_or_default())
    }

    /// Whether a page of another site, or a link that was followed, asks for this (by the `Sec-Fetch-…` headers, which
    /// browsers send and pages cannot set).
    #[must_use]
    pub fn from_another_site(&self) -> bool {
        matches!(self.header("sec-fetch-site"), Some("cross-site" | "same-site"))
            || self.header("sec-fetch-mode") == Some("navigate")
    }
}

/// Without headers and segments: they hold what no log may have.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("method", &self.method).field("id", &self.id).finish_non_exhaustive()
    }
}

/// A request that was let in; `C` is whom the gate took the caller for.
pub struct Request<C = ()> {
    /// Everything but the body.
    pub head: Head,
    /// Who asks.
    pub caller: C,
    /// From query and body.
    pub params: Params,
    /// The body as it came, on routes that ask for it raw; else empty.
    pub body: Bytes,
    /// The file of a multipart body, on routes that take one.
    pub file: Option<FormFile>,
}

impl<C> fmt::Debug for Request<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("head", &self.head).finish_non_exhaustive()
    }
}

/// Who asks: `peer`, or, where that is a trusted proxy, the last address in `X-Forwarded-For` that is none.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(&client) {
        return client;
    }
    // Each proxy adds at the end, so the end is read first, as far as those who wrote it are trusted.
    let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    for text in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        let Ok(address) = text.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !is_trusted(&client) {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn forwarded_for_counts_only_from_trusted_proxies() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("net")];
        let of = |peer: &str, values: &[&'static str]| {
            client_address(peer.parse().expect("address"), &forwarded(values), &trusted).to_string()
        };
        assert_eq!(of("192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["1.2.3.4, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["1.2.3.4", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(of("10.0.0.1", &["198.51.100.1, junk"]), "10.0.0.1");
        assert_eq!(of("::ffff:10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn plain_ids_are_taken_over() {
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-request-id", HeaderValue::from_static(text));
            RequestId::of(&headers).as_str().to_owned()
        };
        assert_eq!(of("abc-1_2.3"), "abc-1_2.3");
        for bad in ["", "a b", "a\"b", "a{b}"] {
            assert_eq!(of(bad).len(), 16, "{bad}");
            assert_ne!(of(bad), bad);
        }
        assert_ne!(RequestId::fresh(), RequestId::fresh());
    }
}
