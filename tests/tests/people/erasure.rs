//! An account's end (spec, "Beyond the document"): the person is gone from every read model at once, and nothing that
//! was kept of them can be read any more, in the directory or in a copy of it that was made before.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dface_tests::{
    Answer, Phone, Server, Setup,
    client::pairs,
    dface,
    phone::{cookie_of, sign_in, sign_in_hash},
    server::password_of,
    weibo::{APP, StandIn},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{HERE, block, done, follow, ids, settle};

/// Where the phone of the one who leaves was: no shop's place.
const PLACE: (f64, f64) = (30.287_913, 120.126_457);

/// What is personal, as text.
const TEXTS: &[&str] = &[
    "Zacharias Quux",
    "安娜独一",
    "我的签名就是这个",
    "13800138000",
    "Xiangqi players",
    "灯塔看守人",
    "1977-03-29",
    "00:1d:7e:aa:bb:cc",
    "203.0.113.77",
    "30.287913",
    "120.126457",
    "我在分享这句话",
    "2.00-token",
    "我在房间里说过的话",
];

fn setup(weibo: &StandIn) -> Setup {
    Setup::default()
        .set("WEIBO__BASE_URL", weibo.base_url())
        .set("WEIBO__APP_KEY", APP.0)
        .set("WEIBO__APP_SECRET", APP.1)
        .set("WEIBO__SHARE_TEXT", "我在分享这句话")
        .set("TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#)
        .set("STORE_TUNING__SEGMENT_BYTES", 4 << 20)
}

struct World {
    weibo: StandIn,
    server: Server,
    shop: u64,
    /// Who leaves: a local account.
    anna: Phone,
    /// Who leaves: an account from Weibo.
    wei: Phone,
    /// Who stays.
    ben: Phone,
}

/// Two people who did everything that is kept of anybody, and one who stays.
fn world() -> World {
    let weibo = StandIn::start();
    let mut server = setup(&weibo).start();
    let shop = server.operator().add_shop("cafe", HERE);
    let ben = server.person("ben", 1);
    server.operator().add_user("Zacharias Quux", &password_of("Zacharias Quux"), 2);
    let (name, pass) = ("Zacharias Quux", password_of("Zacharias Quux"));
    let form = pairs(&[("name", &name), ("pass", &pass), ("mac", &"m"), ("hash", &sign_in_hash(name, &pass, "m"))]);
    let request = server.request(Method::POST, "/oauth2/login").header("x-forwarded-for", "203.0.113.77");
    let anna = Phone::new(server.public(), &Answer::to(request.form(&form)));
    let code = weibo.code(1_884_834_632, "安娜独一", "f");
    let callback = server.request(Method::GET, "/oauth2/sina_callback").query(&[("code", code)]);
    let wei = Phone::new(server.public(), &Answer::to(callback.header("x-forwarded-for", "203.0.113.77")));
    for phone in [&anna, &wei] {
        live(phone, &ben, shop);
        let said = pairs(&[("roomid", &shop), ("uid", &phone.user), ("message", &"我在房间里说过的话")]);
        let request = server.chat_api().request(Method::POST, "/api/room").bearer_auth(server.token("internal-token"));
        Answer::to(request.form(&said)).ok();
    }
    // Not the forms of places: the server's log has times with as many digits.
    TEXTS.iter().filter(|text| !text.contains("203.0")).for_each(|text| server.secret(*text));
    World { weibo, server, shop, anna, wei, ben }
}

fn live(phone: &Phone, ben: &Phone, shop: u64) {
    let profile = [
        ("name", "安娜独一"),
        ("signature", "我的签名就是这个"),
        ("phone", "13800138000"),
        ("hobby", "Xiangqi players"),
        ("job", "灯塔看守人"),
        ("birthday", "1977-03-29"),
    ];
    let set = phone.request(Method::POST, "/user_info/set").header("idempotency-key", "once");
    Answer::to(set.form(&profile)).ok();
    let form = pairs(&[
        ("lat", &PLACE.0),
        ("lng", &PLACE.1),
        ("accuracy", &30),
        ("shop_id", &shop),
        ("user_id", &phone.user),
        ("od", &1),
        ("bssid", &"00:1d:7e:aa:bb:cc"),
    ]);
    Answer::to(phone.request(Method::POST, "/checkins").header("idempotency-key", "twice").form(&form)).ok();
    phone.get("/oauth2/share", &[("ver", &"1.0")]).ok();
    follow(phone, ben);
    follow(ben, phone);
    settle(phone);
}

/// Nobody finds the one who left, in any list.
fn gone(world: &World, phone: &Phone) {
    let (ben, user) = (&world.ben, phone.user);
    ben.get("/user_info/get", &[("id", &user)]).refused(404, "user_unknown");
    for path in ["/follow_info/followers", "/follow_info/friends"] {
        let own = ben.get(path, &[("id", &ben.user), ("hash", &1)]).ok();
        assert!(!ids(&own["data"]).contains(&user), "{path}: {own}");
        ben.get(path, &[("id", &user)]).refused(404, "user_unknown");
    }
    for (path, given) in [("/shop/users", ("id", world.shop)), ("/aroundme/users", ("gender", 0))] {
        assert!(!ids(&ben.get(path, &[(given.0, &given.1)]).ok()).contains(&user), "{path}");
    }
    ben.post("/follows", &[("user_id", &ben.user), ("follow_id", &user)]).refused(404, "user_unknown");
    ben.post("/blacklists", &[("user_id", &ben.user), ("block_id", &user)]).refused(404, "user_unknown");
    phone.get("/user_info/get_self", &[]).refused(401, "session_required");
    let operator = world.server.operator();
    assert!(!ids(&operator.get("/admin/users?pcount=100").ok()).contains(&user));
    let open = operator.get("/admin/reports").ok();
    let about = |one: &Value| one["user_id"] == user || one["block_id"] == user;
    assert!(!open.as_array().expect("a list").iter().any(about), "{open}");
    assert_eq!(operator.get(&format!("/admin/users/{user}/sessions")).ok(), json!([]));
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn copy(from: &Path, to: &Path) {
    let mut found = Vec::new();
    files(from, &mut found);
    for path in found {
        let target = to.join(path.strip_prefix(from).expect("below it"));
        fs::create_dir_all(target.parent().expect("a directory")).expect("made");
        fs::copy(&path, target).expect("copied");
    }
}

/// The whole log, opened with the keys that are there.
fn replay(dir: &Path) -> String {
    let out = tempfile::tempdir().expect("a directory");
    let replayed = out.path().join("all.ndjson");
    let args = ["replay", "--profile", "full", "--out", replayed.to_str().expect("a path")];
    dface(dir, &[("DFACE_STORE_TUNING__SEGMENT_BYTES", "4194304")], &args).ended(0);
    fs::read_to_string(&replayed).expect("written")
}

/// Every row of a database in the directory: its files are compressed, so their bytes tell too little.
fn rows(dir: &Path, database: &str) -> Vec<(String, Vec<u8>)> {
    let opened = fjall::Database::builder(dir.join(database)).open().expect("opens");
    let mut found = Vec::new();
    for name in opened.list_keyspace_names() {
        let keyspace = opened.keyspace(&name, fjall::KeyspaceCreateOptions::default).expect("opens");
        for guard in keyspace.iter() {
            let (key, value) = guard.into_inner().expect("a row");
            found.push((format!("{database}/{name}"), [&key[..], &value[..]].concat()));
        }
    }
    found
}

/// Neither the bytes of the files, nor any row of the read models, nor any record of the log, opened with the keys that are there, has anything of it.
fn nothing_is_left(dir: &Path, texts: &[&str]) {
    let replayed = replay(dir);
    assert!(replayed.contains("\"ben\""), "what was sealed for others opens: {replayed}");
    let hidden = texts.iter().filter(|text| replayed.contains(**text)).collect::<Vec<_>>();
    assert!(hidden.is_empty(), "{hidden:?} in a replay of {}", dir.display());
    let mut found = Vec::new();
    files(dir, &mut found);
    let places = [PLACE.0, PLACE.1].map(f64::to_le_bytes);
    let big = [PLACE.0, PLACE.1].map(f64::to_be_bytes);
    let wanted: Vec<&[u8]> =
        texts.iter().map(|text| text.as_bytes()).chain(places.iter().chain(&big).map(|b| &b[..])).collect();
    // The files as they lie there, before a database is opened.
    let read = |path: &PathBuf| (path.display().to_string(), fs::read(path).expect("read"));
    let files: Vec<_> = found.iter().map(read).collect();
    let rows: Vec<_> = ["read", "index"].into_iter().flat_map(|database| rows(dir, database)).collect();
    assert!(rows.iter().any(|(place, _)| place.starts_with("read/people")), "{} rows", rows.len());
    for (place, bytes) in files.into_iter().chain(rows) {
        for text in &wanted {
            assert_eq!(memchr::memmem::find(&bytes, text), None, "{} in {place}", String::from_utf8_lossy(text));
        }
    }
    let folders =
        ["log", "keys"].map(|part| found.iter().any(|path| path.strip_prefix(dir).is_ok_and(|p| p.starts_with(part))));
    assert_eq!(folders, [true, true], "{found:?}");
}

#[test]
fn an_accounts_end_removes_the_person_at_once_and_for_good() {
    let mut world = world();
    let (anna, wei, ben) = (world.anna.clone(), world.wei.clone(), world.ben.clone());
    let zoe = world.server.person("zoe", 0);
    block(&anna, &zoe);
    done(&zoe, "/blacklists", &[("user_id", &zoe.user), ("block_id", &anna.user), ("report", &1)]);

    // A copy of the directory, as a backup has it.
    world.server.stop();
    let before = tempfile::tempdir().expect("a directory");
    copy(world.server.dir(), before.path());
    let all = replay(before.path());
    assert!(TEXTS.iter().all(|text| all.contains(*text)), "with the keys of then all of it can be read: {all}");
    world.server.start_again();

    // It must be meant.
    anna.get("/user_info/delete", &[]).refused(405, "wrong_method");
    anna.post("/user_info/delete", &[]).refused(400, "missing_parameter");
    anna.post("/user_info/delete", &[("pass", &"guess")]).refused(403, "wrong_password");
    wei.post("/user_info/delete", &[("pass", &"guess")]).refused(400, "missing_parameter");
    let foreign = world.weibo.code(7, "somebody else", "m");
    wei.post("/user_info/delete", &[("code", &foreign)]).refused(403, "wrong_password");
    assert_eq!(ben.get("/user_info/get", &[("id", &anna.user)]).ok()["name"], "安娜独一");

    let pass = password_of("Zacharias Quux");
    assert_eq!(anna.post("/user_info/delete.json", &[("pass", &pass)]).ok(), json!({ "deleted": true }));
    gone(&world, &anna);
    sign_in(world.server.public(), "Zacharias Quux", &pass).refused(401, "sign_in_failed");
    let code = world.weibo.code(1_884_834_632, "安娜独一", "f");
    assert_eq!(wei.post("/user_info/delete", &[("code", &code)]).ok(), json!({ "deleted": true }));
    gone(&world, &wei);
    assert_eq!(ids(&ben.get("/shop/users", &[("id", &world.shop)]).ok()), Vec::<u64>::new());

    world.server.operator().compare_all();
    world.server.stop();
    let keys = |dir: &Path| dir.join("keys").join("keys");
    fs::copy(keys(world.server.dir()), keys(before.path())).expect("the keys as they are at the end");
    nothing_is_left(world.server.dir(), TEXTS);
    nothing_is_left(before.path(), TEXTS);

    // Nothing comes back: from the log alone, and from the copy.
    fs::remove_dir_all(world.server.dir().join("read")).expect("the read models");
    world.server.start_again();
    gone(&world, &anna);
    gone(&world, &wei);
    world.server.operator().compare_all();
    let restored = setup(&world.weibo).on(before.path()).start();
    let listed = restored.operator().get("/admin/users?pcount=100").ok();
    let of = |user: u64| {
        listed.as_array().expect("a list").iter().find(|one| one["id"] == user).map(|one| one["name"].clone())
    };
    assert_eq!((of(anna.user), of(wei.user), of(ben.user)), (Some(Value::Null), Some(Value::Null), Some(json!("ben"))));
    let signed_in = sign_in(restored.public(), "ben", &password_of("ben"));
    let request = restored.request(Method::GET, "/user_info/get").query(&[("id", anna.user)]);
    let seen = Answer::to(request.header("cookie", format!("_session_id={}", cookie_of(&signed_in)))).ok();
    assert_eq!((&seen["name"], &seen["signature"], &seen["hobby"]), (&Value::Null, &json!(""), &json!("")));
}
