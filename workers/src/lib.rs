//! The queue's adapters, the runner, and one module for each job.

pub mod queue;
pub mod runner;
