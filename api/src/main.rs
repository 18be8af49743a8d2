//! The `dface` binary.
fn main() {}
