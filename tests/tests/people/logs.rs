//! Nothing in the log, at any level, is a password, hash, cookie, token, code, position, name, text, phone number or the
//! query of a sign-in. The level here is `trace`: everything.

use std::collections::BTreeSet;

use dface_tests::{
    Answer, Certificate, Phone, Server, Setup,
    client::pairs,
    dface,
    phone::{cookie_of, sign_in_hash},
    raw,
    weibo::{APP, Mood, StandIn},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    Method,
    blocking::{RequestBuilder, multipart::Form},
};
use serde_json::{Value, json};

use super::HERE;

const NAME: &str = "Zacharias Quux";
const PASSWORD: &str = "the first pass/word";
const NEW_PASSWORD: &str = "the second pass+word";
const MAC: &str = "9e107d9d372bb682";
const PLACE: (f64, f64) = (30.287_913_25, 120.126_457_75);
const PUSH_TOKEN: &str = "ea6e4f05b48f4a057816956e567c6feacf14ee28cbbbab67993e263c3dfa2c27";
const SHOWN: &str = "安娜独一";
const SIGNATURE: &str = "我的签名就是这个";
const PHONE: &str = "13800138765";
const BSSID: &str = "00:1d:7e:aa:bb:cc";
const SEARCHED: &str = "寻找的人";

/// A text in the forms in which a log might have it.
fn forms(text: &str) -> Vec<String> {
    let bytes = text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let debugged = text.as_bytes().escape_ascii().to_string();
    // Standing in JSON, a backslash is two.
    let twice = debugged.replace('\\', "\\\\");
    vec![text.to_owned(), encoded.replace("%20", "+"), encoded, hex::encode(text), bytes, escaped, debugged, twice]
}

struct World {
    weibo: StandIn,
    server: Server,
    shop: u64,
    secrets: Vec<String>,
}

impl World {
    fn keep(&mut self, secret: impl Into<String>) {
        self.secrets.push(secret.into());
    }

    /// Sends it; what it answers of secrets is kept.
    fn signs_in(&mut self, request: RequestBuilder) -> Phone {
        let answer = Answer::to(request);
        let phone = Phone::new(self.server.public(), &answer);
        let account = answer.ok();
        self.keep(cookie_of(&answer));
        for name in ["password", "token"] {
            let secret = account[name].as_str().unwrap_or_default();
            if !secret.is_empty() {
                self.keep(secret);
            }
        }
        phone
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.server.request(method, path)
    }
}

fn world(tls: Option<&Certificate>) -> World {
    let weibo = StandIn::start();
    let setup = tls.map_or_else(Setup::default, |made| {
        Setup::default().set("TLS__CERT", &made.cert).set("TLS__KEY", &made.key).tls(made.pem.clone())
    });
    let server = setup
        .set("LOG__LEVEL", "trace")
        .set("WEIBO__BASE_URL", weibo.base_url())
        .set("WEIBO__APP_KEY", APP.0)
        .set("WEIBO__APP_SECRET", APP.1)
        .start();
    let shop = server.operator().add_shop("cafe", HERE);
    let own = [NAME, PASSWORD, NEW_PASSWORD, MAC, PUSH_TOKEN, SHOWN, SIGNATURE, PHONE, BSSID, SEARCHED, APP.1];
    let mut secrets: Vec<String> = own.map(str::to_owned).into();
    secrets.extend([sign_in_hash(NAME, PASSWORD, MAC), PLACE.0.to_string(), PLACE.1.to_string()]);
    secrets.extend(["admin-token", "analyst-token", "internal-token"].map(|name| server.token(name)));
    World { weibo, server, shop, secrets }
}

