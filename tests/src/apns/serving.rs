//! How the stand-in takes connections and answers.

use std::{net::TcpListener, sync::Arc};

use bytes::Bytes;
use h2::{
    Reason, RecvStream,
    server::{self, Connection, SendResponse},
};
use http::Response;
use serde_json::{Value, json};
use tokio::{net::TcpStream, runtime, sync::watch};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{Mood, Request, StandIn, TOPIC, keys::Keys};

/// Streams at once on a connection, as Apple has it.
const STREAMS: u32 = 1000;

/// Bytes that may come ahead on a connection: the library resets streams that many small ones hold up.
const WINDOW: u32 = 1 << 20;

/// Bytes of a payload.
const MOST: usize = 4096;

/// Serves as long as the process runs.
pub fn serve(stand_in: &StandIn, listener: TcpListener, keys: &Arc<Keys>) {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        listener.set_nonblocking(true).expect("a socket of our own");
        let listener = tokio::net::TcpListener::from_std(listener).expect("it listens");
        let acceptor = TlsAcceptor::from(keys.tls());
        while let Ok((tcp, _)) = listener.accept().await {
            let (stand_in, keys, acceptor) = (stand_in.clone(), Arc::clone(keys), acceptor.clone());
            tokio::spawn(async move {
                let _ = tcp.set_nodelay(true);
                let Ok(tls) = acceptor.accept(tcp).await else { return };
                let made = server::Builder::new()
                    .max_concurrent_streams(STREAMS)
                    .max_local_error_reset_streams(None)
                    .initial_connection_window_size(WINDOW)
                    .handshake(tls)
                    .await;
                if let Ok(connection) = made {
                    one(stand_in, keys, connection).await;
                }
            });
        }
    });
}

/// What an answer asks of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Nothing,
    GoAway,
    Close,
}

async fn one(stand_in: StandIn, keys: Arc<Keys>, mut connection: Connection<TlsStream<TcpStream>, Bytes>) {
    let number = {
        let mut state = stand_in.state();
        state.connections += 1;
        state.connections - 1
    };
    let (asks, mut asked) = watch::channel(Ask::Nothing);
    let asks = Arc::new(asks);
    loop {
        tokio::select! {
            biased;
            Ok(()) = asked.changed() => match *asked.borrow_and_update() {
                Ask::Nothing => {}
                Ask::GoAway => connection.graceful_shutdown(),
                Ask::Close => return,
            },
            stream = connection.accept() => {
                let Some(Ok((request, respond))) = stream else { return };
                let (stand_in, keys, asks) = (stand_in.clone(), Arc::clone(&keys), Arc::clone(&asks));
                tokio::spawn(async move {
                    let (head, body) = request.into_parts();
                    let Some(payload) = read(body).await else { return };
                    answer(&stand_in, &keys, (&head, &payload, number), respond, &asks).await;
                });
            }
        }
    }
}

async fn read(mut body: RecvStream) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.ok()?;
        let _ = body.flow_control().release_capacity(chunk.len());
        read.extend_from_slice(&chunk);
    }
    Some(read)
}

