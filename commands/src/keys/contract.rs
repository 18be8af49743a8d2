//! What every key store promises, run against the embedded one.

use std::{fs, path::Path, sync::Arc};

use dface_domain::{
    ids::UserId,
    ports::{KeyError, Keys},
    sealed::{Sealed, Subject},
};

use super::{EmbeddedKeys, SIZE};
use crate::system::SystemEntropy;

const ANNA: Subject = Subject::User(UserId::Number(1));
const BEN: Subject = Subject::User(UserId::Number(2));

fn open(dir: &Path) -> EmbeddedKeys {
    EmbeddedKeys::open(dir, Arc::new(SystemEntropy)).unwrap()
}

#[test]
fn contract_embedded_what_is_sealed_opens_for_its_subject_alone_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path());
    keys.ensure(&[ANNA, BEN, ANNA]).unwrap();
    let typed: &dyn Keys = &keys;
    let sealed: Sealed<String> = typed.seal(ANNA, &"安娜".to_owned()).unwrap();
    assert_eq!(typed.open(&sealed), Some("安娜".to_owned()));
    assert!(!sealed.bytes.windows(6).any(|window| window == "安娜".as_bytes()));
    let stolen: Sealed<String> = Sealed::from_bytes(BEN, sealed.bytes.clone());
    assert_eq!(typed.open(&stolen), None);
    drop(keys);
    let again: &dyn Keys = &open(dir.path());
    assert_eq!(again.open(&sealed), Some("安娜".to_owned()));
}

#[test]
fn contract_embedded_a_destroyed_key_is_gone_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path());
    keys.ensure(&[ANNA]).unwrap();
    let typed: &dyn Keys = &keys;
    let sealed: Sealed<u8> = typed.seal(ANNA, &7).unwrap();
    let before = fs::read(dir.path().join("keys")).unwrap();
    keys.destroy(ANNA).unwrap();
    keys.destroy(ANNA).unwrap();
    assert_eq!(typed.open(&sealed), None);
    assert!(matches!(keys.ensure(&[ANNA]), Err(KeyError::Destroyed(ANNA))));
    assert!(matches!(keys.seal_bytes(ANNA, b"x"), Err(KeyError::Destroyed(ANNA))));
    let after = fs::read(dir.path().join("keys")).unwrap();
    assert_eq!(before.len(), after.len());
    assert!(!after.windows(32).any(|window| window == &before[20..52]));
    drop(keys);
    let again: &dyn Keys = &open(dir.path());
    assert_eq!(again.open(&sealed), None);
}

#[test]
fn contract_embedded_sealing_needs_a_key() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(open(dir.path()).seal_bytes(ANNA, b"x"), Err(KeyError::Unavailable(_))));
}

#[test]
fn a_cut_off_last_record_is_cut_and_a_damaged_one_is_named() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).ensure(&[ANNA, BEN]).unwrap();
    let path = dir.path().join("keys");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], &[0; 30]].concat()).unwrap();
    open(dir.path()).ensure(&[Subject::User(UserId::Number(3))]).unwrap();
    assert_eq!(fs::read(&path).unwrap().len(), 3 * SIZE);
    let mut damaged = whole;
    damaged[25] ^= 1;
    fs::write(&path, damaged).unwrap();
    let error = EmbeddedKeys::open(dir.path(), Arc::new(SystemEntropy)).err().unwrap();
    assert!(error.to_string().contains("record 0 is damaged"), "{error}");
}

#[test]
fn contract_embedded_a_stable_seal_is_the_same_bytes_for_the_same_person_and_text_alone() {
    let dir = tempfile::tempdir().unwrap();
    let keys = open(dir.path());
    keys.ensure(&[ANNA, BEN]).unwrap();
    let sealed = keys.seal_stable(ANNA, b"a picture").unwrap();
    assert_eq!(keys.seal_stable(ANNA, b"a picture").unwrap(), sealed);
    assert_ne!(keys.seal_stable(ANNA, b"a pictura").unwrap()[..12], sealed[..12]);
    assert_ne!(keys.seal_stable(BEN, b"a picture").unwrap(), sealed);
    assert_eq!(keys.open_bytes(ANNA, &sealed).as_deref(), Some(b"a picture".as_slice()));
    keys.destroy(ANNA).unwrap();
    assert!(matches!(keys.seal_stable(ANNA, b"a picture"), Err(KeyError::Destroyed(ANNA))));
}
