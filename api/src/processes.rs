//! The processes of this node: their checkpoints in `DIR/processes`, and what they ask of the read models.

use std::{path::Path, sync::Arc, time::Duration};

use dface_commands::{
    Commands,
    processes::{
        Checkpoints, Process as _, Processes, Progress, Settings as Tuning, circle_ends::CircleEnds,
        coupon_messages::CouponMessages, coupons::Coupons, greetings::Greetings, photo_messages::PhotoMessages,
    },
};
use dface_domain::{
    checkins::{Visits, VisitsUnknown},
    circles::{CirclesKnown, CirclesUnknown},
    coupons::{Campaigns, CampaignsUnknown},
    envelope::LogPosition,
    events::Trigger,
    ids::{CampaignId, GroupId, Imei, ShopId, UserId},
    leases::Duty,
    ports::{EventStore, PortFuture},
    time::Timestamp,
};
use dface_projections::{
    circles::{Circles, CirclesView, WatchRow},
    coupons::{Coupons as CouponsModel, CouponsView},
    projector::{Projector, ReadModel, Served},
    trace::{Trace, TraceView},
};
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use crate::{
    leases::places::Places,
    mqtt::external::BrokerAddress,
    node::{Node, StartError},
    pushes,
    settings::Settings,
    xmpp::delivery::MISSED_PLACE,
};

/// The database holds some numbers and nothing else.
const CACHE: u64 = 1 << 20;

/// How long a read model may take to reach an event before the process says that it waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What checkpoints must know of the log that they count in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfLog {
    /// Which it is.
    pub id: [u8; 16],
    /// Whether other nodes write to it too.
    pub is_shared: bool,
    /// Where it was restored from a backup.
    pub restored_at: Option<LogPosition>,
}

/// Those who act on what the log says so that somebody sees it. In a restored log they begin where it was restored: what stands before was done in the
/// log that the backup is of, or after the backup's end, and nobody gets it twice.
const OUTWARD: [&str; 7] = [
    Coupons::NAME,
    CouponMessages::NAME,
    Greetings::NAME,
    PhotoMessages::NAME,
    pushes::MQTT_PLACE,
    pushes::APNS_PLACE,
    MISSED_PLACE,
];

/// Opens the checkpoints in the data directory, and where the log is shared with other nodes those in the log; no process runs yet.
///
/// # Errors
/// The disk's.
pub(crate) fn open(
    settings: &Settings,
    commands: &Arc<Commands>,
    store: Arc<dyn EventStore>,
    log: OfLog,
) -> Result<Processes, StartError> {
    let failed = |e: fjall::Error| StartError::Failed(format!("the checkpoints of processes: {e}"));
    let local: Arc<dyn Checkpoints> = Arc::new(Kept::open(&settings.data.join("processes"), log).map_err(failed)?);
    let checkpoints: Arc<dyn Checkpoints> = if log.is_shared {
        // The embedded broker of each node publishes for itself.
        let own = matches!(settings.mqtt.broker, BrokerAddress::Embedded).then_some(pushes::MQTT_PLACE);
        Arc::new(Places::new(local, Arc::clone(commands), log.id, own))
    } else {
        local
    };
    let tuning = Tuning {
        tries: settings.processes.tries,
        parked: settings.processes.parked,
        retry_parked: Duration::from_secs(settings.processes.retry_parked_s),
        ..Tuning::default()
    };
    Ok(Processes::new(Arc::clone(commands), store, checkpoints, tuning))
}

/// Runs all processes while this node has them to do, until `stop`.
///
/// # Errors
/// The time zone is unknown.
pub fn run(node: &Arc<Node>, stop: CancellationToken) -> Result<impl Future<Output = ()> + Send + 'static, StartError> {
    let (node, zone) = (Arc::clone(node), node.settings.zone()?);
    Ok(async move {
        let work = |ends: CancellationToken| {
            let (node, zone) = (&node, zone.clone());
            async move {
                node.processes.begin(&ends);
                start(node, zone);
                ends.cancelled().await;
                node.processes.stop().await;
            }
        };
        node.leases.hold(Duty::Processes, &stop, work).await;
    })
}

fn start(node: &Node, zone: TimeZone) {
    let campaigns = Running { projector: Arc::clone(&node.projector), view: node.views.coupons.clone() };
    let within_s = node.settings.coupons.trigger_within_s;
    node.processes.start(Coupons { campaigns: Arc::new(campaigns), zone, within_s });
    node.processes.start(CouponMessages);
    let visits = Traced { projector: Arc::clone(&node.projector), view: node.views.trace.clone() };
    let again_s = node.settings.greetings.hours * 3_600;
    node.processes.start(Greetings { visits: Arc::new(visits), again_s, within_s });
    node.processes.start(PhotoMessages);
    let circles = InCircles { projector: Arc::clone(&node.projector), view: node.views.circles.clone() };
    node.processes.start(CircleEnds { circles: Arc::new(circles) });
}

/// Checkpoints on disk, each with the id of the log that it counts in: in another log it counts nothing.
struct Kept {
    _db: Database,
    rows: Keyspace,
    log: OfLog,
}

impl Kept {
    fn open(dir: &Path, log: OfLog) -> Result<Self, fjall::Error> {
        let db = Database::builder(dir).cache_size(CACHE).worker_threads(1).open()?;
        let rows = db.keyspace("checkpoints", KeyspaceCreateOptions::default)?;
        Ok(Self { _db: db, rows, log })
    }
}

impl Checkpoints for Kept {
    fn load<'a>(&'a self, process: &'a str) -> PortFuture<'a, Result<Progress, String>> {
        Box::pin(async move { self.read(process) })
    }

