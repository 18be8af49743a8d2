//! Parameters in all the forms they come in, and bodies that are none.

use serde_json::json;

use super::support::{client, start};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[tokio::test]
async fn all_forms_are_one() {
    let server = start().await;
    let expected = json!({"a": "1", "name": "西湖 x"});
    let query = "/echo?a=1&name=%E8%A5%BF%E6%B9%96+x";
    assert_eq!(server.get(query).await.json(), expected);
    assert_eq!(server.post("/echo", FORM, "a=1&name=%E8%A5%BF%E6%B9%96%20x").await.json(), expected);
    assert_eq!(server.post("/echo.json", JSON, r#"{"a": 1, "name": "西湖 x", "b": null}"#).await.json(), expected);
    let type_ = "application/json; charset=UTF-8";
    assert_eq!(server.post("/echo", type_, r#"{"a":"1","name":"\u897f湖 x"}"#).await.json(), expected);
    let parts = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                 --B\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n西湖 x\r\n--B--\r\n";
    assert_eq!(server.post("/echo", "multipart/form-data; boundary=B", parts).await.json(), expected);
    let got = server.send("GET", "/echo", &format!("content-type: {FORM}\r\n"), b"a=1").await;
    assert_eq!(got.json(), json!({"a": "1"}));
}

#[tokio::test]
async fn the_body_wins_over_the_query() {
    let server = start().await;
    assert_eq!(server.post("/echo?a=1&b=2", FORM, "a=3").await.json(), json!({"a": "3", "b": "2"}));
    assert_eq!(server.post("/echo?a=1&b=2", JSON, r#"{"a":3,"b":null}"#).await.json(), json!({"a": "3", "b": "2"}));
    assert_eq!(server.post("/echo", JSON, r#"{"nested":{"x":[1]}}"#).await.json(), json!({"nested": "{\"x\":[1]}"}));
}

#[tokio::test]
async fn what_cannot_be_read_is_the_clients_fault() {
    let server = start().await;
    let multipart = "multipart/form-data; boundary=B";
    let deep = "[".repeat(30_000);
    let deep_objects = "{\"a\":".repeat(10_000);
    let number = format!("{{\"a\":{}}}", "9".repeat(60_000));
    for (type_, body, status, code) in [
        (JSON, "{", 400, "bad_body"),
        (JSON, "[]", 400, "bad_body"),
        (JSON, "null", 400, "bad_body"),
        (JSON, "{\"a\":NaN}", 400, "bad_body"),
        (JSON, deep.as_str(), 400, "bad_body"),
        (JSON, deep_objects.as_str(), 400, "bad_body"),
        (JSON, number.as_str(), 200, ""),
        (FORM, "a=%ff", 400, "bad_encoding"),
        (multipart, "junk", 400, "bad_body"),
        (multipart, "--B\r\n\r\n", 400, "bad_body"),
        (multipart, "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1", 400, "bad_body"),
        ("multipart/form-data", "--B--", 400, "bad_body"),
        ("text/plain", "a=1", 415, "unsupported_media_type"),
        ("", "a=1", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded; charset=gbk", "a=1", 415, "unsupported_media_type"),
    ] {
        let got = server.post("/echo", type_, body).await;
        let start: String = body.chars().take(30).collect();
        assert_eq!(got.status, status, "{type_} {start} {got:?}");
        if status != 200 {
            assert_eq!(got.code(), code, "{type_} {start}");
        }
    }
    let got = server.send("POST", "/echo", &format!("content-type: {JSON}\r\n"), b"{\"a\":\"\xff\"}").await;
    assert_eq!((got.status, got.code().as_str()), (400, "bad_body"));
    assert_eq!(server.send("POST", "/echo", "content-type: text/plain\r\n", b"").await.status, 200);
}

#[tokio::test]
async fn files_that_nobody_asked_for() {
    let server = start().await;
    let with = |size: usize| {
        format!(
            "--B\r\nContent-Disposition: form-data; name=\"photo[img]\"; filename=\"x.jpg\"\r\n\r\n{}\r\n\
             --B\r\nContent-Disposition: form-data; name=\"photo[room]\"\r\n\r\n1\r\n--B--\r\n",
            "x".repeat(size)
        )
    };
    let type_ = "multipart/form-data; boundary=B";
    assert_eq!(server.post("/echo", type_, with(100)).await.json(), json!({"photo[room]": "1"}));
    let got = server.post("/echo", type_, with(20_000)).await;
    assert_eq!((got.status, got.code().as_str()), (413, "part_too_large"));
}

#[tokio::test]
async fn typed_parameters_are_named_when_wrong() {
    let server = start().await;
    let got = server.get("/typed?lat=30.5&accuracy=65.4&id=12345678901234567890").await;
    assert_eq!(got.json(), json!({"lat": 30.5, "accuracy": 65, "id": 12_345_678_901_234_567_890u64}));
    let long = "9".repeat(20_000);
    for (query, name) in [
        ("accuracy=1", "lat"),
        ("lat=&accuracy=1", "lat"),
        ("lat=NaN&accuracy=1", "lat"),
        ("lat=1e309&accuracy=1", "lat"),
        ("lat=1", "accuracy"),
        ("lat=1&accuracy=1e308", "accuracy"),
        ("lat=1&accuracy=1&id=-1", "id"),
        (&format!("lat=1&accuracy=1&id={long}"), "id"),
    ] {
        let got = server.get(&format!("/typed?{query}")).await;
        assert_eq!(got.status, 400, "{query}");
        let error = got.json()["error"].as_str().expect("a sentence").to_owned();
        assert!(error.starts_with(&format!("{name}: ")) && error.len() < 150, "{error}");
    }
}

#[tokio::test]
async fn raw_bodies_are_left_alone() {
    let server = start().await;
    let got = server.post("/raw?a=1", "application/xml", "x".repeat(200_000)).await;
    assert_eq!(got.json(), json!({"bytes": 200_000, "a": "1"}));
}

#[tokio::test]
async fn a_real_client_works_too() {
    let server = start().await;
    let client = client().build().expect("a client");
    let url = format!("http://{}/echo", server.address);
    let form = reqwest::multipart::Form::new().text("a", "1").text("name", "湖");
    let got = client.post(&url).multipart(form).send().await.expect("an answer");
    assert_eq!(got.text().await.expect("a body"), r#"{"a":"1","name":"湖"}"#);
    for _ in 0..3 {
        let got = client.post(&url).json(&json!({"a": true})).send().await.expect("an answer");
        assert_eq!(got.text().await.expect("a body"), r#"{"a":"1"}"#);
    }
}
