//! The queue of jobs: what every adapter promises, and what RabbitMQ does under fire.

mod amqp;
mod contract;
mod crash;
mod embedded;
mod place;
mod runner;
mod served;
