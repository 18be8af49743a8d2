//! MQTT: who may connect, what they may read and write, and where pushes go out (spec push.md).

pub mod accounts;
pub mod broker;
pub mod downs;
pub mod embedded;
pub mod external;
pub mod focus;
pub mod inbound;
mod revocations;
pub mod start;
mod told;
