//! A node: store, keys, commands and read models, opened in one place for the server and for the command line.

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use dface_commands::{
    CommandError, Commands, keys::SharedKeys, processes::Processes, restores::Restored, store::embedded::OpenError,
};
use dface_domain::{objects::Objects, ports::EventStore, signals::Signals};
use dface_projections::{
    audit::{Audit, AuditView},
    away::{Away, AwayView},
    blocks::{Blocks, BlocksView},
    circles::{Circles, CirclesView},
    coupons::{Coupons, CouponsView},
    families::{Families, FamiliesView},
    follows::{Follows, FollowsView},
    jobs::{Jobs, JobsView},
    messages::{Messages, MessagesView},
    people::{People, PeopleView},
    photos::{Photos, PhotosView},
    presence::{Presence, PresenceView},
    projector::{ModelError, Parts, Projector, Served, Settings as ProjectorSettings},
    push_tokens::{PushTokens, PushTokensView},
    ranking::model::{Ranking, RankingView},
    sessions::{Sessions, SessionsView},
    shops::{Shops, ShopsView},
    trace::{Trace, TraceView},
};
use dface_workers::objects;
use tokio::runtime::Handle;

use crate::{
    backup::UnderWay,
    jobs::Desk,
    leases::{Identity, Leases},
    mqtt::{
        broker::Broker,
        external::{External, clients::Clients},
        focus::Focus,
    },
    other_writers, processes,
    retention::Keeping,
    settings::{BadSettings, Settings},
    store::Store,
    watch_events::Heard,
    writing_side::WritingSide,
};

/// The form of the data directory that this program writes; a newer one is refused.
const FORMAT: u32 = 1;

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Wrong use or settings: exit 2.
    #[error("{0}")]
    Refused(String),
    /// Failed while working: exit 1.
    #[error("{0}")]
    Failed(String),
}

