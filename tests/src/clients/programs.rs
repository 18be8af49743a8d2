//! Whole programs, used as a person would: `go-sendxmpp` by its arguments, `profanity` by keys and its screen.

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// The longest that anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a text with `go-sendxmpp`, to a person or (`room`) to a room. `certificate` is the file of the one that the server shows.
///
/// # Panics
/// It fails.
pub fn go_sendxmpp(at: SocketAddr, user: &str, password: &str, to: &str, room: bool, text: &str, certificate: &str) {
    let mut command = Command::new("go-sendxmpp");
    command.args([
        "--debug",
        "--jserver",
        &at.to_string(),
        "--username",
        &format!("{user}@dface.cn"),
        "--password",
        password,
    ]);
    if room {
        command.arg("--chatroom");
    }
    // Go reads the certificates to trust from here.
    command.arg(to).env("SSL_CERT_FILE", certificate).env("HOME", "/nonexistent");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("go-sendxmpp is there: run .ci/setup test");
    let mut input = child.stdin.take().expect("it is piped");
    writeln!(input, "{text}").expect("it reads");
    drop(input);
    let out = child.wait_with_output().expect("it ends");
    assert!(out.status.success(), "go-sendxmpp: {}{}", utf8(&out.stdout), utf8(&out.stderr));
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `profanity` in a terminal of its own. Ends when dropped.
pub struct Profanity {
    home: TempDir,
}

impl Profanity {
    /// Starts it, with nothing of the machine's.
    ///
    /// # Panics
    /// It, or tmux, is not there.
    #[must_use]
    pub fn start() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let settings = home.path().join("config/profanity");
        fs::create_dir_all(&settings).expect("writable");
        let quiet = "[ui]\nsplash=false\nintype=false\n[connection]\nreconnect=0\n[notifications]\nmessage=false\n";
        fs::write(settings.join("profrc"), quiet).expect("writable");
        let started = Self { home };
        started.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "160", "-y", "50", "profanity"]);
        started.sees("Type /help");
        started
    }

    fn tmux(&self, args: &[&str]) -> String {
        let at = |name: &str| self.home.path().join(name);
        let out = Command::new("tmux")
            .arg("-S")
            .arg(at("tmux"))
            .args(args)
            .env_remove("TMUX")
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", at("config"))
            .env("XDG_DATA_HOME", at("data"))
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("tmux is there: run .ci/setup test");
        assert!(out.status.success(), "tmux {args:?}: {}", utf8(&out.stderr));
        utf8(&out.stdout)
    }

    /// Types a line.
    pub fn types(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.tmux(&["send-keys", "Enter"]);
    }

    /// Connects without TLS, as on loopback.
    #[track_caller]
    pub fn connects(&self, at: SocketAddr, user: &str, password: &str) {
        let (server, port) = (at.ip(), at.port());
        self.types(&format!("/connect {user}@dface.cn server {server} port {port} tls disable"));
        self.sees("password");
        self.types(password);
        self.sees("logged in successfully");
    }

    /// Waits until the screen shows a text.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        let begun = Instant::now();
        loop {
            let screen = self.tmux(&["capture-pane", "-p"]);
            if screen.contains(text) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "profanity does not show {text:?} but:\n{screen}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Profanity {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(self.home.path().join("tmux")).arg("kill-server").output();
    }
}
