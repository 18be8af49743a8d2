//! From a request to its endpoint and back: path, method, gate, parameters, time limit, panics, log, metrics.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use futures::{FutureExt, Stream};
use http::{HeaderName, HeaderValue, header::ACCEPT_ENCODING};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use tracing::Instrument;
use warp::{Filter, path::FullPath, reply::Response};

use super::{
    body,
    error::ApiError,
    metrics::RouteMetrics,
    params::Params,
    request::{Head, Peer, Request, RequestId, client_address},
    route::{Gate, Methods, Reply, Route},
    upload::Uploads,
};

/// How paths that nobody serves are counted.
const UNKNOWN: &str = "unknown";

/// What holds for every route that does not say otherwise.
#[derive(Debug, Clone)]
pub struct RouterSettings {
    /// Largest body, bytes.
    pub body_limit: usize,
    /// From a request's head to its answer's head, the reading of the body included.
    pub time_limit: Duration,
    /// Requests that take longer are logged as slow.
    pub slow: Duration,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Where files of bodies go.
    pub uploads: Uploads,
    /// The time limit of routes that take a file.
    pub upload_time: Duration,
}

impl Default for RouterSettings {
    fn default() -> Self {
        Self {
            body_limit: 64 * 1024,
            time_limit: Duration::from_secs(30),
            slow: Duration::from_secs(1),
            trusted_proxies: Vec::new(),
            uploads: Uploads { dir: std::env::temp_dir(), max_bytes: 10 * 1024 * 1024 },
            upload_time: Duration::from_secs(120),
        }
    }
}

/// Two routes for one path and method, or a path that cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("route {path}: {problem}")]
pub struct BadRoute {
    /// Which.
    pub path: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// The routes of one listener, found by path and method.
#[derive(Debug)]
pub struct Router<S: Gate> {
    state: Arc<S>,
    settings: RouterSettings,
    routes: Vec<Route<S>>,
    counts: Vec<RouteMetrics>,
    unknown: RouteMetrics,
    fixed: HashMap<&'static str, Vec<usize>>,
    patterns: matchit::Router<Vec<usize>>,
}

impl<S: Gate> Router<S> {
    /// Puts the lists of all endpoint modules together.
    ///
    /// # Errors
    /// Where two routes take the same method at the same path, or a path is malformed.
    pub fn new(state: Arc<S>, settings: RouterSettings, routes: Vec<Route<S>>) -> Result<Self, BadRoute> {
        let mut by_path: HashMap<&'static str, Vec<usize>> = HashMap::new();
        for (index, route) in routes.iter().enumerate() {
            for path in std::iter::once(route.path).chain(route.aliases.iter().copied()) {
                let there = by_path.entry(path).or_default();
                if there.iter().any(|other| routes[*other].methods.meets(route.methods)) {
                    return Err(BadRoute { path, problem: "two routes take the same method".to_owned() });
                }
                there.push(index);
            }
        }
        let mut patterns = matchit::Router::new();
        for (path, indexes) in by_path.extract_if(|path, _| path.contains('{')) {
            patterns.insert(path, indexes).map_err(|e| BadRoute { path, problem: e.to_string() })?;
        }
        let counts = routes.iter().map(|route| RouteMetrics::new(route.path)).collect();
        Ok(Self { state, settings, counts, unknown: RouteMetrics::new(UNKNOWN), fixed: by_path, patterns, routes })
    }

    /// The routes, as they were given.
    #[must_use]
    pub fn routes(&self) -> &[Route<S>] {
        &self.routes
    }

    /// The warp filter that answers every request of a connection.
    pub fn filter(
        self: &Arc<Self>,
        peer: Arc<Peer>,
    ) -> impl Filter<Extract = (Response,), Error = warp::Rejection> + Clone + Send + Sync + use<S> {
        let router = Arc::clone(self);
        let query = warp::query::raw().map(Some).or_else(|_| std::future::ready(Ok::<_, warp::Rejection>((None,))));
        warp::any()
            .map(move || (Arc::clone(&router), Arc::clone(&peer)))
            .and(warp::method())
            .and(warp::path::full())
            .and(query)
            .and(warp::header::headers_cloned())
            .and(warp::body::stream())
            .then(|(router, peer): (Arc<Self>, Arc<Peer>), method, path: FullPath, query, headers, body| async move {
                let client = client_address(peer.address.ip(), &headers, &router.settings.trusted_proxies);
                let id = RequestId::of(&headers);
                // An error's span is never filtered out, so every log line of a request has its id.
                let span = tracing::error_span!("request", id = id.as_str());
                let path = path.as_str().to_owned();
                let head = Head { method, path, headers, peer, client, id, segments: Vec::new() };
                router.answer(head, query, body).instrument(span).await
            })
    }

