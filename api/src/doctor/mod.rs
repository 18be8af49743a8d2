//! Whether everything is as it must be (spec cli.md, `doctor`): each check says ok, warning or error, and a remedy.

mod broker;
mod disk;
mod fonts;
pub mod needed;
pub mod objects;
mod ports;
mod store;
pub mod verify;

use std::fmt;

use serde::Serialize;

pub use self::{
    broker::broker,
    disk::{data_directory, secrets},
    fonts::fonts,
    ports::ports,
    store::{key_records, models_of_server, retention_of_server, stored},
};

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it must be.
    Ok,
    /// Works, but somebody should look.
    Warning,
    /// Does not work.
    Error,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Ok, found: found.into(), remedy: None }
    }

    /// Somebody should look.
    pub fn warning(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, state: State::Warning, found: found.into(), remedy: Some(remedy.into()) }
    }

    /// It does not work.
    pub fn error(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, state: State::Error, found: found.into(), remedy: Some(remedy.into()) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Error => "error",
        };
        write!(f, "{state:<8} {:<12} {}", self.check, self.found)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n{:<21} {remedy}", ""),
            None => Ok(()),
        }
    }
}
