//! Who may see what of whom, as one table: every endpoint that shows people, for everybody who may ask, under each of
//! the three invisible settings (§16). Later endpoints add their rows here.

use std::fmt::Write as _;

use dface_tests::{Answer, Given, Operator, Phone, Server};
use reqwest::Method;
use serde_json::Value;

use super::{HERE, arrive, block, done, follow, north, settle};

/// The subject is seen where these stand in an answer.
struct Asked<'a> {
    server: &'a Server,
    subject: &'a Phone,
    shop: u64,
    /// Follows the subject and is followed by the subject, and so is on both lists of the subject, as the subject is
    /// on both of its own.
    third: &'a Phone,
}

/// Who asks.
enum Viewer<'a> {
    Person(&'a Phone),
    SignedOut,
    Operator(&'a Operator),
}

impl Asked<'_> {
    fn get(&self, viewer: &Viewer<'_>, path: &str, given: Given<'_>) -> Answer {
        let request = match viewer {
            Viewer::Person(phone) => phone.request(Method::GET, path),
            Viewer::SignedOut => self.server.request(Method::GET, path),
            // The listener of operators has none of these paths; the public one does not know their tokens.
            Viewer::Operator(_) => self.server.request(Method::GET, path).bearer_auth(self.server.token("admin-token")),
        };
        let given = dface_tests::client::pairs(given);
        Answer::to(request.query(&given))
    }

    /// Accounts as operators list them; for all others on the listener that they can reach.
    fn accounts(&self, viewer: &Viewer<'_>) -> Answer {
        match viewer {
            Viewer::Operator(operator) => operator.get("/admin/users?pcount=100"),
            _ => self.get(viewer, "/admin/users", &[]),
        }
    }

    /// What one cell of the table says: `code` of a refusal, or what `found` reads from the answer.
    fn cell(answer: &Answer, found: impl Fn(&Value) -> String) -> String {
        if answer.status == 200 { found(&answer.json()) } else { format!("{} {}", answer.status, answer.code()) }
    }

    fn in_list(&self, list: &Value) -> String {
        let here = list.as_array().is_some_and(|list| list.iter().any(|one| one["id"] == self.subject.user));
        if here { "seen" } else { "-" }.to_owned()
    }

    fn counted(&self, shops: &Value) -> String {
        let shop = shops.as_array().and_then(|shops| shops.iter().find(|shop| shop["id"] == self.shop));
        shop.map_or_else(|| "no shop".to_owned(), |shop| format!("{}", shop["user"]))
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
            ("operators' accounts", Self::cell(&self.accounts(viewer), |list| self.in_list(list))),
        ]
    }
}

fn table(title: &str, viewers: &[(&str, Viewer<'_>)], asked: &Asked<'_>) -> String {
    let columns: Vec<Vec<(&str, String)>> = viewers.iter().map(|(_, viewer)| asked.rows(viewer)).collect();
    let mut text = format!("{title}\n");
    for row in 0..columns[0].len() {
        let _ = writeln!(text, "  {}", columns[0][row].0);
        for ((name, _), column) in viewers.iter().zip(&columns) {
            let _ = writeln!(text, "    {name:<11} {}", column[row].1);
        }
    }
    text
}

#[test]
fn who_may_see_what_of_whom() {
    let mut server = Server::start();
    let operator = server.operator();
    let (start, shops) =
        (operator.add_shop("start", north(100.0)), ["one", "two", "three"].map(|name| operator.add_shop(name, HERE)));
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
        arrive(subject, shop);
        settle(subject);
        let asked = Asked { server: &server, subject, shop, third };
        text += &table(&format!("invisible {invisible}"), &viewers, &asked);
    }
    // What is for oneself alone takes no id, so that nobody can ask for somebody else's.
    for path in ["/user_info/get_self", "/user_info/trace", "/checkins"] {
        let told = friend.get(path, &[("id", &subject.user), ("user_id", &subject.user)]);
        let whose = Asked::cell(&told, |_| {
            let foreign = told.text.contains("subject") || told.text.contains("three");
            if foreign { "THE SUBJECT'S" } else { "the caller's own" }.to_owned()
        });
        let _ = writeln!(text, "{path} with the subject's id: {whose}");
    }
    insta::assert_snapshot!("matrix", text);
    server.secret("13800000000");
}
