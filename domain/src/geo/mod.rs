//! Where things are: positions on the globe, the distance between them, and the shifted coordinates of Chinese maps.
//!
//! [`Position`] is the truth (WGS-84, what a phone's receiver says); [`MapPosition`] is what a map in China shows
//! (GCJ-02). They are two types so that one can never be taken for the other. The index of shops (an R-tree over
//! unit vectors) belongs to the projections; this module gives it the vectors and the chord lengths.

mod gcj02;
mod position;

pub use gcj02::MapPosition;
pub use position::{GeoError, Position, chord_for_metres, metres_for_chord};
