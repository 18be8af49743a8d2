//! Opens what an event has sealed, and puts together what is told. What cannot be opened is not told: whom it is about has left.

use dface_domain::{
    events::{Event, TalkSent},
    ids::UserId,
    pushes::{
        BatteryLow, Data, MemberJoined, MemberLeft, Newcomer, Picture, RequestUserLocate, Sms, Story, TalkStatus, Text,
        Told, UserLocate, Voice, WatchBound, WatchLocate, WatchPresence, WatchUnbound,
    },
    reports::TalkContent,
    sealed::Subject,
};
use dface_projections::projector::ModelError;

use crate::{node::Node, urls};

/// What is told.
#[derive(Debug)]
pub(super) struct Opened {
    /// Whose key sealed what is personal in it.
    pub about: Option<Subject>,
    /// As the seed has it.
    pub data: Data,
}

/// What an event tells; none where it cannot be opened any more.
///
/// # Errors
/// The read models'.
pub(super) fn open(node: &Node, event: &Event, told: &Told) -> Result<Option<Opened>, ModelError> {
    let keys = node.commands.keys();
    let opened = |about, data| Some(Opened { about: Some(about), data });
    let open = |data| Some(Opened { about: None, data });
    Ok(match event {
        Event::TalkSent(event) => talk(node, event, told),
        Event::StoryReported(event) => keys
            .open(&event.story)
            .and_then(|story| opened(event.story.about, Data::Story(Story::of(told, story, event.done)))),
        Event::BatteryLow(event) => open(Data::BatteryLow(BatteryLow::of(told, event.percent))),
        Event::SmsReceived(event) => {
            keys.open(&event.sms).and_then(|sms| opened(event.sms.about, Data::Sms(Sms::of(told, sms))))
        }
        Event::WatchAlarmed(_) => Data::notice(told).and_then(open),
        Event::CircleJoined(event) => newcomer(node, event.user)?
            .and_then(|who| opened(Subject::User(event.user), Data::MemberJoined(MemberJoined::of(told, who)))),
        Event::CircleLeft(event) => open(Data::MemberLeft(MemberLeft::of(told, event.user))),
        Event::WatchBound(event) => keys.open(&event.details).and_then(|details| {
            let image =
                details.image.map_or_else(String::new, |_| urls::watch_picture(&node.settings.public_url, event.imei));
            opened(event.details.about, Data::WatchBound(WatchBound::of(told, event.imei, details, image)))
        }),
        Event::WatchUnbound(event) => open(Data::WatchUnbound(WatchUnbound::of(told, event.imei))),
        Event::WatchPresenceChanged(event) => open(Data::WatchPresence(WatchPresence::of(told, event.online))),
        Event::WatchLocated(event) => keys.open(&event.fix).and_then(|fix| {
            opened(event.fix.about, Data::WatchLocate(WatchLocate::of(told, event.kind, event.locus, &fix)))
        }),
        Event::UserLocated(event) => keys
            .open(&event.fix)
            .and_then(|position| opened(event.fix.about, Data::UserLocate(UserLocate::of(told, &position)))),
        Event::LocationRequested(_) => open(Data::RequestUserLocate(RequestUserLocate::of(told))),
        Event::TalkReceipted(event) => open(Data::TalkStatus(TalkStatus::of(told, event.received))),
        _ => None,
    })
}

fn talk(node: &Node, event: &TalkSent, told: &Told) -> Option<Opened> {
    let url = |file| urls::circle_file(&node.settings.public_url, file);
    let data = match node.commands.keys().open(&event.content)? {
        TalkContent::Text(words) => Data::Text(Text::of(told, words)),
        TalkContent::Voice { file, length } => Data::Voice(Voice::of(told, url(file), length)),
        TalkContent::Picture(file) => Data::Picture(Picture::of(told, url(file))),
    };
    Some(Opened { about: Some(event.content.about), data })
}

/// Who joined; none where they have left for good. No phone number is known of people.
fn newcomer(node: &Node, user: UserId) -> Result<Option<Newcomer>, ModelError> {
    let Some(person) = node.views.people.view().get(user)? else { return Ok(None) };
    let head = node.views.photos.view().head(user)?;
    Ok(Some(Newcomer {
        name: person.profile.name.clone().unwrap_or_default(),
        image_url: head.map_or_else(String::new, |photo| urls::portrait(&node.settings.public_url, photo, 0)),
        phone: String::new(),
    }))
}
