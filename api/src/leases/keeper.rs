//! Renews this node's term and looks for duties that are free, for as long as the node runs.

use std::{sync::Arc, time::Duration};

use dface_commands::{
    CommandError, Commands,
    nodes::{About, Tenant},
    system::SystemStopwatch,
};
use dface_domain::{leases::TIMING, ports::Stopwatch};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Leases, Tenure};

/// Keeps the duties of this node.
pub(crate) struct Keeping {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Keeping {
    /// Begins, on the current runtime.
    pub(crate) fn start(leases: &Arc<Leases>, commands: &Arc<Commands>) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(keep(Arc::clone(leases), Arc::clone(commands), stop.clone()));
        Self { stop, task }
    }

    /// Gives them back. Nothing is to be done for them any more by then.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "giving duties back was interrupted");
        }
    }
}

/// Where the node shares its log: until `stop`, and then gives them back.
async fn keep(leases: Arc<Leases>, commands: Arc<Commands>, stop: CancellationToken) {
    if leases.is_alone() {
        return;
    }
    let stopwatch = Arc::new(SystemStopwatch::default());
    let begun = Instant::now() - stopwatch.elapsed();
    let identity = leases.identity();
    let about =
        About { node: identity.node, name: identity.name.clone(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let tenant = Tenant::new(Arc::clone(&commands), about, TIMING, Arc::clone(&stopwatch) as _);
    let mut keeper = Keeper { leases, commands, tenant, stopwatch, begun, renewed: None, well: true };
    stop.run_until_cancelled(keeper.run()).await;
    keeper.leases.tenure.send_replace(Tenure::Nothing);
    if let Ok(Err(error)) = timeout(TIMING.renew, keeper.tenant.end()).await {
        tracing::warn!(%error, "the duties of this node could not be given back: others wait for them");
    }
}

struct Keeper {
    leases: Arc<Leases>,
    commands: Arc<Commands>,
    tenant: Tenant,
    stopwatch: Arc<SystemStopwatch>,
    /// When the stopwatch began.
    begun: Instant,
    renewed: Option<Duration>,
    well: bool,
}

impl Keeper {
    async fn run(&mut self) {
        loop {
            let done = timeout(TIMING.renew, self.step()).await;
            match done {
                Ok(Ok(())) => self.tell(None),
                Ok(Err(error)) => self.tell(Some(&error.to_string())),
                Err(_) => self.tell(Some("the event store does not answer in time")),
            }
            self.publish();
            sleep(TIMING.look).await;
        }
    }

    async fn step(&mut self) -> Result<(), CommandError> {
        // An upgrade that was finalized on another node holds here from now on.
        self.commands.read_format().await?;
        let now = self.stopwatch.elapsed();
        if self.renewed.is_none_or(|last| now.saturating_sub(last) + TIMING.look > TIMING.renew) {
            self.tenant.renew().await?;
            self.renewed = Some(now);
            self.publish();
        }
        let wanted = self.leases.wanted.lock().clone();
        self.tenant.look(&wanted).await
    }

    /// What was taken is done from here on, and what was lost no more.
    fn publish(&self) {
        let tenure = match self.tenant.tenure() {
            Some(tenure) => {
                Tenure::Shared { term: tenure.term, duties: tenure.duties, until: self.begun + tenure.until }
            }
            None => Tenure::Nothing,
        };
        self.leases.tenure.send_if_modified(|known| {
            let is_new = *known != tenure;
            *known = tenure;
            is_new
        });
    }

    fn tell(&mut self, error: Option<&str>) {
        match error {
            Some(error) if self.well => tracing::warn!(error, "this node cannot renew its term: its duties may end"),
            Some(_) => {}
            None if !self.well => tracing::info!("this node renews its term again"),
            None => {}
        }
        self.well = error.is_none();
    }
}