/// A status, a reason, and what else stands in the answer's head and body.
type Told = (u16, Option<&'static str>, Option<u32>, Option<u64>);

async fn answer(
    stand_in: &StandIn,
    keys: &Keys,
    (head, payload, connection): (&http::request::Parts, &[u8], usize),
    mut respond: SendResponse<Bytes>,
    asks: &watch::Sender<Ask>,
) {
    let request = request(head, payload, connection);
    let id = request.id.clone();
    let fault = fault(&request, head, payload.len());
    let unknown = keys.refuses(&request.authorization);
    let mood = stand_in.taken(request, fault, unknown);
    let (status, reason, after, since): Told = match mood {
        _ if let Some(reason) = unknown => (403, Some(reason), None, None),
        _ if let Some(fault) = fault => (400, Some(fault), None, None),
        Mood::Accepts => (200, None, None, None),
        Mood::TooMany(after) => (429, Some("TooManyRequests"), Some(after), None),
        Mood::Fails => (500, Some("InternalServerError"), None, None),
        Mood::Unavailable => (503, Some("ServiceUnavailable"), None, None),
        Mood::Unregistered(since) => (410, Some("Unregistered"), None, Some(since)),
        Mood::BadDeviceToken => (400, Some("BadDeviceToken"), None, None),
        Mood::Expired => (403, Some("ExpiredProviderToken"), None, None),
        Mood::Resets => return respond.send_reset(Reason::INTERNAL_ERROR),
        Mood::GoesAway => {
            respond.send_reset(Reason::REFUSED_STREAM);
            let _ = asks.send(Ask::GoAway);
            return;
        }
        Mood::Hangs => return std::future::pending().await,
        Mood::Drops | Mood::AnswerLost => {
            let _ = asks.send(Ask::Close);
            return;
        }
    };
    let mut head = Response::builder().status(status).header("apns-id", id);
    if let Some(after) = after {
        head = head.header("retry-after", after);
    }
    let body = match (reason, since) {
        (Some(reason), Some(since)) => json!({ "reason": reason, "timestamp": since }).to_string(),
        (Some(reason), None) => json!({ "reason": reason }).to_string(),
        (None, _) => String::new(),
    };
    let head = head.body(()).expect("a head");
    if let Ok(mut sent) = respond.send_response(head, body.is_empty())
        && !body.is_empty()
    {
        let _ = sent.send_data(Bytes::from(body), true);
    }
}

fn request(head: &http::request::Parts, payload: &[u8], connection: usize) -> Request {
    let header = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    Request {
        token: head.uri.path().strip_prefix("/3/device/").unwrap_or_default().to_owned(),
        id: header("apns-id"),
        collapse_id: header("apns-collapse-id"),
        push_type: header("apns-push-type"),
        priority: header("apns-priority"),
        expiration: header("apns-expiration").parse().unwrap_or(-1),
        topic: header("apns-topic"),
        authorization: header("authorization"),
        payload: serde_json::from_slice(payload).unwrap_or(Value::Null),
        connection,
        mood: Mood::Accepts,
    }
}

/// What is wrong with a request, as Apple names it.
fn fault(request: &Request, head: &http::request::Parts, bytes: usize) -> Option<&'static str> {
    let is_hex = !request.token.is_empty() && request.token.bytes().all(|digit| digit.is_ascii_hexdigit());
    if head.method != http::Method::POST {
        return Some("MethodNotAllowed");
    }
    if !is_hex {
        return Some("BadDeviceToken");
    }
    if bytes > MOST {
        return Some("PayloadTooLarge");
    }
    if !request.payload["aps"].is_object() {
        return Some("PayloadEmpty");
    }
    if request.topic != TOPIC {
        return Some("BadTopic");
    }
    if request.id.len() != 36 {
        return Some("BadMessageId");
    }
    if request.collapse_id.len() > 64 {
        return Some("BadCollapseId");
    }
    if request.expiration < 0 {
        return Some("BadExpirationDate");
    }
    match (request.push_type.as_str(), request.priority.as_str()) {
        ("alert", "10" | "5") | ("background", "5") => None,
        ("alert" | "background", _) => Some("BadPriority"),
        _ => Some("InvalidPushType"),
    }
}

impl StandIn {
    /// Takes a request down, and says how it is answered.
    fn taken(&self, mut request: Request, fault: Option<&'static str>, unknown: Option<&'static str>) -> Mood {
        let mut state = self.state();
        state.asked += 1;
        let turn = match &state.every {
            Some((nth, moods)) if state.asked.is_multiple_of(*nth) => {
                moods.get(state.asked / nth % moods.len()).copied()
            }
            _ => None,
        };
        let always = state.devices.get(&request.token).copied();
        // Nothing is taken for a device that is gone, whether the answer comes or not.
        let turn = turn.filter(|mood| always.is_none() || !matches!(mood, Mood::AnswerLost));
        let mood = state.next.pop_front().or(turn).or(always).unwrap_or(Mood::Accepts);
        request.mood = mood;
        if let Some(reason) = fault.or(unknown) {
            state.faults.push(reason.to_owned());
            return mood;
        }
        if request.is_accepted() {
            state.accepted += 1;
        }
        if !state.forgetful {
            state.requests.push(request);
        }
        mood
    }
}
