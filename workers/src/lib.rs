//! What is done outside the log: one module for each job, the adapters of the queue and of the objects, and the making of pictures.

pub mod jobs;
pub mod objects;
pub mod pictures;
