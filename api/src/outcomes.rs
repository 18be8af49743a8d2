//! From what a worker did to the event that says so, once: the aggregate that a job belongs to takes the first end and ignores a repeat.

mod pushes;

use std::time::Duration;

use dface_commands::{CommandError, Context, photos::PhotoRef};
use dface_domain::{
    envelope::LogPosition,
    events::{CampaignDrawn, JobDied, PhotoFiles},
    jobs::{CouponMade, Job, JobId, Outcome, PictureMade},
    objects::{ObjectError, ObjectKey},
    ports::KeyError,
    pushes::PushEnd,
};
use dface_projections::{
    jobs::{Ask, Outstanding},
    projector::ModelError,
};

use crate::{
    asks::{self, Rendered},
    node::Node,
};

/// How long an outcome waits to be seen by the read models before its files are looked for.
const SEEN: Duration = Duration::from_secs(10);

/// Why an outcome is not recorded yet; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// The log's or the keys'.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The read models'.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The store of objects.
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

/// What recording an outcome came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is in the log, or nothing is to be said of it.
    Over,
    /// A file that was made is gone again (it was taken away while the outcome was on its way): the job is to be done once more, and makes the
    /// same files.
    Again(Box<Job>),
}

/// Records what came of a job.
///
/// # Errors
/// The machinery's; nothing is lost, and it can be recorded again.
pub async fn record(node: &Node, job: JobId, outcome: Outcome) -> Result<Recorded, OutcomeError> {
    let Some(outstanding) = node.views.jobs.view().get(job)? else { return Ok(Recorded::Over) };
    let context = of_job(job);
    match (outstanding.ask.clone(), outcome) {
        (Ask::Picture { photo, user, place, .. }, Outcome::Picture(made)) => {
            picture(node, PhotoRef { photo, user, place }, &made, &outstanding, &context).await
        }
        (Ask::Picture { photo, user, place, .. }, Outcome::Undecodable { reason, .. }) => {
            over(node.commands.photo_failed(PhotoRef { photo, user, place }, reason, &context).await)
        }
        (Ask::PhotoPost { photo, user, place }, Outcome::Posted) => {
            over(node.commands.photo_post_ended(PhotoRef { photo, user, place }, None, &context).await)
        }
        (Ask::PhotoPost { photo, user, place }, Outcome::Refused { reason }) => {
            over(node.commands.photo_post_ended(PhotoRef { photo, user, place }, Some(reason), &context).await)
        }
        (Ask::Share { user, ver, .. }, Outcome::Posted) => {
            over(node.commands.share_ended(user, &ver, None, &context).await)
        }
        (Ask::Share { user, ver, .. }, Outcome::Refused { reason }) => {
            over(node.commands.share_ended(user, &ver, Some(reason), &context).await)
        }
        (Ask::Coupon(_), Outcome::Coupon(made)) => coupon(node, &made, &outstanding, &context).await,
        (Ask::Push { message, user, .. }, outcome) => pushes::record(node, (message, user), outcome, &context).await,
        (_, Outcome::Forgotten) => Ok(Recorded::Over),
        (ask, outcome) => {
            tracing::error!(%job, ?ask, ?outcome, "this is no outcome of that job; it stays outstanding");
            Ok(Recorded::Over)
        }
    }
}

/// Records that an operator dropped a job. A drawing that was dropped is missing until its campaign is made anew.
///
/// # Errors
/// As [`record`].
pub async fn dropped(node: &Node, job: JobId) -> Result<(), OutcomeError> {
    let Some(outstanding) = node.views.jobs.view().get(job)? else { return Ok(()) };
    let reason = "an operator dropped it".to_owned();
    let outcome = match outstanding.ask {
        Ask::Picture { photo, .. } => Outcome::Undecodable { photo, reason },
        Ask::PhotoPost { .. } | Ask::Share { .. } => Outcome::Refused { reason },
        Ask::Push { .. } => Outcome::Pushed(PushEnd::Refused),
        // Nothing else ends it: it is dead for good.
        Ask::Coupon(_) => return died(node, job, 0, &reason).await,
    };
    record(node, job, outcome).await.map(|_| ())
}

/// Records that a job went wrong too often, where it is outstanding.
///
/// # Errors
/// As [`record`].
pub async fn died(node: &Node, job: JobId, attempts: u32, error: &str) -> Result<(), OutcomeError> {
    if node.views.jobs.view().get(job)?.is_some() {
        let event = JobDied { job, attempts, error: error.to_owned() };
        node.commands.job_died(event, &of_job(job)).await?;
    }
    Ok(())
}

/// Records that a job is to be done again, where it is dead.
///
/// # Errors
/// As [`record`].
pub async fn revived(node: &Node, job: JobId) -> Result<(), OutcomeError> {
    Ok(node.commands.job_revived(job, &of_job(job)).await.map(drop)?)
}

fn of_job(job: JobId) -> Context {
    Context { causation: Some(job.cause), ..Context::new(job.cause) }
}

/// Of somebody who has left nothing is recorded any more.
fn over(recorded: Result<Option<LogPosition>, CommandError>) -> Result<Recorded, OutcomeError> {
    match recorded {
        Ok(_) | Err(CommandError::Keys(KeyError::Destroyed(_))) => Ok(Recorded::Over),
        Err(error) => Err(error.into()),
    }
}

async fn picture(
    node: &Node,
    of: PhotoRef,
    made: &PictureMade,
    outstanding: &Outstanding,
    context: &Context,
) -> Result<Recorded, OutcomeError> {
    let [small @ .., medium] = made.squares.as_slice() else {
        return over(node.commands.photo_failed(of, "no thumbnail was made".to_owned(), context).await);
    };
    let files = PhotoFiles { picture: made.picture.key, small: small.first().map(|file| file.key), medium: medium.key };
    let position = match node.commands.photo_processed(of, made.picture, &files, context).await {
        Ok(Some(position)) => position,
        recorded => return over(recorded),
    };
    // From here on the read models say that the files are needed, so what is there now stays.
    node.projector.wait_for(position, SEEN).await;
    for object in [Some(files.picture), files.small, Some(files.medium)].into_iter().flatten() {
        if !is_there(node, object).await?
            && let Rendered::Job(job) = asks::render(node, outstanding)?
        {
            return Ok(Recorded::Again(Box::new(job)));
        }
    }
    Ok(Recorded::Over)
}

async fn coupon(
    node: &Node,
    made: &CouponMade,
    outstanding: &Outstanding,
    context: &Context,
) -> Result<Recorded, OutcomeError> {
    let &CouponMade { campaign, full, small } = made;
    let position = match node.commands.campaign_drawn(CampaignDrawn { campaign, full, small }, context).await {
        Ok(Some(position)) => position,
        recorded => return over(recorded),
    };
    node.projector.wait_for(position, SEEN).await;
    for object in [full, small] {
        if !is_there(node, object).await?
            && let Rendered::Job(job) = asks::render(node, outstanding)?
        {
            return Ok(Recorded::Again(Box::new(job)));
        }
    }
    Ok(Recorded::Over)
}

async fn is_there(node: &Node, object: ObjectKey) -> Result<bool, ObjectError> {
    match node.objects.get(object).await {
        Ok(_) => Ok(true),
        Err(ObjectError::Missing(_) | ObjectError::Corrupt(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
