//! The adapters behind the port `Signals`: RabbitMQ, and nodes of one process. One contract suite runs against both (`tests/tests/signals`).

pub mod amqp;
pub mod local;
