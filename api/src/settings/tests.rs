use super::*;

fn load(file: &str, flags: &[(&str, String)]) -> Result<Settings, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dface.toml");
    std::fs::write(&path, file).unwrap();
    Settings::load(Some(&path), flags).map_err(|e| e.0)
}

#[test]
fn the_defaults_are_whole() {
    let settings = load("", &[]).unwrap();
    assert_eq!(settings.listen.http.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.key_dir(), Path::new("./data/keys"));
}

#[test]
fn flags_win_over_the_file() {
    let flags = [("listen.http", "127.0.0.1:9".to_owned())];
    let settings =
        load("timezone = \"UTC\"\n[listen]\nhttp = \"127.0.0.1:7\"\nadmin = \"127.0.0.1:8\"", &flags).unwrap();
    assert_eq!(settings.listen.http.port(), 9);
    assert_eq!(settings.listen.admin.port(), 8);
    assert_eq!(settings.timezone, "UTC");
}

#[test]
fn roles_are_a_list_or_a_text_and_a_broker_hides_its_password() {
    let settings = load("roles = \"worker, http\"\nqueue = \"amqps://anna:geheim@mq.example.org/x\"", &[]).unwrap();
    assert!(settings.roles.has(Role::Http) && settings.roles.has(Role::Worker));
    assert!(!format!("{settings:?}").contains("geheim"));
    let error = load("queue = \"amqp//anna:geheim@mq\"", &[]).unwrap_err();
    assert!(error.contains("`queue`") && !error.contains("geheim"), "{error}");
    let flags = [("roles", "worker".to_owned()), ("queue", "amqp://localhost".to_owned())];
    assert!(load("", &flags).unwrap_err().contains("--objects"));
    let flags = [flags.as_slice(), &[("objects", "/srv/objects".to_owned())]].concat();
    assert!(load("", &flags).unwrap().roles.worker_alone());
}

#[test]
fn a_store_elsewhere_hides_its_password_and_needs_keys_and_objects_of_all_nodes() {
    let file = "store = \"esdb://anna:geheim@one:2113,two?tls=true\"\nkeys = \"shared:/k\"\nobjects = \"/srv/objects\"";
    let settings = load(file, &[]).unwrap();
    assert!(settings.store.is_shared() && !format!("{settings:?}").contains("geheim"));
    assert_eq!(settings.secret_path(), Path::new("/k/secret"));
    let error = load("store = \"postgres://anna:geheim@mq\"", &[]).unwrap_err();
    assert!(error.contains("`store`") && !error.contains("geheim"), "{error}");
}

