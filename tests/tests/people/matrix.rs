//! Who may see what of whom, and do what in whose name, as one table: every endpoint, for everybody who may ask, under
//! each of the three invisible settings (§16). Later endpoints add their rows here, or stand in `OF_NOBODY_ELSE`.

mod chat;
mod circles;
mod pictures;
mod talks;

use std::fmt::Write as _;

use dface_tests::{Answer, Given, Operator, Phone, Server, client::pairs, pictures::shown};
use reqwest::{Method, blocking::RequestBuilder};
use serde_json::{Value, json};

use self::{circles::Family, pictures::Pictures, talks::Told};
use super::{HERE, arrive, block, done, follow, north, settle};

/// Endpoints that take nobody's id and show nobody but the caller, or nobody at all.
const OF_NOBODY_ELSE: &[&str] = &[
    "/healthz",
    "/init/init",
    "/oauth2/login",
    "/oauth2/logout",
    "/oauth2/share",
    "/oauth2/sina_callback",
    "/push_tokens",
    "/readyz",
    "/user_info/delete",
    "/user_info/password",
];

/// The subject is seen where these stand in an answer.
struct Asked<'a> {
    server: &'a Server,
    subject: &'a Phone,
    shop: u64,
    /// Follows the subject and is followed by the subject, and so is on both lists of the subject, as the subject is
    /// on both of its own.
    third: &'a Phone,
    /// Whom the subject neither follows nor blocks.
    stranger: &'a Phone,
    /// Whom the subject blocks.
    blocked: &'a Phone,
    /// The subject's check-in in the shop.
    checkin: &'a str,
    /// The campaign of a coupon that the subject has.
    coupon: &'a str,
    pictures: &'a Pictures,
    family: &'a Family,
    told: &'a Told,
}

