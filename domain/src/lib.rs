//! The rules of dface: ids, events, aggregates and ports. No I/O, no runtime, no clock, no chance.

pub mod aggregate;
pub mod checkins;
pub mod coupons;
pub mod envelope;
pub mod events;
pub mod geo;
pub mod id_blocks;
pub mod ids;
pub mod jobs;
pub mod messages;
pub mod objects;
pub mod people;
pub mod photos;
pub mod ports;
pub mod privacy;
pub mod push_tokens;
pub mod rejection;
pub mod relations;
pub mod requests;
pub mod sealed;
pub mod sessions;
pub mod shares;
pub mod shops;
pub mod sign_in_names;
pub mod stream;
pub mod time;
