//! Imports of shops, check-ins, follows and watches (spec cli.md): tables are read (`table`), their rows checked (`rows`), and
//! batches of them turned into commands (`batch`), by the same code for a stopped directory and for a server.

pub mod batch;
pub mod rows;
pub mod table;
pub mod watches;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::{
    rows::{CheckinRow, FollowRow, Row, ShopRow},
    table::Table,
    watches::WatchRow,
};

/// Rows of the largest batch that is taken.
pub const MAX_ROWS: usize = 10_000;

/// Longest name of a source, in characters.
const MAX_SOURCE: usize = 40;

/// Which coordinates a table of shops has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Datum {
    /// GPS coordinates
    #[default]
    Wgs84,
    /// Those of Chinese maps (AMap, Tencent)
    Gcj02,
}

/// Rows of one table that are imported together.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch<R> {
    /// The run that it is a part of: the same for all batches of one table, else free.
    #[schema(value_type = String, format = "uuid")]
    pub run: Uuid,
    /// Whose ids the rows have; tables of one source join.
    pub source: String,
    /// Of shops: wgs84 (default) or gcj02.
    #[serde(default)]
    pub datum: Datum,
    /// Of check-ins and follows: unknown people are made.
    #[serde(default)]
    pub create_users: bool,
    /// At most 10,000.
    pub rows: Vec<R>,
}

/// What came of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is in now.
    Added,
    /// It was in already.
    AlreadyThere,
    /// It is well made, but what it refers to is not there (its shop, its people).
    Skipped,
    /// It is not well made.
    Bad,
}

/// What came of a row, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// The row's line.
    pub line: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it is not in; null where it is. Holds no value of the row, so equal reasons can be counted.
    #[schema(value_type = Option<String>)]
    pub reason: Option<Cow<'static, str>>,
}

impl Done {
    /// A row that is in.
    #[must_use]
    pub const fn present(line: u64, added: bool) -> Self {
        Self { line, outcome: if added { Outcome::Added } else { Outcome::AlreadyThere }, reason: None }
    }

    /// A row that is not in.
    #[must_use]
    pub const fn absent(line: u64, outcome: Outcome, reason: Cow<'static, str>) -> Self {
        Self { line, outcome, reason: Some(reason) }
    }
}

/// What came of a batch.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct BatchDone {
    /// Accounts made.
    pub users: u64,
    /// Each row, in the order in which they came.
    pub rows: Vec<Done>,
}

/// A source's name that can be part of sign-in names and paths.
///
/// # Errors
/// What is wrong with it.
pub fn checked_source(source: &str) -> Result<(), String> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let length = source.chars().count();
    if length == 0 || length > MAX_SOURCE || !source.chars().all(plain) || source.starts_with('.') {
        return Err(format!("must have 1 to {MAX_SOURCE} letters, digits, `_`, `-` or `.`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_plain() {
        for good in ["gowalla", "hangzhou_osm", "a-b.c", "杭州"] {
            assert_eq!(checked_source(good), Ok(()), "{good}");
        }
        for bad in ["", "a b", "a/b", "..", "a\n", &"x".repeat(41)] {
            assert!(checked_source(bad).is_err(), "{bad}");
        }
    }
}
