//! The reading side: the projector and one module for each read model. Never appends an event.

pub mod audit;
pub mod away;
pub mod blocks;
pub mod circles;
pub mod coupons;
pub mod families;
pub mod follows;
pub mod jobs;
pub mod keys;
pub mod messages;
pub mod people;
pub mod photos;
pub mod presence;
pub mod projector;
pub mod push_tokens;
pub mod ranking;
pub mod sessions;
pub mod shops;
pub mod trace;