/// Who asks.
enum Viewer<'a> {
    Person(&'a Phone),
    SignedOut,
    Operator(&'a Operator),
}

impl Asked<'_> {
    fn request(&self, viewer: &Viewer<'_>, method: Method, path: &str) -> RequestBuilder {
        match viewer {
            Viewer::Person(phone) => phone.request(method, path),
            Viewer::SignedOut => self.server.request(method, path),
            // The listener of operators has none of these paths; the public one does not know their tokens.
            Viewer::Operator(_) => self.server.request(method, path).bearer_auth(self.server.token("admin-token")),
        }
    }

    fn get(&self, viewer: &Viewer<'_>, path: &str, given: Given<'_>) -> Answer {
        Answer::to(self.request(viewer, Method::GET, path).query(&pairs(given)))
    }

    fn post(&self, viewer: &Viewer<'_>, path: &str, given: Given<'_>) -> Answer {
        Answer::to(self.request(viewer, Method::POST, path).form(&pairs(given)))
    }

    /// What operators are told; for all others on the listener that they can reach.
    fn operators(&self, viewer: &Viewer<'_>, path: &str) -> Answer {
        match viewer {
            Viewer::Operator(operator) => operator.get(path),
            _ => self.get(viewer, path, &[]),
        }
    }

    /// What one cell of the table says: `code` of a refusal, or what `found` reads from the answer. Who is sent on to a file sees it.
    fn cell(answer: &Answer, found: impl Fn(&Value) -> String) -> String {
        match answer.status {
            200 => found(&answer.json()),
            302 => "seen".to_owned(),
            status => format!("{status} {}", answer.code()),
        }
    }

    fn in_list(&self, list: &Value) -> String {
        let here = list.as_array().is_some_and(|list| list.iter().any(|one| one["id"] == self.subject.user));
        if here { "seen" } else { "-" }.to_owned()
    }

    fn counted(&self, shops: &Value) -> String {
        let shop = shops.as_array().and_then(|shops| shops.iter().find(|shop| shop["id"] == self.shop));
        shop.map_or_else(|| "no shop".to_owned(), |shop| format!("{}", shop["user"]))
    }

    /// Whether what is for oneself alone is the subject's, although the subject's id was asked for.
    fn whose(&self, answer: &Answer) -> String {
        let subject = answer.text.contains("subject") || answer.text.contains("the subject's shop");
        Self::cell(answer, |_| if subject { "THE SUBJECT'S" } else { "the caller's own" }.to_owned())
    }

    /// What is asked in the subject's name, or with something of the subject's; where it is allowed it changes nothing that
    /// another cell shows, but for the check-in that is taken back, last of all.
    fn acting(&self, viewer: &Viewer<'_>) -> Vec<(&'static str, String)> {
        let (user, third, stranger, blocked) =
            (self.subject.user, self.third.user, self.stranger.user, self.blocked.user);
        let post = |path: &str, given: Given<'_>| Self::cell(&self.post(viewer, path, given), |_| "done".to_owned());
        let arriving: [(&str, &dyn std::fmt::Display); 6] = [
            ("user_id", &user),
            ("shop_id", &self.shop),
            ("lat", &HERE.0),
            ("lng", &HERE.1),
            ("accuracy", &65),
            ("od", &1),
        ];
        let mut rows = self.acting_with_pictures(viewer);
        rows.extend(self.acting_in_chat(viewer));
        rows.extend(self.acting_in_circles(viewer));
        rows.extend(self.telling(viewer));
        rows.extend([
            ("§9 checking in as the subject", post("/checkins", &arriving)),
            ("§16 changing the subject", post("/user_info/set", &[("user_id", &user)])),
            ("§21 following as the subject", post("/follows/create", &[("user_id", &user), ("follow_id", &third)])),
            (
                "§22 unfollowing as the subject",
                post("/follows/delete", &[("user_id", &user), ("follow_id", &stranger)]),
            ),
            ("§26 blocking as the subject", post("/blacklists/create", &[("user_id", &user), ("block_id", &blocked)])),
            (
                "§27 unblocking as the subject",
                post("/blacklists/delete", &[("user_id", &user), ("block_id", &stranger)]),
            ),
            ("§31.3 the subject's coupon used", post("/coupons/use", &[("id", &self.coupon)])),
            ("§15 the subject's check-in taken back", post("/checkins/delete", &[("id", &self.checkin)])),
        ]);
        rows
    }

    /// Following the subject, which is undone where it was not so before.
    fn following(&self, viewer: &Viewer<'_>) -> String {
        let Viewer::Person(phone) = viewer else {
            return Self::cell(&self.post(viewer, "/follows/create", &[]), |_| "done".to_owned());
        };
        let given: Given<'_> = &[("user_id", &phone.user), ("follow_id", &self.subject.user)];
        let list = phone.get("/follow_info/friends", &[("id", &phone.user), ("hash", &1)]).ok();
        let followed = self.post(viewer, "/follows/create", given);
        if self.in_list(&list["data"]) == "-" && followed.status == 200 {
            done(phone, "/follows/delete", given);
        }
        Self::cell(&followed, |_| "done".to_owned())
    }

    /// All rows for one viewer.
    fn rows(&self, viewer: &Viewer<'_>) -> Vec<(&'static str, String)> {
        let (subject, third) = (self.subject.user, self.third.user);
        let get = |path: &str, given: Given<'_>| self.get(viewer, path, given);
        let of = |path: &str, id: u64| get(path, &[("id", &id), ("hash", &1), ("pcount", &100)]);
        let listed = |answer: &Answer| Self::cell(answer, |list| self.in_list(&list["data"]));
        let whole = |answer: &Answer| Self::cell(answer, |list| format!("count {}", list["count"]));
        let here: Given<'_> = &[("lat", &HERE.0), ("lng", &HERE.1), ("accuracy", &65)];
        let profile = get("/user_info/get", &[("id", &subject)]);
        // These take no id, so that nobody can ask for somebody else's.
        let whose: Given<'_> = &[("id", &subject), ("user_id", &subject)];
        let sessions = format!("/admin/users/{subject}/sessions");
        vec![
            ("§4 counts", Self::cell(&get("/aroundme/shops", here), |shops| self.counted(shops))),
            ("§5 counts", Self::cell(&get("/shop/nearby", here), |shops| self.counted(shops))),
            (
                "§6 nearby",
                Self::cell(&get("/aroundme/users", &[("gender", &0), ("pcount", &100)]), |list| self.in_list(list)),
            ),
            (
                "§8 here",
                Self::cell(&get("/shop/users", &[("id", &self.shop), ("pcount", &100)]), |list| self.in_list(list)),
            ),
            ("§10 profile", Self::cell(&profile, |one| one["name"].as_str().unwrap_or("null").to_owned())),
            ("§10 last", Self::cell(&profile, |one| if one["last"].is_null() { "-" } else { "seen" }.to_owned())),
            ("§10 phone", Self::cell(&profile, |one| if one.get("phone").is_none() { "-" } else { "seen" }.to_owned())),
            ("§23 own followers", whole(&of("/follow_info/followers", subject))),
            ("§24 own friends", whole(&of("/follow_info/friends", subject))),
            ("§23 among followers", listed(&of("/follow_info/followers", third))),
            ("§24 among friends", listed(&of("/follow_info/friends", third))),
            ("§25 blacklist", whole(&of("/blacklists", subject))),
            ("§7 among the staff", Self::cell(&get("/shop/info", &[("id", &self.shop)]), |shop| self.on_staff(shop))),
            ("§9 check-ins", self.whose(&get("/checkins", whose))),
            ("§13 oneself", self.whose(&get("/user_info/get_self", whose))),
            ("§14 trace", self.whose(&get("/user_info/trace", whose))),
            ("export", self.whose(&self.post(viewer, "/user_info/export", whose))),
            ("§31 coupons", self.whose(&get("/coupons", whose))),
            (
                "§31.2 coupon's picture",
                Self::cell(&get("/coupons/img", &[("id", &self.coupon)]), |_| "seen".to_owned()),
            ),
            ("§21 following the subject", self.following(viewer)),
            (
                "operators' accounts",
                Self::cell(&self.operators(viewer, "/admin/users?pcount=100"), |list| self.in_list(list)),
            ),
            (
                "operators' sessions",
                Self::cell(&self.operators(viewer, &sessions), |list| format!("{} open", length(list))),
            ),
            (
                "operators' reports",
                Self::cell(&self.operators(viewer, "/admin/reports"), |list| format!("{} open", length(list))),
            ),
        ]
    }

    fn on_staff(&self, shop: &Value) -> String {
        let staff = shop["staffs"].as_array().is_some_and(|staff| staff.iter().any(|one| *one == self.subject.user));
        if staff { "seen" } else { "-" }.to_owned()
    }
}

