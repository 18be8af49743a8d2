//! The queue of jobs: what every adapter promises, and what RabbitMQ does under fire.

#![expect(clippy::unwrap_used, reason = "a test that ends at an unwrap tells where")]

mod amqp;
mod contract;
mod crash;
mod drawn;
mod embedded;
mod pictures;
mod place;
mod runner;
mod served;
mod uploads;
