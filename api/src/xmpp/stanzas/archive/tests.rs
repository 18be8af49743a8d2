use super::*;
use crate::xmpp::testing::{Client, Stage};

struct Page {
    bodies: Vec<String>,
    ids: Vec<String>,
    fin: Element,
}

impl Page {
    fn is_complete(&self) -> bool {
        self.fin.attr("complete") == Some("true")
    }

    fn end(&self, which: &str) -> String {
        self.fin.get_child("set", ns::RSM).unwrap().get_child(which, ns::RSM).unwrap().text()
    }
}

async fn ask(client: &Client, to: &str, inner: &str) -> Result<Page, String> {
    let to = if to.is_empty() { String::new() } else { format!(" to='{to}'") };
    client
        .send(&format!("<iq type='set' id='q'{to}><query xmlns='urn:xmpp:mam:2' queryid='7'>{inner}</query></iq>"))
        .await;
    let (mut bodies, mut ids) = (vec![], vec![]);
    loop {
        let next = client.next().await;
        if next.name() == "iq" {
            if let Some(error) = next.get_child("error", ns::CLIENT) {
                return Err(error.children().next().unwrap().name().to_owned());
            }
            return Ok(Page { bodies, ids, fin: next.get_child("fin", ns::MAM).unwrap().clone() });
        }
        let Some(result) = next.get_child("result", ns::MAM) else { continue };
        assert_eq!(result.attr("queryid"), Some("7"));
        let forwarded = result.get_child("forwarded", ns::FORWARD).unwrap();
        assert!(forwarded.get_child("delay", ns::DELAY).unwrap().attr("stamp").unwrap().ends_with('Z'));
        let message = forwarded.get_child("message", ns::CLIENT).unwrap();
        bodies.push(message.get_child("body", ns::CLIENT).unwrap().text());
        ids.push(result.attr("id").unwrap().to_owned());
    }
}

fn set(inner: &str) -> String {
    format!("<set xmlns='http://jabber.org/protocol/rsm'>{inner}</set>")
}

fn form(fields: &[(&str, &str)]) -> String {
    let field = |(var, value): &(&str, &str)| format!("<field var='{var}'><value>{value}</value></field>");
    let fields: String = [("FORM_TYPE", "urn:xmpp:mam:2")].iter().chain(fields).map(field).collect();
    format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>")
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_archive_is_read_page_by_page_both_ways() {
    let stage = Stage::new().await;
    let (anna, ben, carl) = (stage.person("anna").await, stage.person("ben").await, stage.person("carl").await);
    let (phone, other) = (stage.client(anna, "a").await, stage.client(ben, "b").await);
    for n in 0..5 {
        phone.send(&format!("<message to='{ben}@dface.cn'><body>{n}</body></message>")).await;
    }
    other.send(&format!("<message to='{anna}@dface.cn'><body>5</body></message>")).await;
    phone.send(&format!("<message to='{carl}@dface.cn'><body>6</body></message>")).await;
    let all = ask(&phone, "", "").await.unwrap();
    assert_eq!((all.bodies.join(""), all.is_complete()), ("0123456".to_owned(), true));
    let mut read = vec![];
    let mut page = ask(&phone, "", &set("<max>3</max>")).await.unwrap();
    loop {
        read.extend(page.ids.clone());
        if page.is_complete() {
            break;
        }
        let after = set(&format!("<max>3</max><after>{}</after>", page.end("last")));
        page = ask(&phone, &phone.session.bare, &after).await.unwrap();
    }
    assert_eq!(read, all.ids);
    let last = ask(&phone, "", &set("<max>2</max><before/>")).await.unwrap();
    assert_eq!((last.bodies.join(""), last.is_complete()), ("56".to_owned(), false));
    let before = set(&format!("<max>10</max><before>{}</before>", last.end("first")));
    let rest = ask(&phone, "", &before).await.unwrap();
    assert_eq!((rest.bodies.join(""), rest.is_complete()), ("01234".to_owned(), true));
    let with = ask(&phone, "", &form(&[("with", &format!("{carl}@dface.cn"))])).await.unwrap();
    assert_eq!(with.bodies, ["6"]);
    assert_eq!(ask(&other, "", "").await.unwrap().bodies.join(""), "012345");
    let past = [("start", "2001-01-01T00:00:00Z"), ("end", "2002-01-01T00:00:00Z")];
    assert_eq!(ask(&phone, "", &form(&past)).await.unwrap().bodies, [""; 0]);
    assert_eq!(ask(&phone, "", &form(&past[..1])).await.unwrap().bodies.len(), 7);
    let none = ask(&phone, "", &set("<max>0</max>")).await.unwrap();
    assert_eq!((none.bodies.len(), none.is_complete()), (0, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_question_is_told_and_another_ones_archive_is_not_read() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let phone = stage.client(anna, "a").await;
    for (inner, expected) in [
        (set("<after>502fd10abe4b19ed48000002</after>"), "item-not-found"),
        (set("<after>x</after>"), "item-not-found"),
        (set("<max>many</max>"), "bad-request"),
        (form(&[("start", "yesterday")]), "bad-request"),
        (form(&[("colour", "red")]), "feature-not-implemented"),
    ] {
        assert_eq!(ask(&phone, "", &inner).await.err().unwrap(), expected, "{inner}");
    }
    assert_eq!(ask(&phone, &format!("{ben}@dface.cn"), "").await.err().unwrap(), "service-unavailable");
    assert_eq!(ask(&phone, "999@c.dface.cn", "").await.err().unwrap(), "item-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rooms_archive_has_what_was_said_there() {
    let stage = Stage::new().await;
    let (anna, shop) = (stage.person("anna").await, stage.shop("二所").await);
    let phone = stage.client(anna, "a").await;
    let room = format!("{shop}@c.dface.cn");
    phone.send(&format!("<presence to='{room}/x'><x xmlns='http://jabber.org/protocol/muc'/></presence>")).await;
    for n in 0..3 {
        phone.send(&format!("<message type='groupchat' to='{room}'><body>{n}</body></message>")).await;
    }
    stage.settled().await;
    phone.all();
    let page = ask(&phone, &room, &set("<max>2</max><before/>")).await.unwrap();
    assert_eq!(page.bodies, ["1", "2"]);
    assert_eq!(ask(&phone, "", "").await.unwrap().bodies, [""; 0], "rooms are not in one's own archive");
}
