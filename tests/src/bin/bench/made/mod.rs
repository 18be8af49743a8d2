//! A data directory made for measuring: shops around real ones, people, follows and check-ins.

pub mod directory;
pub mod people;
pub mod shops;

pub use directory::Directory;
