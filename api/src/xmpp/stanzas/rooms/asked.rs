//! What clients ask of a room, read from their stanzas.

use dface_domain::time::Timestamp;
use minidom::Element;

use crate::xmpp::stanzas::xml::ns;

/// How much of what was said before is asked for (XEP-0045, section 7.2.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// Messages, at most.
    pub(super) messages: usize,
    /// Bytes of all of them together, at most.
    pub(super) bytes: Option<usize>,
    /// None from before.
    pub(super) since: Option<Timestamp>,
}

/// What `<history/>` asks for; `usual` messages where it says nothing, and never more than `most`.
pub(super) fn history(join: &Element, now: Timestamp, usual: usize, most: usize) -> Asked {
    let asked = join.get_child("history", ns::MUC);
    let number = |name: &str| asked.and_then(|asked| asked.attr(name)).and_then(|text| text.parse::<u32>().ok());
    let seconds = number("seconds").map(|seconds| now.plus_seconds(-i64::from(seconds)));
    let since = asked.and_then(|asked| asked.attr("since")).and_then(moment);
    let messages = number("maxstanzas").map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let usual = if since.or(seconds).is_some() { most } else { usual };
    Asked {
        messages: messages.unwrap_or(usual).min(most),
        bytes: number("maxchars").map(|n| usize::try_from(n).unwrap_or(usize::MAX)),
        since: since.max(seconds),
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp(at.as_microsecond()))
}

/// What a client asks of muc#admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Administration {
    /// Who has this affiliation.
    Affiliated(String),
    /// Who has this role.
    InRole(String),
    /// Somebody is to leave.
    Kick { nick: String, reason: String },
    /// Anything else that could be changed.
    Change,
}

/// Reads a muc#admin query; none where it is not one.
pub(super) fn administration(query: &Element, set: bool) -> Option<Administration> {
    let mut items = query.children().filter(|child| child.is("item", ns::MUC_ADMIN));
    let (item, more) = (items.next()?, items.next().is_some());
    let attribute = |name: &str| item.attr(name).map(str::to_owned);
    Some(match (set, attribute("affiliation"), attribute("role"), attribute("nick")) {
        (false, Some(affiliation), _, _) => Administration::Affiliated(affiliation),
        (false, None, Some(role), _) => Administration::InRole(role),
        (true, None, Some(role), Some(nick)) if role == "none" && !more => {
            let reason = item.get_child("reason", ns::MUC_ADMIN).map(Element::text).unwrap_or_default();
            Administration::Kick { nick, reason }
        }
        (true, affiliation, role, _) if affiliation.is_some() || role.is_some() => Administration::Change,
        _ => return None,
    })
}

/// An invitation by way of the room (section 7.8.2), or the answer that it is declined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invitation {
    /// `invite` or `decline`.
    pub(super) what: &'static str,
    /// Whose address.
    pub(super) to: String,
    /// Why.
    pub(super) reason: String,
}

/// The invitation that a message is, if it is one.
pub(super) fn invitation(message: &Element) -> Option<Invitation> {
    let user = message.get_child("x", ns::MUC_USER)?;
    ["invite", "decline"].into_iter().find_map(|what| {
        let found = user.get_child(what, ns::MUC_USER)?;
        let reason = found.get_child("reason", ns::MUC_USER).map(Element::text).unwrap_or_default();
        Some(Invitation { what, to: found.attr("to")?.to_owned(), reason })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_400_000_000);

    fn element(xml: &str) -> Element {
        xml.parse().unwrap()
    }

    #[test]
    fn history_is_the_newest_twenty_or_what_is_asked_for() {
        let asked = |inside: &str| history(&element(&format!("<x xmlns='{}'>{inside}</x>", ns::MUC)), NOW, 20, 100);
        let usual = Asked { messages: 20, bytes: None, since: None };
        assert_eq!(asked(""), usual);
        assert_eq!(asked("<history/>"), usual);
        assert_eq!(asked("<history maxstanzas='x' since='soon'/>"), usual);
        assert_eq!(asked("<history maxstanzas='0'/>"), Asked { messages: 0, ..usual });
        assert_eq!(asked("<history maxstanzas='4000000'/>"), Asked { messages: 100, ..usual });
        assert_eq!(asked("<history maxchars='0'/>"), Asked { bytes: Some(0), ..usual });
        let minute = NOW.plus_seconds(-60);
        assert_eq!(asked("<history seconds='60'/>"), Asked { messages: 100, bytes: None, since: Some(minute) });
        let both = asked("<history since='2014-05-13T16:50:00Z' seconds='60' maxstanzas='5'/>");
        assert_eq!(both, Asked { messages: 5, bytes: None, since: Some(minute) });
        assert_eq!(asked("<history since='2014-05-13T16:53:10.5Z'/>").since, Some(Timestamp(1_399_999_990_500_000)));
    }

    #[test]
    fn of_what_staff_may_ask_only_lists_and_kicks_are_done() {
        let read = |set, items: &str| {
            administration(&element(&format!("<query xmlns='{}'>{items}</query>", ns::MUC_ADMIN)), set)
        };
        assert_eq!(read(false, "<item affiliation='owner'/>"), Some(Administration::Affiliated("owner".to_owned())));
        assert_eq!(read(false, "<item role='moderator'/>"), Some(Administration::InRole("moderator".to_owned())));
        let kick = Administration::Kick { nick: "Ben".to_owned(), reason: "spam".to_owned() };
        assert_eq!(read(true, "<item nick='Ben' role='none'><reason>spam</reason></item>"), Some(kick));
        for change in ["<item nick='Ben' role='visitor'/>", "<item jid='8@dface.cn' affiliation='outcast'/>"] {
            assert_eq!(read(true, change), Some(Administration::Change), "{change}");
        }
        assert_eq!(read(true, "<item/>"), None);
        assert_eq!(read(false, ""), None);
    }

    #[test]
    fn an_invitation_names_one() {
        let message = |inside: &str| {
            let xml = format!("<message xmlns='jabber:client'><x xmlns='{}'>{inside}</x></message>", ns::MUC_USER);
            invitation(&element(&xml))
        };
        let found = message("<invite to='8@dface.cn'><reason>coffee</reason></invite>").unwrap();
        assert_eq!((found.what, found.to.as_str(), found.reason.as_str()), ("invite", "8@dface.cn", "coffee"));
        assert_eq!(message("<decline to='8@dface.cn'/>").unwrap().what, "decline");
        assert!(message("<invite/>").is_none() && message("<item/>").is_none());
    }
}