fn length(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

fn table(title: &str, viewers: &[(&str, Viewer<'_>)], asked: &Asked<'_>) -> String {
    let mut columns: Vec<Vec<(&str, String)>> = viewers.iter().map(|(_, viewer)| asked.rows(viewer)).collect();
    for ((_, viewer), column) in viewers.iter().zip(&mut columns) {
        column.extend(asked.picture_rows(viewer));
        column.extend(asked.chat_rows(viewer));
        column.extend(asked.circle_rows(viewer));
        column.extend(asked.told_rows(viewer));
    }
    // The subject comes last, who may.
    for ((_, viewer), column) in viewers.iter().zip(&mut columns).rev() {
        column.extend(asked.acting(viewer));
    }
    let mut text = format!("{title}\n");
    for row in 0..columns[0].len() {
        let _ = writeln!(text, "  {}", columns[0][row].0);
        for ((name, _), column) in viewers.iter().zip(&columns) {
            let _ = writeln!(text, "    {name:<11} {}", column[row].1);
        }
    }
    text
}

/// A coupon of a campaign of its own.
fn coupon(operator: &Operator, shop: u64, phone: &Phone) -> String {
    let offer = json!({
        "shop_id": shop, "name": "of the subject", "text": "text", "trigger": "manual",
        "from": "2020-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z",
    });
    let made = operator.post("/admin/campaigns", &offer).ok();
    let id = made["id"].as_str().expect("a campaign's id").to_owned();
    operator.post(&format!("/admin/campaigns/{id}/send"), &json!({ "user_ids": [phone.user] })).ok();
    id
}

#[test]
fn who_may_see_what_of_whom() {
    let mut server = Server::start();
    let operator = server.operator();
    let (start, shops) = (
        operator.add_shop("start", north(100.0)),
        ["one", "two", "three"].map(|name| operator.add_shop(&format!("the subject's shop {name}"), HERE)),
    );
    let names = ["subject", "third", "friend", "follower", "stranger", "blocked", "blocker"];
    let people = names.map(|name| server.person(name, 0));
    let [subject, third, friend, follower, stranger, blocked, blocker] = &people;
    done(subject, "/user_info/set", &[("phone", &"13800000000")]);
    for phone in &people {
        arrive(phone, start);
    }
    follow(subject, third);
    follow(third, subject);
    // A friend is somebody whom the subject follows; a follower is not followed back.
    follow(subject, friend);
    follow(follower, subject);
    block(subject, blocked);
    block(blocker, subject);
    let viewers = [
        ("self", Viewer::Person(subject)),
        ("friend", Viewer::Person(friend)),
        ("follower", Viewer::Person(follower)),
        ("stranger", Viewer::Person(stranger)),
        ("blocked", Viewer::Person(blocked)),
        ("blocker", Viewer::Person(blocker)),
        ("signed out", Viewer::SignedOut),
        ("operator", Viewer::Operator(&operator)),
    ];
    let mut text = String::new();
    for (invisible, shop) in shops.into_iter().enumerate() {
        done(subject, "/user_info/set", &[("invisible", &invisible)]);
        let checkin = subject.check_in(shop, HERE);
        settle(subject);
        operator.post(&format!("/admin/shops/{shop}/staff"), &json!({ "user_id": subject.user })).ok();
        let coupon = coupon(&operator, shop, subject);
        shown(subject, "/coupons/img", &coupon, 0);
        let pictures = Pictures::of(&operator, subject, [friend, third], shop, invisible);
        chat::settled(&server, subject.user, shop, &pictures);
        let family = Family::of(&operator, subject, [friend, blocked, blocker], invisible);
        let told = Told::of(&server, subject, &family);
        let (checkin, coupon, pictures, family, told) = (&checkin, &coupon, &pictures, &family, &told);
        let asked =
            Asked { server: &server, subject, shop, third, stranger, blocked, checkin, coupon, pictures, family, told };
        text += &table(&format!("invisible {invisible}"), &viewers, &asked);
    }
    insta::assert_snapshot!("matrix", text);
    server.secret("13800000000");
}

#[test]
fn every_endpoint_is_in_the_table_or_of_nobody_else() {
    let source = [
        include_str!("matrix.rs"),
        include_str!("matrix/chat.rs"),
        include_str!("matrix/circles.rs"),
        include_str!("matrix/pictures.rs"),
        include_str!("matrix/talks.rs"),
    ]
    .concat();
    let server = Server::start();
    let of = |request: RequestBuilder| Answer::to(request).ok()["paths"].as_object().expect("paths").clone();
    let mut paths = of(server.request(Method::GET, "/openapi.json"));
    paths.extend(of(server.chat_api().request(Method::GET, "/openapi.json")));
    // Of one that ends with an id, what comes before it.
    let fixed = |path: &str| path.split('{').next().unwrap_or_default().to_owned();
    let missing: Vec<&String> = paths.keys().filter(|path| !source.contains(&format!("\"{}\"", fixed(path)))).collect();
    assert!(missing.is_empty(), "who may see what at {missing:?}? Add rows");
    let gone: Vec<_> = OF_NOBODY_ELSE.iter().filter(|path| !paths.contains_key(**path)).collect();
    assert!(gone.is_empty(), "{gone:?} are no paths any more");
}
