//! The queue of jobs: what every adapter promises, and what RabbitMQ does under fire.

mod amqp;
mod contract;
mod embedded;
mod place;
mod runner;
