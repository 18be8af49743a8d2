//! A restored server sends nothing until it is released; what was due before is dropped then, and who left has left.

use dface_tests::{
    Answer, Phone, Server, Setup,
    apns::Apple,
    dface,
    phone::sign_in,
    pictures::{of_seed, upload},
    server::password_of,
    weibo::{APP, StandIn},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{HERE, Keys, back_up, becomes, restored, run, setup, signed_in, text};

const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct World {
    apple: Apple,
    weibo: StandIn,
}

impl World {
    fn setup(&self) -> Setup {
        let setup = self.apple.used(setup()).set("JOBS__FIRST_PAUSE_S", 1);
        setup.set("WEIBO__BASE_URL", self.weibo.base_url()).set("WEIBO__APP_KEY", APP.0).set("WEIBO__APP_SECRET", APP.1)
    }

    fn sent(&self) -> (usize, usize) {
        (self.apple.production.asked() + self.apple.sandbox.asked(), self.weibo.tries())
    }
}

/// Says something to somebody who is not there.
#[track_caller]
fn say(server: &Server, from: u64, to: u64, id: &str) {
    let body = format!(
        "<message from='{from}@dface.cn/web' to='{to}@dface.cn' id='{id}-00000000' type='chat'><body>{id}</body></message>"
    );
    let request = server.chat_api().request(Method::POST, "/rest").bearer_auth(server.token("internal-token"));
    Answer::to(request.body(body)).ok();
}

fn count(server: &Server, event: &str) -> usize {
    let events = server.operator().get(&format!("/events?type={event}"));
    assert_eq!(events.status, 200, "{events}");
    events.text.lines().filter(|line| !line.is_empty()).count()
}

/// How many jobs wait.
fn jobs(server: &Server) -> usize {
    server.operator().get("/admin/jobs").ok().as_array().map_or(0, Vec::len)
}

/// Somebody who signs in with Weibo.
#[track_caller]
fn with_weibo(server: &mut Server, weibo: &StandIn) -> Phone {
    let code = weibo.code(4_711, "西湖小王", "m");
    let answer = Answer::to(server.request(Method::GET, "/oauth2/sina_callback").query(&[("code", &code)]));
    let phone = Phone::new(server.public(), &answer);
    [&phone.cookie, &phone.chat_password].into_iter().for_each(|text| server.secret(text));
    phone
}

#[test]
fn nothing_goes_out_until_the_release_and_what_was_due_before_never() {
    let world = World { apple: Apple::start(), weibo: StandIn::start() };
    let mut server = world.setup().start();
    server.secret(TOKEN);
    let (anna, ben) = (server.person("anna", 1), server.person("ben", 1));
    let wei = with_weibo(&mut server, &world.weibo);
    ben.post("/push_tokens", &[("token", &TOKEN), ("environment", &2)]).ok();
    let shop = server.operator().add_shop("茶室", HERE);
    for kind in ["push", "weibo", "picture"] {
        server.operator().post(&format!("/admin/pause/{kind}"), &json!({})).ok();
    }
    for nth in 0..3 {
        say(&server, anna.user, ben.user, &format!("due-{nth}"));
    }
    wei.post("/oauth2/share", &[("ver", &"1")]).ok();
    let fields = [("photo[room]", &*shop.to_string()), ("photo[weibo]", "1"), ("photo[desc]", "窗外")];
    upload(&wei, "/photos", "photo[img]", of_seed(3), &fields).ok();
    becomes("five jobs wait", || jobs(&server) == 5);
    let place = tempfile::tempdir().expect("a directory");
    let (backup, data) = (place.path().join("backup"), place.path().join("data"));
    back_up(server.dir(), &backup);
    restored(&server, &backup, &data, &[]);
    server.stop();
    assert_eq!(world.sent(), (0, 0), "they were paused");

    let mut other = world.setup().on(&data).start();
    other.secret(TOKEN);
    let status = |server: &Server| server.operator().get("/admin/status").ok()["restored"].clone();
    assert_eq!(status(&other)["held"], true, "{}", status(&other));
    becomes("the log says it", || other.log().text().contains("POST /admin/release"));
    let cleo = other.person("cleo", 1);
    say(&other, cleo.user, ben.user, "while-held");
    becomes("it was missed", || count(&other, "MessageMissed") == 4);
    let copied =
        dface(&data, &[], &["copy", "--from", &format!("embedded:{}", text(&data)), "--to", "esdb://127.0.0.1:9"]);
    assert_eq!(copied.code, Some(2), "{copied:?}");
    assert_eq!(world.sent(), (0, 0), "nothing goes out");
    let released = other.operator().post("/admin/release", &json!({})).ok();
    assert_eq!(released, json!({"was_held": true, "dropped": 4}), "three pushes and a post");
    becomes("what was said since goes out", || world.apple.sandbox.accepted() + world.apple.production.accepted() == 1);
    becomes("the picture is processed, and not posted", || {
        count(&other, "PhotoProcessed") == 1 && count(&other, "WeiboPostEnded") == 2 && jobs(&other) == 0
    });
    assert_eq!(world.sent(), (1, 0), "what was due before is dropped");
    assert_eq!(other.operator().post("/admin/release", &json!({})).ok()["was_held"], false);
    assert_eq!(status(&other)["held"], false);
    other.stop();
    other.start_again();
    assert_eq!(status(&other)["held"], false, "once is for good");
    other.operator().compare_all();
    assert_eq!(world.sent(), (1, 0));
}

#[test]
fn to_an_earlier_position_nothing_of_later_is_known_but_who_left_and_no_coupon_is_given_again() {
    let world = World { apple: Apple::start(), weibo: StandIn::start() };
    let mut server = world.setup().start();
    let (anna, cleo) = (server.person("anna", 1), server.person("cleo", 2));
    let shop = server.operator().add_shop("茶室", HERE);
    let campaign = json!({
        "shop_id": shop, "name": "半价", "text": "一张", "trigger": "checkin",
        "from": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z",
    });
    server.operator().post("/admin/campaigns", &campaign).ok();
    let place = tempfile::tempdir().expect("a directory");
    let keys = Keys::of(&server, &place.path().join("keys.age"));
    let to = Answer::to(anna.checking_in(shop, HERE)).position();
    becomes("she has a coupon", || count(&server, "CouponDelivered") == 1);
    cleo.post("/user_info/delete", &[("pass", &password_of("cleo"))]).ok();
    becomes("she is gone", || count(&server, "PersonErased") == 1);
    let dora = server.person("dora", 2);
    let (backup, data) = (place.path().join("backup.tar"), place.path().join("data"));
    let made = back_up(server.dir(), &backup);
    let beyond = (made["position"].as_u64().expect("a position") + 1).to_string();
    dface(&data, &[], &["restore", text(&backup), "--to", &beyond]).ended(2).says(&["--to"]);
    let told = run(&data, &["restore", text(&backup), "--to", &to.to_string()]);
    assert_eq!((&told["position"], &told["gone"]), (&json!(to), &json!(1)), "{told}");
    let back = keys.restore(&data);
    assert_eq!(back["destroyed"], 1, "her key was in the file, and is not brought back: {back}");

    let mut other = world.setup().on(&data).start();
    let users = dface(&data, &[], &["user", "list"]).ended(0).stdout;
    assert!(users.contains("anna") && !users.contains("cleo") && !users.contains("dora"), "{users}");
    let refused = sign_in(other.public(), "cleo", &password_of("cleo"));
    assert_eq!(refused.status, 401, "{refused}");
    let events = other.operator().get("/events?profile=full&type=UserRegistered").text;
    let of_cleo = events.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let id = json!(cleo.user.to_string());
    let of_cleo: Vec<Value> = of_cleo.filter(|event| event["data"]["user"] == id).collect();
    assert!(of_cleo.len() == 1 && of_cleo[0]["data"]["name"].is_null(), "{of_cleo:?}");
    assert_eq!(dora.at(other.public()).get("/checkins", &[]).status, 401);
    other.operator().post("/admin/release", &json!({})).ok();
    let ben = other.person("ben", 1);
    ben.check_in(shop, HERE);
    becomes("whoever comes now gets one", || count(&other, "CouponDelivered") == 1);
    let anna = signed_in(&mut other, "anna");
    assert_eq!(anna.get("/coupons", &[]).ok().as_array().map(Vec::len), Some(0), "hers is not given again");
    other.operator().compare_all();
}
