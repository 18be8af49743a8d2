//! XMPP clients that others wrote, driven by tests: slixmpp and `@xmpp/client` by a script each, which takes commands and tells
//! events in JSON by lines (`tests/clients`), so that one scenario runs with both; `go-sendxmpp` and `profanity` as a
//! person would.

mod cut;
mod driver;
mod programs;

pub use self::{
    cut::Cuts,
    driver::{Driver, Library, Wanted},
    programs::{Profanity, go_sendxmpp},
};
