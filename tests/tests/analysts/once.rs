//! Reading the log, and making read models anew, does nothing in the world: no push, no post, no coupon and no job a second time.

use dface_tests::{
    Answer, Phone, Server, Setup,
    apns::Apple,
    pictures::{of_seed, to_album},
    weibo::{APP, StandIn},
};
use reqwest::Method;
use serde_json::json;

use super::{HERE, becomes, count, run, settle, text};

/// What ends or begins something in the world.
const ENDS: [&str; 8] = [
    "CouponGranted",
    "CouponDelivered",
    "MessageSent",
    "MessageMissed",
    "PushEnded",
    "WeiboPostEnded",
    "PhotoProcessed",
    "CampaignDrawn",
];

/// How often each was done: at Apple, at Weibo, in the log.
fn done(server: &Server, apple: &Apple, weibo: &StandIn) -> Vec<usize> {
    let asked = [apple.production.asked(), apple.sandbox.asked(), weibo.tries()];
    asked.into_iter().chain(ENDS.map(|event| count(server, event))).collect()
}

/// Whether nothing is under way: no job, and every process has seen every event but those of nodes.
fn is_quiet(server: &Server) -> bool {
    let operator = server.operator();
    let status = operator.get("/admin/status").ok();
    let processes = status["processes"].as_array().expect("a list");
    operator.get("/admin/jobs").ok() == json!([])
        && status["lag"] == 0
        && processes.iter().all(|one| one["lag"] == 0 && one["trouble"].is_null())
}

fn made(server: &mut Server, weibo: &StandIn, apple: &Apple) -> Phone {
    let shop = server.operator().add_shop("cafe", HERE);
    let offer = |trigger: &str| {
        json!({
            "shop_id": shop, "name": trigger, "text": "any", "trigger": trigger,
            "from": "2020-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z", "quota": 5,
        })
    };
    for trigger in ["checkin", "shake"] {
        server.operator().post("/admin/campaigns", &offer(trigger)).ok();
    }
    let code = weibo.code(7, "wei", "m");
    let signed = server.request(Method::GET, "/oauth2/sina_callback").query(&[("code", code)]);
    let wei = Phone::new(server.public(), &Answer::to(signed));
    let anna = server.person("anna", 2);
    anna.post("/push_tokens", &[("token", &"ab".repeat(32)), ("environment", &2)]).ok();
    settle(&anna);
    anna.check_in(shop, HERE);
    to_album(&anna, of_seed(7));
    wei.get("/oauth2/share", &[("ver", &"1.0")]).ok();
    let (token, uid) = (server.token("internal-token"), anna.user.to_string());
    let shake = [("roomid", shop.to_string()), ("uid", uid.clone()), ("message", "[摇一摇:anna]".to_owned())];
    Answer::to(server.chat_api().request(Method::POST, "/api/room").bearer_auth(&token).form(&shake)).ok();
    let said = format!(
        "<message from='{}@dface.cn/web' to='{uid}@dface.cn' id='missed-1' type='chat'><body>hello</body></message>",
        wei.user
    );
    Answer::to(server.chat_api().request(Method::POST, "/rest").bearer_auth(&token).body(said)).ok();
    becomes("two coupons", || count(server, "CouponDelivered") == 2);
    becomes("a push", || apple.production.asked() > 0);
    becomes("a post", || count(server, "WeiboPostEnded") == 1);
    becomes("a picture", || count(server, "PhotoProcessed") == 1);
    becomes("nothing is left", || is_quiet(server));
    anna
}

#[test]
fn replay_and_rebuild_send_nothing_again() {
    let (weibo, apple) = (StandIn::start(), Apple::start());
    let setup = Setup::default()
        .set("WEIBO__BASE_URL", weibo.base_url())
        .set("WEIBO__APP_KEY", APP.0)
        .set("WEIBO__APP_SECRET", APP.1);
    let mut server = apple.used(setup).start();
    made(&mut server, &weibo, &apple);
    let before = done(&server, &apple, &weibo);
    assert!(before.iter().enumerate().all(|(at, times)| *times > 0 || at == 1), "each was done: {before:?}");

    let out = tempfile::tempdir().expect("a directory");
    let read = |server: &Server, run_number: &str| {
        let (file, parts) = (out.path().join(run_number), out.path().join("parts"));
        let commands: [&[&str]; 6] = [
            &["replay", "--out", text(&file)],
            &["replay", "--by", "occurred", "--profile", "full", "--raw", "--out", text(&file)],
            &["replay", "--format", "parquet", "--out", text(&file)],
            &["replay", "--partition", "type,date", "--out", text(&parts)],
            &["export", "users"],
            &["rebuild", "all"],
        ];
        for command in commands {
            run(server.dir(), command).ended(0);
        }
    };
    read(&server, "running");
    becomes("nothing is left", || is_quiet(&server));
    assert_eq!(done(&server, &apple, &weibo), before, "with a running server");

    server.stop();
    read(&server, "stopped");
    // All that is derived, also how far processes and jobs are.
    for part in ["read", "index", "jobs", "processes"] {
        std::fs::remove_dir_all(server.dir().join(part)).expect("it is there");
    }
    server.start_again();
    becomes("nothing is left", || is_quiet(&server));
    assert_eq!(done(&server, &apple, &weibo), before, "after all was made anew from the log");
    server.operator().compare_all();
}
