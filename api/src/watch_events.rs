//! What watches tell, whatever door it comes by: read, taken once each, and told to whom it concerns.

mod heard;

use dface_commands::{CommandError, Context, reports::Bond};
use dface_domain::{
    envelope::LogPosition,
    events::Event,
    ids::{Imei, MessageId},
    rejection::{Rejection, RejectionKind},
    reports::{Actor, BadEvent, Reported, WatchEvent},
    time::Timestamp,
};
use dface_projections::{circles::WatchRow, families::Entry, projector::ModelError};
use serde_json::Value;

pub use self::heard::Heard;
use crate::node::Node;

/// What came of a payload.
#[derive(Debug, Default)]
pub struct Taken {
    /// The places of the events that were taken, from 0; also of those that were taken before.
    pub taken: Vec<usize>,
    /// The events that were not, and why: sending them again changes nothing.
    pub refused: Vec<Refused>,
    /// The last event that was written.
    pub position: Option<LogPosition>,
}

/// An event that is not taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the payload, from 0.
    pub index: usize,
    /// Stable, for programs.
    pub code: &'static str,
    /// One sentence that names the field.
    pub error: String,
}

/// Why a payload is not taken, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum WatchEventError {
    /// It is not JSON, or neither an event nor a list of them.
    #[error("the body is neither a JSON object nor an array of them")]
    Malformed,
    /// More events than are taken at once.
    #[error("at most {0} events are taken at once")]
    TooMany(usize),
    /// The machinery failed: those before are taken, and sending all again takes the rest.
    #[error(transparent)]
    Failed(#[from] CommandError),
    /// A read model's.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Takes an event of a watch, or an array of them, in its order. What cannot be taken does not keep the others from being taken.
///
/// # Errors
/// The payload as a whole cannot be read, or the machinery failed.
pub async fn take(node: &Node, imei: Imei, payload: &[u8]) -> Result<Taken, WatchEventError> {
    let events = match serde_json::from_slice(payload) {
        Ok(Value::Array(events)) => events,
        Ok(event @ Value::Object(_)) => vec![event],
        _ => return Err(WatchEventError::Malformed),
    };
    let most = node.settings.watches.events_at_once;
    if events.len() > most {
        return Err(WatchEventError::TooMany(most));
    }
    let mut taken = Taken::default();
    let mut spoke_of_itself = false;
    for (index, event) in events.iter().enumerate() {
        let read = WatchEvent::read(event, node.settings.circles.text_chars);
        spoke_of_itself |= read.as_ref().is_ok_and(|event| matches!(event.what, Reported::Presence(_)));
        match one(node, imei, read).await {
            Ok(position) => {
                taken.taken.push(index);
                taken.position = position.max(taken.position);
            }
            Err(NotTaken::Refused(code, error)) => taken.refused.push(Refused { index, code, error }),
            Err(NotTaken::Failed(error)) => return Err(error),
        }
    }
    if !taken.taken.is_empty() {
        let position = heard(node, imei, spoke_of_itself).await?;
        taken.position = position.max(taken.position);
    }
    Ok(taken)
}

enum NotTaken {
    Refused(&'static str, String),
    Failed(WatchEventError),
}

impl From<BadEvent> for NotTaken {
    fn from(error: BadEvent) -> Self {
        Self::Refused("bad_event", error.to_string())
    }
}

impl From<Rejection> for NotTaken {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(rejection.code(), rejection.to_string())
    }
}

impl From<CommandError> for NotTaken {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Rejected(rejection) => rejection.into(),
            error => Self::Failed(error.into()),
        }
    }
}

impl From<ModelError> for NotTaken {
    fn from(error: ModelError) -> Self {
        Self::Failed(error.into())
    }
}