    fn save<'a>(&'a self, process: &'a str, progress: &'a Progress, _: usize) -> PortFuture<'a, Result<(), String>> {
        Box::pin(async move { self.write(process, progress) })
    }
}

impl Kept {
    fn read(&self, process: &str) -> Result<Progress, String> {
        let Some(bytes) = self.rows.get(process).map_err(|e| e.to_string())? else { return Ok(self.begin(process)) };
        let (log, progress): ([u8; 16], Progress) = postcard::from_bytes(&bytes).map_err(|e| e.to_string())?;
        Ok(if log == self.log.id { progress } else { self.begin(process) })
    }

    /// Where a process begins that was never here.
    fn begin(&self, process: &str) -> Progress {
        let restored_at = self.log.restored_at.filter(|_| OUTWARD.contains(&process));
        Progress { position: restored_at.unwrap_or_default(), parked: vec![] }
    }

    fn write(&self, process: &str, progress: &Progress) -> Result<(), String> {
        let bytes = postcard::to_stdvec(&(self.log.id, progress)).map_err(|e| e.to_string())?;
        self.rows.insert(process, bytes).map_err(|e| e.to_string())
    }
}

/// Running campaigns, from the read model.
struct Running {
    projector: Arc<Projector>,
    view: Served<CouponsView>,
}

impl Campaigns for Running {
    fn running(
        &self,
        shop: ShopId,
        trigger: Trigger,
        at: Timestamp,
        as_of: LogPosition,
    ) -> PortFuture<'_, Result<Vec<CampaignId>, CampaignsUnknown>> {
        Box::pin(async move {
            let shown = self.projector.wait_for_model(CouponsModel::NAME, as_of, PATIENCE).await;
            if !shown.map_err(|e| CampaignsUnknown(e.to_string()))? {
                return Err(CampaignsUnknown(format!("the read model of coupons is not at position {as_of} yet")));
            }
            self.view.view().running(shop, trigger, at).map_err(|e| CampaignsUnknown(e.to_string()))
        })
    }
}

/// Who was where, from the read model.
struct Traced {
    projector: Arc<Projector>,
    view: Served<TraceView>,
}

impl Visits for Traced {
    fn was_there(
        &self,
        user: UserId,
        shop: ShopId,
        at: Timestamp,
        seconds: i64,
        as_of: LogPosition,
    ) -> PortFuture<'_, Result<bool, VisitsUnknown>> {
        Box::pin(async move {
            let shown = self.projector.wait_for_model(Trace::NAME, as_of, PATIENCE).await;
            if !shown.map_err(|e| VisitsUnknown(e.to_string()))? {
                return Err(VisitsUnknown(format!("the read model of traces is not at position {as_of} yet")));
            }
            let was = self.view.view().was_at(user, shop, at.plus_seconds(-seconds), at);
            was.map_err(|e| VisitsUnknown(e.to_string()))
        })
    }
}

/// What is in which circle, from the read model.
struct InCircles {
    projector: Arc<Projector>,
    view: Served<CirclesView>,
}

impl InCircles {
    async fn shown(&self, as_of: LogPosition) -> Result<(), CirclesUnknown> {
        let shown = self.projector.wait_for_model(Circles::NAME, as_of, PATIENCE).await;
        if shown.map_err(|e| CirclesUnknown(e.to_string()))? {
            return Ok(());
        }
        Err(CirclesUnknown(format!("the read model of circles is not at position {as_of} yet")))
    }
}

impl CirclesKnown for InCircles {
    fn erased_from(&self, user: UserId, as_of: LogPosition) -> PortFuture<'_, Result<Vec<GroupId>, CirclesUnknown>> {
        Box::pin(async move {
            self.shown(as_of).await?;
            self.view.view().erased_from(user).map_err(|e| CirclesUnknown(e.to_string()))
        })
    }

    fn watches_of(&self, group: GroupId, as_of: LogPosition) -> PortFuture<'_, Result<Vec<Imei>, CirclesUnknown>> {
        Box::pin(async move {
            self.shown(as_of).await?;
            let of = |row: &WatchRow| row.bound.as_ref().is_some_and(|bound| bound.group == group);
            let bound = self.view.view().bound_watches();
            Ok(bound.into_iter().filter(|(_, row)| of(row)).map(|(imei, _)| imei).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_of_one_log() {
        let dir = tempfile::tempdir().unwrap();
        let progress = Progress { position: LogPosition(7), parked: vec![] };
        {
            let kept = Kept::open(dir.path(), of(1, None)).unwrap();
            assert_eq!(kept.read("coupons"), Ok(Progress::default()));
            kept.write("coupons", &progress).unwrap();
        }
        assert_eq!(Kept::open(dir.path(), of(1, None)).unwrap().read("coupons"), Ok(progress));
        assert_eq!(Kept::open(dir.path(), of(2, None)).unwrap().read("coupons"), Ok(Progress::default()));
    }

    fn of(id: u8, restored_at: Option<LogPosition>) -> OfLog {
        OfLog { id: [id; 16], is_shared: false, restored_at }
    }

    #[test]
    fn in_a_restored_log_nothing_of_before_is_told_once_more_and_whoever_left_is_let_go_of_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::open(dir.path(), of(1, Some(LogPosition(40)))).unwrap();
        let begins = |name| kept.read(name).unwrap().position;
        assert!(OUTWARD.into_iter().all(|name| begins(name) == LogPosition(40)));
        assert_eq!(begins(CircleEnds::NAME), LogPosition(0));
        let further = Progress { position: LogPosition(50), parked: vec![] };
        kept.write(Greetings::NAME, &further).unwrap();
        assert_eq!(begins(Greetings::NAME), LogPosition(50));
    }
}
