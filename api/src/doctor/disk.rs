//! The data directory, free space, and who may read keys and secrets.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use super::Finding;
use crate::settings::{KeyAddress, Settings};

/// Files in the data directory that its owner alone may read.
const TOKENS: [&str; 4] = ["admin-token", "analyst-token", "internal-token", "run.json"];

/// The data directory: there, ours, writable, with room.
#[must_use]
pub fn data_directory(settings: &Settings) -> Vec<Finding> {
    let (data, name) = (&settings.data, settings.data.display());
    let about = match fs::metadata(data) {
        Ok(about) if about.is_dir() => about,
        Ok(_) => return vec![Finding::error("data", format!("{name} is no directory"), "name another with --data")],
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![Finding::ok("data", format!("{name} is not there yet; the first start makes it"))];
        }
        Err(error) => {
            return vec![Finding::error("data", format!("{name}: {error}"), "let the user that runs dface reach it")];
        }
    };
    let writable = rustix::fs::access(data, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK);
    let mut found = vec![match writable {
        Err(error) => Finding::error(
            "data",
            format!("{name} cannot be written: {error}"),
            format!("it belongs to user {}; run dface as that user, or chown it", about.uid()),
        ),
        Ok(()) => private("data", data, about.permissions().mode(), 0o700),
    }];
    found.extend(room(settings));
    found
}

fn private(check: &'static str, path: &Path, mode: u32, wanted: u32) -> Finding {
    let name = path.display();
    if mode & 0o077 == 0 {
        return Finding::ok(check, format!("{name}, mode {:04o}", mode & 0o7777));
    }
    let found = format!("{name} has mode {:04o}: others may read it", mode & 0o7777);
    Finding::warning(check, found, format!("chmod {wanted:o} {name}"))
}

fn room(settings: &Settings) -> Option<Finding> {
    let about = rustix::fs::statvfs(&settings.data).ok()?;
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    let segment = settings.store_tuning.segment_bytes;
    let (needed, mib) = (settings.limits.min_free_bytes + segment, free >> 20);
    let remedy = "make room, or move the directory to a larger file system";
    Some(if free < needed {
        let needed = needed >> 20;
        Finding::error("space", format!("{mib} MiB are free; writing stops below {needed} MiB"), remedy)
    } else if free < needed + 16 * segment {
        Finding::warning("space", format!("{mib} MiB are free"), remedy)
    } else {
        Finding::ok("space", format!("{mib} MiB are free"))
    })
}

/// Keys, the server secret and the tokens.
#[must_use]
pub fn secrets(settings: &Settings) -> Vec<Finding> {
    let log = settings.data.join("log").is_dir();
    let secret = settings.secret_path();
    let keys = match &settings.keys {
        KeyAddress::Beside | KeyAddress::Directory(_) => keys_found(&settings.key_dir().join("keys"), log),
        KeyAddress::Bucket(_) => Finding::ok("keys", "in a bucket that all nodes reach"),
        KeyAddress::Shared(dir) => match fs::metadata(dir) {
            Ok(about) => private("keys", dir, about.permissions().mode(), 0o700),
            Err(error) => {
                let found = format!("{}: {error}; the first start makes it", dir.display());
                Finding::warning("keys", found, "mount it where another node has started before")
            }
        },
    };
    let mut found = vec![keys, secret_found(&secret, log)];
    for name in TOKENS {
        let path = settings.data.join(name);
        if let Ok(about) = fs::metadata(&path) {
            let finding = private("tokens", &path, about.permissions().mode(), 0o600);
            if finding.remedy.is_some() {
                found.push(finding);
            }
        }
    }
    found
}

fn keys_found(path: &Path, log: bool) -> Finding {
    let name = path.display();
    match fs::metadata(path) {
        Ok(about) => private("keys", path, about.permissions().mode(), 0o600),
        Err(_) if !log => Finding::ok("keys", "none yet; the first start makes them"),
        Err(error) => Finding::warning(
            "keys",
            format!("{name}: {error}; sealed fields (names, positions, passwords) cannot be read"),
            "bring the key directory back from its own backup, or name it with `keys`",
        ),
    }
}

fn secret_found(path: &Path, log: bool) -> Finding {
    let name = path.display();
    match fs::metadata(path) {
        Ok(about) if about.permissions().mode() & 0o077 != 0 => {
            Finding::error("secret", format!("{name}: others may read it"), format!("chmod 600 {name}"))
        }
        Ok(_) => match fs::read_to_string(path) {
            Ok(text) if hex::decode(text.trim()).is_ok_and(|bytes| bytes.len() == 32) => {
                Finding::ok("secret", format!("{name}"))
            }
            Ok(_) => Finding::error("secret", format!("{name} is not 64 hex digits"), "bring it back from its backup"),
            Err(error) => Finding::error("secret", format!("{name}: {error}"), "let the user that runs dface read it"),
        },
        Err(_) if !log => Finding::ok("secret", "none yet; the first start makes it"),
        Err(error) => Finding::warning(
            "secret",
            format!("{name}: {error}; the server does not start on this log without it"),
            "bring it back from its own backup, or name it with `secret_file`",
        ),
    }
}
