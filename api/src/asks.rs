//! From what the log asks for to the message of a job: the last place where what is needed is put together, so that a worker needs no log.

mod push;

use dface_commands::CommandError;
use dface_domain::{
    events::PhotoPlace,
    ids::PhotoId,
    jobs::{JOB_VERSION, Job, Outcome, PictureTask, Task, WeiboTask},
    ports::KeyError,
    pushes::PushEnd,
    sealed::Subject,
};
use dface_projections::{
    jobs::{Ask, Outstanding},
    photos::Standing,
    projector::ModelError,
};

use crate::{node::Node, pushes::payload::Due};

/// What an outstanding job came to.
#[derive(Debug)]
pub enum Rendered {
    /// Its message.
    Job(Job),
    /// It is not to be done any more, and this is what came of it.
    Over(Outcome),
    /// Whom it is about has left, or it is over: nothing is to be done or told.
    Gone,
}

/// Sides of the thumbnails (§17: 100 and 200; §29, §30: 200).
#[must_use]
pub fn squares(place: PhotoPlace) -> Vec<u16> {
    match place {
        PhotoPlace::Album => vec![100, 200],
        PhotoPlace::Room | PhotoPlace::Direct => vec![200],
    }
}

/// The message of a job.
///
/// # Errors
/// The read models' or the keys'; worth another try.
pub fn render(node: &Node, outstanding: &Outstanding) -> Result<Rendered, CommandError> {
    let task = match &outstanding.ask {
        Ask::Picture { photo, user, place, upload, .. } => {
            let Some(upload) = node.commands.keys().open(upload) else { return Ok(Rendered::Gone) };
            let (photo, about, squares) = (*photo, Subject::User(*user), squares(*place));
            Task::Picture(PictureTask { photo, about, upload, squares })
        }
        Ask::Share { user, text, .. } => {
            let account = node.views.people.view().weibo_account(*user).map_err(|e| interrupted(&e))?;
            let Some(account) = account else { return Ok(no_account()) };
            Task::Weibo(WeiboTask { user: *user, account, text: text.clone(), picture: None })
        }
        Ask::Coupon(task) => Task::Coupon(task.clone()),
        Ask::Push { message, user, kind, alert } => {
            let (message, user, kind, alert) = (*message, *user, *kind, *alert);
            match push::task(node, Due { message, user, kind, alert, since: outstanding.since })? {
                Some(task) => Task::Push(task),
                None => return Ok(Rendered::Over(Outcome::Pushed(PushEnd::Superfluous))),
            }
        }
        Ask::PhotoPost { photo, .. } if is_of_before_a_restore(node, *photo) => {
            let reason = "the picture is of before the log was restored; it may have been posted then".to_owned();
            return Ok(Rendered::Over(Outcome::Refused { reason }));
        }
        Ask::PhotoPost { photo, user, .. } => {
            let entry = node.views.photos.view().get(*photo).map_err(|e| interrupted(&e))?;
            let Some(entry) = entry else { return Ok(Rendered::Gone) };
            let Standing::Ready(files) = entry.standing else {
                // A post is asked for by the event that made it ready: who says otherwise has stopped before it.
                return Err(CommandError::Interrupted(format!("the read model of pictures is behind, at {photo}")));
            };
            let account = node.views.people.view().weibo_account(*user).map_err(|e| interrupted(&e))?;
            let Some(account) = account else { return Ok(no_account()) };
            let text = entry.desc.unwrap_or_else(|| node.settings.weibo.share_text.clone());
            let text = match node.commands.keys().seal(Subject::User(*user), &text) {
                Err(KeyError::Destroyed(_)) => return Ok(Rendered::Gone),
                sealed => sealed?,
            };
            Task::Weibo(WeiboTask { user: *user, account, text, picture: Some(files.picture) })
        }
    };
    Ok(Rendered::Job(Job { version: JOB_VERSION, id: outstanding.id, since: outstanding.since, task }))
}

/// Whether a picture was taken in before the log was restored, to a minute: what became of it then nobody knows here.
fn is_of_before_a_restore(node: &Node, photo: PhotoId) -> bool {
    node.restored.is_some_and(|restored| i64::from(photo.minute()) <= restored.since.seconds())
}

fn no_account() -> Rendered {
    Rendered::Over(Outcome::Refused { reason: "the account does not sign in with Weibo".to_owned() })
}

fn interrupted(error: &ModelError) -> CommandError {
    CommandError::Interrupted(error.to_string())
}
