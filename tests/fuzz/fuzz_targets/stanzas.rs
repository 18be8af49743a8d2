//! Any elements from somebody who has signed in: no panic, and all that is answered is well-formed.
#![no_main]

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use dface_api::{
    node::Node,
    settings::Settings,
    xmpp::{
        chat::Chat,
        delivery,
        hub::Hub as _,
        outbox::{End, Next, Outbox},
        session::Session,
        stream::framer::{Caps, Framer, Framing, Input},
    },
};
use dface_domain::{ids::UserId, messages::Party};
use libfuzzer_sys::fuzz_target;
use minidom::Element;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// More than any answer; what is said to oneself comes back.
const OUTBOX: usize = 64 << 20;

const HEADER: &[u8] = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

struct World {
    runtime: Runtime,
    chat: Arc<Chat>,
    caps: Caps,
    session: Mutex<Arc<Session>>,
    _dir: TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let dir = tempfile::tempdir().expect("a directory");
    let mut settings = Settings::load(None, &[("data", dir.path().display().to_string())]).expect("settings");
    (settings.limits.message_burst, settings.limits.stanza_burst) = (u32::MAX, u32::MAX);
    let caps = Caps::member(&settings.chat);
    let (chat, session) = runtime.block_on(async {
        let chat = Chat::new(Arc::new(Node::open(settings).await.expect("a node")));
        tokio::spawn(delivery::run(Arc::clone(&chat), CancellationToken::new()));
        let session = bound(&chat).await;
        (chat, session)
    });
    World { runtime, chat, caps, session: Mutex::new(session), _dir: dir }
});

async fn bound(chat: &Chat) -> Arc<Session> {
    let outbox = Arc::new(Outbox::new(OUTBOX));
    let session = Arc::new(Session::new(Party::User(UserId::Number(7)), "fuzz", "dface.cn", outbox));
    chat.bound(&session).await;
    session
}

fuzz_target!(|bytes: &[u8]| {
    let world = &*WORLD;
    let mut framer = Framer::new(Framing::Stream, world.caps);
    let mut header = HEADER;
    assert!(matches!(framer.next(&mut header), Ok(Some(Input::Open(_)))));
    let mut held = world.session.lock().unwrap_or_else(PoisonError::into_inner);
    let session = Arc::clone(&held);
    let mut rest = bytes;
    while let Ok(Some(Input::Element(element))) = framer.next(&mut rest) {
        world.runtime.block_on(world.chat.stanza(&session, element));
    }
    while let Some(next) = session.outbox.take(OUTBOX) {
        let stanzas = match next {
            Next::Stanzas(stanzas) => stanzas,
            // Whoever writes in another's name is cut off (RFC 6120, 8.1.2.1); nothing else that they say does that.
            Next::End(End::InvalidFrom) => {
                *held = world.runtime.block_on(bound(&world.chat));
                return;
            }
            Next::End(end) => panic!("the session ended: {end:?}"),
        };
        for stanza in stanzas {
            let whole = [stanza.head.as_ref(), stanza.tail.as_ref()].concat();
            let text = String::from_utf8(whole).expect("UTF-8");
            text.parse::<Element>().unwrap_or_else(|error| panic!("not well-formed ({error}): {text}"));
        }
    }
});
