//! What analysts take away: Parquet, partitioned exports, tables, `/events`; what of people is in it, and that reading does nothing.

mod columns;
mod events;
mod once;
mod page;
mod partitions;
mod personal;

use std::{
    path::Path,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use dface_tests::{Finished, Phone, Server, dface};
use serde_json::Value;

const HERE: (f64, f64) = (30.286_91, 120.127_63);

/// Nothing that is to come takes longer, on a busy machine.
const LONG: Duration = Duration::from_secs(60);

#[track_caller]
fn becomes(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONG, "it does not become so: {what}");
        sleep(Duration::from_millis(25));
    }
}

/// Runs a script of `tests/clients` with DuckDB, pyarrow and pandas; what it printed.
#[track_caller]
fn python(script: &str, args: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(script);
    let out = Command::new("analysts-python").arg(script).args(args).output();
    let out = out.expect("analysts-python is there: make setup");
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("UTF-8")
}

/// Runs a command on the directory, whether a server runs on it or not.
#[track_caller]
fn run(dir: &Path, args: &[&str]) -> Finished {
    dface(dir, &[("DFACE_STORE_TUNING__SEGMENT_BYTES", "4194304")], args)
}

/// What a command writes, which may be more than a pipe holds.
#[track_caller]
fn output(dir: &Path, args: &[&str]) -> String {
    let out = tempfile::tempdir().expect("a directory");
    let file = out.path().join("out");
    run(dir, &[args, &["--out", text(&file)]].concat()).ended(0);
    std::fs::read_to_string(file).expect("written")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Each line of a command's output.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// Waits until everybody sees what this phone wrote last.
#[track_caller]
fn settle(phone: &Phone) {
    phone.get("/user_info/get_self", &[]).ok();
}

/// Events of a type.
#[track_caller]
fn count(server: &Server, event: &str) -> usize {
    let events = server.operator().get(&format!("/events?type={event}"));
    assert_eq!(events.status, 200, "{events}");
    events.text.lines().count()
}
