//! The projector over the real embedded store: poison events, panics, skipping and retrying, rebuilding, changed
//! schemas, generations that were never finished, and views that are made of rows alone.

mod generations;
mod picky;
mod poison;
mod rebuild;
mod world;
