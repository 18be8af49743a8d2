//! `dface replay`, `GET /events`, `stats` and `doctor` with the real binary, on a stopped directory and through a server.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests themselves do")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

/// The binary, with small segments: unoptimised code takes seconds to look through the zeros of a large one.
fn command() -> Command {
    let deps = std::env::current_exe().unwrap();
    let mut command = Command::new(deps.parent().unwrap().parent().unwrap().join("dface"));
    command.env("DFACE_STORE_TUNING__SEGMENT_BYTES", "4194304");
    command
}

/// A data directory, and the server on it where one runs.
struct World {
    dir: PathBuf,
    server: Option<(Child, String, String)>,
}

impl World {
    fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("replay-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        Self { dir, server: None }
    }

    fn output(&self, args: &[&str]) -> Output {
        // Somewhere else than the repository, where no dface.toml is.
        let home = self.dir.parent().unwrap();
        command().args(args).arg("--data").arg(&self.dir).current_dir(home).output().unwrap()
    }

    fn run(&self, args: &[&str]) -> String {
        let output = self.output(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn replay(&self, args: &[&str]) -> Vec<Value> {
        let text = self.run(&[&["replay"], args].concat());
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn serve(&mut self) {
        let mut child = command()
            .args(["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data"])
            .envs(["XMPP", "XMPP_API", "MQTT"].map(|of| (format!("DFACE_LISTEN__{of}"), "127.0.0.1:0")))
            .arg(&self.dir)
            .current_dir(self.dir.parent().unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let address = |name: &str| ready[name].as_str().unwrap().to_owned();
        self.server = Some((child, address("http"), address("admin")));
    }

    fn stop(&mut self) {
        let Some((mut child, ..)) = self.server.take() else { return };
        let told = Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(told.success() && child.wait().unwrap().success());
    }

    fn token(&self, name: &str) -> String {
        format!("Authorization: Bearer {}", fs::read_to_string(self.dir.join(name)).unwrap().trim())
    }

    fn admin(&self) -> &str {
        &self.server.as_ref().unwrap().2
    }

    fn public(&self) -> &str {
        &self.server.as_ref().unwrap().1
    }

    /// Two people, a shop, a check-in, an end of the session.
    fn populate(&mut self) {
        self.run(&["user", "add", "--name", "annabella", "--password", "pw-of-anna", "--gender", "2"]);
        self.serve();
        let admin = self.token("admin-token");
        let shop = "name=%3DCafe&address=Wen+San+Lu&lat=30.282&lng=120.117&t=2";
        let shop = json_of(&send(self.admin(), "POST", &format!("/admin/shops?{shop}"), &[&admin]));
        send(self.admin(), "POST", "/admin/users?name=benedict&password=pw", &[&admin]);
        // The hash is that of §2: SHA-1 of name, password, address and a word.
        let hash = "82b54c34a942a5104ebcd23ea1ccd23a";
        let login = format!("/oauth2/login?name=annabella&pass=pw-of-anna&mac=m1&hash={hash}");
        let signed = send(self.public(), "POST", &login, &[]);
        let cookie = signed.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let cookie = format!("Cookie: {}", cookie.split(';').next().unwrap());
        let user = json_of(&signed)["id"].to_string();
        let fix = "lat=30.282817&lng=120.117289&accuracy=65&altitude=12.625&bssid=d8:5d:4c:7e:91:02&od=3";
        let path = format!("/checkins?user_id={user}&shop_id={}&{fix}", shop["id"]);
        let made = send(self.public(), "POST", &path, &[&cookie]);
        assert!(made.starts_with("HTTP/1.0 200"), "{made}");
        send(self.public(), "GET", "/oauth2/logout", &[&cookie]);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some((child, ..)) = &mut self.server {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn open(address: &str, method: &str, path: &str, headers: &[&str]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    // HTTP/1.0: the end of the answer is the end of the connection.
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: {address}\r\n{headers}\r\n").unwrap();
    stream
}

fn send(address: &str, method: &str, path: &str, headers: &[&str]) -> String {
    let mut text = String::new();
    open(address, method, path, headers).read_to_string(&mut text).unwrap();
    text
}

fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

fn json_of(answer: &str) -> Value {
    serde_json::from_str(body_of(answer)).unwrap_or_else(|e| panic!("{e}: {answer}"))
}

const HIDDEN: [&str; 8] =
    ["annabella", "benedict", "pw-of-anna", "30.282817", "120.117289", "12.625", "d8:5d:4c:7e:91:02", "127.0.0.1"];

fn assert_pseudonymous(text: &str) {
    for hidden in HIDDEN {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    assert!(!text.contains("user-1\"") && !text.contains("\"user\":\"1\""), "{text}");
}

#[test]
fn a_running_and_a_stopped_directory_give_the_same() {
    let mut world = World::new("same");
    world.populate();
    let forms: [&[&str]; 6] = [
        &["replay"],
        &["replay", "--format", "csv"],
        &["replay", "--by", "occurred"],
        &["replay", "--from", "3", "--to", "5"],
        &["replay", "--type", "CheckedIn", "--type", "UserRegistered"],
        &["replay", "--stream", "user-1", "--raw"],
    ];
    let running: Vec<String> = forms.iter().map(|args| world.run(args)).collect();
    let full = world.run(&["replay", "--profile", "full"]);
    world.stop();
    let stopped: Vec<String> = forms.iter().map(|args| world.run(args)).collect();
    for ((running, stopped), args) in running.iter().zip(&stopped).zip(forms) {
        assert!(running.lines().count() > 1, "{args:?}");
        assert!(stopped.starts_with(running.as_str()), "{args:?}\n{running}\n{stopped}");
        assert_pseudonymous(stopped);
    }
    for seen in ["annabella", "30.282817", "d8:5d:4c:7e:91:02", "127.0.0.1", "\"stream\":\"user-1\""] {
        assert!(full.contains(seen), "{seen}");
    }
    assert!(!full.contains("argon2id"));
    let acts = world.replay(&["--type", "OperatorActed"]);
    assert_eq!(acts.last().unwrap()["data"]["action"], "replay_full");
    assert_eq!(acts.last().unwrap()["data"]["actor"], "admin-token");
    world.replay(&["--profile", "full", "--to", "1"]);
    assert_eq!(world.replay(&["--type", "OperatorActed"]).last().unwrap()["data"]["actor"], "command line");
}

#[test]
fn bounds_include_their_value_and_positions_rise() {
    let mut world = World::new("bounds");
    world.populate();
    world.stop();
    let all = world.replay(&[]);
    for (position, event) in (1..).zip(&all) {
        assert_eq!(event["position"], position);
    }
    let text = fs::read_to_string(world.dir.join("admin-token")).unwrap();
    assert!(!world.run(&["replay"]).contains(text.trim()));
    let line = world.run(&["replay", "--from", "2", "--to", "2"]);
    let order = [
        "position",
        "id",
        "stream",
        "version",
        "type",
        "schema",
        "time",
        "occurred_at",
        "correlation",
        "causation",
        "data",
    ];
    let places: Vec<usize> = order.iter().map(|name| line.find(&format!("\"{name}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{line}");
    let time = |at: usize| all[at]["time"].as_str().unwrap();
    let between = world.replay(&["--since", time(1), "--until", time(3)]);
    let expected = all.iter().filter(|event| (time(1)..=time(3)).contains(&event["time"].as_str().unwrap()));
    assert!(between.iter().eq(expected) && between.len() >= 3);
    let occurred = world.replay(&["--by", "occurred"]);
    assert!(
        occurred
            .is_sorted_by_key(|event| (event["occurred_at"].as_str().unwrap().to_owned(), event["position"].as_u64()))
    );
    assert_eq!(occurred.len(), all.len());
    let checked_in = world.replay(&["--type", "CheckedIn"]).remove(0);
    assert!(checked_in["data"]["fix"].as_object().unwrap().keys().eq(["lat", "lng"]), "{checked_in}");
    assert!(checked_in["data"]["shop"].is_string());
    // The shown name of a stream works too.
    let shown = all.iter().find(|event| event["type"] == "UserRegistered").unwrap()["stream"].as_str().unwrap();
    assert_eq!(world.replay(&["--stream", shown]), world.replay(&["--stream", "user-1"]));
    let out = world.dir.join("out.ndjson");
    assert_eq!(world.run(&["replay", "--out", out.to_str().unwrap()]), "");
    assert_eq!(fs::read_to_string(&out).unwrap(), world.run(&["replay"]));
}

#[test]
fn analysts_read_pseudonymous_events_alone_and_may_follow() {
    let mut world = World::new("follow");
    world.populate();
    let (analyst, operator) = (world.token("analyst-token"), world.token("admin-token"));
    let text = send(world.admin(), "GET", "/events", &[&analyst]);
    assert!(text.contains("content-type: application/x-ndjson"), "{text}");
    assert_pseudonymous(body_of(&text));
    let status =
        |path: &str, header: &str| send(world.admin(), "GET", path, &[header]).split(' ').nth(1).unwrap().to_owned();
    assert_eq!(status("/events?profile=full", &analyst), "403");
    assert_eq!(status("/events?profile=full", &operator), "200");
    assert_eq!(status("/events?type=Nope", &analyst), "400");
    assert_eq!(status("/events?by=occurred&follow=1", &analyst), "400");
    assert_eq!(status("/admin/stats", &analyst), "403");
    // An analyst cannot ask whose a stream is.
    assert_eq!(body_of(&send(world.admin(), "GET", "/events?stream=user-1", &[&analyst])), "");
    let types = json_of(&send(world.admin(), "GET", "/events/schema", &[&analyst]));
    let checked_in = types.as_array().unwrap().iter().find(|one| one["type"] == "CheckedIn").unwrap();
    assert_eq!(checked_in["fields"][5]["class"], "position");
    let head = json_of(&send(world.admin(), "GET", "/admin/status", &[&operator]))["head"].as_u64().unwrap();
    let follow = open(world.admin(), "GET", &format!("/events?from={}&follow=1&type=ShopAdded", head + 1), &[&analyst]);
    let last = format!("Last-Event-ID: {head}");
    let sent = open(world.admin(), "GET", "/events?type=ShopAdded", &[&analyst, "Accept: text/event-stream", &last]);
    send(world.admin(), "POST", "/admin/shops?name=New&lat=30.3&lng=120.2", &[&operator]);
    let mut lines = BufReader::new(follow).lines().map_while(Result::ok).skip_while(|line| !line.starts_with('{'));
    let event: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    assert!(event["position"].as_u64().unwrap() > head && event["data"]["details"]["name"] == "New");
    let mut sent = BufReader::new(sent).lines().map_while(Result::ok).skip_while(|line| !line.starts_with("id:"));
    assert_eq!(sent.next().unwrap(), format!("id: {}", event["position"]));
    let position = event["position"].to_string();
    let line = world.run(&["replay", "--from", &position, "--to", &position]);
    assert_eq!(sent.next().unwrap(), format!("data: {}", line.trim()));
    // What is followed ends when the server does.
    world.stop();
    assert_eq!(lines.filter(|line| !line.is_empty()).count(), 0);
}

#[test]
fn damage_is_named_by_replay_and_by_doctor() {
    let mut world = World::new("damage");
    world.populate();
    world.stop();
    let segments = fs::read_dir(world.dir.join("log")).unwrap().map(|entry| entry.unwrap().path());
    let segment = segments.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "seg")).unwrap();
    let bytes = fs::read(&segment).unwrap();
    let at = bytes.windows(14).position(|window| window == b"UserRegistered").unwrap();
    let file = fs::OpenOptions::new().write(true).open(&segment).unwrap();
    file.write_all_at(&[bytes[at] ^ 1], at as u64).unwrap();
    for args in [&["replay"][..], &["doctor", "--verify"], &["stats"]] {
        let output = world.output(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("damaged at position") && told.contains(".seg"), "{args:?}: {told}");
    }
}

#[test]
fn stats_and_doctor_tell_the_same_whether_a_server_runs_or_not() {
    let mut world = World::new("doctor");
    world.populate();
    let lines = |text: &str| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
    let types = |text: &str| lines(text).into_iter().filter(|one| one["of"] == "type").collect::<Vec<_>>();
    let (running, findings) = (world.run(&["stats"]), lines(&world.run(&["doctor", "--verify"])));
    assert!(findings.iter().all(|one| one["state"] == "ok"), "{findings:?}");
    world.stop();
    assert_eq!(types(&running), types(&world.run(&["stats"])));
    assert!(types(&running).iter().any(|one| one["type"] == "CheckedIn" && one["events"] == 1));
    let key_dir = world.dir.join("keys");
    fs::rename(&key_dir, world.dir.join("elsewhere")).unwrap();
    let findings = lines(&world.run(&["doctor", "--verify"]));
    let warned: Vec<&Value> = findings.iter().filter(|one| one["state"] == "warning").collect();
    assert!(warned.iter().any(|one| one["check"] == "keys" && one["remedy"].is_string()), "{findings:?}");
    assert!(!key_dir.exists(), "doctor changes nothing");
    let refused = world.output(&["replay"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("secret_file") && !key_dir.exists());
}
