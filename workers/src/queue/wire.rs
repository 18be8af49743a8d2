//! Messages as they stand on the queue: JSON with a version, which is looked at before anything else.

use dface_domain::{
    jobs::{JOB_VERSION, JobId, News, QueueError, Report},
    time::Timestamp,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What a message turned out to be.
pub(super) enum Read<T> {
    /// One that this program understands.
    Known(T),
    /// Written by a newer program.
    Newer,
    /// No message of ours.
    Bad(String),
}

#[derive(Deserialize)]
struct Version {
    version: u16,
}

/// Reads a job or a report.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Read<T> {
    match serde_json::from_slice::<Version>(bytes) {
        Ok(found) if found.version > JOB_VERSION => return Read::Newer,
        Ok(_) => {}
        Err(error) => return Read::Bad(format!("it has no version: {error}")),
    }
    // serde's text may show what it met, so only the place is told.
    serde_json::from_slice(bytes).map_or_else(
        |error| Read::Bad(format!("it cannot be read (line {}, column {})", error.line(), error.column())),
        Read::Known,
    )
}

/// Writes a job or a report of at most `most` bytes.
pub(super) fn write<T: Serialize>(message: &T, most: usize) -> Result<Vec<u8>, QueueError> {
    let bytes = serde_json::to_vec(message).map_err(|e| QueueError::Refused(e.to_string()))?;
    if bytes.len() > most {
        return Err(QueueError::Refused(format!("a message of {} bytes, where {most} are the most", bytes.len())));
    }
    Ok(bytes)
}

/// The error of a job that came too often: each of its tries ended without a word.
pub(super) fn too_often(attempts: u32) -> String {
    format!("its worker ended {attempts} times without a word")
}

/// The queue's own report of a job that is dead.
pub(super) fn dead(job: JobId, attempt: u32, error: String, at: Timestamp) -> Report {
    Report { version: JOB_VERSION, job, attempt, at, news: News::Dead { error } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_report(text: &str) -> Read<Report> {
        read(text.as_bytes())
    }

    #[test]
    fn the_version_is_looked_at_before_the_rest() {
        assert!(matches!(read_report(r#"{"version": 2, "unheard": "of"}"#), Read::Newer));
        assert!(matches!(read_report(r#"{"version": 1, "unheard": "of"}"#), Read::Bad(_)));
        assert!(matches!(read_report("no JSON"), Read::Bad(_)));
    }

    #[test]
    fn a_large_message_is_refused() {
        let error = write(&"x".repeat(100), 101).unwrap_err();
        assert!(matches!(&error, QueueError::Refused(what) if what.contains("102 bytes")), "{error}");
        assert!(write(&"x".repeat(99), 101).is_ok());
    }
}