async fn one(node: &Node, imei: Imei, read: Result<WatchEvent, BadEvent>) -> Result<Option<LogPosition>, NotTaken> {
    let event = read?;
    let row = node.views.circles.view().watch(imei).ok_or(Rejection::WatchUnknown)?;
    if let Reported::Receipt(message) = event.what {
        return received(node, imei, &row, message).await;
    }
    let bound = row.bound.as_ref().ok_or(Rejection::WatchUnknown)?;
    let (commands, ahead_s) = (&node.commands, node.settings.watches.clock_ahead_s);
    let (at, _) = event.time(commands.clock().now(), ahead_s);
    let context = Context::new(commands.fresh_id());
    // All of its content, so that another report under the same id is another one.
    let message =
        |kind: &str| commands.report_message(imei, kind, &format!("{} {:?}", event.id, (event.clock, &event.what)));
    let done = match &event.what {
        Reported::Told(report) => {
            let bond = Bond { imei, group: bound.group, binding: bound.binding, fall: bound.fall };
            commands.report(&bond, &event, report, ahead_s, &context).await
        }
        Reported::Battery(percent) => {
            let message = message("battery");
            if is_known(node, message)? {
                Ok(None)
            } else {
                commands.battery(imei, *percent, message, &context.at(at)).await
            }
        }
        Reported::Presence(online) => {
            let message = message(if *online { "online" } else { "offline" });
            if is_known(node, message)? {
                Ok(None)
            } else {
                commands.watch_presence(imei, *online, Some(message), &context.at(at)).await
            }
        }
        Reported::Receipt(_) => Ok(None),
    };
    match done {
        // Unbound while this was on its way: to this family it is no watch any more.
        Err(CommandError::Keys(dface_domain::ports::KeyError::Destroyed(_))) => Err(Rejection::WatchUnknown.into()),
        done => Ok(done?),
    }
}

/// Whether that was told before: states change to and fro, and a repeat that comes late must not change one back.
fn is_known(node: &Node, message: MessageId) -> Result<bool, ModelError> {
    Ok(node.views.families.view().entry(message)?.is_some())
}

/// A watch has what it was told. What does not wait for it (any more) is no news.
async fn received(
    node: &Node,
    imei: Imei,
    row: &WatchRow,
    message: MessageId,
) -> Result<Option<LogPosition>, NotTaken> {
    let (commands, context) = (&node.commands, Context::new(node.commands.fresh_id()));
    let Some(entry) = node.views.families.view().down(imei, message)? else { return Ok(None) };
    // The acknowledgement comes last: where something is cut off before it, the watch is told again.
    match (&entry, row.leaving) {
        (Entry { event: Event::TalkSent(talk), .. }, _) => {
            let by = Actor::Watch(imei);
            commands.receipt_talk(message, talk.group, by, talk.from, true, &context).await?;
        }
        (Entry { event: Event::WatchUnbound(_), .. }, Some(leaving)) if leaving.message == message => {
            commands.release_watch(imei, leaving.binding, &context).await?;
        }
        _ => {}
    }
    Ok(commands.acknowledge_down(imei, message, &context).await?)
}

/// Tells the node that looks for silent watches that this one was heard here.
async fn tell_others(node: &Node, imei: Imei, now: Timestamp) -> Result<(), CommandError> {
    let every_s = (node.settings.watches.silent_after_s / 3).max(1);
    if !node.leases.is_alone() && node.heard.is_to_be_told(imei, now, every_s) {
        node.commands.watch_heard(imei, every_s, &Context::new(node.commands.fresh_id())).await?;
    }
    Ok(())
}

/// Whatever a watch tells, it can be reached: one that was thought to be out of reach is back, unless it says so itself.
async fn heard(node: &Node, imei: Imei, spoke_of_itself: bool) -> Result<Option<LogPosition>, WatchEventError> {
    let Some(row) = node.views.circles.view().watch(imei) else { return Ok(None) };
    let Some(bound) = &row.bound else { return Ok(None) };
    let now = node.commands.clock().now();
    node.heard.note(imei, now);
    tell_others(node, imei, now).await?;
    if bound.online || spoke_of_itself {
        return Ok(None);
    }
    let context = Context::new(node.commands.fresh_id());
    match node.commands.watch_presence(imei, true, None, &context).await {
        // Unbound meanwhile.
        Err(CommandError::Rejected(rejection)) if rejection.kind() == RejectionKind::NotFound => Ok(None),
        done => Ok(done?),
    }
}
