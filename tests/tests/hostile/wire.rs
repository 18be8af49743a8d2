//! Methods, paths and heads that are none.

use dface_tests::{
    Answer,
    raw::{exchange, statuses},
};
use reqwest::Method;

use super::prepared;

#[test]
fn other_methods_get_405_with_allow() {
    let (mut server, phone, _) = prepared();
    let post_only = [("/checkins/delete", "POST")];
    let both = ["/aroundme/shops", "/shop/nearby", "/shop/info", "/shop/users", "/user_info/trace", "/oauth2/login"];
    let cases = post_only
        .into_iter()
        .chain(both.map(|path| (path, "GET, HEAD, POST")))
        .chain([("/checkins", "GET, HEAD, POST")]);
    for (path, allow) in cases {
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            for path in [path.to_owned(), format!("{path}.json")] {
                let method = Method::from_bytes(method.as_bytes()).expect("a method");
                let answer = Answer::to(phone.request(method, &path));
                answer.refused(405, "wrong_method");
                assert_eq!(answer.header("allow"), allow, "{answer}");
            }
        }
    }
    let got = phone.get("/checkins/delete", &[]);
    got.refused(405, "wrong_method");
    server.alive();
}

#[test]
fn paths_that_are_none_are_told_in_json() {
    let (mut server, phone, _) = prepared();
    let long = format!("/{}", "a".repeat(20_000));
    let paths = [
        "/",
        "//",
        "/checkins/",
        "/checkins.json.json",
        "/checkins.xml",
        "/CHECKINS",
        "/admin/users",
        "/..%2f..%2fetc/passwd",
        "/%00",
        "/%ff",
        "/shop",
        &long,
    ];
    for path in paths {
        let answer = phone.get(path, &[]);
        assert!((400..500).contains(&answer.status), "{answer}");
        answer.code();
    }
    for path in ["/.env", "/metrics", "/events"] {
        phone.get(path, &[]).refused(404, "unknown_path");
    }
    server.alive();
}

#[test]
fn huge_heads_and_many_headers_are_refused() {
    let (mut server, phone, _) = prepared();
    let huge = Answer::to(phone.request(Method::GET, "/checkins").header("x-junk", "a".repeat(100_000)));
    huge.refused(413, "head_too_large");
    let long = format!("GET /shop/info?id={} HTTP/1.1\r\nHost: a\r\n\r\n", "7".repeat(1_000_000));
    let long = exchange(server.public().address(), long.as_bytes());
    assert!(statuses(&long) == [413] && long.contains("head_too_large"), "{long}");
    let mut many = phone.request(Method::GET, "/checkins");
    for n in 0..200 {
        many = many.header(format!("x-{n}"), "1");
    }
    let many = Answer::to(many);
    assert!((400..500).contains(&many.status), "{many}");
    many.code();
    let cookies = Answer::to(phone.request(Method::GET, "/user_info/trace").header("cookie", "a=b; ".repeat(2_000)));
    assert_eq!(cookies.status, 200, "{cookies}");
    server.alive();
}

#[test]
fn junk_on_the_wire_gets_400_or_is_closed() {
    let (mut server, _, _) = prepared();
    let at = server.public().address();
    let cases: [&[u8]; 12] = [
        b"hello\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST /shop/info HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /oauth2/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /oauth2/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nffffffffffffffff\r\n",
        b"POST /oauth2/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 500\r\n\r\nname=a",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: \xff\xfe\r\nCookie: \xff\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x04\xff\0\0\0\0\0aaaa",
    ];
    for junk in cases {
        let told = exchange(at, junk);
        for status in statuses(&told) {
            assert!(status < 500 || status == 503, "{}: {told}", String::from_utf8_lossy(junk));
        }
    }
    server.alive();
}

#[test]
fn pipelined_requests_are_answered_in_order_until_the_junk() {
    let (mut server, _, _) = prepared();
    let one = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let unknown = "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n";
    let text = format!("{one}{unknown}{one}{}", "\u{1}\u{2}junk\r\n\r\n".repeat(50));
    let told = exchange(server.public().address(), text.as_bytes());
    let answers: Vec<&str> = told.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect();
    assert_eq!(answers.get(..3), Some(&["200", "404", "200"][..]), "{told}");
    assert!(answers.len() <= 4 && answers.get(3).is_none_or(|status| *status == "400"), "{told}");
    server.alive();
}

#[test]
fn head_is_get_without_a_body() {
    let (mut server, phone, _) = prepared();
    let answer = Answer::to(phone.request(Method::HEAD, "/user_info/trace"));
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    server.alive();
}
