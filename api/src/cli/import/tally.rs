//! Counts rows by what came of them, and tells people about those that are not in.

use std::{collections::BTreeMap, time::Instant};

use serde::{Serialize, Serializer};

use crate::{
    cli::progress::RowProgress,
    import::{Done, Outcome},
};

/// Skipped rows of each reason that are told one by one. Bad rows are all told: --max-errors bounds them.
const TOLD: u64 = 10;

/// The result of an import.
#[derive(Debug, Serialize)]
pub struct Tally {
    rows: u64,
    added: u64,
    already_there: u64,
    skipped: u64,
    bad: u64,
    reasons: BTreeMap<String, u64>,
    users: u64,
    #[serde(rename = "seconds", serialize_with = "seconds_since")]
    begun: Instant,
}

impl Default for Tally {
    fn default() -> Self {
        let reasons = BTreeMap::new();
        Self { rows: 0, added: 0, already_there: 0, skipped: 0, bad: 0, reasons, users: 0, begun: Instant::now() }
    }
}

fn seconds_since<S: Serializer>(begun: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((begun.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0)
}

impl Tally {
    /// Rows so far.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Bad ones of them.
    pub const fn bad(&self) -> u64 {
        self.bad
    }

    /// So many accounts were made.
    pub const fn made(&mut self, users: u64) {
        self.users += users;
    }

    /// Counts `done`, and tells of rows that are not in.
    pub fn note(&mut self, done: Vec<Done>, progress: &RowProgress) {
        for Done { line, outcome, reason } in done {
            if let Some(text) = self.count(line, outcome, reason.as_deref()) {
                progress.say(&text);
            }
        }
    }

    fn count(&mut self, line: u64, outcome: Outcome, reason: Option<&str>) -> Option<String> {
        self.rows += 1;
        let word = match outcome {
            Outcome::Added => {
                self.added += 1;
                return None;
            }
            Outcome::AlreadyThere => {
                self.already_there += 1;
                return None;
            }
            Outcome::Skipped => {
                self.skipped += 1;
                "skipped"
            }
            Outcome::Bad => {
                self.bad += 1;
                "bad"
            }
        };
        let reason = reason.unwrap_or("no reason is known");
        let count = self.reasons.entry(reason.to_owned()).or_default();
        *count += 1;
        match *count {
            _ if outcome == Outcome::Bad => Some(format!("line {line}: {word}: {reason}")),
            1..=TOLD => Some(format!("line {line}: {word}: {reason}")),
            count if count == TOLD + 1 => {
                Some(format!("line {line}: {word}: {reason}; more of these are only counted"))
            }
            _ => None,
        }
    }

    /// The last words for people.
    pub fn close(&self, source: &str, progress: &RowProgress) {
        for (reason, rows) in &self.reasons {
            progress.say(&format!("{rows} in all: {reason}"));
        }
        if self.skipped > 0 && self.added + self.already_there == 0 {
            progress.say(&format!(
                "no row found what it refers to: is it the --source ({source}) of the tables that it shall join?"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_counted_and_few_are_told() {
        let mut tally = Tally::default();
        tally.count(2, Outcome::Added, None);
        tally.count(3, Outcome::AlreadyThere, None);
        let told: Vec<_> = (4..40).filter_map(|line| tally.count(line, Outcome::Skipped, Some("no shop"))).collect();
        assert_eq!(told.len(), 11);
        assert_eq!(told[0], "line 4: skipped: no shop");
        let told = (40..90).filter_map(|line| tally.count(line, Outcome::Bad, Some("no name"))).count();
        assert_eq!(told, 50);
        let json = serde_json::to_value(&tally).unwrap();
        assert_eq!((&json["rows"], &json["added"], &json["already_there"]), (&88.into(), &1.into(), &1.into()));
        assert_eq!((&json["skipped"], &json["bad"]), (&36.into(), &50.into()));
        assert_eq!(json["reasons"], serde_json::json!({ "no name": 50, "no shop": 36 }));
        assert!(json["seconds"].is_f64());
    }
}