/// Signing in in every form, and what is refused.
fn sign_in_in_all_forms(world: &mut World) -> Vec<Phone> {
    let hash = sign_in_hash(NAME, PASSWORD, MAC);
    let given = pairs(&[("name", &NAME), ("pass", &PASSWORD), ("mac", &MAC), ("hash", &hash)]);
    let object: serde_json::Map<_, _> = given.iter().cloned().map(|(key, value)| (key, json!(value))).collect();
    let parts = given.iter().fold(Form::new(), |form, (key, value)| form.text(key.clone(), value.clone()));
    let login = |method: Method| world.ask(method, "/oauth2/login");
    let requests = [
        login(Method::GET).query(&given),
        login(Method::POST).form(&given),
        login(Method::POST).json(&object),
        login(Method::POST).multipart(parts),
    ];
    let half = format!("{{\"name\": \"{NAME}\", \"pass\": \"{PASSWORD}\"");
    let json = ("content-type", "application/json");
    for refused in [
        login(Method::POST).header(json.0, json.1).body(half),
        login(Method::GET).query(&given[..3]),
        login(Method::GET).query(&[&given[..3], &[("hash".to_owned(), PASSWORD.to_owned())]].concat()),
        login(Method::DELETE).query(&given),
        world.ask(Method::GET, &format!("/oauth2/login/{MAC}?pass={MAC}")),
        login(Method::POST).form(&pairs(&[
            ("name", &SHOWN),
            ("pass", &SIGNATURE),
            ("mac", &MAC),
            ("hash", &sign_in_hash(SHOWN, SIGNATURE, MAC)),
        ])),
    ] {
        assert!(Answer::to(refused).status >= 400);
    }
    requests.map(|request| world.signs_in(request)).into()
}

/// Signing in with Weibo, well and badly, and sharing.
fn sign_in_by_weibo(world: &mut World) {
    let callback = |world: &World, code: &str| world.ask(Method::GET, "/oauth2/sina_callback").query(&[("code", code)]);
    let code = world.weibo.code(1_884_834_632, SHOWN, "f");
    world.keep(code.clone());
    let phone = world.signs_in(callback(world, &code));
    Answer::to(callback(world, &code)).refused(401, "sign_in_failed");
    for mood in [Mood::Down, Mood::Half, Mood::Garbage, Mood::Silent] {
        world.weibo.mood(mood);
        let code = world.weibo.code(7, SHOWN, "m");
        Answer::to(callback(world, &code)).refused(503, "weibo_unavailable");
        world.keep(code);
    }
    world.weibo.mood(Mood::Well);
    phone.get("/oauth2/share", &[("ver", &"1.0")]).ok();
}

/// What a phone sends that is nobody else's business.
fn use_everything(world: &World, phone: &Phone) {
    let (lat, lng, shop, user) = (PLACE.0, PLACE.1, world.shop, phone.user);
    let form = pairs(&[
        ("lat", &lat),
        ("lng", &lng),
        ("accuracy", &30),
        ("shop_id", &shop),
        ("user_id", &user),
        ("od", &1),
        ("bssid", &BSSID),
    ]);
    for _ in 0..2 {
        Answer::to(phone.request(Method::POST, "/checkins").header("idempotency-key", "k").form(&form)).ok();
    }
    phone.post("/checkins", &[("lat", &lat), ("lng", &lng), ("accuracy", &PHONE)]).refused(400, "missing_parameter");
    phone.post("/checkins", &[("user_id", &user), ("lat", &lat), ("lng", &PHONE)]).refused(400, "bad_parameter");
    for path in ["/aroundme/shops", "/shop/nearby"] {
        phone
            .get(path, &[("lat", &lat), ("lng", &lng), ("accuracy", &30), ("name", &SEARCHED), ("bssid", &BSSID)])
            .ok();
    }
    let profile: &[(&str, &str)] = &[("name", SHOWN), ("signature", SIGNATURE), ("phone", PHONE)];
    let set = || phone.request(Method::POST, "/user_info/set").header("idempotency-key", "once");
    Answer::to(set().form(profile)).ok();
    Answer::to(set().form(&profile[1..])).refused(409, "idempotency_key_reused");
    Answer::to(phone.request(Method::POST, "/user_info/set").query(profile)).ok();
    phone.get("/user_info/get_self", &[]).ok();
    phone.get("/follow_info/followers", &[("id", &user), ("name", &SEARCHED)]).ok();
    phone.post("/user_info/export", &[]).ok();
}

