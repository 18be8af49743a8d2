//! Chat: ordinary XMPP clients (spec chat.md, seed §28 to §33). See `ARCHITECTURE.md`, "Chat".

pub mod address;
pub mod chat;
pub mod delivery;
pub mod hub;
pub mod outbox;
pub mod session;
pub mod sessions;
pub mod signals;
pub mod stanzas;
pub mod stream;
#[cfg(test)]
pub mod testing;
pub mod web;
