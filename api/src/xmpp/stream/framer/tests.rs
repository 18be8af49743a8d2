use proptest::prelude::*;

use super::*;

const HEADER: &str = "<?xml version='1.0'?><stream:stream to='dface.cn' version='1.0' xmlns='jabber:client' \
                      xmlns:stream='http://etherx.jabber.org/streams' xml:lang='zh' colour='blue'>";

fn read(framer: &mut Framer, mut bytes: &[u8]) -> Result<Vec<Input>, StreamError> {
    let mut all = Vec::new();
    while let Some(input) = framer.next(&mut bytes)? {
        all.push(input);
    }
    assert!(bytes.is_empty(), "all is read");
    Ok(all)
}

fn inside(text: &str) -> Result<Vec<Input>, StreamError> {
    let mut framer = Framer::new(Framing::Stream, Caps::STRANGER);
    read(&mut framer, HEADER.as_bytes())?;
    read(&mut framer, text.as_bytes())
}

fn error(text: &str) -> StreamError {
    inside(text).expect_err(text)
}

#[test]
fn headers_stanzas_and_the_end() {
    let mut framer = Framer::new(Framing::Stream, Caps::STRANGER);
    let text =
        format!("{HEADER} <message to='a&amp;b'><body>1 &lt; 2<![CDATA[<3>]]></body></message>\n</stream:stream>");
    let all = read(&mut framer, text.as_bytes()).unwrap();
    let [Input::Open(header), Input::Element(message), Input::Close] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((header.to.as_deref(), header.is_current()), (Some("dface.cn"), true));
    assert!(message.is("message", CLIENT));
    assert_eq!(message.attr("to"), Some("a&b"));
    assert_eq!(message.get_child("body", CLIENT).unwrap().text(), "1 < 2<3>");
}

#[test]
fn a_line_break_before_the_stream_is_no_part_of_it() {
    let mut framer = Framer::new(Framing::Stream, Caps::STRANGER);
    assert!(read(&mut framer, b"\r\n").unwrap().is_empty());
    assert!(matches!(*read(&mut framer, format!(" \n{HEADER}").as_bytes()).unwrap(), [Input::Open(_)]));
    framer.restart();
    assert!(matches!(*read(&mut framer, format!("\n{HEADER}").as_bytes()).unwrap(), [Input::Open(_)]));
}

#[test]
fn prefixes_mean_what_they_are_declared_as_and_where() {
    let all =
        inside("<a:x xmlns:a='one' a:k='1' k='2'><y xmlns='two'><a:z xmlns:a='three'/><a:z/></y></a:x><x/>").unwrap();
    let [Input::Element(x), Input::Element(plain)] = all.as_slice() else { panic!("{all:?}") };
    assert!(x.is("x", "one") && plain.is("x", CLIENT));
    assert_eq!((x.attr("k"), x.attr_ns("one", "k")), (Some("2"), Some("1")));
    let y = x.get_child("y", "two").unwrap();
    assert!(y.has_child("z", "three") && y.has_child("z", "one"));
    // What is written is read as the same, and needs no prefix of the stream.
    assert_eq!(String::from(x).parse::<Element>().unwrap(), *x);
}

#[test]
fn what_xml_of_streams_may_not_hold_is_refused() {
    for text in ["<!DOCTYPE a><a/>", "<!-- a -->", "<?php a?>", "<a>&b;</a>", "<a b='&c;'/>", "<a><!ENTITY b 'c'></a>"]
    {
        assert_eq!(error(text), StreamError::RestrictedXml, "{text}");
    }
    for text in [
        "<a></b>",
        "<a b='1' b='2'/>",
        "<a b=1/>",
        "<a:b/>",
        "<a c:b='1'/>",
        "<a xmlns:b='1' xmlns:b='2'/>",
        "<a>]]></a>",
    ] {
        assert_eq!(error(text), StreamError::NotWellFormed, "{text}");
    }
    assert_eq!(error("hello"), StreamError::BadFormat);
    let mut framer = Framer::new(Framing::Stream, Caps::STRANGER);
    read(&mut framer, HEADER.as_bytes()).unwrap();
    assert_eq!(read(&mut framer, b"<a>\xff</a>").expect_err("UTF-8"), StreamError::UnsupportedEncoding);
}

