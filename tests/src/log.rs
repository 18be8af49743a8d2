//! What a server writes to standard error, read as it comes.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

/// Lines of a failure message.
const SHOWN: usize = 60;

/// The lines of one process after another, for a server that is restarted.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Reads `from` to its end in a thread of its own.
    pub fn follow(&self, from: impl Read + Send + 'static) -> JoinHandle<()> {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
                log.lines().push(String::from_utf8_lossy(&line).into_owned());
            }
        })
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// Its last lines, for a failure message.
    #[must_use]
    pub fn end(&self) -> String {
        let lines = self.lines();
        lines[lines.len().saturating_sub(SHOWN)..].join("\n")
    }

    /// What may not stand there: panics, errors that contain none of `expected`, and anything of `secrets`.
    #[must_use]
    pub fn wrong(&self, expected: &[String], secrets: &[String]) -> Vec<String> {
        let mut wrong = Vec::new();
        for line in self.lines().iter() {
            let expected = expected.iter().any(|text| line.contains(text.as_str()));
            if !expected && (line.contains("panicked") || line.contains(r#""level":"ERROR""#)) {
                wrong.push(format!("an error that the test does not expect: {line}"));
            }
            for secret in secrets.iter().filter(|secret| line.contains(secret.as_str())) {
                wrong.push(format!("a secret ({secret}) in the log: {line}"));
            }
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_errors_and_secrets_are_found() {
        let log = Log::default();
        let text =
            "{\"level\":\"INFO\"}\nthread 'x' panicked at y\n{\"level\":\"ERROR\",\"a\":\"b\"}\n{\"u\":\"s3cret\"}\n";
        log.follow(text.as_bytes()).join().expect("reads");
        let wrong = log.wrong(&[], &["s3cret".to_owned()]);
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        assert_eq!(log.wrong(&["\"a\":\"b\"".to_owned(), "panicked".to_owned()], &[]), Vec::<String>::new());
    }
}
