//! A backup that is made while many write, and what a server on its restored directory answers.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use dface_tests::{
    Answer, Phone, Server,
    client::with_query,
    dface,
    pictures::{of_seed, shown, to_album},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{HERE, SMALL, back_up, becomes, is_whole, restored, run, setup, signed_in, text};

/// Those who are asked for.
const NAMES: [&str; 5] = ["anna", "ben", "cleo", "dora", "emil"];

/// Who writes meanwhile: so many people, on so many devices each.
const WRITERS: (usize, usize) = (16, 4);

struct World {
    server: Server,
    phones: Vec<Phone>,
    shops: Vec<u64>,
    photo: String,
}

fn world() -> World {
    let mut server = setup().start();
    let phones: Vec<Phone> = NAMES.iter().map(|name| server.person(name, 1)).collect();
    let shops = (0..4).map(|n| server.operator().add_shop(&format!("茶室{n}"), (HERE.0, HERE.1 + f64::from(n) * 1e-4)));
    let shops = shops.collect();
    for (phone, other) in phones.iter().zip(phones.iter().skip(1)) {
        phone.post("/follows/create", &[("user_id", &phone.user), ("follow_id", &other.user)]).ok();
    }
    let photo = to_album(&phones[0], of_seed(1));
    assert_eq!(shown(&phones[0], "/user_logos/show", &photo, 0).status, 302);
    World { server, phones, shops, photo }
}

/// By whom, where, and with which parameters.
type Asked = (usize, String, Vec<(&'static str, String)>);

/// What is asked, of whom: a thousand requests.
fn requests(world: &World) -> Vec<Asked> {
    let mut all = Vec::new();
    for caller in 0..world.phones.len() {
        for page in 1..=20 {
            let paged = || vec![("page", page.to_string()), ("pcount", "7".to_owned())];
            all.extend(["/checkins", "/follow_info/friends", "/follow_info/followers", "/blacklists"].map(|path| {
                let user = world.phones[caller].user.to_string();
                (caller, path.to_owned(), [paged(), vec![("id", user.clone()), ("user_id", user)]].concat())
            }));
            let trace = [paged(), vec![("user_id", world.phones[caller].user.to_string())]].concat();
            all.push((caller, "/user_info/trace".to_owned(), trace));
            for of in &world.phones {
                all.push((
                    caller,
                    "/user_info/get".to_owned(),
                    vec![("id", of.user.to_string()), ("page", page.to_string())],
                ));
            }
        }
    }
    all.truncate(1_000);
    assert_eq!(all.len(), 1_000);
    all
}

fn answers(phones: &[Phone], requests: &[Asked]) -> Vec<(u16, String)> {
    let asked = requests.iter().map(|(caller, path, given)| {
        let given: Vec<(&str, &dyn std::fmt::Display)> =
            given.iter().map(|(name, value)| (*name, value as _)).collect();
        let answer = Answer::to(with_query(phones[*caller].request(Method::GET, path), &given));
        let mut body = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
        timeless(&mut body);
        (answer.status, body.to_string())
    });
    asked.collect()
}

/// Leaves out what is another at another time: how long ago somebody was somewhere, and how URLs of objects are signed.
fn timeless(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(last)) = fields.get_mut("last") {
                *last = last.split_once(' ').map_or_else(String::new, |(_, place)| place.to_owned());
            }
            fields.values_mut().for_each(timeless);
        }
        Value::Array(values) => values.iter_mut().for_each(timeless),
        Value::String(text) => *text = text.split('?').next().unwrap_or_default().to_owned(),
        _ => {}
    }
}

/// What a directory's log says, up to an event.
fn told(data: &Path, to: u64, place: &Path) -> String {
    let out = place.join(format!("{}.ndjson", data.file_name().expect("a name").to_string_lossy()));
    let args = ["replay", "--raw", "--profile", "full", "--to", &to.to_string(), "--out", text(&out)];
    dface(data, &SMALL, &args).ended(0);
    fs::read_to_string(&out).expect("what was told")
}

/// Writes as fast as it is answered until `stop`, and counts.
fn write_on(phone: &Phone, shops: &[u64], stop: &AtomicBool, written: &AtomicU64) {
    let mut nth = 0;
    while !stop.load(Ordering::SeqCst) {
        nth += 1;
        let shop = shops[nth % shops.len()];
        let signature = format!("{nth} {}", "签名".repeat(100));
        Answer::to(phone.checking_in(shop, HERE)).ok();
        phone.post("/user_info/set", &[("signature", &signature)]).ok();
        written.fetch_add(1, Ordering::SeqCst);
    }
}