#[test]
fn what_is_wrong_is_named() {
    for (file, named) in [
        ("colour = 1", "colour"),
        ("[limits]\nbody = 1", "body"),
        ("[tokens]\nmost = 0", "tokens.most"),
        ("[listen]\nhttp = \"nowhere\"", "listen.http"),
        ("timezone = \"Mars/Olympus\"", "timezone"),
        ("store = \"mysql://x\"", "store"),
        ("store = \"esdb://x\"", "`keys`"),
        ("store = \"esdb://x\"\nkeys = \"shared:/k\"", "`objects`"),
        ("keys = \"s3://bucket\"", "secret_file"),
        ("queue = \"kafka://x\"", "queue"),
        ("roles = [\"http\", \"cook\"]", "cook"),
        ("roles = []", "roles"),
        ("roles = \"worker\"", "--queue"),
        ("[jobs]\nattempts = 1000", "jobs.attempts"),
        ("[jobs]\npicture = 0", "jobs.picture"),
        ("[jobs]\npush = 0", "jobs.push"),
        ("[jobs]\npush_attempts = 101", "jobs.push_attempts"),
        ("[apns]\nsandbox_url = \"http://localhost\"", "apns.sandbox_url"),
        ("[mqtt]\nbroker = \"amqp://x\"", "mqtt.broker"),
        ("[mqtt]\nbroker_timeout_s = 0", "mqtt.broker_timeout_s"),
        ("[apns]\ntimeout_s = 0", "apns.timeout_s"),
        ("[apns]\nkey = \"a.p8\"", "apns.key_id"),
        ("[apns]\nkey = \"a.p8\"\nkey_id = \"ABCDE12345\"\nteam_id = \"T\"", "apns.team_id"),
        ("[apns]\nkey = \"a.p8\"\nkey_id = \"ABCDE12345\"\nteam_id = \"TEAM123456\"", "apns.topic"),
        ("[greetings]\nhours = 0", "greetings.hours"),
        ("[jobs]\nlongest_pause_s = 1", "jobs.longest_pause_s"),
        ("[jobs]\nmessage_bytes = 1", "jobs.message_bytes"),
        ("[amqp]\ntimeout_ms = 0", "amqp.timeout_ms"),
        ("[amqp]\nreconnect_max_ms = 1", "amqp.reconnect_max_ms"),
        ("[tls]\ncert = \"a.pem\"", "tls.key"),
        ("[mqtt]\nqueued = 0", "mqtt.queued"),
        ("[mqtt]\nsession_s = 0", "mqtt.session_s"),
        ("[mqtt]\nsessions_of_account = 0", "mqtt.sessions_of_account"),
        ("[listen]\nmqtt = \"0.0.0.0:1883\"", "listen.mqtt"),
        ("[listen]\nmqtt = \"on\"", "listen.mqtt"),
        ("[listen]\nhttp = \"0.0.0.0:80\"", "allow_plaintext"),
        ("allow_plaintext = true\n[listen]\nhttp = \"0.0.0.0:80\"", "public_url"),
        ("[limits]\nsign_in_window_s = 0", "limits.sign_in_window_s"),
        ("roles = \"chat\"", "http"),
        ("[chat]\ndomain = \"Dface\"", "chat.domain"),
        ("[chat]\nrooms_domain = \"dface.cn\"", "chat.rooms_domain"),
        ("[chat]\nstanza_bytes = 1", "chat.stanza_bytes"),
        ("[chat]\noutbox_bytes = 1", "chat.outbox_bytes"),
        ("[chat]\nsilent_s = 0", "chat.silent_s"),
        ("[listen]\nxmpp = \"0.0.0.0:5222\"", "chat.allow_plaintext"),
        ("[coupons]\nsend_at_once = 0", "coupons.send_at_once"),
        ("[circles]\nmembers = 0", "circles.members"),
        ("[circles]\njoins_per_hour = 0", "circles.joins_per_hour"),
        ("[processes]\ntries = 0", "processes.tries"),
        ("[store_tuning]\nsegment_bytes = 10", "store_tuning.segment_bytes"),
        ("[retention]\npositions = -1", "retention.positions"),
        ("[retention]\nboots = 40000", "retention.boots"),
        ("[retention]\nfocus = 1.5", "focus"),
        ("[retention]\nevery_s = 0", "retention.every_s"),
        ("[retention]\nbytes_per_second = 1000", "retention.bytes_per_second"),
    ] {
        let error = load(file, &[]).unwrap_err();
        assert!(error.contains(named), "{file}: {error}");
    }
}

#[test]
fn what_cannot_be_of_a_store_that_nodes_share_is_named() {
    for wrong in [
        "deadline_s = 0",
        "tail_bytes = 0",
        "tail_wait_ms = 5000",
        "calls_at_once = 0",
        "batch_events = 0",
        "batch_bytes = 0",
        "page_events = 0",
        "page_bytes = 0",
        "keys_at_once = 0",
        "keys_in_memory = 0",
    ] {
        let error = load(&format!("[store_tuning]\n{wrong}"), &[]).unwrap_err();
        let key = wrong.split(' ').next().unwrap();
        assert!(error.contains(&format!("`store_tuning.{key}`")), "{wrong}: {error}");
    }
}
