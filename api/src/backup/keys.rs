//! Keys and the server secret, in a file of their own: encrypted by `age` (age-encryption.org/v1) to whoever may bring them back.

use std::{
    ffi::OsString,
    fs,
    io::{self, BufReader, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use dface_commands::{
    ServerSecret,
    keys::KeyRecords,
    store::embedded::{EmbeddedStore, OpenError},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    envelope::LogPosition,
    events::Event,
    sealed::Subject,
    stream::{Category, StreamId},
};
use serde::{Deserialize, Serialize};

use super::BackupError;
use crate::{
    node::{refuse_half_restored, write_private},
    settings::Settings,
    store::embedded_config,
};

/// The form of what is inside.
const FORM: u32 = 1;

/// Larger files are none of ours: some 60 million keys.
const LARGEST: u64 = 4 << 30;

/// Events read at a time.
const BATCH: usize = 8_192;

/// The first line of what is inside; the keys' records follow.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inside {
    dface_keys: u32,
    secret: String,
}

/// Keys that were taken out or put back.
#[derive(Debug, Serialize)]
pub struct Keys {
    /// The file.
    pub file: PathBuf,
    /// Keys that open something.
    pub keys: u64,
    /// Keys that were destroyed.
    pub destroyed: u64,
}

fn local(settings: &Settings) -> Result<(), BackupError> {
    if settings.keys.is_shared() {
        let text = "setting `keys`: what all nodes share is backed up by the means of that directory or bucket";
        return Err(BackupError::Refused(text.to_owned()));
    }
    Ok(())
}

/// Writes keys and secret to `file`, which only those of `recipients` can read. A server may run.
///
/// # Errors
/// `Refused` where a recipient is none, or the file is there already; the disk's.
pub fn back_up(settings: &Settings, file: &Path, recipients: &[String]) -> Result<Keys, BackupError> {
    local(settings)?;
    let parsed: Result<Vec<age::x25519::Recipient>, BackupError> = recipients
        .iter()
        .map(|text| {
            let wrong =
                |error: &str| BackupError::Refused(format!("--recipient: {text:?} is none, as in age1…: {error}"));
            text.parse().map_err(wrong)
        })
        .collect();
    let recipients = parsed?;
    let secret_path = settings.secret_path();
    let secret = fs::read_to_string(&secret_path).map_err(|error| BackupError::io("read", &secret_path, &error))?;
    let dir = settings.key_dir();
    let records = KeyRecords::of(&dir).map_err(|error| BackupError::io("read", &dir.join("keys"), &error))?;
    let inside = Inside { dface_keys: FORM, secret: secret.trim().to_owned() };
    let first = serde_json::to_string(&inside).map_err(|error| BackupError::Failed(error.to_string()))?;
    write(file, &recipients, &[first.as_bytes(), b"\n", &records.to_bytes()])?;
    let (keys, destroyed) = records.count();
    Ok(Keys { file: file.to_owned(), keys, destroyed })
}

fn write(file: &Path, recipients: &[age::x25519::Recipient], parts: &[&[u8]]) -> Result<(), BackupError> {
    let failed = |error: io::Error| BackupError::io("write", file, &error);
    if file.exists() {
        return Err(BackupError::Refused(format!("{} is there already; name another file", file.display())));
    }
    let encryptor =
        age::Encryptor::with_recipients(recipients.iter().map(|recipient| recipient as &dyn age::Recipient));
    let encryptor = encryptor.map_err(|error| BackupError::Refused(format!("--recipient: {error}")))?;
    let mut unfinished = OsString::from(file);
    unfinished.push(".unfinished");
    let out = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished);
    let written = out.and_then(|out| {
        let mut writer = encryptor.wrap_output(io::BufWriter::new(out))?;
        parts.iter().try_for_each(|part| writer.write_all(part))?;
        writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    });
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written =
        written.and_then(|()| fs::rename(&unfinished, file)).and_then(|()| fs::File::open(parent)?.sync_all());
    if written.is_err() {
        // Best effort: it opens nothing, and is written over by the next.
        let _ = fs::remove_file(&unfinished);
    }
    written.map_err(failed)
}

