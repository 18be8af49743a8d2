//! A picture that came in for a room or for somebody is told there in a message, in its owner's name (seed §29.2, §30.2): after it is stored, not
//! after it is processed.

use dface_domain::{
    envelope::Recorded,
    events::{Event, PhotoPlace},
    messages::{Party, photo_body},
};

use super::{Process, ProcessError, following};
use crate::{Commands, messages::Outgoing};

/// Sends the messages of pictures.
pub struct PhotoMessages;

impl Process for PhotoMessages {
    const NAME: &'static str = "photo_messages";
    const WANTS: &'static [&'static str] = &["PhotoUploaded"];

    async fn on(&self, commands: &Commands, recorded: &Recorded) -> Result<(), ProcessError> {
        let Event::PhotoUploaded(event) = recorded.data.decode()? else { return Ok(()) };
        let to = match (event.place, event.room, event.to) {
            (PhotoPlace::Room, Some(shop), _) => Party::Room(shop),
            (PhotoPlace::Direct, _, Some(user)) => Party::User(user),
            _ => return Ok(()),
        };
        let desc = event.desc.as_ref().and_then(|desc| commands.keys().open(desc)).unwrap_or_default();
        let message = Outgoing {
            cause: recorded.id,
            at: recorded.occurred_at,
            from: Party::User(event.user),
            to,
            about: event.user,
            body: photo_body(event.photo, &desc),
        };
        commands.send_message(message, &following(recorded)).await?;
        Ok(())
    }
}
