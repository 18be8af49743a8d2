//! Nothing personal is in a pseudonymous export, in whatever form: every name, phone number, text and exact place of people who did everything
//! that is kept of anybody is looked for.

use std::{fs, path::Path};

use dface_tests::{
    Answer, Phone, Server, Setup,
    client::pairs,
    family::{Family, Watch},
    phone::sign_in_hash,
    pictures::{of_seed, to_album, to_room},
    server::password_of,
    weibo::{APP, StandIn},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{becomes, count, output, python, run, settle, text};

/// The shop's place, which everybody may know.
const SHOP: (f64, f64) = (30.286_91, 120.127_63);

/// Where phones and watches were, to more digits than a cell of the grid has.
const PLACES: [(f64, f64); 2] = [(30.287_913_4, 120.126_457_8), (30.274_133_1, 120.155_171_9)];

/// What people are called, said, wrote and come from.
const TEXTS: [&str; 24] = [
    "Zacharias Quux",
    "安娜独一",
    "我的签名就是这个",
    "13800138111",
    "Xiangqi players",
    "灯塔看守人",
    "1977-03-29",
    "00:1d:7e:aa:bb:cc",
    "203.0.113.77",
    "我在分享这句话",
    "我在房间里说过的话",
    "只对你说的话",
    "2.00-token",
    "西湖小王",
    "这张照片的描述",
    "小宝宝独一",
    "13900139222",
    "13800138333",
    "家里的圈子",
    "圈子里说的话",
    "10086551",
    "短信里的话",
    "家门口的路",
    "02:00:00:00:00:0a",
];

struct World {
    server: Server,
    _weibo: StandIn,
    family: Family,
    people: Vec<Phone>,
}

fn person(server: &mut Server) -> Phone {
    let (name, pass) = ("Zacharias Quux", password_of("Zacharias Quux"));
    server.operator().add_user(name, &pass, 2);
    let form = pairs(&[("name", &name), ("pass", &pass), ("mac", &"m"), ("hash", &sign_in_hash(name, &pass, "m"))]);
    let request = server.request(Method::POST, "/oauth2/login").header("x-forwarded-for", "203.0.113.77");
    Phone::new(server.public(), &Answer::to(request.form(&form)))
}

fn world() -> World {
    let weibo = StandIn::start();
    let setup = Setup::default()
        .set("WEIBO__BASE_URL", weibo.base_url())
        .set("WEIBO__APP_KEY", APP.0)
        .set("WEIBO__APP_SECRET", APP.1)
        .set("WEIBO__SHARE_TEXT", "我在分享这句话")
        .set("TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#);
    let mut server = setup.start();
    let shop = server.operator().add_shop("cafe", SHOP);
    let anna = person(&mut server);
    let code = weibo.code(1_884_834_632, "西湖小王", "m");
    let signed = server.request(Method::GET, "/oauth2/sina_callback").query(&[("code", code)]);
    let wei = Phone::new(server.public(), &Answer::to(signed.header("x-forwarded-for", "203.0.113.77")));
    let family = Family::made(&mut server, 7);
    for phone in [&anna, &wei] {
        live(&server, phone, &family.members[0], shop);
    }
    in_the_circle(&server, &family);
    let people = [vec![anna, wei], family.members.clone()].concat();
    World { server, _weibo: weibo, family, people }
}

fn live(server: &Server, phone: &Phone, other: &Phone, shop: u64) {
    let profile = [
        ("name", "安娜独一"),
        ("signature", "我的签名就是这个"),
        ("phone", "13800138111"),
        ("hobby", "Xiangqi players"),
        ("job", "灯塔看守人"),
        ("birthday", "1977-03-29"),
    ];
    Answer::to(phone.request(Method::POST, "/user_info/set").header("idempotency-key", "k").form(&profile)).ok();
    let form = pairs(&[
        ("lat", &PLACES[0].0),
        ("lng", &PLACES[0].1),
        ("accuracy", &30),
        ("shop_id", &shop),
        ("user_id", &phone.user),
        ("od", &1),
        ("bssid", &"00:1d:7e:aa:bb:cc"),
    ]);
    Answer::to(phone.request(Method::POST, "/checkins").form(&form)).ok();
    phone.get("/oauth2/share", &[("ver", &"1.0")]).ok();
    phone.post("/follows", &[("user_id", &phone.user), ("follow_id", &other.user)]).ok();
    phone.post("/blacklists", &[("user_id", &phone.user), ("block_id", &other.user), ("report", &1)]).ok();
    phone.post("/push_tokens", &[("token", &"ab".repeat(32)), ("environment", &2)]).ok();
    to_album(phone, of_seed(7));
    to_room(phone, shop, of_seed(8), "这张照片的描述");
    let token = server.token("internal-token");
    let said = pairs(&[("roomid", &shop), ("uid", &phone.user), ("message", &"我在房间里说过的话")]);
    Answer::to(server.chat_api().request(Method::POST, "/api/room").bearer_auth(&token).form(&said)).ok();
    let body = format!(
        "<message from='{}@dface.cn/web' to='{}@dface.cn' id='private-{0}' type='chat'><body>只对你说的话</body></message>",
        other.user,
        other.user + 1
    );
    Answer::to(server.chat_api().request(Method::POST, "/rest").bearer_auth(&token).body(body)).ok();
    settle(phone);
}

fn in_the_circle(server: &Server, family: &Family) {
    let guardian = &family.members[0];
    guardian.post("/groups/create", &[("name", &"家里的圈子")]).ok();
    let said = [("group_id", &family.group as &dyn std::fmt::Display), ("type", &3), ("content", &"圈子里说的话")];
    guardian.post("/talks/create", &said).ok();
    let Watch { imei, .. } = &family.watch;
    assert_eq!(imei.len(), 15);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    let events = json!([
        {"id": "a", "kind": "sms", "timestamp": now, "phone": "10086551", "content": "短信里的话"},
        {"id": "b", "kind": "locate", "timestamp": now, "type": 2, "locus": 0, "radius": 20,
         "lat": PLACES[1].0, "lon": PLACES[1].1},
    ]);
    Answer::to(family.watch.telling(server.public(), &events.to_string())).ok();
}

/// What must not be there, as text: a shop's place has other digits.
fn hidden(world: &World) -> Vec<String> {
    let places = PLACES.iter().flat_map(|(lat, lng)| [lat.to_string(), lng.to_string()]);
    let mut hidden: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).chain(places).collect();
    hidden.extend([world.family.watch.imei.clone(), world.family.watch.key.clone(), "ab".repeat(32)]);
    hidden.extend((0..3).map(|member| format!("member 7 {member}")));
    hidden.extend(["小宝", "13900139000", "13800138000", "127.0.0.1"].map(str::to_owned));
    hidden
}

#[track_caller]
fn nothing_of(world: &World, what: &str, text: &str) {
    for hidden in hidden(world) {
        let found = text.lines().find(|line| line.contains(&hidden));
        assert!(found.is_none(), "{what} shows {hidden}: {}", found.unwrap_or_default());
    }
    // Ids of people, as ids: their digits alone stand everywhere.
    for phone in &world.people {
        for form in
            ["\"user\":\"ID\"", "\"user\": \"ID\"", "user-ID\"", "user:ID\"", "\"from\":\"ID\"", "\"by\":\"ID\""]
        {
            let id = form.replace("ID", &phone.user.to_string());
            assert!(!text.contains(&id), "{what} shows {id}");
        }
    }
}

/// The files of a folder, as text.
fn files(dir: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        all +=
            &if path.is_dir() { files(&path) } else { String::from_utf8_lossy(&fs::read(path).expect("read")).into() };
    }
    all
}

