//! `dface import` as an operator uses it: the real binary on the fixtures, against a stopped directory and through a
//! running server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The binary, built beside this test.
fn dface() -> Command {
    let test = std::env::current_exe().unwrap();
    let mut command = Command::new(test.ancestors().nth(2).unwrap().join("dface"));
    command.current_dir(std::env::temp_dir()).env_clear();
    command
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

struct Ended {
    code: i32,
    result: Value,
    told: String,
}

/// `dface import ARGS… --data DIR`, with `input` on standard input.
fn import_from(dir: &Path, args: &[&str], input: &[u8]) -> Ended {
    let mut command = dface();
    command.arg("import").args(args).arg("--data").arg(dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who refuses the flags reads no input.
    let _ = child.stdin.take().unwrap().write_all(input);
    let out = child.wait_with_output().unwrap();
    let printed = String::from_utf8(out.stdout).unwrap();
    let result = if printed.is_empty() { Value::Null } else { serde_json::from_str(&printed).unwrap() };
    Ended { code: out.status.code().unwrap(), result, told: String::from_utf8(out.stderr).unwrap() }
}

fn import(dir: &Path, args: &[&str]) -> Ended {
    import_from(dir, args, b"")
}

fn import_fixture(dir: &Path, kind: &str, name: &str, flags: &[&str]) -> Ended {
    let file = fixture(name);
    let args = [&[kind, file.to_str().unwrap()], flags].concat();
    import(dir, &args)
}

/// rows, added, already there, skipped, bad.
fn counts(ended: &Ended) -> [u64; 5] {
    assert!(ended.result["seconds"].is_f64(), "{}", ended.told);
    ["rows", "added", "already_there", "skipped", "bad"].map(|key| ended.result[key].as_u64().unwrap())
}

struct Server {
    child: Child,
    admin: String,
    token: String,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let mut command = dface();
        command.args(["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data"]).arg(dir);
        command.envs([("DFACE_LISTEN__XMPP", "127.0.0.1:0"), ("DFACE_LISTEN__XMPP_API", "127.0.0.1:0")]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let token = fs::read_to_string(dir.join("admin-token")).unwrap().trim().to_owned();
        Self { child, admin: ready["admin"].as_str().unwrap().to_owned(), token }
    }

    /// Status and body of a request to the admin listener.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        let (token, length) = (&self.token, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: dface\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {answer}")))
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, "")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The three tables of the source `made`, joined; twice, since the second time must add nothing.
fn import_all_twice(dir: &Path) {
    let made = ["--source", "made"];
    let made_with_users = ["--source", "made", "--create-users"];
    let shops = || import_fixture(dir, "shops", "hangzhou_osm_sample.tsv", &made);
    let checkins = || import_fixture(dir, "checkins", "checkins_made.tsv", &made_with_users);
    let follows = || import_fixture(dir, "follows", "follows_made.tsv", &made);

    assert_eq!(counts(&shops()), [40, 40, 0, 0, 0]);
    let first = checkins();
    assert_eq!((first.code, counts(&first)), (0, [200, 195, 3, 0, 2]), "{}", first.told);
    assert_eq!(first.result["users"], 12);
    assert_eq!(first.result["reasons"], json!({ "it has 5 columns, the header 6": 1, "lat is not a number": 1 }));
    assert!(first.told.contains("line 62: bad: it has 5 columns, the header 6\n"), "{}", first.told);
    assert!(first.told.contains("line 122: bad: lat is not a number\n"), "{}", first.told);
    let first = follows();
    assert_eq!(counts(&first), [30, 28, 1, 0, 1]);
    assert!(first.told.contains("line 31: bad: nobody can follow themselves"), "{}", first.told);

    assert_eq!(counts(&shops()), [40, 0, 40, 0, 0]);
    let second = checkins();
    assert_eq!((counts(&second), &second.result["users"]), ([200, 0, 198, 0, 2], &json!(0)));
    assert_eq!(counts(&follows()), [30, 0, 29, 0, 1]);
}

fn assert_joined(server: &Server) {
    let (status, shop) = server.get("/admin/foreign/shop/made/n10045303168");
    assert_eq!((status, shop["id"].is_u64()), (200, true), "{shop}");
    let (status, user) = server.get("/admin/foreign/user/made/103");
    assert_eq!((status, user["id"].is_u64()), (200, true), "{user}");
    assert_eq!(server.get("/admin/foreign/user/other/103").0, 404);
    let (_, users) = server.get("/admin/users?pcount=100");
    let names: Vec<&str> = users.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect();
    assert_eq!((names.len(), names.contains(&"made-112")), (12, true), "{names:?}");
}

#[test]
fn a_stopped_directory_takes_all_three_tables() {
    let dir = TempDir::new().unwrap();
    import_all_twice(dir.path());
    assert_joined(&Server::start(dir.path()));
}

#[test]
fn a_running_server_takes_all_three_tables() {
    let dir = TempDir::new().unwrap();
    let server = Server::start(dir.path());
    import_all_twice(dir.path());
    assert_joined(&server);
}

#[test]
fn the_world_has_its_poles_and_both_sides_of_180() {
    let dir = TempDir::new().unwrap();
    assert_eq!(counts(&import_fixture(dir.path(), "shops", "world_cities_sample.tsv", &[])), [30, 30, 0, 0, 0]);
    // The source is the file's stem, whatever it is packed in.
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&fs::read(fixture("world_cities_sample.tsv")).unwrap()).unwrap();
    let file = dir.path().join("world_cities_sample.tsv.gz");
    fs::write(&file, packed.finish().unwrap()).unwrap();
    assert_eq!(counts(&import(dir.path(), &["shops", file.to_str().unwrap()])), [30, 0, 30, 0, 0]);
}

#[test]
fn standard_input_is_a_table_too() {
    let dir = TempDir::new().unwrap();
    let csv = "id,name,lat,lng,type\n1,\"a, b\",30,120,2\n2,,30,120,2\n1,again,30,120,2\n";
    let ended = import_from(dir.path(), &["shops", "-", "--datum", "gcj02"], csv.as_bytes());
    assert_eq!((ended.code, counts(&ended)), (0, [3, 1, 1, 0, 1]), "{}", ended.told);
    assert!(ended.told.contains("line 3: bad: name is empty"), "{}", ended.told);
    let (status, _) = Server::start(dir.path()).get("/admin/foreign/shop/stdin/1");
    assert_eq!(status, 200);
}

#[test]
fn what_cannot_be_joined_is_skipped_and_counted() {
    let dir = TempDir::new().unwrap();
    // No shop of this source, and 195 rows more than --max-errors: none of them is a mistake of the table.
    let ended = import_fixture(dir.path(), "checkins", "checkins_made.tsv", &["--create-users", "--max-errors", "2"]);
    assert_eq!((ended.code, counts(&ended)), (0, [200, 0, 0, 198, 2]), "{}", ended.told);
    assert_eq!(ended.result["reasons"]["no shop of this source has its venue_id"], 198);
    assert_eq!(ended.told.matches(": skipped: ").count(), 11, "{}", ended.told);
    assert!(ended.told.contains("--source (checkins_made)"), "{}", ended.told);
    let ended = import_fixture(dir.path(), "follows", "follows_made.tsv", &[]);
    assert_eq!((ended.code, counts(&ended)), (0, [30, 0, 0, 29, 1]), "{}", ended.told);
}

#[test]
fn too_many_bad_rows_end_it_and_what_was_read_stays() {
    let dir = TempDir::new().unwrap();
    let made = ["--source", "made"];
    import_fixture(dir.path(), "shops", "hangzhou_osm_sample.tsv", &made);
    let flags = ["--source", "made", "--create-users", "--max-errors", "1"];
    let ended = import_fixture(dir.path(), "checkins", "checkins_made.tsv", &flags);
    // Lines 62 and 122 are bad: the second one ends it.
    assert_eq!((ended.code, &counts(&ended)[4]), (1, &2), "{}", ended.told);
    assert!(ended.told.contains("--max-errors"), "{}", ended.told);
    let [rows, added, already_there, ..] = counts(&ended);
    assert_eq!((rows, added + already_there), (121, 119));
    let ended = import_fixture(dir.path(), "checkins", "checkins_made.tsv", &["--source", "made"]);
    assert_eq!((ended.code, counts(&ended)[0..3].to_vec()), (0, vec![200, 195 - added, 198 - (195 - added)]));
}

#[test]
fn wrong_use_is_named_and_makes_nothing() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let osm = fixture("hangzhou_osm_sample.tsv");
    for (args, named) in [
        (["shops", "nowhere.tsv", "--source", "x"], "nowhere.tsv"),
        (["shops", fixture("follows_made.tsv").to_str().unwrap(), "--source", "x"], "no id, name, lat, lng"),
        (["checkins", osm.to_str().unwrap(), "--source", "x"], "no user_id, venue_id, utc_time"),
        (["shops", osm.to_str().unwrap(), "--source", "a/b"], "--source"),
        (["shops", osm.to_str().unwrap(), "--datum", "bd09"], "--datum"),
        (["shops", osm.to_str().unwrap(), "--max-errors", "many"], "--max-errors"),
        (["shops", "-", "--source", "x"], "empty"),
    ] {
        let ended = import(&data, &args);
        assert_eq!((ended.code, &ended.result), (2, &Value::Null), "{args:?}: {}", ended.told);
        assert!(ended.told.contains(named), "{args:?}: {}", ended.told);
    }
    assert!(!data.exists());
}

