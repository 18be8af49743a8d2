//! The HTTP door's framework: what every endpoint shares. Endpoints themselves live in modules of their own and
//! register a list of [`Route`]s; who may call them is decided by the product's [`Gate`].
//!
//! The way of a request: `server` (sockets, TLS, limits) → `router` (path, method, gate) → `body` and `params`
//! (parameters, whatever form they came in) → the endpoint → `answer` or `error`.

pub mod answer;
mod body;
mod connection;
pub mod endpoints;
pub mod error;
mod io;
pub mod metrics;
pub mod openapi;
pub mod params;
pub mod request;
pub mod route;
pub mod router;
pub mod server;
pub mod tls;
pub mod upload;
pub mod value;
mod watch;

pub use answer::Answer;
pub use error::ApiError;
pub use params::{Page, Params};
pub use request::{Head, Request};
pub use route::{Gate, Methods, Reply, Route};
pub use router::{Router, RouterSettings};
pub use server::{Limits, serve};
