//! `Idempotency-Key`: a phone whose answer was lost asks again.

use dface_tests::{Answer, Phone, Server};
use serde_json::json;

use super::HERE;

fn keyed(phone: &Phone, key: &str, shop: u64) -> Answer {
    Answer::to(phone.checking_in(shop, HERE).header("idempotency-key", key))
}

#[test]
fn a_repeat_gets_the_first_answer_across_a_restart_too() {
    let mut server = Server::start();
    let operator = server.operator();
    let (cafe, bar) = (operator.add_shop("cafe", HERE), operator.add_shop("bar", HERE));
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    let first = keyed(&anna, "k-1", cafe);
    assert_eq!(keyed(&anna, "k-1", cafe).ok(), first.ok());
    keyed(&anna, "k-1", bar).refused(409, "idempotency_key_reused");
    assert_ne!(keyed(&ben, "k-1", cafe).ok()["id"], first.ok()["id"], "keys are each person's own");
    // Refusals are answers too.
    let unknown = keyed(&anna, "k-2", 999_999);
    unknown.refused(404, "shop_unknown");
    for restart in [Server::stop, Server::kill] {
        restart(&mut server);
        server.start_again();
        assert_eq!(keyed(&anna, "k-1", cafe).ok(), first.ok());
        assert_eq!(keyed(&anna, "k-2", 999_999).text, unknown.text);
        keyed(&anna, "k-1", bar).refused(409, "idempotency_key_reused");
    }
    assert_eq!(anna.check_ins().len(), 1);
}

#[test]
fn the_form_of_the_parameters_and_the_suffix_do_not_matter() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let phone = server.person("anna", 0);
    let first = keyed(&phone, "k", shop);
    let object = json!({
        "od": "1", "user_id": phone.user, "shop_id": shop, "accuracy": 65, "lng": HERE.1.to_string(), "lat": HERE.0.to_string(),
    });
    let other_form = phone.request(reqwest::Method::POST, "/checkins.json").json(&object);
    assert_eq!(Answer::to(other_form.header("idempotency-key", "k")).ok(), first.ok());
}

#[test]
fn many_at_once_with_one_key_are_one() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let phone = server.person("anna", 0);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..16).map(|_| scope.spawn(|| keyed(&phone, "k", shop))).collect();
        asking.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for answer in &answers {
        assert_eq!(answer.ok(), answers[0].ok());
    }
    assert_eq!(phone.check_ins().len(), 1);
}

#[test]
fn a_key_has_a_length() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let phone = server.person("anna", 0);
    keyed(&phone, &"k".repeat(256), shop).refused(400, "bad_parameter");
    keyed(&phone, "", shop).refused(400, "bad_parameter");
    assert_eq!(keyed(&phone, &"k".repeat(255), shop).status, 200);
}
