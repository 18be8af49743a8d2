//! Backup and restore by the real binary (spec cli.md): made while many write, restored into another directory, and what a restored server does and does
//! not do until it is released.

mod damaged;
mod held;
mod incremental;
mod keys;
mod load;
mod timers;
mod told;
mod whole;

use std::{
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use dface_tests::{Phone, Server, Setup, dface, phone::sign_in, server::password_of};
use serde_json::Value;

/// A place of the document's examples, WGS-84.
const HERE: (f64, f64) = (30.286_91, 120.127_63);

/// Nothing that is to come takes longer, on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// Small segments, so that there are several.
const SMALL: [(&str, &str); 2] =
    [("DFACE_STORE_TUNING__SEGMENT_BYTES", "262144"), ("DFACE_LIMITS__EVENT_BYTES", "65536")];

fn setup() -> Setup {
    SMALL.into_iter().fold(Setup::default(), |setup, (key, value)| setup.set(key.trim_start_matches("DFACE_"), value))
}

/// Runs a command on `data`, which ends well; its result.
#[track_caller]
fn run(data: &Path, args: &[&str]) -> Value {
    let done = dface(data, &SMALL, args).ended(0);
    let line = done.stdout.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: no result: {} {}", done.stdout, done.stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}

/// Makes a backup of `data` at `to`.
#[track_caller]
fn back_up(data: &Path, to: &Path) -> Value {
    run(data, &["backup", text(to)])
}

/// A directory restored from `from`, with the keys of `server`.
#[track_caller]
fn restored(server: &Server, from: &Path, to: &Path, args: &[&str]) -> Value {
    let told = run(to, &[&["restore", text(from)], args].concat());
    let keys = Keys::of(server, &to.with_extension("age"));
    keys.restore(to);
    told
}

/// Keys that were taken out.
struct Keys {
    file: PathBuf,
    identity: PathBuf,
}

/// What `age-keygen` made, for tests alone.
const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

impl Keys {
    #[track_caller]
    fn of(server: &Server, file: &Path) -> Self {
        let identity = file.with_extension("identity");
        std::fs::write(&identity, format!("# made for a test\n{IDENTITY}\n")).expect("writable");
        run(server.dir(), &["backup-keys", text(file), "--recipient", RECIPIENT]);
        Self { file: file.to_owned(), identity }
    }

    #[track_caller]
    fn restore(&self, data: &Path) -> Value {
        run(data, &["restore-keys", text(&self.file), "--identity", text(&self.identity)])
    }
}

/// Signs somebody in at another server than where `Server::person` made them.
#[track_caller]
fn signed_in(server: &mut Server, name: &str) -> Phone {
    let phone = Phone::new(server.public(), &sign_in(server.public(), name, &password_of(name)));
    [password_of(name), phone.cookie.clone(), phone.chat_password.clone()]
        .into_iter()
        .for_each(|text| server.secret(text));
    phone
}

#[track_caller]
fn becomes(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONG, "it does not become so: {what}");
        sleep(Duration::from_millis(25));
    }
}

/// The findings of `doctor --verify` of these checks: each must be ok.
#[track_caller]
fn is_whole(data: &Path) {
    let done = dface(data, &SMALL, &["doctor", "--verify"]);
    for check in ["log", "verify", "objects", "keys"] {
        let found = done.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let found: Vec<Value> = found.filter(|line| line["check"] == check).collect();
        assert!(!found.is_empty() && found.iter().all(|one| one["state"] == "ok"), "{check}: {}", done.stdout);
    }
}
