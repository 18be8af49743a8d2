//! Devices: who is told of what by APNs (spec push.md, "choice"). That a push is due is an event, once for each message and person; a job does
//! the rest.

use std::{sync::Arc, time::Duration};

use dface_commands::{Context, processes::ProcessError};
use dface_domain::{
    envelope::LogPosition,
    events::{Event, PushDue},
    ids::UserId,
    pushes::{
        PushKind,
        choice::{Choice, Recipient, choose},
    },
    time::Timestamp,
};
use dface_projections::projector::ModelError;
use futures::{StreamExt as _, stream};

use super::{
    follow::{Follower, Happened, until_read},
    recipients,
    waits::{Wait, Waits},
    withdraw::{Waiting, Withdrawals},
};
use crate::{
    node::Node,
    settings::{AlertKind, Settings},
};

/// Under which name the place is kept.
pub(crate) const APNS_PLACE: &str = "pushes_apns";

/// Asked for at once, so that one fsync does for many.
const AT_ONCE: usize = 256;

/// After a failure of the machinery.
const PAUSE: Duration = Duration::from_millis(500);

/// Asks for pushes to devices.
pub(super) struct Devices {
    pub(super) node: Arc<Node>,
    pub(super) waits: Waits,
    pub(super) withdrawals: Withdrawals,
}

impl Devices {
    pub(super) fn new(node: Arc<Node>) -> (Self, Waiting) {
        let waits = Waits::new(Duration::from_secs(node.settings.push.receipt_wait_s));
        let (withdrawals, waiting) = Withdrawals::new();
        (Self { node, waits, withdrawals }, waiting)
    }

    async fn tell(&self, one: &Happened, user: UserId) {
        let alert = is_alert(&self.node.settings, one.told.kind);
        let choice = until_read(|| self.choice(one, user, alert)).await;
        let due = PushDue { message: one.told.message, user, kind: one.told.kind, alert };
        // A receipt is told as of when it was given, which nothing else says; all else expires by when the log heard of it.
        let time = if one.told.kind == PushKind::TalkStatus { one.told.at } else { one.time };
        match choice {
            Choice::MqttAlone => {}
            Choice::Apns => self.ask(due, time).await,
            Choice::ApnsUnlessReceipted => {
                if let Err(wait) = self.waits.add(Wait { due, position: one.position, time }) {
                    self.ask(wait.due, wait.time).await;
                }
            }
        }
    }

    fn choice(&self, one: &Happened, user: UserId, alert: bool) -> Result<Choice, ModelError> {
        let views = &self.node.views;
        let recipient = Recipient {
            concerned: true,
            token: views.push_tokens.view().of(user)?.is_some(),
            focus: self.has_focus(user)?,
            acknowledges: one.told.kind.is_acknowledged() && views.families.view().acknowledges(user)?,
        };
        Ok(choose(recipient, alert))
    }

    /// Whether somebody has the app open: here, or on another node, which the log says.
    fn has_focus(&self, user: UserId) -> Result<bool, ModelError> {
        let here = self.node.focus.has(user, self.node.commands.clock().now());
        Ok(here || (!self.node.leases.is_alone() && self.node.views.away.view().is_open(user)?))
    }

    /// Asks for a push, until it is asked for or never can be.
    pub(super) async fn ask(&self, due: PushDue, time: Timestamp) {
        let context = Context::new(self.node.commands.fresh_id()).at(time);
        while let Err(error) = self.node.commands.push_due(due.clone(), &context).await {
            match ProcessError::from(error) {
                ProcessError::Never(error) => {
                    return tracing::error!(error, message = %due.message, "a push cannot be asked for");
                }
                ProcessError::Later(error) => {
                    tracing::warn!(error, message = %due.message, "a push waits to be asked for");
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Follower for Devices {
    const NAME: &'static str = APNS_PLACE;

    async fn take(&self, happened: Vec<Happened>) {
        let people = happened.iter().flat_map(|one| {
            let people = recipients::people(&self.node, &one.told, one.position);
            people.into_iter().map(move |user| (one, user))
        });
        stream::iter(people).for_each_concurrent(AT_ONCE, |(one, user)| self.tell(one, user)).await;
    }

    async fn take_back(&self, position: LogPosition, event: &Event) {
        self.withdrawals.add(position, event).await;
    }

    fn undone(&self) -> Option<LogPosition> {
        self.waits.first().into_iter().chain(self.withdrawals.first()).min()
    }
}

/// Whether a push shows: the seed's alarms do, and what the settings add.
pub(super) fn is_alert(settings: &Settings, kind: PushKind) -> bool {
    let added = match kind {
        PushKind::Voice | PushKind::Picture | PushKind::Text => Some(AlertKind::Talk),
        PushKind::BatteryLow => Some(AlertKind::BatteryLow),
        _ => None,
    };
    kind.alert().is_some() || added.is_some_and(|added| settings.push.alert_kinds.contains(&added))
}
