//! Message archives (XEP-0313): one's own, and those of rooms, a page at a time (XEP-0059).

use std::{sync::Arc, time::Duration};

use dface_domain::{envelope::LogPosition, ids::MessageId, messages::Party, ports::EventStore as _, time::Timestamp};
use dface_projections::{
    messages::{Archive, MessageEntry, Messages, Range},
    projector::ReadModel as _,
};
use minidom::Element;

use super::{
    errors::{Condition, Handled, Refused},
    xml::{Text, ns, result},
};
use crate::xmpp::{
    address::Address,
    chat::Chat,
    delivery::{self, Spoken},
    session::Session,
};

/// How long an answer waits until the archive shows what was said last.
const PATIENCE: Duration = Duration::from_secs(5);

/// Messages of a page where the client does not say.
const USUAL: usize = 50;

/// Whose archive is asked, and how it is shown.
pub(in crate::xmpp::stanzas) struct Asked<F> {
    /// Which.
    pub archive: Archive,
    /// Its address.
    pub by: String,
    /// A message of it, whole; none where it cannot be opened any more.
    pub shown: F,
}

/// A query of one's own archive.
///
/// # Errors
/// What is answered instead.
pub(super) async fn own(chat: &Chat, session: &Arc<Session>, iq: &Element, query: &Element) -> Handled {
    let owner = session.owner;
    let shown = |entry: &MessageEntry| {
        Some(Spoken::of_entry(chat.node.commands.keys().as_ref(), entry)?.xml(&chat.names, owner, ""))
    };
    let asked = Asked { archive: Archive::Of(owner), by: session.bare.to_string(), shown };
    answer(chat, session, (iq, query), &asked).await
}

/// Answers a query of an archive, or tells which fields there are.
///
/// # Errors
/// What is answered instead.
pub(in crate::xmpp::stanzas) async fn answer<F: Fn(&MessageEntry) -> Option<String> + Sync>(
    chat: &Chat,
    session: &Arc<Session>,
    (iq, query): (&Element, &Element),
    asked: &Asked<F>,
) -> Handled {
    match (iq.attr("type"), query.name()) {
        (Some("get"), "query") => {
            session.answer(result(session, iq, FIELDS));
            Ok(())
        }
        (Some("set"), "query") => {
            let head = chat.node.store.head();
            if !chat.node.projector.wait_for_model(Messages::NAME, head, PATIENCE).await? {
                return Err(Refused { kind: Some("wait"), ..Condition::InternalServerError.into() });
            }
            page(chat, session, (iq, query), asked)
        }
        _ => Err(Condition::FeatureNotImplemented.into()),
    }
}

const FIELDS: &str = "<query xmlns=\"urn:xmpp:mam:2\"><x xmlns=\"jabber:x:data\" type=\"form\">\
     <field var=\"FORM_TYPE\" type=\"hidden\"><value>urn:xmpp:mam:2</value></field>\
     <field var=\"with\" type=\"jid-single\"/><field var=\"start\" type=\"text-single\"/>\
     <field var=\"end\" type=\"text-single\"/></x></query>";

/// What of an archive is wanted.
#[derive(Default)]
struct Wanted {
    range: Range,
    with: Option<Party>,
    /// With whom nobody here has talked.
    nothing: bool,
    backwards: bool,
    max: Option<usize>,
}

fn page<F: Fn(&MessageEntry) -> Option<String>>(
    chat: &Chat,
    session: &Arc<Session>,
    (iq, query): (&Element, &Element),
    asked: &Asked<F>,
) -> Handled {
    let wanted = wanted(chat, query)?;
    let most = wanted.max.unwrap_or(USUAL).min(chat.node.settings.chat.archive_page);
    let mut entries = if wanted.nothing {
        vec![]
    } else {
        let view = chat.node.views.messages.view();
        let read = |more| match wanted.backwards {
            true => view.newest(asked.archive, wanted.range, wanted.with, more),
            false => view.oldest(asked.archive, wanted.range, wanted.with, more),
        };
        read(most + 1)?
    };
    let mut complete = entries.len() <= most;
    if !complete {
        entries.remove(if wanted.backwards { 0 } else { most });
    }
    let mut shown: Vec<(MessageId, String)> = entries
        .iter()
        .filter_map(|entry| {
            Some((entry.message, result_of(session, query, (entry, &(asked.shown)(entry)?), &asked.by)))
        })
        .collect();
    complete &= fits(session, &mut shown, wanted.backwards);
    for (_, message) in &shown {
        session.answer(message.clone());
    }
    let ends = shown
        .first()
        .zip(shown.last())
        .map(|((first, _), (last, _))| format!("<first>{first}</first><last>{last}</last>"));
    let complete = if complete { " complete=\"true\"" } else { "" };
    let fin = format!(
        "<fin xmlns=\"{}\"{complete}><set xmlns=\"{}\">{}</set></fin>",
        ns::MAM,
        ns::RSM,
        ends.unwrap_or_default()
    );
    session.answer(result(session, iq, &fin));
    Ok(())
}

