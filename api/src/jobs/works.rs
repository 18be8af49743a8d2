//! The jobs that this version can do, each with what it needs, and the runner that does them.

use std::sync::Arc;

use dface_commands::system::SystemClock;
use dface_domain::{
    jobs::{Job, JobKind, JobQueue, Outcome, Task},
    objects::Objects,
    ports::{Keys, PortFuture},
};
use dface_workers::{
    coupons::Fonts,
    jobs::{JobError, coupon::CouponJob, picture::PictureJob},
    runner::{Fault, Paused, Runner, Work},
};

use super::meter::ProcessMeter;
use crate::settings::{BadSettings, Settings};

struct Pictures(PictureJob);
struct Coupons(CouponJob);

fn again(error: JobError) -> Fault {
    Fault::Again(error.0)
}

fn another_kind() -> Fault {
    Fault::Never("its task is of another kind than it".to_owned())
}

impl Work for Pictures {
    fn run<'a>(&'a self, job: &'a Job) -> PortFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            let Task::Picture(task) = &job.task else { return Err(another_kind()) };
            self.0.run(task).await.map_err(again)
        })
    }
}

impl Work for Coupons {
    fn run<'a>(&'a self, job: &'a Job) -> PortFuture<'a, Result<Outcome, Fault>> {
        Box::pin(async move {
            let Task::Coupon(task) = &job.task else { return Err(another_kind()) };
            self.0.run(task).await.map_err(again)
        })
    }
}

/// The runner of this process. Posts at Weibo are not among what it can do: they wait on the queue.
///
/// # Errors
/// A setting names what is not there.
pub fn runner(
    settings: &Settings,
    queue: Arc<dyn JobQueue>,
    objects: &Arc<dyn Objects>,
    keys: &Arc<dyn Keys>,
    paused: Paused,
) -> Result<Runner, BadSettings> {
    let limits = settings.picture_limits();
    let pictures = PictureJob::new(Arc::clone(objects), Arc::clone(keys), limits, settings.jobs.picture.into());
    let fonts = Fonts::find(&settings.coupons.fonts);
    let coupons = CouponJob { fonts, zone: settings.zone()?, objects: Arc::clone(objects) };
    let runner = Runner::new(queue, Arc::new(SystemClock), Arc::new(ProcessMeter), paused, settings.jobs.runner());
    Ok(runner.with(JobKind::Picture, Arc::new(Pictures(pictures))).with(JobKind::Coupon, Arc::new(Coupons(coupons))))
}