#[test]
fn a_table_that_breaks_off_fails_and_what_was_read_stays() {
    let dir = TempDir::new().unwrap();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&fs::read(fixture("hangzhou_osm_sample.tsv")).unwrap()).unwrap();
    let packed = packed.finish().unwrap();
    let ended = import_from(dir.path(), &["shops", "-"], &packed[..packed.len() - 4]);
    assert_eq!(ended.code, 1, "{}", ended.told);
    assert_eq!(counts(&ended)[0], counts(&ended)[1]);
    assert!(ended.told.contains("FILE -"), "{}", ended.told);
}

#[test]
fn batches_over_http_are_checked_like_tables() {
    let dir = TempDir::new().unwrap();
    let server = Server::start(dir.path());
    let run = "0b36ef6c-53d4-4c7b-9c3f-0c4c4d4c1a01";
    let row = |line: u64, lat: f64| json!({ "line": line, "id": "7", "name": "a", "t": 2, "lat": lat, "lng": 120.0 });
    let batch = json!({ "run": run, "source": "s", "rows": [row(2, 30.0), row(3, 91.0), row(4, 30.0)] });
    let (status, done) = server.ask("POST", "/admin/import/shops", &batch.to_string());
    assert_eq!(status, 200, "{done}");
    let reason = "lat must be between -90 and 90 degrees";
    assert_eq!(
        done,
        json!({ "users": 0, "rows": [
            { "line": 2, "outcome": "added", "reason": null },
            { "line": 3, "outcome": "bad", "reason": reason },
            { "line": 4, "outcome": "already_there", "reason": null },
        ] })
    );
    let late = json!({ "run": run, "source": "s", "create_users": true, "rows": [
        { "line": 2, "user_id": "1", "venue_id": "7", "lat": 30.0, "lng": 120.0, "utc_time": "2999-01-01T00:00:00Z" }
    ] });
    let (_, done) = server.ask("POST", "/admin/import/checkins", &late.to_string());
    assert_eq!(done["rows"][0]["reason"], "utc_time is in the future", "{done}");
    for (path, body, code) in [
        ("/admin/import/shops", "{}", "bad_body"),
        ("/admin/import/shops", r#"{"run":"x","source":"s","rows":[]}"#, "bad_body"),
        ("/admin/import/follows", &json!({ "run": run, "source": "a b", "rows": [] }).to_string(), "bad_parameter"),
    ] {
        let (status, error) = server.ask("POST", path, body);
        assert_eq!((status, &error["code"]), (400, &json!(code)), "{error}");
    }
}
