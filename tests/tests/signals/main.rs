//! Signals between nodes: what every adapter promises, and what RabbitMQ does when it is away.

#![expect(clippy::unwrap_used, reason = "a test that ends at an unwrap tells where")]

mod amqp;
mod contract;
mod local;
