//! Streams: RFC 6120 over TCP and RFC 7395 over WebSocket, from bytes to bound streams. What stanzas mean is the hub's matter.
//!
//! | file | does |
//! |---|---|
//! | `framer`, `names`, `header` | bytes to headers and whole elements, within limits |
//! | `wire` | the connection: TCP, TLS or WebSocket |
//! | `door`, `web` | takes connections |
//! | `negotiation`, `sasl`, `accounts`, `resource` | from the first header to a bound resource |
//! | `bound` | a bound stream: stanzas in, the outbox out |
//! | `management`, `resumption` | XEP-0198 |
//! | `error` | what streams end with |

mod accounts;
mod bound;
mod door;
pub mod error;
pub mod framer;
pub mod header;
mod management;
pub mod names;
mod negotiation;
mod resource;
mod resumption;
mod sasl;
mod web;
mod wire;

pub use self::door::Door;
