//! Posts at Weibo (seed §3, `photo[weibo]` of §29.1), against a stand-in.

use std::time::{Duration, Instant};

use dface_tests::{
    Answer, Phone, Server, Setup,
    weibo::{APP, Mood, Post, StandIn, Trouble},
};
use image::{GenericImageView, ImageFormat};
use reqwest::Method;
use serde_json::{Value, json};

use super::{HERE, decoded, file, halves, id_of, of_seed, shown, upload};

/// What §3 posts, by default.
const SHARED: &str = "我在用脸脸，快来和我一起玩吧！";

fn with(weibo: &StandIn) -> Setup {
    Setup::default()
        .set("WEIBO__BASE_URL", weibo.base_url())
        .set("WEIBO__APP_KEY", APP.0)
        .set("WEIBO__APP_SECRET", APP.1)
        .set("JOBS__FIRST_PAUSE_S", 1)
        .set("JOBS__LONGEST_PAUSE_S", 1)
}

/// Somebody who signs in with Weibo, and the token there.
fn person(server: &mut Server, weibo: &StandIn, uid: u64) -> (Phone, String) {
    let code = weibo.code(uid, "西湖小王", "m");
    let answer = Answer::to(server.request(Method::GET, "/oauth2/sina_callback").query(&[("code", code)]));
    let token = answer.ok()["token"].as_str().expect("a string").to_owned();
    server.secret(&token);
    server.secret(SHARED);
    (Phone::new(server.public(), &answer), token)
}

fn share(phone: &Phone, ver: &str) {
    assert_eq!(phone.get("/oauth2/share", &[("ver", &ver)]).ok(), json!({ "shared": true }));
}

