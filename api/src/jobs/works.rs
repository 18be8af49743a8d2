//! The jobs that this version can do, each with what it needs, and the runner that does them.

use std::sync::Arc;

use dface_commands::system::SystemClock;
use dface_domain::{
    jobs::{JobKind, JobQueue},
    objects::Objects,
    ports::Keys,
};
use dface_workers::{
    apns::Apns,
    coupons::Fonts,
    jobs::{
        coupon::CouponJob,
        picture::PictureJob,
        push::PushJob,
        weibo::{WeiboJob, WeiboMeans},
    },
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

/// What can be done, and who speaks to Apple for it.
struct Works {
    works: Vec<WorkOf>,
    apns: Option<Arc<Apns>>,
}

/// One for each kind that can be done.
fn works(settings: &Settings, means: &Means) -> Result<Works, BadSettings> {
    let (objects, keys) = (Arc::clone(&means.objects), Arc::clone(&means.keys));
    let threads = usize::from(settings.jobs.picture);
    let picture = PictureJob::new(objects, keys, settings.picture_limits(), threads);
    let (fonts, zone) = (Fonts::find(&settings.coupons.fonts), settings.zone()?);
    let coupon = CouponJob { fonts, zone, objects: Arc::clone(&means.objects) };
    let mut works: Vec<(JobKind, Arc<dyn Work>)> =
        vec![(JobKind::Picture, Arc::new(picture)), (JobKind::Coupon, Arc::new(coupon))];
    // Without it posts are not taken from the queue, and wait there for a process that has it.
    if !settings.weibo.base_url.is_empty() {
        works.push((JobKind::Weibo, Arc::new(weibo(settings, means)?)));
    }
    // The same of pushes, without the key that signs in with Apple.
    let mut apns = None;
    if let Some(config) = settings.apns_config()? {
        let (keys, clock) = (Arc::clone(&means.keys), Arc::new(SystemClock));
        let made = Apns::new(&config, Arc::clone(&clock) as _);
        let made = Arc::new(made.map_err(|error| BadSettings(format!("settings `apns`: {error}")))?);
        apns = Some(Arc::clone(&made));
        works.push((JobKind::Push, Arc::new(PushJob { apns: made, keys, clock })));
    }
    Ok(Works { works, apns })
}

fn weibo(settings: &Settings, means: &Means) -> Result<WeiboJob, BadSettings> {
    let (objects, keys) = (Arc::clone(&means.objects), Arc::clone(&means.keys));
    let means = WeiboMeans { objects, keys, clock: Arc::new(SystemClock) };
    let job = WeiboJob::new(&settings.weibo.base_url, settings.weibo.timeout(), means);
    job.map_err(|error| BadSettings(format!("settings `weibo`: {error}")))
}

/// The runner of this process, and who speaks to Apple for it: its key may be read again.
///
/// # Errors
/// The time zone is unknown, or no HTTP client can be made.
pub fn runner(
    settings: &Settings,
    queue: Arc<dyn JobQueue>,
    means: &Means,
    paused: Paused,
) -> Result<(Runner, Option<Arc<Apns>>), BadSettings> {
    let runner = Runner::new(queue, Arc::new(SystemClock), Arc::new(ProcessMeter), paused, settings.jobs.runner());
    let Works { works, apns } = works(settings, means)?;
    Ok((works.into_iter().fold(runner, |runner, (kind, work)| runner.with(kind, work)), apns))
}
