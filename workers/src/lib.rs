//! What is done outside the log: the queue's adapters and the runner, one module for each job, the adapters of the objects, the making of
//! pictures, Apple's push service, and TLS as a client.

pub mod apns;
pub mod coupons;
pub mod jobs;
pub mod objects;
pub mod pictures;
pub mod queue;
pub mod runner;
pub mod tls;