impl From<BadSettings> for StartError {
    fn from(error: BadSettings) -> Self {
        Self::Refused(error.0)
    }
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse(_) | OpenError::Config(_) => Self::Refused(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<ModelError> for StartError {
    fn from(error: ModelError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<CommandError> for StartError {
    fn from(error: CommandError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What readers hold of each read model.
#[derive(Clone)]
#[expect(missing_docs, reason = "named as their modules, which say what they are")]
pub struct Views {
    pub audit: Served<AuditView>,
    pub away: Served<AwayView>,
    pub blocks: Served<BlocksView>,
    pub circles: Served<CirclesView>,
    pub coupons: Served<CouponsView>,
    pub families: Served<FamiliesView>,
    pub follows: Served<FollowsView>,
    pub jobs: Served<JobsView>,
    pub messages: Served<MessagesView>,
    pub people: Served<PeopleView>,
    pub photos: Served<PhotosView>,
    pub presence: Served<PresenceView>,
    pub push_tokens: Served<PushTokensView>,
    pub ranking: Served<RankingView>,
    pub sessions: Served<SessionsView>,
    pub shops: Served<ShopsView>,
    pub trace: Served<TraceView>,
}

/// A node with all its parts.
pub struct Node {
    /// The settings that it was opened with.
    pub settings: Settings,
    /// The log.
    pub store: Store,
    /// Keys of people, where several nodes have the same.
    shared_keys: Option<Arc<SharedKeys>>,
    /// The writing side.
    pub commands: Arc<Commands>,
    /// Pictures and coupon drawings.
    pub objects: Arc<dyn Objects>,
    /// The reading side.
    pub projector: Arc<Projector>,
    /// What readers hold.
    pub views: Views,
    /// What follows the log and acts on it, once it is started.
    pub processes: Processes,
    /// The desk of jobs; commands on a stopped directory have none.
    pub desk: OnceLock<Arc<Desk>>,
    /// The way to the other nodes, where there are any.
    pub signals: OnceLock<Arc<dyn Signals>>,
    /// The MQTT broker, where there is one.
    pub mqtt: OnceLock<Arc<dyn Broker>>,
    /// The same, where it is another program.
    pub external: OnceLock<Arc<External>>,
    /// Whose its clients are.
    pub clients: Arc<Clients>,
    /// Who has the app open.
    pub focus: Focus,
    /// When watches were heard last.
    pub heard: Heard,
    /// What became of what was kept long enough.
    pub keeping: Keeping,
    /// What this node does of all that is once.
    pub leases: Arc<Leases>,
    /// Where the log was restored last, as it was when this node began.
    pub restored: Option<Restored>,
    /// Backups that are being made: while there is one no object is taken away.
    pub backups: UnderWay,
}

impl Node {
    /// Opens everything in the data directory, which is made where there is none, and follows the log to its head.
    ///
    /// # Errors
    /// Wrong settings or a directory in use (exit 2), or damage and failures (exit 1).
    pub async fn open(settings: Settings) -> Result<Self, StartError> {
        let WritingSide { store, commands, parts, shared_keys } = Box::pin(WritingSide::open(&settings)).await?;
        other_writers::follow(&store, &commands);
        let objects = objects::open(Some(&settings.objects), &settings.data)
            .map_err(|e| StartError::Refused(format!("setting `objects`: {e}")))?;
        let (read_from, dir, log) = (store.log(), settings.data.join("read"), store.log_id());
        let tuning = projector_settings(&settings);
        let runtime = Handle::current();
        let opened = tokio::task::spawn_blocking(move || open_models(&dir, read_from, log, parts, tuning, runtime));
        let (projector, views) = opened.await.map_err(|e| StartError::Failed(e.to_string()))??;
        let restored = commands.restored().await?;
        let leases = leases(&settings, &commands, store.is_shared(), restored.is_some_and(|one| one.is_held))?;
        let of_log =
            processes::OfLog { id: log, is_shared: !leases.is_alone(), restored_at: restored.map(|one| one.at) };
        let processes = processes::open(&settings, &commands, store.log(), of_log)?;
        let node = Self {
            settings,
            store,
            shared_keys,
            commands,
            objects,
            projector: Arc::new(projector),
            views,
            processes,
            desk: OnceLock::new(),
            signals: OnceLock::new(),
            mqtt: OnceLock::new(),
            external: OnceLock::new(),
            clients: Arc::default(),
            focus: Focus::default(),
            heard: Heard::default(),
            keeping: Keeping::default(),
            leases,
            restored,
            backups: UnderWay::default(),
        };
        node.catch_up().await;
        Ok(node)
    }

    /// Waits until all read models that go on are at the head of the log.
    pub async fn catch_up(&self) {
        let (head, begun) = (self.projector.head(), Instant::now());
        while !self.projector.wait_for(head, Duration::from_secs(2)).await {
            let behind = self.projector.standings().iter().map(|standing| standing.lag).max();
            tracing::info!(head = head.0, behind, seconds = begun.elapsed().as_secs(), "catching up with the log");
        }
    }

    /// For how many seconds this node has not heard what others write; none where it hears.
    #[must_use]
    pub fn stale_s(&self) -> Option<u64> {
        let lost = self.store.health().filter(|health| !health.connected)?;
        Some(self.commands.clock().now().seconds_since(lost.since).max(0).cast_unsigned())
    }

    /// Ends all threads after what they are at, and writes everything down.
    pub async fn close(&self) {
        self.processes.stop().await;
        if let Some(keys) = &self.shared_keys {
            keys.close();
        }
        let projector = Arc::clone(&self.projector);
        if let Err(error) = tokio::task::spawn_blocking(move || projector.stop()).await {
            tracing::error!(%error, "closing was interrupted");
        }
        self.store.close().await;
    }
}

/// Who this node is, and whether it has all duties or shares them, or does none until the log is let go.
fn leases(settings: &Settings, commands: &Commands, is_shared: bool, is_held: bool) -> Result<Arc<Leases>, StartError> {
    let identity = Identity::load_or_create(&settings.data, &settings.nodes.name, commands.entropy().as_ref());
    let identity = identity.map_err(|error| StartError::Failed(format!("the node's id: {error}")))?;
    Ok(match (is_shared, is_held) {
        (true, _) => Leases::shared(identity),
        (false, true) => Leases::held(identity),
        (false, false) => Leases::alone(identity),
    })
}

fn projector_settings(settings: &Settings) -> ProjectorSettings {
    let tuning = &settings.projections;
    ProjectorSettings {
        batch: tuning.batch,
        rebuild_batch: tuning.rebuild_batch,
        rebuild_memory: tuning.rebuild_memory,
        cache: tuning.cache,
        // Less than the log keeps free, so that what it acknowledged last still gets shown.
        min_free: settings.limits.min_free_bytes / 4,
    }
}

fn open_models(
    dir: &Path,
    store: Arc<dyn EventStore>,
    log: [u8; 16],
    parts: Parts,
    tuning: ProjectorSettings,
    runtime: Handle,
) -> Result<(Projector, Views), ModelError> {
    let mut projector = Projector::open(dir, store, log, parts, tuning, runtime)?;
    // All are opened side by side: each reads its rows, or the whole log, in a thread of its own.
    let shops = projector.add::<Shops>();
    let ranking = projector.add::<Ranking>();
    let trace = projector.add::<Trace>();
    let presence = projector.add::<Presence>();
    let people = projector.add::<People>();
    let sessions = projector.add::<Sessions>();
    let follows = projector.add::<Follows>();
    let blocks = projector.add::<Blocks>();
    let coupons = projector.add::<Coupons>();
    let photos = projector.add::<Photos>();
    let jobs = projector.add::<Jobs>();
    let messages = projector.add::<Messages>();
    let push_tokens = projector.add::<PushTokens>();
    let circles = projector.add::<Circles>();
    let audit = projector.add::<Audit>();
    let away = projector.add::<Away>();
    let families = projector.add::<Families>();
    let views = Views {
        shops: projector.take(shops)?,
        ranking: projector.take(ranking)?,
        trace: projector.take(trace)?,
        presence: projector.take(presence)?,
        people: projector.take(people)?,
        sessions: projector.take(sessions)?,
        follows: projector.take(follows)?,
        blocks: projector.take(blocks)?,
        coupons: projector.take(coupons)?,
        photos: projector.take(photos)?,
        jobs: projector.take(jobs)?,
        messages: projector.take(messages)?,
        push_tokens: projector.take(push_tokens)?,
        circles: projector.take(circles)?,
        audit: projector.take(audit)?,
        away: projector.take(away)?,
        families: projector.take(families)?,
    };
    Ok((projector, views))
}

/// Stands in a data directory into which a backup is being restored: half of it is none.
pub(crate) const UNFINISHED_RESTORE: &str = "unfinished-restore";

/// Refuses a directory in which a restore was cut off.
pub(crate) fn refuse_half_restored(data: &Path) -> Result<(), StartError> {
    if !data.join(UNFINISHED_RESTORE).exists() {
        return Ok(());
    }
    let data = data.display();
    Err(StartError::Refused(format!("{data}: a restore was cut off here; delete it and restore once more")))
}

pub(crate) fn prepare_directory(data: &Path) -> Result<(), StartError> {
    let failed =
        |e: std::io::Error| StartError::Failed(format!("cannot use the data directory {}: {e}", data.display()));
    refuse_half_restored(data)?;
    if !data.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(failed)?;
    }
    let uploads = data.join("uploads");
    if !uploads.exists() {
        fs::DirBuilder::new().mode(0o700).create(&uploads).map_err(failed)?;
    }
    let path = data.join("format");
    match fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse::<u32>() {
            Ok(format) if format <= FORMAT => Ok(()),
            Ok(format) => Err(StartError::Refused(format!(
                "{} has format {format}, but this dface knows up to {FORMAT}; use a newer one",
                data.display()
            ))),
            Err(_) => Err(StartError::Failed(format!("{} is not a number", path.display()))),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            write_private(&path, &format!("{FORMAT}\n")).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes a file that only its owner may read, in place of an older one, never half.
///
/// # Errors
/// The disk's.
pub fn write_private(path: &Path, content: &str) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    {
        use std::io::Write as _;
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
    }
    fs::rename(&fresh, path)
}
