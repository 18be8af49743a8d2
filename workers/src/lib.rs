//! What is done outside the log: the queue's adapters and the runner, one module for each job, the adapters of the objects, and the making of
//! pictures.

pub mod coupons;
pub mod jobs;
pub mod objects;
pub mod pictures;
pub mod queue;
pub mod runner;
