//! Settings, flags and addresses: what is wrong is named, with exit 2.

use std::{fs, net::TcpListener, path::Path};

use dface_tests::{Answer, Certificate, Finished, Server, Setup, dface};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

const SERVE: [&str; 5] = ["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"];

fn place() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn refused(settings: &[(&str, &str)], args: &[&str]) -> Finished {
    let dir = place();
    let ended = dface(&dir.path().join("data"), settings, args).ended(2);
    assert!(ended.stdout.is_empty(), "it never was ready: {}", ended.stdout);
    ended
}

#[test]
fn unknown_keys_are_refused_wherever_they_stand() {
    refused(&[("DFACE_COLOUR", "red")], &SERVE).says(&["colour", "DFACE_"]);
    refused(&[("DFACE_LIMITS__BODY", "1")], &SERVE).says(&["body"]);
    let dir = place();
    let file = dir.path().join("own.toml");
    fs::write(&file, "[limits]\nbody_bites = 1\n").expect("writable");
    let file = file.display().to_string();
    refused(&[], &[&SERVE[..], &["--config", &file]].concat()).says(&["body_bites", "own.toml"]);
}

#[test]
fn unreadable_values_are_named_by_their_key() {
    refused(&[("DFACE_LIMITS__BODY_BYTES", "many")], &SERVE).says(&["limits.body_bytes"]);
    refused(&[("DFACE_PRESENCE__HOURS", "0")], &SERVE).says(&["presence.hours"]);
    refused(&[("DFACE_TIMEZONE", "Mars/Olympus")], &SERVE).says(&["timezone"]);
    refused(&[("DFACE_STORE", "mysql://x")], &SERVE).says(&["store"]);
    refused(&[("DFACE_LOG__LEVEL", "a=b=c")], &["serve", "--http", "127.0.0.1:0"]);
}

#[test]
fn a_settings_file_that_is_not_there_is_named() {
    refused(&[], &[&SERVE[..], &["--config", "/nowhere/dface.toml"]].concat())
        .says(&["--config", "/nowhere/dface.toml"]);
}

