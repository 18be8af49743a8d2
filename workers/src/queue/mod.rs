//! The queue's adapters behind the port `JobQueue`: embedded (durable, in this process) and RabbitMQ. One contract suite
//! runs against both (`tests/tests/queue`).

pub mod amqp;
pub mod embedded;
mod wire;

use dface_domain::jobs::JobKind;

/// Limits that both adapters hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Deliveries of one job, by kind; one that comes more often is dead. At most [`MOST_ATTEMPTS`].
    pub attempts: [u32; JobKind::ALL.len()],
    /// Bytes of one message.
    pub message_bytes: usize,
}

/// RabbitMQ itself buries what came so often, whatever the setting: a queue's arguments can never be changed.
pub const MOST_ATTEMPTS: u32 = 100;

/// After so many seconds it is seen again whether somebody understands a message of a newer version.
const NEWER_AFTER_S: u32 = 30;
