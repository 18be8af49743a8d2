//! Two releases side by side: the older one reads what the newer one writes, until the upgrade is finalized.

use dface_commands::{CommandError, Commands, Context, ExecutorSettings, messages::Said, people::NewAccount};
use dface_domain::{
    events::{CodecError, Encoding, Event, Gender, ShopDetails, ShopNoticeChanged},
    format::{FIRST, Formats, Since},
    geo::{MapPosition, Position},
    ids::{MessageId, ShopId, UserId},
    messages::{Conversation, MessageKind, Party, Stanza},
    ports::EventStore as _,
    sealed::Sealed,
    shops::{ShopCommand, kind::ShopKind},
    stream::StreamId,
};
use serde::Serialize;
use uuid::Uuid;

use super::world::World;

/// As messages were written before.
#[derive(Serialize)]
struct MessageSentV1<'a> {
    message: MessageId,
    conversation: &'a Conversation,
    from: Party,
    to: Party,
    body: &'a Sealed<String>,
}

fn message_v1(event: &Event, encoding: Encoding) -> Result<Vec<u8>, CodecError> {
    let Event::MessageSent(event) = event else { return Err(CodecError::Malformed("no message".to_owned())) };
    let (from, to) = (event.from, event.to);
    let old = MessageSentV1 { message: event.message, conversation: &event.conversation, from, to, body: &event.body };
    match encoding {
        Encoding::Postcard => postcard::to_stdvec(&old).map_err(|e| CodecError::Malformed(e.to_string())),
        Encoding::Json => Err(CodecError::Malformed("this store has no JSON".to_owned())),
    }
}

/// The release before.
static OLDER: Formats = Formats { newest: FIRST, since: &[] };

/// A release that writes messages in another form than that one, and notices of shops at all.
static NEWER: Formats = Formats {
    newest: FIRST + 1,
    since: &[
        Since { type_name: "MessageSent", schema: 2, format: FIRST + 1, before: Some(message_v1) },
        Since { type_name: "ShopNoticeChanged", schema: 1, format: FIRST + 1, before: None },
    ],
};

fn release(formats: &'static Formats) -> ExecutorSettings {
    ExecutorSettings { formats, ..ExecutorSettings::default() }
}

fn context() -> Context {
    Context::new(Uuid::nil())
}

async fn person(commands: &Commands, name: &str) -> UserId {
    let account = NewAccount { name: name.to_owned(), password: None, gender: Gender::Unset, source: None };
    commands.register(account, &context()).await.expect("registered").0
}

async fn shop(commands: &Commands) -> ShopId {
    let details = ShopDetails {
        name: "海洋二所".to_owned(),
        address: String::new(),
        phone: String::new(),
        kind: ShopKind::Cafe,
        position: Position::new(30.28, 120.11).expect("a place"),
        map: MapPosition::new(30.0, 120.0).expect("a place"),
    };
    commands.add_shop(details, &context()).await.expect("added").0
}

async fn say(commands: &Commands, from: UserId, to: UserId, body: &str) -> Result<MessageId, CommandError> {
    let stanza = Stanza { resource: "phone".to_owned(), xml: "<message xmlns=\"jabber:client\"></message>".to_owned() };
    let (from, to) = (Party::User(from), Party::User(to));
    let said = Said { from, to, kind: MessageKind::Text, body: body.to_owned(), id: None, stanza };
    commands.say(said, &context()).await.map(|accepted| accepted.message)
}

async fn notice(commands: &Commands, shop: ShopId) -> Result<(), CommandError> {
    let command = ShopCommand::ChangeNotice(ShopNoticeChanged { shop, text: "今天打折".to_owned() });
    commands.change_shop(shop, &command, &context()).await.map(drop)
}

async fn schema_of(world: &World, message: MessageId) -> u16 {
    let events = world.store().read_stream(&StreamId::message(message), 0, 1).await.expect("read");
    events[0].data.decode().expect("every release reads it");
    events[0].data.schema
}

#[tokio::test]
async fn a_newer_release_writes_as_the_older_one_reads_until_the_upgrade_is_finalized() {
    let world = World::new();
    let (older, newer) = (world.process(release(&OLDER)), world.process(release(&NEWER)));
    let (anna, ben, shop) = (person(&older, "anna").await, person(&older, "ben").await, shop(&older).await);
    assert_eq!((newer.read_format().await.expect("read"), newer.newest_format()), (FIRST, FIRST + 1));
    let first = say(&newer, anna, ben, "你好").await.expect("said");
    assert_eq!(schema_of(&world, first).await, 1);
    let held_back = notice(&newer, shop).await.expect_err("the older release could not read it");
    assert!(matches!(held_back, CommandError::NotFinalized("ShopNoticeChanged")), "{held_back}");
    // The older one writes beside it.
    let second = say(&older, ben, anna, "你好").await.expect("said");

    newer.raise_format(&context()).await.expect("raised");
    assert_eq!(newer.raise_format(&context()).await.expect("nothing to do"), None);
    let third = say(&newer, anna, ben, "再见").await.expect("said");
    notice(&newer, shop).await.expect("it is there now");
    assert_eq!((schema_of(&world, second).await, schema_of(&world, third).await), (2, 2));

    // The older one hears of it, and writes no more; it does not start any more either.
    assert_eq!(older.read_format().await.expect("read"), FIRST + 1);
    let refused = say(&older, ben, anna, "再见").await.expect_err("it is too old");
    assert!(matches!(refused, CommandError::Older(format) if format == FIRST + 1), "{refused}");
    let started = world.process(release(&OLDER));
    assert!(started.read_format().await.expect("read") > started.newest_format());
}

#[tokio::test]
async fn a_log_without_an_event_begins_with_the_newest_format() {
    let world = World::new();
    let newer = world.process(release(&NEWER));
    assert_eq!(newer.read_format().await.expect("begun"), FIRST + 1);
    let (anna, ben) = (person(&newer, "anna").await, person(&newer, "ben").await);
    let message = say(&newer, anna, ben, "你好").await.expect("said");
    assert_eq!(schema_of(&world, message).await, 2);
}