/// What operators and analysts send.
fn operate(world: &World, tls: Option<&Certificate>) {
    let operator = world.server.operator();
    operator.get(&format!("/admin/users?name={SHOWN}")).ok();
    operator.post("/admin/users", &json!({ "name": SHOWN, "password": PASSWORD })).ok();
    operator.post("/admin/users", &json!({ "name": SHOWN, "password": PASSWORD })).refused(409, "name_taken");
    let wrong = operator.door().request(Method::GET, "/admin/users").bearer_auth(PUSH_TOKEN);
    Answer::to(wrong).refused(401, "token_required");
    let analyst = world.server.token("analyst-token");
    for profile in ["pseudonymous", "full"] {
        let events = operator.door().request(Method::GET, &format!("/events?profile={profile}"));
        let _ = Answer::to(events.bearer_auth(&analyst));
    }
    let table = tempfile::Builder::new().suffix(".tsv").tempfile().expect("a file");
    let row = format!("{MAC}\t1\t{}\t{}\t2012-01-01T00:00:00Z", PLACE.0, PLACE.1);
    std::fs::write(table.path(), format!("user_id\tvenue_id\tlat\tlng\tutc_time\n{row}\n")).expect("written");
    let file = table.path().to_str().expect("a path");
    let args = ["import", "checkins", file, "--source", "s", "--create-users"];
    match tls {
        Some(made) => {
            dface(world.server.dir(), &[("DFACE_TLS__CERT", &made.cert), ("DFACE_TLS__KEY", &made.key)], &args)
        }
        None => dface(world.server.dir(), &[], &args),
    }
    .ended(0);
}

/// What is no HTTP, or not quite.
fn break_the_wire(world: &World) {
    for bytes in [
        format!("GET /oauth2/login?name={MAC}&pass={MAC} HTTP/9.9\r\n\r\n"),
        format!("GET /oauth2/login?pass={MAC} HTTP/1.1\r\nhost: x\r\ncookie _session_id={PUSH_TOKEN}\r\n\r\n"),
        format!("POST /oauth2/login HTTP/1.1\r\nhost: x\r\ncontent-length: 999\r\n\r\nname={MAC}&pass={MAC}"),
        format!("{PUSH_TOKEN}\r\n\r\n"),
    ] {
        let _ = raw::exchange(world.server.public().address(), bytes.as_bytes());
    }
}

/// The lines of the log that are not ours and tell more than `info`.
fn foreign_details(log: &str) -> Vec<String> {
    let told = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let detail = |line: &Value| {
        let (level, target) = (line["level"].as_str().unwrap_or_default(), line["target"].as_str().unwrap_or_default());
        ["DEBUG", "TRACE"].contains(&level) && !target.starts_with("dface")
    };
    let foreign = told.filter(detail).map(|line| line["target"].to_string());
    foreign.collect::<BTreeSet<_>>().into_iter().collect()
}

#[test]
fn no_secret_is_in_the_log_at_any_level() {
    nothing_leaks(None);
}

#[test]
fn no_secret_is_in_the_log_at_any_level_with_tls() {
    nothing_leaks(Some(&Certificate::new()));
}

fn nothing_leaks(tls: Option<&Certificate>) {
    let mut world = world(tls);
    let operator = world.server.operator();
    operator.add_user(NAME, PASSWORD, 2);
    let phones = sign_in_in_all_forms(&mut world);
    sign_in_by_weibo(&mut world);
    for phone in &phones {
        use_everything(&world, phone);
    }
    operate(&world, tls);
    break_the_wire(&world);
    let user = phones[0].user;
    phones[0].post("/user_info/password", &[("old", &PASSWORD), ("new", &NEW_PASSWORD)]).ok();
    operator.post(&format!("/admin/users/{user}/reset-password"), &json!({ "password": PASSWORD })).ok();
    let hash = sign_in_hash(NAME, PASSWORD, MAC);
    let given = pairs(&[("name", &NAME), ("pass", &PASSWORD), ("mac", &MAC), ("hash", &hash)]);
    for (path, name, value) in [("/oauth2/logout", "pushtoken", PUSH_TOKEN), ("/user_info/delete", "pass", PASSWORD)] {
        let phone = world.signs_in(world.ask(Method::GET, "/oauth2/login").query(&given));
        phone.post(path, &[(name, &value)]).ok();
    }
    world.server.stop();

    let log = world.server.log().text();
    assert!(
        log.contains("\"level\":\"DEBUG\"") && log.contains("/oauth2/sina_callback"),
        "the details are there: {log}"
    );
    let lines_with = |secret: &str| {
        let forms = forms(secret);
        log.lines().filter(|line| forms.iter().any(|form| line.contains(form.as_str()))).collect::<Vec<_>>()
    };
    assert!(!lines_with("/oauth2/login").is_empty(), "the search finds what is there");
    let mut found = Vec::new();
    for secret in world.secrets.iter().chain(["pass=".to_owned(), "mac=".to_owned()].iter()) {
        found.extend(lines_with(secret).into_iter().map(|line| format!("{secret}: {line}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(foreign_details(&log), Vec::<String>::new(), "only our own code says more than `info`");
}