#[test]
fn nothing_personal_is_in_a_pseudonymous_export_of_any_form() {
    let world = world();
    let (dir, server) = (world.server.dir(), &world.server);
    becomes("all was taken up", || count(server, "MessageSent") >= 6 && count(server, "WatchLocated") > 0);
    let full = output(dir, &["replay", "--profile", "full"]);
    for said in ["安娜独一", "13800138111", "我在房间里说过的话", "短信里的话", "圈子里说的话", "30.2879134"]
    {
        assert!(full.contains(said), "it is there with the profile full: {said}");
    }
    let out = tempfile::tempdir().expect("a directory");
    for format in ["ndjson", "csv"] {
        nothing_of(&world, format, &output(dir, &["replay", "--format", format]).replace("\"\"", "\""));
        for table in ["shops", "users", "campaigns"] {
            let told = output(dir, &["export", table, "--format", format]);
            nothing_of(&world, &format!("{table} as {format}"), &told);
        }
        let parts = out.path().join(format);
        let args = ["replay", "--partition", "type,date", "--format", format, "--out", text(&parts)];
        run(dir, &args).ended(0);
        nothing_of(&world, &format!("partitions as {format}"), &files(&parts));
    }
    let columns = out.path().join("columns");
    fs::create_dir(&columns).expect("made");
    for table in ["shops", "users", "campaigns"] {
        let file = columns.join(format!("{table}.parquet"));
        run(dir, &["export", table, "--format", "parquet", "--out", text(&file)]).ended(0);
    }
    run(dir, &["replay", "--format", "parquet", "--out", text(&columns.join("all.parquet"))]).ended(0);
    let parts = columns.join("parts");
    run(dir, &["replay", "--partition", "type,date", "--format", "parquet", "--out", text(&parts)]).ended(0);
    let dumped = python("parquet_dump.py", &["rows", text(&columns)]);
    assert!(dumped.contains("fix_lat") && dumped.lines().count() > 200, "{} lines", dumped.lines().count());
    nothing_of(&world, "parquet", &dumped);
    // What a file keeps beside its rows: least and greatest values, and whom files are about.
    nothing_of(&world, "the bytes of parquet", &files(&columns));
    over_http(&world);
}

fn over_http(world: &World) {
    let server = &world.server;
    let ask = |path: &str| server.admin().request(Method::GET, path).bearer_auth(server.token("analyst-token"));
    for path in ["/events", "/events?format=csv", "/events?by=occurred", "/events?raw=true"] {
        nothing_of(world, path, &Answer::to(ask(path)).text.replace("\"\"", "\""));
    }
    let sent = Answer::to(ask("/events?follow=0").header("accept", "text/event-stream"));
    assert!(sent.text.starts_with("id: 1\ndata: "), "{}", sent.text.get(..200).unwrap_or_default());
    nothing_of(world, "server-sent events", &sent.text);
    let schema: Value = Answer::to(ask("/events/schema")).ok();
    let types = schema.as_array().expect("a list");
    let exemplified = types.iter().all(|one| one["example"].is_object() && !one["versions"].is_null());
    assert!(types.len() > 70 && exemplified, "{} types", types.len());
}
