//! What becomes of pictures: upright, bare, small, in right colours; and what is refused, at what cost.
#![expect(clippy::cast_precision_loss, reason = "means of 8-bit samples")]

mod forms;
mod made;
mod mutated;
mod refused;
mod seen;
mod shapes;
mod try_data;
