//! The projector over the real embedded store: poison events, panics, skipping and retrying, rebuilding, changed
//! schemas, generations that were never finished, and views that are made of rows alone.

#![expect(clippy::unwrap_used, reason = "what fails in a test's helper fails the test, with its place")]

mod away;
mod checkins;
mod circles;
mod elsewhere;
mod erasure;
mod families;
mod generations;
mod messages;
mod picky;
mod pictures;
mod poison;
mod rebuild;
mod retention;
mod world;
