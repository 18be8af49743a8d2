//! The stores of objects: one suite for both, and what only a directory or only a setting can show.

mod bucket;
mod contract;
mod directory;
mod setting;
mod verify;
