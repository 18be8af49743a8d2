//! SIGHUP: what a server reads again while it serves.

use std::{fs, thread, time::Duration};

use dface_tests::{Answer, Server, Setup, certificate::Certificate, client::client};
use reqwest::Method;
use serde_json::Value;

/// Asks until the answer is as wanted.
#[track_caller]
fn becomes<T: PartialEq + std::fmt::Debug>(wanted: &T, mut ask: impl FnMut() -> T) {
    let mut last = ask();
    for _ in 0..400 {
        if last == *wanted {
            return;
        }
        thread::sleep(Duration::from_millis(25));
        last = ask();
    }
    panic!("{last:?} does not become {wanted:?}");
}

fn server_of_phones(server: &Server) -> Value {
    let form = [
        ("model", "m"),
        ("os", "o"),
        ("mac", "a"),
        // SHA-1 of "moainit".
        ("hash", "eb946dabc9f8c9b57ec0d8edd3601615"),
    ];
    Answer::to(server.request(Method::GET, "/init/init").query(&form)).json()["ip"].clone()
}

#[test]
fn a_new_certificate_new_regions_and_another_level_count_without_a_restart() {
    let (first, second) = (Certificate::new(), Certificate::new());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dface.toml");
    let settings = |ip: &str, level: &str| {
        fs::write(&file, format!("[log]\nlevel = \"{level}\"\n[regions]\nip = \"{ip}\"\nxmpp = \"{ip}\"\n")).unwrap();
    };
    settings("192.0.2.1", "info");
    let path = file.display().to_string();
    let mut server = first.used(Setup::default()).arg("--config").arg(&path).start();
    assert_eq!(server_of_phones(&server), "192.0.2.1");
    let address = server.public().address();
    let trusts = |certificate: &Certificate| {
        let asked = client(Some(&certificate.pem)).get(format!("https://{address}/healthz")).send();
        asked.is_ok_and(|answer| answer.status() == 200)
    };
    assert_eq!((trusts(&first), trusts(&second)), (true, false));

    fs::copy(&second.cert, &first.cert).unwrap();
    fs::copy(&second.key, &first.key).unwrap();
    settings("192.0.2.2", "debug");
    server.reload();
    becomes(&(false, true), || (trusts(&first), trusts(&second)));
    // Connections that were open go on.
    becomes(&Value::from("192.0.2.2"), || server_of_phones(&server));
    becomes(&true, || server.log().text().contains("\"answered\""));

    // What cannot be used is told of, and what was there stays.
    server.expect_error("read again");
    fs::write(&first.key, "no key").unwrap();
    settings("192.0.2.3", "info");
    server.reload();
    becomes(&Value::from("192.0.2.3"), || server_of_phones(&server));
    becomes(&true, || server.log().text().contains("not read again; it stays as it was"));
    assert!(trusts(&second));
    server.expect_error("all stays as it was");
    fs::write(&file, "[regions]\nipp = 1\n").unwrap();
    server.reload();
    becomes(&true, || server.log().text().contains("all stays as it was"));
    assert_eq!(server_of_phones(&server), "192.0.2.3");
}
