//! Chat: ordinary XMPP clients (spec chat.md, seed §28 to §33). See `ARCHITECTURE.md`, "Chat".

pub mod echo;
pub mod hub;
pub mod outbox;
pub mod session;
pub mod stream;