#[track_caller]
fn becomes(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not become so: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[track_caller]
fn posted(weibo: &StandIn, count: usize) -> Vec<Post> {
    becomes("posted", || weibo.posts().len() >= count);
    let posts = weibo.posts();
    assert_eq!(posts.len(), count, "{posts:?}");
    posts
}

fn jobs(server: &Server) -> Vec<Value> {
    server.operator().get("/admin/jobs?kind=weibo").ok().as_array().expect("a list").clone()
}

/// The ends of posts, in the order of the log, once no post is left to be made. The server is stopped.
#[track_caller]
fn ended(server: &mut Server) -> Vec<Value> {
    becomes("no post is left", || jobs(server).is_empty());
    server.operator().compare_all();
    server.stop();
    let replayed = dface_tests::dface(server.dir(), &[], &["replay", "--type", "WeiboPostEnded"]).ended(0).stdout;
    let event = |line: &str| serde_json::from_str::<Value>(line).expect("an event")["data"].clone();
    replayed.lines().map(event).collect()
}

fn to_room(phone: &Phone, shop: u64, file: Vec<u8>, desc: &str) -> Value {
    let fields =
        [("photo[room]", shop.to_string()), ("photo[weibo]", "1".to_owned()), ("photo[desc]", desc.to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    upload(phone, "/photos", "photo[img]", file, &fields).ok()
}

/// A JPEG with a block of Exif in it.
fn with_exif(jpeg: &[u8]) -> Vec<u8> {
    let block = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0 N30.28691 E120.12763";
    let length = u16::try_from(block.len() + 2).expect("short").to_be_bytes();
    let (begin, rest) = jpeg.split_at(2);
    [begin, &[0xff, 0xe1], &length, block, rest].concat()
}

#[test]
fn section_3_posts_once_for_each_version_in_the_persons_name() {
    let weibo = StandIn::start();
    let mut server = with(&weibo).start();
    let (phone, token) = person(&mut server, &weibo, 11);
    for _ in 0..3 {
        share(&phone, "1.1");
    }
    let post = Post { token, text: SHARED.to_owned(), picture: None };
    assert_eq!(posted(&weibo, 1), [post]);
    becomes("over", || jobs(&server).is_empty());
    share(&phone, "1.1");
    assert_eq!(weibo.tries(), 1);
    // A newer version is a new post; Weibo has the same text already, which is as good.
    share(&phone, "1.2");
    becomes("asked", || weibo.tries() == 2);
    let ends = ended(&mut server);
    assert_eq!(ends.len(), 2, "{ends:?}");
    assert!(ends.iter().all(|end| end["posted"] == true && end["reason"].is_null()), "{ends:?}");
    assert_eq!(weibo.posts().len(), 1);
}

#[test]
fn section_29_1_posts_the_stored_picture_with_its_text() {
    let weibo = StandIn::start();
    let mut server = with(&weibo).start();
    let (phone, token) = person(&mut server, &weibo, 12);
    let local = server.person("anna", 2);
    let shop = server.operator().add_shop("cafe", HERE);
    server.secret("窗边的座位");
    // Larger than what is stored, and it says where it was taken.
    let sent = with_exif(&halves(1200, 900, ImageFormat::Jpeg));
    let answer = to_room(&phone, shop, sent, "窗边的座位");
    assert_eq!(answer["weibo"], true, "{answer}");
    let ignored = to_room(&local, shop, of_seed(3), "anna's");
    assert_eq!(ignored["weibo"], false, "{ignored}");
    let post = posted(&weibo, 1).remove(0);
    assert_eq!((post.token, post.text.as_str()), (token, "窗边的座位"));
    let (name, media_type, bytes) = post.picture.expect("a picture");
    assert_eq!((name.as_str(), media_type.as_str()), ("picture.jpg", "image/jpeg"));
    assert!(bytes == file(&server, &phone, "/photos/show", &id_of(&answer), 0).0, "not what is shown here");
    assert_eq!(decoded(&bytes).dimensions(), (960, 720));
    assert!(memchr::memmem::find(&bytes, b"Exif").is_none(), "the place would be told");
    // Without a text of its own it has the app's; one that is too long is cut.
    assert_eq!(to_room(&phone, shop, of_seed(5), "")["weibo"], true);
    assert_eq!(posted(&weibo, 2)[1].text, SHARED);
    assert_eq!(to_room(&phone, shop, of_seed(7), &"长".repeat(150))["weibo"], true);
    assert_eq!(posted(&weibo, 3)[2].text, "长".repeat(139) + "…");
    shown(&local, "/photos/show", &id_of(&ignored), 2);
    let ends = ended(&mut server);
    assert_eq!(ends.len(), 3, "{ends:?}");
    assert!(ends.iter().all(|end| end["posted"] == true), "{ends:?}");
    assert_eq!(weibo.tries(), 3);
}

#[test]
fn weibo_away_is_asked_again_until_it_is_back() {
    let weibo = StandIn::start();
    let mut server = with(&weibo).set("WEIBO__TIMEOUT_S", 1).start();
    let (phone, token) = person(&mut server, &weibo, 13);
    weibo.troubles(&[Trouble::Busy, Trouble::Slow(3), Trouble::Refused(10_023)]);
    share(&phone, "1.0");
    let post = Post { token, text: SHARED.to_owned(), picture: None };
    assert_eq!(posted(&weibo, 1), [post]);
    let ends = ended(&mut server);
    assert_eq!((ends.len(), &ends[0]["posted"]), (1, &json!(true)), "{ends:?}");
    assert_eq!(weibo.tries(), 4);
}

#[test]
fn a_lost_answer_is_no_second_post() {
    let weibo = StandIn::start();
    let mut server = with(&weibo).start();
    let (phone, _) = person(&mut server, &weibo, 14);
    weibo.troubles(&[Trouble::AnswerLost]);
    share(&phone, "1.0");
    becomes("asked again", || weibo.tries() == 2);
    let ends = ended(&mut server);
    assert_eq!((ends.len(), &ends[0]["posted"]), (1, &json!(true)), "{ends:?}");
    assert_eq!(weibo.posts().len(), 1);
}

#[test]
fn what_weibo_refuses_for_good_is_not_tried_again() {
    let weibo = StandIn::start();
    let mut server = with(&weibo).start();
    let (phone, _) = person(&mut server, &weibo, 15);
    // The stand-in repeats the text in its words, as Weibo may.
    weibo.troubles(&[Trouble::Refused(20_021)]);
    share(&phone, "1.0");
    let ends = ended(&mut server);
    let reason = "Weibo: error_code 20021";
    assert_eq!((ends.len(), &ends[0]["posted"], &ends[0]["reason"]), (1, &json!(false), &json!(reason)), "{ends:?}");
    assert_eq!((weibo.tries(), weibo.posts()), (1, vec![]));
}

#[test]
fn nothing_is_sent_with_a_permission_that_has_expired() {
    let weibo = StandIn::start();
    let mut server = with(&weibo).start();
    weibo.expires_in(0);
    let (phone, _) = person(&mut server, &weibo, 19);
    share(&phone, "1.0");
    let ends = ended(&mut server);
    let reason = "the person's permission at Weibo has expired";
    assert_eq!((ends.len(), &ends[0]["posted"], &ends[0]["reason"]), (1, &json!(false), &json!(reason)), "{ends:?}");
    assert_eq!(weibo.tries(), 0);
}

#[test]
fn what_an_operator_must_mend_waits_among_the_dead() {
    let weibo = StandIn::start();
    let mut server = with(&weibo).start();
    let (phone, _) = person(&mut server, &weibo, 16);
    weibo.troubles(&[Trouble::Refused(10_014)]);
    share(&phone, "1.0");
    becomes("dead", || jobs(&server).iter().any(|job| job["state"] == "dead"));
    let dead = jobs(&server).remove(0);
    assert_eq!(dead["error"], "Weibo: error_code 10014", "{dead}");
    let id = dead["id"].as_str().expect("an id");
    server.operator().post(&format!("/admin/jobs/{id}/retry"), &json!({})).ok();
    posted(&weibo, 1);
    assert_eq!(ended(&mut server).len(), 1);
}

#[test]
fn an_accounts_end_ends_its_posts() {
    let weibo = StandIn::start();
    let mut server = with(&weibo).start();
    let (phone, _) = person(&mut server, &weibo, 17);
    let shop = server.operator().add_shop("cafe", HERE);
    let picture = to_room(&phone, shop, of_seed(3), "窗边的座位");
    posted(&weibo, 1);
    becomes("over", || jobs(&server).is_empty());
    shown(&phone, "/photos/show", &id_of(&picture), 2);
    // On the queue, between two tries.
    weibo.mood(Mood::Down);
    share(&phone, "1.0");
    to_room(&phone, shop, of_seed(5), "another");
    becomes("tried", || {
        let jobs = jobs(&server);
        jobs.len() == 2 && jobs.iter().all(|job| job["error"].is_string())
    });
    server.operator().post("/admin/pause/weibo", &json!({})).ok();
    becomes("still", || jobs(&server).iter().all(|job| job["state"] == "waiting"));
    weibo.mood(Mood::Well);
    let code = weibo.code(17, "西湖小王", "m");
    let before = weibo.posts().len();
    phone.post("/user_info/delete", &[("code", &code)]).ok();
    server.operator().post("/admin/resume/weibo", &json!({})).ok();
    let ends = ended(&mut server);
    assert_eq!(weibo.posts().len(), before, "{ends:?}");
}

#[test]
fn where_no_weibo_is_set_posts_wait_for_a_process_that_has_it() {
    let weibo = StandIn::start();
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let mut first = with(&weibo).on(&data).start();
    let (phone, token) = person(&mut first, &weibo, 18);
    first.operator().post("/admin/pause/weibo", &json!({})).ok();
    share(&phone, "1.0");
    first.stop();
    drop(first);

    let mut without = Setup::default().on(&data).start();
    without.operator().post("/admin/resume/weibo", &json!({})).ok();
    becomes("waiting", || jobs(&without).iter().any(|job| job["state"] == "waiting"));
    assert_eq!((jobs(&without).len(), weibo.tries()), (1, 0));
    without.stop();
    drop(without);

    let mut again = with(&weibo).on(&data).start();
    let post = Post { token, text: SHARED.to_owned(), picture: None };
    assert_eq!(posted(&weibo, 1), [post]);
    assert_eq!(ended(&mut again).len(), 1);
}
