//! MQTT: who may connect, what they may read and write, and where pushes go out (spec push.md).

pub mod broker;
pub mod external;
pub mod focus;
