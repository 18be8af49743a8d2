//! XMPP over WebSocket (RFC 7395) on the public HTTP listener.

use std::sync::Arc;

use http::{
    HeaderMap, Method, StatusCode,
    header::{
        CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::derive_accept_key,
        protocol::{Role as Side, WebSocketConfig},
    },
};
use warp::{Filter, Rejection, reply::Response};

use super::{super::hub::Hub, door::Door, wire::Wire};
use crate::{
    app::secure_cookies,
    http::request::{Peer, client_address},
    settings::Role,
};

/// Where it is (spec chat.md).
const PATH: &str = "xmpp-websocket";
/// The protocol's name in the handshake.
const PROTOCOL: &str = "xmpp";
/// Bytes of a stream's buffers; a frame that is larger gets more while it is read.
const BUFFER: usize = 2 * 1024;

/// What a handshake must hold; else the status that refuses it.
fn accepted(method: &Method, headers: &HeaderMap) -> Result<String, StatusCode> {
    let has = |name, wanted: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(wanted))
    };
    if method != Method::GET {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    if !has(CONNECTION, "upgrade") || !has(UPGRADE, "websocket") || !has(SEC_WEBSOCKET_VERSION, "13") {
        return Err(StatusCode::UPGRADE_REQUIRED);
    }
    match headers.get(SEC_WEBSOCKET_KEY) {
        Some(key) if has(SEC_WEBSOCKET_PROTOCOL, PROTOCOL) => Ok(derive_accept_key(key.as_bytes())),
        _ => Err(StatusCode::BAD_REQUEST),
    }
}

fn answer(status: StatusCode, headers: &[(http::HeaderName, &str)]) -> Response {
    let mut answer = Response::default();
    *answer.status_mut() = status;
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

impl<H: Hub> Door<H> {
    /// The filter that takes WebSockets of `peer`'s connection.
    pub fn web(
        self: Arc<Self>,
        peer: Arc<Peer>,
    ) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static {
        let is_served = self.app.node.settings.roles.has(Role::Chat);
        let served = move || async move { if is_served { Ok(()) } else { Err(warp::reject::not_found()) } };
        warp::path(PATH)
            .and(warp::path::end())
            .and(warp::any().and_then(served).untuple_one())
            .and(warp::method())
            .and(warp::header::headers_cloned())
            .and(warp::ext::optional::<OnUpgrade>())
            .and_then(move |method: Method, headers: HeaderMap, upgrade: Option<OnUpgrade>| {
                let answer = self.upgraded(&peer, &method, &headers, upgrade);
                async move { Ok::<_, Rejection>(answer) }
            })
    }

    fn upgraded(
        self: &Arc<Self>,
        peer: &Peer,
        method: &Method,
        headers: &HeaderMap,
        upgrade: Option<OnUpgrade>,
    ) -> Response {
        let key = match accepted(method, headers) {
            Ok(key) => key,
            Err(status) => {
                let needed =
                    [(UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13"), (SEC_WEBSOCKET_PROTOCOL, PROTOCOL)];
                return answer(status, &needed);
            }
        };
        // HTTP/2 has another handshake.
        let Some(upgrade) = upgrade else { return answer(StatusCode::UPGRADE_REQUIRED, &[(UPGRADE, "websocket")]) };
        let Some(place) = self.place() else { return answer(StatusCode::SERVICE_UNAVAILABLE, &[]) };
        let settings = &self.app.node.settings;
        let from = client_address(peer.address.ip(), headers, &settings.trusted_proxies);
        // Behind a proxy that speaks TLS, `public_url` says so.
        let (door, private) = (Arc::clone(self), secure_cookies(&self.app.node, peer));
        let limit = settings.limits.head_s;
        self.spawn(async move {
            let upgraded = tokio::time::timeout(std::time::Duration::from_secs(limit), upgrade).await;
            let Ok(Ok(upgraded)) = upgraded else { return };
            let socket =
                WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Side::Server, Some(door.web_config()));
            let wire = Wire::web(socket.await, from, private, door.patience());
            door.talk(wire, place).await;
        });
        let headers = [
            (CONNECTION, "upgrade"),
            (UPGRADE, "websocket"),
            (SEC_WEBSOCKET_ACCEPT, &*key),
            (SEC_WEBSOCKET_PROTOCOL, PROTOCOL),
        ];
        answer(StatusCode::SWITCHING_PROTOCOLS, &headers)
    }

    fn web_config(&self) -> WebSocketConfig {
        let most = self.chat().stanza_bytes;
        WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(usize::MAX)
            .max_message_size(Some(most))
            .max_frame_size(Some(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn a_handshake_names_the_protocol() {
        // The example of RFC 6455 §1.3.
        let whole = [
            (CONNECTION, "keep-alive, Upgrade"),
            (UPGRADE, "WebSocket"),
            (SEC_WEBSOCKET_VERSION, "13"),
            (SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
            (SEC_WEBSOCKET_PROTOCOL, "chat, xmpp"),
        ];
        assert_eq!(accepted(&Method::GET, &headers(&whole)).as_deref(), Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(accepted(&Method::POST, &headers(&whole)), Err(StatusCode::METHOD_NOT_ALLOWED));
        assert_eq!(accepted(&Method::GET, &headers(&whole[1..])), Err(StatusCode::UPGRADE_REQUIRED));
        assert_eq!(accepted(&Method::GET, &headers(&whole[..4])), Err(StatusCode::BAD_REQUEST));
    }
}
