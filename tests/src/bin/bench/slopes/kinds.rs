//! The kinds of things, and how each is made.

use std::ops::Range;

use dface_commands::{Context, messages::Said, people::NewAccount};
use dface_domain::{
    events::Gender,
    ids::{ShopId, UserId},
    messages::{MessageKind, Party, Stanza},
    time::Timestamp,
};
use futures::{StreamExt as _, TryStreamExt as _};

use crate::{
    Failed,
    made::{
        self, Directory,
        people::{Crowd, make_keys, registered, visits},
    },
};

/// People and shops that are there before what needs them.
const PEOPLE: u64 = 2_000;
const SHOPS: u64 = 500;

/// Commands on their way at once.
const AT_ONCE: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Shop,
    Person,
    Session,
    Follow,
    CheckIn,
    Message,
}

impl Kind {
    pub const ALL: [Self; 6] = [Self::Shop, Self::Person, Self::Session, Self::Follow, Self::CheckIn, Self::Message];

    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Person => "person, with a sign-in name and no password",
            Self::Session => "session",
            Self::Follow => "follow",
            Self::CheckIn => "check-in",
            Self::Message => "message of 31 characters in a room",
        }
    }
}

/// What those of the kind need.
pub async fn prepare(directory: &Directory, kind: Kind) -> Result<(), Failed> {
    let now = Timestamp::from_seconds(1_700_000_000);
    if matches!(kind, Kind::CheckIn | Kind::Message) {
        let shops = made::shops::made(SHOPS);
        let added = shops.iter().enumerate().map(|(index, details)| Ok(made::shops::added(index, details, now)));
        directory.append("shops", added).await?;
    }
    if matches!(kind, Kind::Session | Kind::CheckIn | Kind::Message) {
        make_keys(directory.keys.as_ref(), PEOPLE)?;
        directory.append("people", (1..=PEOPLE).map(|user| registered(&directory.keys, user, now))).await?;
    }
    Ok(())
}

/// Makes those with these numbers.
pub async fn add(directory: &Directory, kind: Kind, numbers: Range<u64>) -> Result<(), Failed> {
    let (commands, count) = (&directory.commands, numbers.end - numbers.start);
    let now = commands.clock().now();
    let context = || Context::new(commands.fresh_id());
    match kind {
        Kind::Shop => {
            let shops = made::shops::made(numbers.end);
            let new = shops.iter().enumerate().skip(usize::try_from(numbers.start)?);
            directory.append("shops", new.map(|(index, shop)| Ok(made::shops::added(index, shop, now)))).await
        }
        Kind::Follow => {
            // A chain: everybody follows the next one.
            let new = numbers.map(|number| Ok(made::people::followed(number + 1, number + 1, number + 2, now)));
            directory.append("follows", new).await
        }
        Kind::CheckIn => {
            let (shops, keys) = (made::shops::made(SHOPS), &directory.keys);
            let new = visits(Crowd { users: PEOPLE, follows: 0, checkins: numbers.end }, &shops, now);
            let new = new.skip(usize::try_from(numbers.start)?);
            directory.append("check-ins", new.map(|visit| made::people::checked_in(keys, &visit))).await
        }
        Kind::Person => {
            let made = numbers.map(|number| async move {
                let name = format!("person{number}");
                let account = NewAccount { name, password: None, gender: Gender::Unset, source: None };
                commands.register(account, &context()).await.map(|_| ())
            });
            all(made).await.inspect(|()| crate::report::note(&format!("made {count} people")))
        }
        Kind::Session => {
            let made = numbers.map(|number| async move {
                let user = UserId::Number(number % PEOPLE + 1);
                commands.open_session(user, "127.0.0.1", &context()).await.map(|_| ())
            });
            all(made).await.inspect(|()| crate::report::note(&format!("made {count} sessions")))
        }
        Kind::Message => {
            let said = numbers.map(|number| async move { commands.say(said(number), &context()).await.map(|_| ()) });
            all(said).await.inspect(|()| crate::report::note(&format!("made {count} messages")))
        }
    }
}

async fn all<E: Into<Failed>>(made: impl Iterator<Item = impl Future<Output = Result<(), E>>>) -> Result<(), Failed> {
    futures::stream::iter(made).buffer_unordered(AT_ONCE).try_collect::<()>().await.map_err(Into::into)
}

/// As long as what people write.
fn said(number: u64) -> Said {
    let (id, body) = (format!("message-{number:07}"), "see you at eight, by the window".to_owned());
    let xml = format!("<message type='groupchat' id='{id}'><body>{body}</body></message>");
    Said {
        from: Party::User(UserId::Number(number % PEOPLE + 1)),
        to: Party::Room(ShopId(number % SHOPS + 1)),
        kind: MessageKind::Text,
        body,
        id: Some(id),
        stanza: Stanza { resource: "phone".to_owned(), xml },
    }
}
