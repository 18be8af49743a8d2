//! Following, unfollowing, followers and friends (§21 to §24).

use dface_tests::{Answer, Given, Phone, Server};
use reqwest::Method;
use serde_json::{Value, json};

use super::{block, done, follow, ids};

fn listed(phone: &Phone, path: &str, given: Given<'_>) -> (u64, Vec<u64>) {
    let hash: Given<'_> = &[("hash", &1)];
    let list = phone.get(path, &[given, hash].concat()).ok();
    (list["count"].as_u64().expect("a number"), ids(&list["data"]))
}

#[test]
fn section_21_following_answers_the_record_and_the_first_one_again() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let made = follow(&anna, &ben);
    let id = made["id"].as_u64().expect("a record's id is a whole number");
    assert_eq!(made, json!({ "id": id, "user_id": anna.user, "follow_id": ben.user }));
    // The document's own curl line posts to /follows.
    for path in ["/follows", "/follows.json", "/follows/create", "/follows/create.json"] {
        assert_eq!(done(&anna, path, &[("user_id", &anna.user), ("follow_id", &ben.user)]), made, "{path}");
    }
    server.kill();
    server.start_again();
    assert_eq!(follow(&anna, &ben), made, "after a crash too");
    assert_ne!(follow(&ben, &anna)["id"], made["id"]);
    server.operator().compare_all();
}

#[test]
fn section_21_refuses_oneself_others_accounts_and_whom_nobody_knows() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let ask = |user: u64, follow: u64| anna.post("/follows/create", &[("user_id", &user), ("follow_id", &follow)]);
    ask(anna.user, anna.user).refused(400, "follows_oneself");
    ask(ben.user, anna.user).refused(403, "not_your_account");
    ask(anna.user, 999_999).refused(404, "user_unknown");
    assert!(anna.post("/follows", &[("user_id", &anna.user)]).refused(400, "missing_parameter").contains("follow_id"));
    assert!(anna.post("/follows", &[("follow_id", &ben.user)]).refused(400, "missing_parameter").contains("user_id"));
    anna.post("/follows", &[("user_id", &anna.user), ("follow_id", &"ben")]).refused(400, "bad_parameter");
    for path in ["/follows", "/follows/create", "/follows/delete"] {
        let got = Answer::to(anna.request(Method::GET, path));
        got.refused(405, "wrong_method");
        assert_eq!(got.header("allow"), "POST", "{path}");
    }
}

#[test]
fn section_21_a_blocked_pair_follows_neither_way() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    follow(&anna, &ben);
    follow(&ben, &anna);
    block(&anna, &ben);
    for (one, other) in [(&anna, &ben), (&ben, &anna)] {
        let given: Given<'_> = &[("user_id", &one.user), ("follow_id", &other.user)];
        one.post("/follows/create", given).refused(403, "blocked_pair");
        assert_eq!(listed(one, "/follow_info/friends", &[("id", &one.user)]), (0, vec![]), "a block ends follows");
    }
    done(&anna, "/blacklists/delete", &[("user_id", &anna.user), ("block_id", &ben.user)]);
    assert_eq!(follow(&ben, &anna)["follow_id"], anna.user);
}

#[test]
fn section_22_unfollowing_answers_the_same_whether_it_was_there() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let first = follow(&anna, &ben);
    let given: Given<'_> = &[("user_id", &anna.user), ("follow_id", &ben.user)];
    for path in ["/follows/delete", "/follows/delete.json", "/follows/delete"] {
        assert_eq!(done(&anna, path, given), json!({ "deleted": ben.user }));
    }
    assert_eq!(listed(&anna, "/follow_info/friends", &[("id", &anna.user)]), (0, vec![]));
    ben.post("/follows/delete", given).refused(403, "not_your_account");
    assert_ne!(follow(&anna, &ben)["id"], first["id"], "a new follow is a new record");
}

#[test]
fn section_23_followers_in_the_forms_of_the_document() {
    let mut server = Server::start();
    let (anna, ben, cleo) = (server.person("anna", 2), server.person("ben", 1), server.person("cleo", 0));
    follow(&ben, &anna);
    follow(&cleo, &anna);
    follow(&anna, &ben);
    let item = |phone: &Phone, name: &str, gender: Value, friend: bool| {
        json!({ "id": phone.user, "logo": "", "name": name, "wb_uid": null, "gender": gender,
                "friend": friend, "follower": true, "birthday": null })
    };
    let data = json!([item(&ben, "ben", json!(1), true), item(&cleo, "cleo", Value::Null, false)]);
    for phone in [&anna, &ben, &cleo] {
        let (absent, zero): (Given<'_>, Given<'_>) = (&[("id", &anna.user)], &[("id", &anna.user), ("hash", &0)]);
        for given in [absent, zero] {
            let two = phone.get("/follow_info/followers", given).ok();
            assert_eq!(two, json!([{ "count": 2 }, { "data": data }]), "from the point of view of `id`, whoever asks");
        }
        let one = phone.get("/follow_info/followers.json", &[("id", &anna.user), ("hash", &1)]).ok();
        assert_eq!(one, json!({ "count": 2, "data": data }));
    }
    assert_eq!(cleo.get("/follow_info/followers", &[("id", &cleo.user)]).ok(), json!([{ "count": 0 }, { "data": [] }]));
    cleo.get("/follow_info/followers", &[("id", &999_999)]).refused(404, "user_unknown");
    assert!(cleo.get("/follow_info/followers", &[]).refused(400, "missing_parameter").contains("id"));
    cleo.get("/follow_info/followers", &[("id", &1), ("hash", &7)]).refused(400, "bad_parameter");
}