#[test]
fn headers_of_something_else_are_refused() {
    let begun = |text: &str| read(&mut Framer::new(Framing::Stream, Caps::STRANGER), text.as_bytes());
    for (text, expected) in [
        ("<stream/>", StreamError::InvalidNamespace),
        ("<s:stream xmlns:s='http://etherx.jabber.org/streams'/>", StreamError::InvalidNamespace),
        ("<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:server'>", StreamError::InvalidNamespace),
        ("<s:strom xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client'>", StreamError::BadFormat),
        ("GET / HTTP/1.1\r\n", StreamError::NotWellFormed),
    ] {
        assert_eq!(begun(text).expect_err(text), expected, "{text}");
    }
}

#[test]
fn no_more_is_read_than_allowed() {
    for text in [
        "<a>".repeat(6),
        format!("<a>{}</a>", "b".repeat(9_000)),
        format!("<{}/>", "b".repeat(9_000)),
        format!("<{}/>", "b".repeat(200)),
        format!("<a b='{}'/>", "b".repeat(9_000)),
        format!("<a{}/>", (0..40).map(|n| format!(" b{n}=''")).collect::<String>()),
        format!("<a>{}</a>", "<b/>".repeat(100)),
        format!("<a{}", " ".repeat(9_000)),
    ] {
        assert_eq!(error(&text), StreamError::TooLarge, "{:?}", text.get(..20));
    }
    assert_eq!(inside(&"<a/>".repeat(1_000)).unwrap().len(), 1_000);
    assert_eq!(inside(&" ".repeat(100_000)).unwrap().len(), 0);
    assert_eq!(inside(&"<a>".repeat(5)).unwrap().len(), 0);
}

#[test]
fn a_frame_holds_one_element() {
    let mut framer = Framer::new(Framing::Whole, Caps::STRANGER);
    let open = framer.whole("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='dface.cn' version='1.0'/>");
    assert!(matches!(open, Ok(Some(Input::Open(_)))), "{open:?}");
    assert!(
        matches!(framer.whole("<iq xmlns='jabber:client'/> "), Ok(Some(Input::Element(iq))) if iq.is("iq", CLIENT))
    );
    assert_eq!(framer.whole(" "), Ok(None));
    for bad in ["<a/><b/>", "<a>", "<a/>b", "b"] {
        assert_eq!(framer.whole(bad), Err(StreamError::NotWellFormed), "{bad}");
    }
    assert_eq!(framer.whole(&format!("<a>{}</a>", "b".repeat(9_000))), Err(StreamError::TooLarge));
    let close = framer.whole("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    assert_eq!(close, Ok(Some(Input::Close)));
}

/// Pieces that streams are made of, and pieces that they should not be made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "<message to='a'>", "</message>", "<body>", "</body>", "<a:x xmlns:a='b'>", "</a:x>", "<iq/>", " ", "\r\n", "&amp;", "&#x4e2d;",
            "<![CDATA[", "]]>", "文", "<a b='1' c=\"2\"/>", "</stream:stream>", "<x xmlns=''/>",
        ]).prop_map(str::to_owned),
        1 => "[<>&'\"a-c:= /!?\\[\\]\u{80}-\u{10FFFF}-]{0,6}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn fuzz_bytes_may_come_in_any_pieces(text in pieces(), cuts in prop::collection::vec(1_usize..9, 1..40)) {
        let whole = inside(&text);
        let mut framer = Framer::new(Framing::Stream, Caps::STRANGER);
        let mut bytes = [HEADER, &text].concat().into_bytes();
        let (mut cuts, mut pieces) = (cuts.into_iter().cycle(), Vec::new());
        while !bytes.is_empty() {
            let rest = bytes.split_off(cuts.next().unwrap().min(bytes.len()));
            match read(&mut framer, &bytes) {
                Ok(read) => pieces.extend(read),
                Err(error) => {
                    // What stands where nothing may is refused the sooner the smaller the pieces are.
                    let is_stray = error == StreamError::BadFormat || whole == Err(StreamError::BadFormat);
                    prop_assert!(whole == Err(error) || is_stray, "{whole:?}, but {error:?}");
                    return Ok(());
                }
            }
            framer.rest();
            bytes = rest;
        }
        pieces.remove(0);
        prop_assert_eq!(whole, Ok(pieces));
    }

    #[test]
    fn fuzz_anything_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut framer = Framer::new(Framing::Stream, Caps::STRANGER);
        let _ = read(&mut framer, &bytes);
        let mut framer = Framer::new(Framing::Stream, Caps::STRANGER);
        let _ = read(&mut framer, HEADER.as_bytes()).and_then(|_| read(&mut framer, &bytes));
    }
}
