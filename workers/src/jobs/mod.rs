//! One module for each kind of job.

pub mod coupon;