#[test]
fn section_24_friends_in_the_same_form() {
    let mut server = Server::start();
    let (anna, ben, cleo) = (server.person("anna", 2), server.person("ben", 1), server.person("cleo", 0));
    follow(&anna, &ben);
    follow(&anna, &cleo);
    follow(&cleo, &anna);
    let list = ben.get("/follow_info/friends.json", &[("id", &anna.user)]).ok();
    assert_eq!(list[0], json!({ "count": 2 }));
    assert_eq!(ids(&list[1]["data"]), [ben.user, cleo.user]);
    let ties: Vec<_> =
        list[1]["data"].as_array().expect("a list").iter().map(|one| (&one["friend"], &one["follower"])).collect();
    assert_eq!(ties, [(&json!(true), &json!(false)), (&json!(true), &json!(true))]);
}

#[test]
fn section_23_24_filter_by_any_part_of_the_name_and_page() {
    let mut server = Server::start();
    let star = server.person("star", 0);
    let names = ["西湖小王", "小王", "王小二", "Anna Li", "anna", "李"];
    let fans: Vec<Phone> = names.iter().map(|name| server.person(name, 0)).collect();
    for fan in &fans {
        follow(fan, &star);
        follow(&star, fan);
    }
    let of = |picked: &[usize]| -> Vec<u64> { picked.iter().map(|n| fans[*n].user).collect() };
    for path in ["/follow_info/followers", "/follow_info/friends"] {
        for (part, picked) in [
            ("小王", &[0, 1][..]),
            ("王", &[0, 1, 2]),
            ("ANNA", &[3, 4]),
            (" li ", &[3]),
            ("nobody", &[]),
            ("", &[0, 1, 2, 3, 4, 5]),
        ] {
            let got = listed(&star, path, &[("id", &star.user), ("name", &part)]);
            assert_eq!(got, (picked.len() as u64, of(picked)), "{path} {part}");
        }
        let page = |page: u32| listed(&star, path, &[("id", &star.user), ("page", &page), ("pcount", &4)]);
        assert_eq!((page(1), page(2), page(3)), ((6, of(&[0, 1, 2, 3])), (6, of(&[4, 5])), (6, vec![])));
        let second = listed(&star, path, &[("id", &star.user), ("page", &2), ("pcount", &1), ("name", &"王")]);
        assert_eq!(second, (3, of(&[1])), "the count is of all that match");
        for (name, bad) in [("page", "0"), ("pcount", "0"), ("pcount", "x")] {
            star.get(path, &[("id", &star.user), (name, &bad)]).refused(400, "bad_parameter");
        }
    }
}

#[test]
fn section_23_24_25_the_next_page_goes_on_where_the_last_one_ended() {
    let mut server = Server::start();
    let star = server.person("star", 0);
    let fans: Vec<Phone> = (0..6).map(|n| server.person(&format!("fan {n}"), 0)).collect();
    fans.iter().for_each(|fan| drop(follow(fan, &star)));
    let of = |picked: &[usize]| -> Vec<u64> { picked.iter().map(|n| fans[*n].user).collect() };
    let path = "/follow_info/followers";
    let whose: Given<'_> = &[("id", &star.user), ("pcount", &2)];
    let page = |phone: &Phone, page: u32| listed(phone, path, &[whose, &[("page", &page)]].concat());
    let after = |last: u64| listed(&star, path, &[whose, &[("after", &last)]].concat());
    assert_eq!(page(&star, 1), (6, of(&[0, 1])));
    done(&fans[0], "/follows/delete", &[("user_id", &fans[0].user), ("follow_id", &star.user)]);
    // Counted, the second page would begin with the fourth.
    assert_eq!(page(&star, 2), (5, of(&[2, 3])));
    follow(&fans[0], &star);
    assert_eq!(page(&star, 2), (6, of(&[2, 3])), "asked again");
    assert_eq!(page(&star, 3), (6, of(&[4, 5])));
    assert_eq!(page(&star, 4), (6, vec![]));
    assert_eq!(page(&fans[5], 2), (6, of(&[2, 3])), "a session that saw no first page counts");
    assert_eq!(page(&star, 1), (6, of(&[0, 1])), "from the beginning");
    assert_eq!((after(fans[1].user), after(fans[5].user)), ((6, of(&[2, 3])), (6, vec![])));
    let named = listed(&star, path, &[whose, &[("after", &fans[2].user), ("name", &"4")]].concat());
    assert_eq!(named, (1, of(&[4])));
    for path in [path, "/follow_info/friends", "/blacklists"] {
        let both = star.get(path, &[("id", &star.user), ("page", &1), ("after", &1)]);
        assert!(both.refused(400, "bad_parameter").starts_with("page"));
        assert!(
            star.get(path, &[("id", &star.user), ("after", &"x")]).refused(400, "bad_parameter").starts_with("after")
        );
    }
    block(&star, &fans[1]);
    block(&star, &fans[2]);
    assert_eq!(listed(&star, "/blacklists", &[("id", &star.user), ("after", &fans[1].user)]), (2, of(&[2])));
    assert_eq!(page(&star, 2), (4, of(&[3, 4])), "a block changes the list too");
}
