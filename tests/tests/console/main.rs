//! The operators' console in a real browser (`tests/clients/console_driver.py`): every page in wide and narrow windows, light and dark, English
//! and Chinese; every button; all of it by keyboard. Whatever the browser's own console tells is a failure.
//!
//! With `CONSOLE_PICTURES=DIR` the pages' pictures are kept there.

mod tour;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use dface_tests::{Answer, Operator, Phone, Server, pictures};
use reqwest::Method;
use serde_json::{Value, json};

const HERE: (f64, f64) = (30.286_91, 120.127_63);

/// What there is to see: two people, a shop with a campaign and a room in which something was said, pictures, a report.
struct Scene {
    server: Server,
    operator: Operator,
    shop: u64,
    anna: Phone,
    ben: Phone,
}

impl Scene {
    fn set() -> Self {
        let mut server = Server::start();
        let operator = server.operator();
        let shop = operator.add_shop("断桥茶室", HERE);
        for (number, name) in ["Blue Bar", "西湖咖啡", "Hotel Grand"].into_iter().enumerate() {
            operator.add_shop(name, (HERE.0 + 0.002 * (number as f64 + 1.0), HERE.1 + 0.003));
        }
        let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
        anna.check_in(shop, HERE);
        pictures::to_album(&anna, pictures::of_seed(1));
        pictures::to_room(&anna, shop, pictures::of_seed(2), "窗边");
        say(&server, shop, &ben, "<img src=x onerror=alert(1)>");
        ben.post("/blacklists/create", &[("user_id", &ben.user), ("block_id", &anna.user), ("report", &1)]).ok();
        let campaign = json!({
            "shop_id": shop, "name": "第二杯半价", "text": "任意咖啡 ☕", "trigger": "manual",
            "from": "2020-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z", "quota": 5,
        });
        operator.post("/admin/campaigns", &campaign).ok();
        let scene = Self { server, operator, shop, anna, ben };
        scene.until("its pictures are made", || {
            let photos = scene.operator.get(&format!("/admin/users/{}/photos", scene.anna.user)).ok();
            photos.as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|one| one["ready"] == true))
                && scene.operator.get("/admin/campaigns").ok()[0]["drawn"] == true
        });
        scene.until("what is said is in the room", || {
            let said = scene.operator.get(&format!("/admin/shops/{shop}/messages")).ok();
            // Two of them, and the greeting of who checked in.
            said.as_array().is_some_and(|all| all.len() == 3)
        });
        scene
    }

    #[track_caller]
    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not come to this: {what}");
            sleep(Duration::from_millis(25));
        }
    }

    /// Has the browser do its part, and does what it wants meanwhile.
    #[track_caller]
    fn walked(&self, part: &str, mut wanted: impl FnMut(&str)) {
        let moderator = json!({ "name": "moderator", "scopes": ["moderate"], "until": "2999-01-01T00:00:00Z" });
        let moderator = self.operator.post("/admin/tokens", &moderator).ok();
        let given = json!({
            "url": format!("http://{}", self.operator.door().address()), "part": part,
            "token": self.server.token("admin-token"), "moderator": moderator["token"],
            "shop": self.shop, "shops": 4, "person": self.anna.user, "pictures": std::env::var("CONSOLE_PICTURES").ok(),
        });
        browsed(&given, &mut wanted);
    }

    fn audited(&self) -> Vec<String> {
        let listed = self.operator.get("/admin/audit?pcount=100").ok();
        let mut actions: Vec<String> = listed
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|one| one["action"].as_str())
            .map(str::to_owned)
            .collect();
        actions.sort();
        actions.dedup();
        actions
    }
}

/// Runs the browser's script, and does what it wants meanwhile.
#[track_caller]
fn browsed(given: &Value, wanted: &mut dyn FnMut(&str)) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/console_driver.py");
    let mut command = Command::new("playwright-python");
    command.arg(script).arg(given.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut browser = command.spawn().expect("Playwright is there: run .ci/setup test");
    let (mut told, asked) = (browser.stdin.take().expect("piped"), browser.stdout.take().expect("piped"));
    for line in BufReader::new(asked).lines().map_while(Result::ok) {
        wanted(&line);
        writeln!(told, "done").expect("the browser waits");
    }
    let ended = browser.wait().expect("it was started");
    assert!(ended.success(), "what the browser saw stands above: {ended}");
}

#[track_caller]
fn say(server: &Server, shop: u64, by: &Phone, message: &str) {
    let request = server.chat_api().request(Method::POST, "/api/room").bearer_auth(server.token("internal-token"));
    let fields = [("roomid", shop.to_string()), ("message", message.to_owned()), ("uid", by.user.to_string())];
    Answer::to(request.form(&fields)).ok();
}

#[test]
fn every_page_is_whole_in_wide_and_narrow_windows_light_and_dark_in_both_languages() {
    Scene::set().walked("pages", |what| panic!("nothing is to be done: {what}"));
}

#[test]
fn every_page_and_all_on_it_is_reached_by_keyboard() {
    Scene::set().walked("keyboard", |what| panic!("nothing is to be done: {what}"));
}

#[test]
fn every_button_does_what_it_says() {
    let mut scene = Scene::set();
    scene.operator.post("/admin/pause/picture", &json!({})).ok();
    pictures::to_album(&scene.ben, pictures::of_seed(7));
    pictures::to_album(&scene.ben, pictures::of_seed(8));
    scene.until("two jobs wait", || {
        scene.operator.get("/admin/jobs?kind=picture").ok().as_array().is_some_and(|all| all.len() == 2)
    });
    scene.walked("buttons", |what| match what {
        "add_shop" => {
            scene.operator.add_shop("又一家", (30.2, 120.1));
        }
        "check_in" => {
            scene.ben.check_in(scene.shop, HERE);
        }
        // More than a page of the audit log.
        "act_often" => (0..20).for_each(|_| {
            scene.operator.post("/admin/resume/push", &json!({})).ok();
        }),
        other => panic!("nobody knows how to {other}"),
    });
    let done = scene.audited();
    insta::assert_json_snapshot!(done);
    assert_eq!(scene.operator.get("/admin/reports").ok(), json!([]));
    assert_eq!(scene.operator.get(&format!("/admin/users/{}/sessions", scene.anna.user)).ok(), json!([]));
    let photos = scene.operator.get(&format!("/admin/users/{}/photos", scene.ben.user)).ok();
    assert_eq!(photos.as_array().map(Vec::len), Some(2), "a job that is dropped leaves its picture as it is: {photos}");
    scene.server.alive();
    scene.operator.compare_all();
}

#[test]
fn the_page_is_shown_by_nobody_else_and_loads_nothing_that_is_not_its_own() {
    let server = Server::start();
    let door = server.operator();
    let page = Answer::to(door.door().request(Method::GET, "/console"));
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let script = Answer::to(door.door().request(Method::GET, "/console/main.js"));
    assert_eq!((script.status, script.header("content-type")), (200, "text/javascript; charset=utf-8"));
    Answer::to(door.door().request(Method::GET, "/console/none.js")).refused(404, "unknown_path");
    // Phones have no console.
    Answer::to(server.request(Method::GET, "/console")).refused(404, "unknown_path");
}