    /// Answers one request, whatever happens.
    async fn answer<T, B>(&self, mut head: Head, query: Option<String>, body: T) -> Response
    where
        T: Stream<Item = Result<B, warp::Error>> + Send + 'static,
        B: Buf + Send + 'static,
    {
        let started = Instant::now();
        let (id, method) = (head.id.clone(), head.method.clone());
        let encodings = head.headers.get(ACCEPT_ENCODING).cloned();
        let found = self.find(&mut head);
        let index = found.as_ref().ok().copied();
        let path = index.map_or(UNKNOWN, |index| self.routes[index].path);
        let reply = match found {
            Ok(index) => self.guarded(&self.routes[index], head, query, body).await,
            Err(error) => Err(error),
        };
        let answer = match reply {
            Ok(answer) => answer.compressed(encodings.as_ref()).await,
            Err(error) => {
                log_error(&error, path);
                error.answer()
            }
        };
        let (took, status) = (started.elapsed(), answer.status_code());
        index.map_or(&self.unknown, |index| &self.counts[index]).answered(status, took);
        if took > self.settings.slow {
            tracing::warn!(%method, path, status = status.as_u16(), ms = took.as_millis(), "slow request");
        } else {
            tracing::debug!(%method, path, status = status.as_u16(), us = took.as_micros(), "answered");
        }
        let mut response = answer.into_response();
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id.header());
        if let Some(seconds) = self.state.stale_s() {
            response.headers_mut().insert(HeaderName::from_static("x-stale"), HeaderValue::from(seconds));
        }
        response
    }

    /// The route for a path, with and without `.json`, and a method.
    fn find(&self, head: &mut Head) -> Result<usize, ApiError> {
        let path = head.path.strip_suffix(".json").unwrap_or(&head.path);
        // The whole path first: `/openapi.json` is one of its own.
        let fixed = self.fixed.get(head.path.as_str()).or_else(|| self.fixed.get(path));
        let indexes = match fixed {
            Some(indexes) => indexes,
            None => {
                let found = self.patterns.at(path).map_err(|_| ApiError::unknown_path())?;
                for (name, value) in found.params.iter() {
                    let value = percent_decode_str(value).decode_utf8();
                    let value = value.map_err(|_| ApiError::invalid("bad_encoding", "the path is not UTF-8"))?;
                    head.segments.push((name.to_owned(), value.into_owned()));
                }
                found.value
            }
        };
        let asked = Methods::of(&head.method);
        indexes.iter().copied().find(|index| self.routes[*index].methods.meets(asked)).ok_or_else(|| {
            let taken = indexes.iter().fold(Methods::NONE, |all, index| all.or(self.routes[*index].methods));
            ApiError::wrong_method(taken.allow())
        })
    }

    /// Runs the endpoint within its time, and turns a panic into a 500.
    async fn guarded<T, B>(&self, route: &Route<S>, head: Head, query: Option<String>, body: T) -> Reply
    where
        T: Stream<Item = Result<B, warp::Error>> + Send + 'static,
        B: Buf + Send + 'static,
    {
        // What a panic leaves half-changed is behind locks of its own or in the event log, not in what is caught here.
        let work = AssertUnwindSafe(self.run(route, head, query, body)).catch_unwind();
        let usual = if route.takes_file { self.settings.upload_time } else { self.settings.time_limit };
        match tokio::time::timeout(route.time_limit.unwrap_or(usual), work).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(panic)) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                Err(ApiError::internal(format!("panic: {}", text.unwrap_or("no text"))))
            }
            Err(_) => Err(ApiError::unavailable("timeout", "the request took too long").retry_after(1)),
        }
    }

    /// Gate, parameters, endpoint.
    async fn run<T, B>(&self, route: &Route<S>, head: Head, query: Option<String>, body: T) -> Reply
    where
        T: Stream<Item = Result<B, warp::Error>> + Send + 'static,
        B: Buf + Send + 'static,
    {
        if route.changes && Methods::of(&head.method) == Methods::GET && head.from_another_site() {
            return Err(ApiError::forbidden("cross_site", "a page of another site may not ask for this"));
        }
        let caller = self.state.admit(route.access, &head).await?;
        let mut params = Params::default();
        if let Some(query) = query {
            params.add_urlencoded(query.as_bytes())?;
        }
        let (mut raw, mut file) = (Bytes::new(), None);
        if route.takes_file
            && let Some(boundary) = body::multipart_boundary(&head.headers)?
        {
            file = body::read_file(&mut params, &head.headers, boundary, body, &self.settings.uploads).await?;
        } else {
            let limit = route.body_limit.unwrap_or(self.settings.body_limit);
            raw = body::read_whole(&head.headers, body, limit).await?;
        }
        if !route.raw {
            body::add_params(&mut params, &head.headers, std::mem::take(&mut raw)).await?;
        }
        (route.handler)(Arc::clone(&self.state), Request { head, caller, params, body: raw, file }).await
    }
}

/// Our own faults with all that is known; what the client did wrong only where somebody looks for it.
fn log_error(error: &ApiError, path: &'static str) {
    let (status, code, inside) = (error.status.as_u16(), error.code, error.inside.as_deref());
    if status == 500 {
        tracing::error!(path, status, code, inside, "request failed");
    } else if status > 500 {
        tracing::warn!(path, status, code, inside, "request refused");
    } else {
        tracing::debug!(path, status, code, inside, "request refused");
    }
}
