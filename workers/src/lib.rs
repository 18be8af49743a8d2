//! What is done outside the log: the queue's adapters and the runner, one module for each job, the adapters of the objects, of shared records and of signals, the making of
//! pictures, Apple's push service, and TLS as a client.

pub mod apns;
pub mod coupons;
pub mod jobs;
pub mod objects;
pub mod pictures;
pub mod queue;
pub mod records;
pub mod runner;
pub mod signals;
pub mod tls;