/// Has 64 write until a backup is made at `to`.
fn under_load(world: &mut World, to: &Path) -> Value {
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    let writers: Vec<Phone> = (0..WRITERS.0).map(|nth| world.server.person(&format!("writer {nth}"), 2)).collect();
    thread::scope(|scope| {
        for phone in writers.iter().flat_map(|phone| std::iter::repeat_n(phone, WRITERS.1)) {
            scope.spawn(|| write_on(phone, &world.shops, &stop, &written));
        }
        becomes("there is a full segment", || {
            world.server.operator().get("/admin/status").ok()["segments"].as_u64() > Some(2)
        });
        let before = written.load(Ordering::SeqCst);
        let made = back_up(world.server.dir(), to);
        becomes("they went on writing", || written.load(Ordering::SeqCst) > before + 64);
        stop.store(true, Ordering::SeqCst);
        made
    })
}

#[test]
fn a_backup_under_load_is_restored_whole_event_by_event() {
    let mut world = world();
    let place = tempfile::tempdir().expect("a directory");
    let (backup, data) = (place.path().join("backup"), place.path().join("restored"));
    let made = under_load(&mut world, &backup);
    let position = made["position"].as_u64().expect("a position");
    let restored = restored(&world.server, &backup, &data, &[]);
    assert_eq!(restored["position"], position, "{restored}");
    is_whole(&data);
    let (then, now) = (told(world.server.dir(), position, place.path()), told(&data, position, place.path()));
    assert_eq!(then.lines().count() as u64, position, "every event is told");
    let differing = then.lines().zip(now.lines()).find(|(then, now)| then != now);
    assert!(differing.is_none() && then.len() == now.len(), "{differing:?}");
    world.server.alive();
}

#[test]
fn what_was_backed_up_under_load_and_since_answers_a_thousand_requests_as_the_server_did() {
    let mut world = world();
    let place = tempfile::tempdir().expect("a directory");
    let (first, second, data) =
        (place.path().join("first"), place.path().join("second.tar"), place.path().join("restored"));
    let named = json!({ "name": "grafana", "scopes": ["metrics"], "until": "2999-01-01T00:00:00Z" });
    let token =
        world.server.operator().post("/admin/tokens", &named).ok()["token"].as_str().expect("a token").to_owned();
    let made = under_load(&mut world, &first);
    for phone in &world.phones {
        phone.check_in(world.shops[0], HERE);
    }
    let since = run(world.server.dir(), &["backup", text(&second), "--since", text(&first)]);
    assert!(since["position"].as_u64() > made["position"].as_u64(), "{made} {since}");
    assert!(since["new_bytes"].as_u64() < since["bytes"].as_u64(), "what is full is not there twice: {since}");
    assert!(since["new_files"].as_u64() < since["files"].as_u64(), "{since}");

    let asked = requests(&world);
    let expected = answers(&world.phones, &asked);
    assert!(expected.iter().filter(|(status, _)| *status == 200).count() > 900, "{:?}", expected.first());
    let told = restored(&world.server, &second, &data, &[]);
    assert_eq!((&told["position"], &told["held"]), (&since["position"], &json!(true)), "{told}");
    let sessions = (NAMES.len() + WRITERS.0) as u64;
    assert!(told["sessions_ended"].as_u64() >= Some(sessions) && told["objects"].as_u64() >= Some(3), "{told}");

    let mut other = setup().on(&data).start();
    let old: Vec<u16> =
        world.phones.iter().map(|phone| phone.at(other.public()).get("/checkins", &[]).status).collect();
    assert_eq!(old, [401; 5], "their sessions are over");
    let phones: Vec<Phone> = NAMES.iter().map(|name| signed_in(&mut other, name)).collect();
    for ((request, now), then) in asked.iter().zip(answers(&phones, &asked)).zip(&expected) {
        assert_eq!(&now, then, "{request:?}");
    }
    assert_eq!(shown(&phones[0], "/user_logos/show", &world.photo, 0).status, 302);
    other.operator().compare_all();
    let scraped = other.admin().request(Method::GET, "/admin/status").bearer_auth(&token);
    Answer::to(scraped).refused(401, "token_required");
    assert_eq!(other.operator().get("/admin/tokens").ok(), json!([]), "named tokens are over, too");
    old_cursors_are_refused(&world.server, &other);
    is_whole(&data);
    world.server.alive();
}

/// Positions of the log that the backup is of mean nothing in the restored one.
#[track_caller]
fn old_cursors_are_refused(server: &Server, other: &Server) {
    let first = |server: &Server, query: &str| server.operator().get(&format!("/events?to=3{query}"));
    let (was, is) = (first(server, ""), first(other, ""));
    let (was, is) = (was.header("x-log").to_owned(), is.header("x-log").to_owned());
    assert!(was.len() == 32 && was != is, "{was} {is}");
    first(other, &format!("&log={was}")).refused(409, "other_log");
    assert_eq!(first(other, &format!("&log={is}")).status, 200);
    let beyond = other.admin().request(Method::GET, "/events").bearer_auth(other.token("analyst-token"));
    Answer::to(beyond.header("last-event-id", "999999999")).refused(409, "other_log");
}
