//! The jobs that this version can do, each with what it needs, and the runner that does them.

use std::sync::Arc;

use dface_commands::system::SystemClock;
use dface_domain::{
    jobs::{JobKind, JobQueue},
    objects::Objects,
    ports::Keys,
};
use dface_workers::{
    coupons::Fonts,
    jobs::{coupon::CouponJob, picture::PictureJob},
    runner::{Paused, Runner, Work},
};

use super::meter::ProcessMeter;
use crate::settings::{BadSettings, Settings};

/// What jobs need of the world; nothing of the log.
pub struct Means {
    /// Where files are.
    pub objects: Arc<dyn Objects>,
    /// What opens and seals them.
    pub keys: Arc<dyn Keys>,
}

/// What does jobs of a kind.
type WorkOf = (JobKind, Arc<dyn Work>);

/// One for each kind that can be done.
fn works(settings: &Settings, means: &Means) -> Result<Vec<WorkOf>, BadSettings> {
    let (objects, keys) = (Arc::clone(&means.objects), Arc::clone(&means.keys));
    let threads = usize::from(settings.jobs.picture);
    let picture = PictureJob::new(Arc::clone(&objects), keys, settings.picture_limits(), threads);
    let coupon = CouponJob { fonts: Fonts::find(&settings.coupons.fonts), zone: settings.zone()?, objects };
    Ok(vec![(JobKind::Picture, Arc::new(picture)), (JobKind::Coupon, Arc::new(coupon))])
}

/// The runner of this process.
///
/// # Errors
/// The time zone is unknown.
pub fn runner(
    settings: &Settings,
    queue: Arc<dyn JobQueue>,
    means: &Means,
    paused: Paused,
) -> Result<Runner, BadSettings> {
    let runner = Runner::new(queue, Arc::new(SystemClock), Arc::new(ProcessMeter), paused, settings.jobs.runner());
    Ok(works(settings, means)?.into_iter().fold(runner, |runner, (kind, work)| runner.with(kind, work)))
}
