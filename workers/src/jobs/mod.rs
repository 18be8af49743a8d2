//! One module for each kind of job: what it does, and nothing of how it came or is reported.

pub mod coupon;
pub mod picture;

use dface_domain::{objects::ObjectError, ports::KeyError};

/// A job went wrong in a way that another try may mend. The text holds nothing personal.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct JobError(pub String);

impl From<ObjectError> for JobError {
    fn from(error: ObjectError) -> Self {
        Self(error.to_string())
    }
}

impl From<KeyError> for JobError {
    fn from(error: KeyError) -> Self {
        match error {
            // Whose key it is stands in the job; errors are shown to operators and kept.
            KeyError::Destroyed(_) => Self("the key was destroyed".to_owned()),
            other => Self(other.to_string()),
        }
    }
}
