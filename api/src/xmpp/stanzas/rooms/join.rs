//! Coming into a room: who is there, what was said before, the subject, and then what is said, without gap or repeat.

use std::{sync::Arc, time::Duration};

use dface_domain::{envelope::LogPosition, ids::ShopId, messages::Conversation};
use dface_projections::messages::{Archive, MessageEntry, Range};
use minidom::Element;

use super::{Entered, Entry, asked, nick, said, shop, standing};
use crate::xmpp::{
    chat::Chat,
    outbox::Outgoing,
    session::Session,
    stanzas::{
        errors::{Condition, Handled, Refused},
        xml::{Text, ns},
    },
};

/// A stream that is in a room and is still told of before; what is held back for it follows whatever comes between.
struct Coming<'a> {
    chat: &'a Chat,
    session: &'a Arc<Session>,
    shop: ShopId,
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        self.chat.rooms.within(self.shop, |room| room.open(self.session));
    }
}

/// Available presence to a room: whoever says so with the element of XEP-0045 comes in; without it, it is a change of one's presence, of which there is none.
pub(super) async fn presence(
    chat: &Chat,
    session: &Arc<Session>,
    presence: &Element,
    at: ShopId,
    asked: &str,
) -> Handled {
    let row = shop(chat, at)?;
    let Some(join) = presence.get_child("x", ns::MUC) else {
        let reminded = chat.rooms.within(at, |room| {
            let is_in = room.holds(session);
            if is_in {
                room.remind(session, asked);
            }
            is_in
        });
        // The client believes that it is in the room, perhaps from before a restart; now it knows.
        return if reminded == Some(true) { Ok(()) } else { Err(Condition::NotAcceptable.into()) };
    };
    let standing = standing(&row, at, session.owner);
    let entry = Entry { session, nick: nick(chat, session.owner)?, standing, asked };
    let Entered { introduction, heard } = chat.rooms.enter(at, entry)?;
    let coming = Coming { chat, session, shop: at };
    for stanza in introduction {
        coming.tell(stanza);
    }
    let told = coming.before(join, heard).await;
    if told.is_err() {
        chat.rooms.leave(at, session);
    }
    told
}

impl Coming<'_> {
    fn tell(&self, stanza: Outgoing) {
        let _ending = self.session.outbox.push(stanza);
    }

    async fn before(&self, join: &Element, heard: LogPosition) -> Handled {
        let Self { chat, session, shop: at } = *self;
        self.shown(heard).await?;
        if !chat.rooms.holds(at, session) {
            // Sent out again meanwhile.
            return Ok(());
        }
        // Who is staff, and the subject, may have changed since the shop was looked up.
        let row = shop(chat, at)?;
        chat.rooms.within(at, |room| room.stand(session.owner, standing(&row, at, session.owner)));
        let limits = &chat.rooms.limits;
        let asked = asked::history(join, chat.node.commands.clock().now(), limits.history, limits.history_most);
        let to = session.full();
        let stanza =
            |tail: &str| Outgoing::plain(format!("<message xmlns=\"jabber:client\" to=\"{}\"{tail}", Text(&to)));
        let mut lines = Vec::new();
        // What is told now shares the outbox with what is said meanwhile; more is in the archive.
        let mut bytes = asked.bytes.unwrap_or(usize::MAX).min(session.outbox.free() / 2);
        for entry in self.history(asked, heard)?.iter().rev() {
            let Some(line) = said::written(chat, at, &row, entry, Some(entry.at)) else { continue };
            let line = stanza(&line);
            match bytes.checked_sub(line.len()) {
                Some(rest) => bytes = rest,
                None => break,
            }
            lines.push(line);
        }
        for line in lines.into_iter().rev() {
            self.tell(line);
        }
        self.tell(stanza(&said::subject(&chat.rooms.address(at), &row.notice)));
        Ok(())
    }

    /// Waits until the read models show what is not told live.
    async fn shown(&self, heard: LogPosition) -> Handled {
        let limit = Duration::from_millis(self.chat.node.settings.limits.read_after_ms);
        for model in ["messages", "shops"] {
            if !self.chat.node.projector.wait_for_model(model, heard, limit).await? {
                return Err(Condition::ResourceConstraint.into());
            }
        }
        Ok(())
    }

    fn history(&self, asked: asked::Asked, heard: LogPosition) -> Result<Vec<MessageEntry>, Refused> {
        if asked.messages == 0 {
            return Ok(Vec::new());
        }
        let range = Range { before: Some(LogPosition(heard.0 + 1)), from: asked.since, ..Range::default() };
        let archive = Archive::Conversation(Conversation::Room(self.shop));
        Ok(self.chat.node.views.messages.view().newest(archive, range, None, asked.messages)?)
    }
}
