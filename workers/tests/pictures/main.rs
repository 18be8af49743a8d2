//! What becomes of pictures: upright, bare, small, in right colours; and what is refused, at what cost.
#![expect(clippy::unwrap_used, reason = "what fails in a test's helper fails the test, with its place")]
#![expect(clippy::cast_precision_loss, reason = "means of 8-bit samples")]

mod forms;
mod made;
mod mutated;
mod refused;
mod seen;
mod shapes;
mod try_data;