/// Takes away what a client that reads slowly has no room for; it asks for the rest. Whether all fits.
fn fits(session: &Session, shown: &mut Vec<(MessageId, String)>, backwards: bool) -> bool {
    if backwards {
        shown.reverse();
    }
    let (mut room, before) = (session.outbox.free() / 2, shown.len());
    let too_much = shown.iter().skip(1).position(|(_, message)| {
        room = room.saturating_sub(message.len());
        room == 0
    });
    shown.truncate(too_much.map_or(before, |at| at + 1));
    if backwards {
        shown.reverse();
    }
    shown.len() == before
}

fn result_of(session: &Session, query: &Element, (entry, message): (&MessageEntry, &str), by: &str) -> String {
    let queryid = query.attr("queryid").map(|id| format!(" queryid=\"{}\"", Text(id))).unwrap_or_default();
    format!(
        "<message xmlns=\"jabber:client\" from=\"{by}\" to=\"{}\"><result xmlns=\"{}\"{queryid} id=\"{}\"><forwarded xmlns=\"{}\">\
         <delay xmlns=\"{}\" stamp=\"{}\"/>{message}</forwarded></result></message>",
        Text(&session.full()),
        ns::MAM,
        entry.message,
        ns::FORWARD,
        ns::DELAY,
        delivery::stamp(entry.at)
    )
}

fn wanted(chat: &Chat, query: &Element) -> Result<Wanted, Refused> {
    let mut wanted = Wanted::default();
    if let Some(form) = query.get_child("x", ns::FORM) {
        for field in form.children().filter(|child| child.is("field", ns::FORM)) {
            let value = field.get_child("value", ns::FORM).map(Element::text).unwrap_or_default();
            match field.attr("var") {
                Some("FORM_TYPE") => {}
                Some("with") => match chat.names.read(&value).map_err(|_| Condition::JidMalformed)? {
                    Address::Account { party, .. } => wanted.with = Some(party),
                    _ => wanted.nothing = true,
                },
                Some("start") => wanted.range.from = Some(moment(&value)?),
                Some("end") => wanted.range.until = Some(moment(&value)?),
                _ => return Err(Condition::FeatureNotImplemented.into()),
            }
        }
    }
    if let Some(set) = query.get_child("set", ns::RSM) {
        let text = |name| set.get_child(name, ns::RSM).map(Element::text);
        if let Some(max) = text("max") {
            wanted.max = Some(max.trim().parse().map_err(|_| Condition::BadRequest)?);
        }
        if let Some(after) = text("after").filter(|after| !after.is_empty()) {
            wanted.range.after = Some(position(chat, &after)?);
        }
        if let Some(before) = text("before") {
            wanted.backwards = true;
            if !before.is_empty() {
                wanted.range.before = Some(position(chat, &before)?);
            }
        }
    }
    Ok(wanted)
}

fn moment(text: &str) -> Result<Timestamp, Refused> {
    let moment: jiff::Timestamp = text.trim().parse().map_err(|_| Condition::BadRequest)?;
    Ok(Timestamp(moment.as_microsecond()))
}

fn position(chat: &Chat, id: &str) -> Result<LogPosition, Refused> {
    let id: MessageId = id.trim().parse().map_err(|_| Condition::ItemNotFound)?;
    let entry = chat.node.views.messages.view().message(id)?.ok_or(Condition::ItemNotFound)?;
    Ok(entry.position)
}

#[cfg(test)]
mod tests;