/// Puts keys and secret back into the directory of the settings, on which no server runs. Who has left by the log stays forgotten; read models
/// are made anew at the next start, since they know only what could be opened.
///
/// # Errors
/// `Refused` where the identity does not open the file, where they are of another log, or where the directory has made other keys meanwhile
/// and `replace` is not said; `Damaged`; the disk's.
pub fn restore(settings: &Settings, file: &Path, identity: &Path, replace: bool) -> Result<Keys, BackupError> {
    local(settings)?;
    if settings.store.is_shared() || !settings.data.join("log").is_dir() {
        let text = "--data: there is no log, which says who has left; restore the data first (dface restore)";
        return Err(BackupError::Refused(text.to_owned()));
    }
    refuse_half_restored(&settings.data)?;
    let (secret, mut records) = open(file, identity)?;
    let opened = EmbeddedStore::open(embedded_config(settings), Arc::new(SystemClock), &SystemEntropy);
    let store = opened.map_err(|error| match error {
        OpenError::InUse(_) => BackupError::Refused(format!("{error}; stop it first")),
        OpenError::Store(error) => error.into(),
        other => BackupError::Failed(other.to_string()),
    })?;
    let fits = fits(&store, &secret).and_then(|()| forget(&store, &mut records));
    store.close();
    fits?;
    let dir = settings.key_dir();
    let here = KeyRecords::of(&dir).map_err(|error| BackupError::io("read", &dir.join("keys"), &error))?;
    records.add(&here, replace).map_err(|differ| {
        BackupError::Refused(format!(
            "this directory made other keys since: {differ}. With --replace those of the backup count, and what was written since opens no more"
        ))
    })?;
    records.write(&dir).map_err(|error| BackupError::io("write", &dir.join("keys"), &error))?;
    let path = settings.secret_path();
    write_private(&path, &secret).map_err(|error| BackupError::io("write", &path, &error))?;
    let read = settings.data.join("read");
    if read.is_dir() {
        fs::remove_dir_all(&read).map_err(|error| BackupError::io("remove", &read, &error))?;
    }
    let (keys, destroyed) = records.count();
    Ok(Keys { file: file.to_owned(), keys, destroyed })
}

fn open(file: &Path, identity: &Path) -> Result<(String, KeyRecords), BackupError> {
    let refused =
        |path: &Path, error: &dyn std::fmt::Display| BackupError::Refused(format!("{}: {error}", path.display()));
    let damaged = |what: &str| BackupError::Damaged(format!("{}: {what}", file.display()));
    let text = fs::File::open(identity).map_err(|error| refused(identity, &error))?;
    let identities = age::IdentityFile::from_buffer(BufReader::new(text)).map_err(|error| refused(identity, &error))?;
    let identities = identities.into_identities().map_err(|error| refused(identity, &error))?;
    let sealed = fs::File::open(file).map_err(|error| refused(file, &error))?;
    let decryptor =
        age::Decryptor::new_buffered(BufReader::new(sealed)).map_err(|error| damaged(&error.to_string()))?;
    let identities = identities.iter().map(|identity| &**identity as &dyn age::Identity);
    let reader = decryptor.decrypt(identities).map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => refused(file, &"none of these identities opens it"),
        other => damaged(&other.to_string()),
    })?;
    let mut bytes = Vec::new();
    reader.take(LARGEST).read_to_end(&mut bytes).map_err(|error| damaged(&error.to_string()))?;
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("it is no backup of keys"))?;
    let inside: Inside = serde_json::from_slice(&bytes[..end]).map_err(|error| damaged(&error.to_string()))?;
    if inside.dface_keys != FORM {
        return Err(refused(file, &format!("it has form {}, but this dface knows form {FORM}", inside.dface_keys)));
    }
    let records = KeyRecords::from_bytes(&bytes[end + 1..]).map_err(|what| damaged(&what))?;
    Ok((inside.secret, records))
}

/// Refuses a secret that the log was not begun with.
fn fits(store: &EmbeddedStore, secret: &str) -> Result<(), BackupError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(secret, &mut bytes)
        .map_err(|_| BackupError::Damaged("the server secret is not 64 hex digits".to_owned()))?;
    let fingerprint = ServerSecret::new(&bytes).fingerprint();
    let first = store.read_stream_blocking(&StreamId::new(Category::System, "secret"), 0, 1)?;
    match first.first().map(|recorded| recorded.data.decode()) {
        Some(Ok(Event::SecretFingerprinted(known))) if known.fingerprint != fingerprint => {
            Err(BackupError::Refused("these are the keys of another log".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Destroys the keys of all who have left by the log.
fn forget(store: &EmbeddedStore, records: &mut KeyRecords) -> Result<(), BackupError> {
    let mut at = LogPosition::default();
    loop {
        let batch = store.read_all_blocking(at, BATCH)?;
        let Some(last) = batch.last() else { return Ok(()) };
        at = last.position;
        for recorded in batch.iter().filter(|one| matches!(&*one.data.type_name, "PersonErased" | "WatchUnbound")) {
            match recorded.data.decode() {
                Ok(Event::PersonErased(event)) => records.destroy(Subject::User(event.user)),
                Ok(Event::WatchUnbound(event)) => records.destroy(event.imei.subject(event.binding)),
                Ok(_) => {}
                Err(error) => {
                    return Err(BackupError::Damaged(format!("the event at position {}: {error}", recorded.position)));
                }
            }
        }
    }
}
