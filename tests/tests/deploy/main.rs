//! `deploy/`: what operators take from there is well-formed, agrees with itself, and names what dface has.

#![expect(clippy::unwrap_used, reason = "what fails in a test's helper fails the test, with its place")]

mod compose;
mod prometheus;
mod reload;
mod service;

use std::{
    fs,
    path::{Path, PathBuf},
};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy")
}

fn text(name: &str) -> String {
    let path = deploy().join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