#[test]
fn wrong_use_is_exit_2() {
    refused(&[], &["serve", "--colour"]).says(&["--colour"]);
    refused(&[], &["dance"]).says(&["dance"]);
    refused(&[], &["serve", "--http", "nowhere"]).says(&["--http"]);
    refused(&[], &["user", "add", "--name", "a", "--password", "b", "--gender", "3"]).says(&["--gender"]);
    refused(&[], &["user", "add", "--name", "", "--password", "b"]).says(&["name"]);
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [&["serve"][..], &["user", "add"], &["user", "list"], &["user", "reset-password"], &["rebuild"]] {
        let dir = place();
        let help = dface(dir.path(), &[], &[command, &["--help"]].concat()).ended(0);
        assert!(help.stdout.contains("Example") && help.stdout.contains("--data"), "{}", help.stdout);
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_its_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    refused(&[], &["serve", "--http", &address, "--admin", "127.0.0.1:0"]).says(&["--http", &address]);
    refused(&[], &["serve", "--http", "127.0.0.1:0", "--admin", &address]).says(&["--admin", &address]);
    refused(&[], &[&SERVE[..], &["--xmpp", &address]].concat()).says(&["--xmpp", &address]);
}

#[test]
fn addresses_off_loopback_need_tls_or_leave() {
    for (flag, other) in [("--http", "--admin"), ("--admin", "--http")] {
        let args = ["serve", flag, "0.0.0.0:0", other, "127.0.0.1:0"];
        refused(&[], &args).says(&["allow_plaintext", "not loopback"]);
    }
    let args = ["serve", "--http", "0.0.0.0:0", "--admin", "127.0.0.1:0"];
    refused(&[("DFACE_ALLOW_PLAINTEXT", "true")], &args).says(&["public_url"]);
    refused(&[("DFACE_TLS__CERT", "x.pem")], &SERVE).says(&["tls.key"]);
    refused(&[("DFACE_TLS__CERT", "/no/x.pem"), ("DFACE_TLS__KEY", "/no/y.pem")], &SERVE)
        .says(&["tls.cert", "/no/x.pem"]);
}

#[test]
fn the_order_is_file_environment_flags() {
    let dir = place();
    let file = dir.path().join("own.toml");
    fs::write(&file, "timezone = \"UTC\"\n[limits]\nsign_in_pair = 7\n").expect("writable");
    let setup = Setup::default().arg("--config").arg(&file.display().to_string());
    let server = setup.set("LIMITS__SIGN_IN_PAIR", 0).set("LISTEN__HTTP", "127.0.0.1:1").start();
    dface_tests::phone::sign_in(server.public(), "nobody", "x").refused(429, "too_many_requests");
    assert_ne!(server.public().address().port(), 1, "the flag wins");
}

#[test]
fn with_tls_both_listeners_speak_it_and_commands_go_through_it() {
    let made = Certificate::new();
    let setup = Setup::default().set("TLS__CERT", &made.cert).set("TLS__KEY", &made.key).tls(made.pem.clone());
    let mut server = setup.start();
    let phone = server.person("anna", 0);
    let again = dface_tests::phone::sign_in(server.public(), "anna", &dface_tests::server::password_of("anna"));
    assert!(again.header("set-cookie").contains("; Secure"), "{again}");
    assert_eq!(phone.get("/checkins", &[]).status, 200);
    let settings = [("DFACE_TLS__CERT", made.cert.as_str()), ("DFACE_TLS__KEY", made.key.as_str())];
    let added = dface(server.dir(), &settings, &["user", "add", "--name", "ben", "--password", "ben's"]).ended(0);
    let added: Value = serde_json::from_str(&added.stdout).expect("JSON");
    assert_eq!(added["name"], "ben");
    let listed = dface(server.dir(), &settings, &["user", "list"]).ended(0);
    assert_eq!(listed.stdout.lines().count(), 2, "{}", listed.stdout);
    // Plain text on the TLS port gets no answer of the API.
    let told = dface_tests::raw::exchange(server.public().address(), b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(!told.contains("200 OK"), "{told}");
    server.alive();
}

#[test]
fn commands_work_with_and_without_a_server() {
    let mut server = Server::start();
    let dir = server.dir().to_path_buf();
    let add = |name: &str| {
        let made = dface(&dir, &[], &["user", "add", "--name", name, "--password", "a pass", "--gender", "2"]).ended(0);
        serde_json::from_str::<Value>(&made.stdout).expect("JSON")["id"].as_u64().expect("a number")
    };
    let first = add("anna");
    let signed_in = dface_tests::phone::sign_in(server.public(), "anna", "a pass").ok();
    assert_eq!((signed_in["id"].as_u64(), &signed_in["gender"]), (Some(first), &Value::from(2)));
    dface(&dir, &[], &["user", "add", "--name", "anna", "--password", "b"]).ended(1).says(&["name"]);
    dface(&dir, &[], &["rebuild", "all"]).ended(0);
    server.stop();
    let second = add("ben");
    assert_ne!(first, second);
    dface(&dir, &[], &["user", "add", "--name", "ben", "--password", "b"]).ended(1);
    let reset = dface(&dir, &[], &["user", "reset-password", &second.to_string()]).ended(0);
    let reset: Value = serde_json::from_str(&reset.stdout).expect("JSON");
    let dry = dface(&dir, &[], &["rebuild", "all", "--dry-run"]).ended(0);
    assert!(dry.stdout.lines().count() >= 7, "{}", dry.stdout);
    server.start_again();
    let password = reset["password"].as_str().expect("one was made");
    assert_eq!(dface_tests::phone::sign_in(server.public(), "ben", password).ok()["id"].as_u64(), Some(second));
    dface_tests::phone::sign_in(server.public(), "ben", "a pass").refused(401, "sign_in_failed");
    let listed = dface(&dir, &[], &["user", "list"]).ended(0);
    let names: Vec<Value> =
        listed.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["name"].clone()).collect();
    assert_eq!(names, ["anna", "ben"]);
}

#[test]
fn a_stopped_directory_is_listed_and_one_that_is_none_is_named() {
    let dir = place();
    let data: &Path = &dir.path().join("data");
    dface(data, &[], &["rebuild"]).ended(2).says(&["--data", &data.display().to_string()]);
    let mut server = Server::start();
    server.stop();
    assert_eq!(dface(server.dir(), &[], &["user", "list"]).ended(0).stdout, "");
    let listed = dface(server.dir(), &[], &["rebuild"]).ended(0);
    for line in listed.stdout.lines() {
        let one: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!((&one["state"], &one["lag"]), (&Value::from("live"), &Value::from(0)), "{line}");
    }
    dface(server.dir(), &[], &["rebuild", "nothing"]).ended(2).says(&["nothing", "trace"]);
}

#[test]
fn the_ready_line_and_metrics_are_there() {
    let server = Server::start();
    let metrics = server.operator().get("/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.text.contains("# TYPE"), "{metrics}");
    Answer::to(server.request(Method::GET, "/metrics")).refused(404, "unknown_path");
    assert!(server.dir().join("run.json").is_file());
}
