//! A route: a path, its methods, who may call it, and the endpoint behind it.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use http::{HeaderValue, Method};

use super::{
    answer::Answer,
    error::ApiError,
    request::{Head, Request},
};

/// What an endpoint gives back.
pub type Reply = Result<Answer, ApiError>;

/// The product's state, which knows who may come in.
pub trait Gate: Send + Sync + 'static {
    /// What a route asks of its callers: anyone, a session, an operator's token.
    type Access: Copy + fmt::Debug + Send + Sync + 'static;
    /// Whom the endpoint is told that it serves.
    type Caller: Send + 'static;

    /// Lets a request in, or not. Called before the body is read, so that strangers cannot send large ones.
    ///
    /// # Errors
    /// 401, 403 or 429, as a rule.
    fn admit(&self, access: Self::Access, head: &Head) -> impl Future<Output = Result<Self::Caller, ApiError>> + Send;

    /// For how many seconds answers may not show what others wrote meanwhile; none where they do.
    fn stale_s(&self) -> Option<u64> {
        None
    }
}

type Boxed = Pin<Box<dyn Future<Output = Reply> + Send>>;
pub(super) type Handler<S> = Box<dyn Fn(Arc<S>, Request<<S as Gate>::Caller>) -> Boxed + Send + Sync>;

/// A set of HTTP methods. Who takes GET takes HEAD too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Methods(u8);

impl Methods {
    /// No method.
    pub const NONE: Self = Self(0);
    /// GET and HEAD.
    pub const GET: Self = Self(1);
    /// POST.
    pub const POST: Self = Self(2);
    /// PUT.
    pub const PUT: Self = Self(4);
    /// PATCH.
    pub const PATCH: Self = Self(8);
    /// DELETE.
    pub const DELETE: Self = Self(16);
    /// GET, HEAD and POST: what every path takes about which the document says nothing.
    pub const GET_POST: Self = Self(1 | 2);

    const NAMED: [(Self, &'static str); 5] = [
        (Self::GET, "GET, HEAD"),
        (Self::POST, "POST"),
        (Self::PUT, "PUT"),
        (Self::PATCH, "PATCH"),
        (Self::DELETE, "DELETE"),
    ];

    /// The set of that one method; empty for one that nothing takes.
    #[must_use]
    pub fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::GET,
            Method::POST => Self::POST,
            Method::PUT => Self::PUT,
            Method::PATCH => Self::PATCH,
            Method::DELETE => Self::DELETE,
            _ => Self::NONE,
        }
    }

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether they have a method in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Each method of the set, by its first name.
    pub fn each(self) -> impl Iterator<Item = &'static str> {
        Self::NAMED.iter().filter(move |(one, _)| self.meets(*one)).filter_map(|(_, name)| name.split(',').next())
    }

    /// As the header `Allow` has them.
    #[must_use]
    pub fn allow(self) -> HeaderValue {
        let names: Vec<&str> = Self::NAMED.iter().filter(|(one, _)| self.meets(*one)).map(|(_, name)| *name).collect();
        HeaderValue::from_str(&names.join(", ")).expect("names of methods are plain text")
    }
}

/// A path and what answers there.
pub struct Route<S: Gate> {
    pub(super) path: &'static str,
    pub(super) aliases: Vec<&'static str>,
    pub(super) methods: Methods,
    pub(super) access: S::Access,
    pub(super) body_limit: Option<usize>,
    pub(super) time_limit: Option<Duration>,
    pub(super) raw: bool,
    pub(super) takes_file: bool,
    pub(super) changes: bool,
    pub(super) documented: bool,
    pub(super) handler: Handler<S>,
}

impl<S: Gate> Route<S> {
    /// A route for `methods`. `path` begins with `/`, is without `.json`, and may name parts: `/admin/users/{id}`.
    #[must_use]
    pub fn new<H, F>(methods: Methods, path: &'static str, access: S::Access, handler: H) -> Self
    where
        H: Fn(Arc<S>, Request<S::Caller>) -> F + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        Self {
            path,
            aliases: Vec::new(),
            methods,
            access,
            body_limit: None,
            time_limit: None,
            raw: false,
            takes_file: false,
            changes: false,
            documented: true,
            handler: Box::new(move |state, request| Box::pin(handler(state, request))),
        }
    }

    /// A route that takes GET and POST.
    #[must_use]
    pub fn any<H, F>(path: &'static str, access: S::Access, handler: H) -> Self
    where
        H: Fn(Arc<S>, Request<S::Caller>) -> F + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        Self::new(Methods::GET_POST, path, access, handler)
    }

    /// A route that takes GET alone.
    #[must_use]
    pub fn get<H, F>(path: &'static str, access: S::Access, handler: H) -> Self
    where
        H: Fn(Arc<S>, Request<S::Caller>) -> F + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        Self::new(Methods::GET, path, access, handler)
    }

    /// A route that takes POST alone.
    #[must_use]
    pub fn post<H, F>(path: &'static str, access: S::Access, handler: H) -> Self
    where
        H: Fn(Arc<S>, Request<S::Caller>) -> F + Send + Sync + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        Self::new(Methods::POST, path, access, handler)
    }

    /// The same at another path.
    #[must_use]
    pub fn alias(mut self, path: &'static str) -> Self {
        self.aliases.push(path);
        self
    }

    /// Takes bodies of up to `bytes`, not the setting's.
    #[must_use]
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = Some(bytes);
        self
    }

    /// May take `time` from head to answer, not the setting's; at most [`super::Limits::stall`].
    #[must_use]
    pub const fn time_limit(mut self, time: Duration) -> Self {
        self.time_limit = Some(time);
        self
    }

    /// Wants the body as it came (`Request::body`), in any form, and no parameters from it.
    #[must_use]
    pub const fn raw_body(mut self) -> Self {
        self.raw = true;
        self
    }

    /// Takes a file in a multipart body (`Request::file`), streamed to disk.
    #[must_use]
    pub const fn takes_file(mut self) -> Self {
        self.takes_file = true;
        self
    }

    /// Changes something by GET too, so a page of another site may not ask for it.
    #[must_use]
    pub const fn changes(mut self) -> Self {
        self.changes = true;
        self
    }

    /// Is no part of the API (files of a page), so the OpenAPI document leaves it out.
    #[must_use]
    pub const fn undocumented(mut self) -> Self {
        self.documented = false;
        self
    }
}

impl<S: Gate> fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route")
            .field("path", &self.path)
            .field("methods", &self.methods)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_listed_for_allow() {
        assert_eq!(Methods::GET_POST.allow(), "GET, HEAD, POST");
        assert_eq!(Methods::DELETE.or(Methods::PUT).allow(), "PUT, DELETE");
        assert_eq!(Methods::GET_POST.each().collect::<Vec<_>>(), ["GET", "POST"]);
        assert!(!Methods::GET_POST.meets(Methods::of(&Method::OPTIONS)));
    }
}
