//! Who missed what, where several nodes share the log. No node knows the streams of the others; but all note in the log what their clients have
//! acknowledged (`InboxTaken`). So one node looks at each message a little later: where it still waits in the inbox, it was missed.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use dface_commands::processes::Progress;
use dface_domain::{envelope::LogPosition, ids::MessageId, leases::Duty, messages::Party};
use futures::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::missed::{NAME, load, next, note, told};
use crate::xmpp::chat::Chat;

/// Messages that are waited for at most; with more the oldest are looked at early.
const MOST: usize = 100_000;

/// Noted at once, so that one fsync does for many.
const AT_ONCE: usize = 32;

/// Looked at together, and between two times that the place is kept.
const TOGETHER: Duration = Duration::from_secs(1);

/// A message that somebody may take yet.
struct Waiting {
    until: Instant,
    position: LogPosition,
    message: MessageId,
    to: Party,
}

/// Looks whenever this node has it to do, until `stop`.
pub(super) async fn run(chat: Arc<Chat>, stop: CancellationToken) {
    let leases = Arc::clone(&chat.node.leases);
    leases.hold(Duty::Missed, &stop, |ends| follow(Arc::clone(&chat), ends)).await;
}

async fn follow(chat: Arc<Chat>, ends: CancellationToken) {
    let Some(kept) = ends.run_until_cancelled(load(&chat)).await else { return };
    let patience = Duration::from_secs(chat.node.settings.chat.missed_after_s);
    let mut look = Look { looked: kept, kept, waiting: VecDeque::new(), found: 0 };
    ends.run_until_cancelled(async {
        loop {
            let due = Instant::now() + TOGETHER;
            while let Ok(read) = timeout_at(due, next(&chat, look.looked)).await {
                for recorded in &read {
                    look.looked = recorded.position;
                    if let Some((message, to)) = told(&chat, recorded) {
                        let until = Instant::now() + patience;
                        look.waiting.push_back(Waiting { until, position: recorded.position, message, to });
                    }
                }
                if look.waiting.len() > MOST {
                    break;
                }
            }
            look.note_due(&chat).await;
            look.keep(&chat).await;
        }
    })
    .await;
    look.keep(&chat).await;
    chat.node.processes.checkpoints().hand_over(NAME).await;
}

struct Look {
    looked: LogPosition,
    kept: LogPosition,
    waiting: VecDeque<Waiting>,
    /// Messages since the place was kept.
    found: usize,
}

impl Look {
    /// Notes what nobody took in time. It stays among those that wait until it is noted.
    async fn note_due(&mut self, chat: &Chat) {
        let (now, over) = (Instant::now(), self.waiting.len().saturating_sub(MOST));
        let due = self.waiting.iter().enumerate().take_while(|(nth, one)| *nth < over || one.until <= now).count();
        let these: Vec<_> = self.waiting.range(..due).map(|one| (one.message, one.to)).collect();
        stream::iter(these)
            .map(|(message, to)| note(chat, message, to))
            .buffer_unordered(AT_ONCE)
            .collect::<()>()
            .await;
        self.waiting.drain(..due);
        self.found += due;
    }

    /// Keeps the place before which all is taken or noted.
    async fn keep(&mut self, chat: &Chat) {
        let first = self.waiting.front().map(|one| LogPosition(one.position.0.saturating_sub(1)));
        let position = first.unwrap_or(self.looked);
        if position <= self.kept {
            return;
        }
        let progress = Progress { position, parked: vec![] };
        match chat.node.processes.checkpoints().save(NAME, &progress, self.found).await {
            Ok(()) => (self.kept, self.found) = (position, 0),
            Err(error) => tracing::warn!(error, "where missed messages were looked for cannot be kept"),
        }
    }
}

#[cfg(test)]
mod tests {
    use dface_domain::{envelope::LogPosition, events::Event, ids::UserId, messages::Party, ports::EventStore as _};

    use crate::xmpp::testing::Stage;

    /// Whose messages were noted as missed, once somebody's was.
    async fn missed(stage: &Stage, last: UserId) -> Vec<UserId> {
        let (store, mut after, mut missed) = (&stage.chat.node.store, LogPosition::default(), Vec::new());
        while missed.last() != Some(&last) {
            store.changed(after).await;
            for recorded in store.read_all(after, 1_000).await.unwrap() {
                after = recorded.position;
                if let Ok(Event::MessageMissed(event)) = recorded.data.decode() {
                    missed.extend(match event.to {
                        Party::User(user) => Some(user),
                        _ => None,
                    });
                }
            }
        }
        missed
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_client_of_another_node_took_is_not_missed_and_the_rest_is() {
        let (here, there) = Stage::two(|settings| settings.chat.missed_after_s = 3).await;
        let (anna, ben, carl) = (here.person("anna").await, here.person("ben").await, here.person("carl").await);
        there.settled().await;
        let (annas, bens) = (here.client(anna, "phone").await, there.client(ben, "phone").await);
        annas.send(&format!("<message id='1' to='{ben}@dface.cn'><body>x</body></message>")).await;
        bens.next_of("message").await;
        bens.take_all();
        annas.send(&format!("<message id='2' to='{carl}@dface.cn'><body>x</body></message>")).await;
        // Each is looked at after the same time, so what was to be noted of Ben's is by then.
        assert_eq!(missed(&here, carl).await, [carl]);
        // A client that does not acknowledge is as good as none.
        annas.send(&format!("<message id='3' to='{ben}@dface.cn'><body>y</body></message>")).await;
        assert_eq!(missed(&here, ben).await, [carl, ben]);
    }
}
