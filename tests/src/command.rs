//! Commands that run to their end.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// No command of a test takes longer.
const LONGEST: Duration = Duration::from_secs(120);

/// The binary that was built with these tests: beside them, two folders up.
///
/// # Panics
/// It is not there.
#[must_use]
pub fn binary() -> PathBuf {
    let test = env::current_exe().expect("a test knows where it is");
    let path = test.ancestors().nth(2).expect("tests lie in <profile>/deps").join("dface");
    assert!(path.is_file(), "there is no {}: build it first (cargo build --workspace --bins)", path.display());
    path
}

/// A command of the binary on `data`, with no settings of the environment that runs the tests.
#[must_use]
pub fn prepared(data: &Path) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DFACE_")) {
        command.env_remove(name);
    }
    // Those who want another one say so.
    command.env("DFACE_LISTEN__XMPP", "127.0.0.1:0").env("DFACE_LISTEN__XMPP_API", "127.0.0.1:0");
    command.env("DFACE_LISTEN__MQTT", "127.0.0.1:0");
    command.env("DFACE_DATA", data).env("NO_PROXY", "*").stdin(Stdio::null());
    // A `dface.toml` where the tests run is none of theirs.
    command.current_dir(env::temp_dir());
    command
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Its results.
    pub stdout: String,
    /// All else.
    pub stderr: String,
}

impl Finished {
    /// Asserts how it ended and that it did not panic.
    ///
    /// # Panics
    /// It ended otherwise.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code; stdout: {}\nstderr: {}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    /// Asserts that it says each of `texts` on standard error.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "the message does not name `{text}`: {}", self.stderr);
        }
        self
    }
}

/// Runs `dface ARGS` on the directory `data` with some `DFACE_…` settings, to its end.
///
/// # Panics
/// It cannot be started, or does not end.
pub fn dface<A: AsRef<OsStr>>(data: &Path, settings: &[(&str, &str)], args: &[A]) -> Finished {
    let mut command = prepared(data);
    command.args(args).envs(settings.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let begun = Instant::now();
    // What the commands print here fits into a pipe.
    while child.try_wait().expect("a child can be asked").is_none() {
        if begun.elapsed() > LONGEST {
            child.kill().expect("a child can be killed");
            let output = child.wait_with_output().expect("a child has output");
            panic!("{command:?} does not end; stderr: {}", String::from_utf8_lossy(&output.stderr));
        }
        thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("a child has output");
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
