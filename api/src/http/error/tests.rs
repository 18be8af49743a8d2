//! The codes and what errors show.

use std::collections::BTreeSet;

use super::*;

#[test]
fn the_table_in_the_docs_has_every_code_and_no_other() {
    let documented: BTreeSet<(String, u16)> = include_str!("../../../../docs/errors.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| {
            let mut cells = row.split('|');
            let code = cells.next().unwrap_or_default().trim().trim_end_matches('`').to_owned();
            let status = cells.next().unwrap_or_default().trim().parse().expect("a status in the second column");
            assert!(cells.next().unwrap_or_default().trim().len() > 10, "{code} is not explained");
            (code, status)
        })
        .collect();
    let known: BTreeSet<(String, u16)> = CODES.iter().map(|&(code, status)| (code.to_owned(), status)).collect();
    assert_eq!(known.len(), CODES.len(), "a code is listed twice");
    assert_eq!(documented, known);
}

#[test]
fn every_rejection_of_the_rules_has_its_code_listed() {
    // Variants cannot be enumerated, so their codes are read where they are written.
    let codes: Vec<&str> = include_str!("../../../../domain/src/rejection.rs")
        .lines()
        .filter_map(|line| line.split_once("=> \"")?.1.split('"').next())
        .collect();
    assert!(codes.len() >= 9, "{codes:?}");
    for code in codes {
        assert!(CODES.iter().any(|(known, _)| *known == code), "{code} is not in CODES");
    }
}

#[test]
fn the_inside_stays_inside() {
    let error = ApiError::from(StoreError::Full("/secret/path".to_owned()));
    assert_eq!((error.status.as_u16(), error.code), (503, "storage_full"));
    assert!(!error.message.contains("secret"));
    assert!(error.inside.is_some_and(|inside| inside.contains("secret")));
}

#[test]
fn a_rejection_keeps_its_code_and_gets_the_status_of_its_kind() {
    let error = ApiError::from(Rejection::NameTaken);
    assert_eq!((error.status.as_u16(), error.code), (409, "name_taken"));
    let error = ApiError::from(Rejection::FollowsOneself);
    assert_eq!((error.status.as_u16(), error.code), (400, "follows_oneself"));
}
