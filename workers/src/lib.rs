//! The queue's adapters and one module for each job.

pub mod coupons;
pub mod jobs;
