//! The event log for analysts (spec cli.md, `replay`): what to read (`Selection`), in which order (`Walk`), what of it
//! is shown (`profile`) and in which form (`form`). Used by `dface replay` and by `GET /events`.
//!
//! Memory is bounded whatever the log's size: a step reads one batch; `--by occurred` sorts in files beside the data.

mod fields;
mod form;
mod grid;
pub mod profile;
pub mod schema;
mod selection;
mod sorted;
mod walk;

pub use self::{
    form::{Form, Format},
    profile::{Profile, Shaper},
    selection::{By, Selection, WrongSelection},
    walk::{ReplayError, Step, Walk},
};
