//! The event log for analysts (spec cli.md, `replay`): what to read (`Selection`), in which order (`Walk`), what of it
//! is shown (`profile`, `row`) and in which form (`form` for text, `table` and `parquet` for columns). Used by `dface replay` and by
//! `GET /events`.
//!
//! Memory is bounded whatever the log's size: a step reads one batch; `--by occurred` sorts in files beside the data; Parquet holds one row group.

mod columns;
mod fields;
mod form;
mod grid;
pub mod parquet;
pub mod profile;
mod row;
pub mod schema;
mod selection;
mod sorted;
pub mod table;
#[cfg(test)]
mod testing;
mod walk;

pub use self::{
    columns::Column,
    fields::Fields,
    form::{Format, Text, neutral},
    profile::{Profile, Shaper},
    row::{Row, Shown},
    selection::{By, Selection, WrongSelection},
    walk::{ReplayError, Step, Walk},
};
