//! A tiny product, and a client that sees every byte.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use dface_api::http::{
    Answer, ApiError, Gate, Head, Limits, Methods, Reply, Request, Route, Router, RouterSettings, serve, tls::Tls,
    value::Rounded,
};
use futures::{StreamExt, stream};
use http::HeaderValue;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// The tiny product.
#[derive(Debug, Default)]
pub struct App;

#[derive(Debug, Clone, Copy)]
pub enum Access {
    Anyone,
    Key,
}

impl Gate for App {
    type Access = Access;
    type Caller = Option<String>;

    async fn admit(&self, access: Access, head: &Head) -> Result<Option<String>, ApiError> {
        match access {
            Access::Anyone => Ok(None),
            Access::Key => match head.cookie("_session_id") {
                Some("let-me-in") => Ok(Some("ann".to_owned())),
                _ => Err(ApiError::unauthorized("session_required", "sign in first")),
            },
        }
    }
}

pub type Call = Request<Option<String>>;

async fn echo(_: Arc<App>, call: Call) -> Reply {
    let known = ["a", "b", "name", "lat", "nested", "photo[room]"];
    let given = known.iter().filter_map(|name| Some(((*name).to_owned(), Value::from(call.params.get(name)?))));
    Ok(Answer::json(&given.collect::<serde_json::Map<_, _>>()))
}

async fn typed(_: Arc<App>, call: Call) -> Reply {
    let (lat, id) = (call.params.required::<f64>("lat")?, call.params.optional::<u64>("id")?);
    let accuracy: Rounded = call.params.required("accuracy")?;
    Ok(Answer::json(&json!({"lat": lat, "id": id, "accuracy": accuracy.0})).position(7))
}

async fn who(_: Arc<App>, call: Call) -> Reply {
    Ok(Answer::json(&json!({"client": call.head.client.to_string(), "caller": call.caller, "tls": call.head.peer.tls})))
}

async fn thing(_: Arc<App>, call: Call) -> Reply {
    Ok(Answer::json(&json!({"id": call.head.segment::<String>("id")?, "method": call.head.method.as_str()})))
}

async fn panics(_: Arc<App>, call: Call) -> Reply {
    assert!(call.params.get("calm").is_some(), "a secret of the inside");
    Ok(Answer::json(&json!({})))
}

async fn waits(_: Arc<App>, call: Call) -> Reply {
    tokio::time::sleep(Duration::from_millis(call.params.or("ms", 400)?)).await;
    Ok(Answer::json(&json!({"waited": true})))
}

async fn big(_: Arc<App>, _: Call) -> Reply {
    Ok(Answer::json(&"0123456789".repeat(10_000)))
}

async fn endless(_: Arc<App>, call: Call) -> Reply {
    let stopping = call.head.peer.stopping.clone();
    let pieces = stream::repeat(()).then(|()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(Bytes::from_static(b"{}\n"))
    });
    let pieces = pieces.take_until(async move { stopping.cancelled().await });
    Ok(Answer::stream(HeaderValue::from_static("application/x-ndjson"), pieces))
}

async fn raw(_: Arc<App>, call: Call) -> Reply {
    Ok(Answer::json(&json!({"bytes": call.body.len(), "a": call.params.get("a")})))
}

async fn upload(_: Arc<App>, mut call: Call) -> Reply {
    let read = call.file.as_mut().map(|file| file.read().expect("readable")).unwrap_or_default();
    let (field, bytes) = call.file.as_ref().map(|file| (file.field.clone(), file.bytes)).unzip();
    let sum: u64 = read.iter().map(|b| u64::from(*b)).sum();
    let (a, b) = (call.params.get("a"), call.params.get("b"));
    Ok(Answer::json(&json!({"a": a, "b": b, "field": field, "bytes": bytes, "sum": sum})))
}

pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::any("/echo", Access::Anyone, echo).alias("/user.info/get"),
        Route::any("/typed", Access::Anyone, typed),
        Route::any("/who", Access::Anyone, who),
        Route::any("/mine", Access::Key, who),
        Route::get("/things/{id}", Access::Anyone, thing),
        Route::new(Methods::DELETE, "/things/{id}", Access::Anyone, thing),
        Route::post("/posted", Access::Anyone, echo).alias("/posted/create"),
        Route::any("/changed", Access::Anyone, echo).changes(),
        Route::any("/panics", Access::Anyone, panics),
        Route::any("/waits", Access::Anyone, waits),
        Route::any("/hurries", Access::Anyone, waits).time_limit(Duration::from_millis(100)),
        Route::any("/big", Access::Anyone, big),
        Route::get("/endless", Access::Anyone, endless),
        Route::post("/raw", Access::Anyone, raw).raw_body().body_limit(1024 * 1024),
        Route::post("/upload", Access::Anyone, upload).takes_file(),
    ]
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    pub task: JoinHandle<()>,
}

pub async fn start_with(limits: Limits, settings: RouterSettings, tls: Option<Tls>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let router = Arc::new(Router::new(Arc::new(App), settings, routes()).expect("good routes"));
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve(listener, limits, tls, stop.clone(), move |peer| router.filter(peer)));
    Server { address, stop, task }
}

pub async fn start() -> Server {
    start_with(Limits::default(), RouterSettings::default(), None).await
}

/// An answer as it came.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The code of an error, which has a sentence too.
    pub fn code(&self) -> String {
        let json = self.json();
        assert!(json["error"].as_str().is_some_and(|text| text.len() > 10), "{json}");
        json["code"].as_str().expect("a code").to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Server {
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("accepted")
    }

    /// Sends bytes as they are; reads until the server closes.
    pub async fn raw(&self, bytes: &[u8]) -> Got {
        let mut stream = self.connect().await;
        // The server may have heard enough before all is sent.
        let _ = stream.write_all(bytes).await;
        read_to_end(&mut stream).await
    }

    /// A request whose connection ends with it. `head` is more header lines, each ending in `\r\n`.
    pub async fn send(&self, method: &str, path: &str, head: &str, body: &[u8]) -> Got {
        let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let mut bytes =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{length}{head}\r\n").into_bytes();
        bytes.extend_from_slice(body);
        self.raw(&bytes).await
    }

    pub async fn get(&self, path: &str) -> Got {
        self.send("GET", path, "", b"").await
    }

    pub async fn post(&self, path: &str, content_type: &str, body: impl AsRef<[u8]>) -> Got {
        self.send("POST", path, &format!("content-type: {content_type}\r\n"), body.as_ref()).await
    }
}

pub async fn read_to_end(stream: &mut TcpStream) -> Got {
    let mut bytes = Vec::new();
    let reading = stream.read_to_end(&mut bytes);
    let ended = tokio::time::timeout(Duration::from_secs(20), reading).await.expect("the server closes");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?} {ended:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Got { status, head: head.to_owned(), body: body.to_owned() }
}

/// A real client, of which TLS may be asked.
pub fn client() -> reqwest::ClientBuilder {
    // The binary installs it first thing in `main`; a second time is no harm.
    let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
}
