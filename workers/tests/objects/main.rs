//! The stores of objects: one suite for both, and what only a directory or only a setting can show.
#![expect(clippy::unwrap_used, reason = "what fails in a test's helper fails the test, with its place")]

mod bucket;
mod contract;
mod directory;
mod records;
mod setting;
mod verify;
