//! Follows the log on the server, so that a node wakes when another one writes, and from where it was after a lost connection.

use std::{sync::Arc, time::Duration};

use dface_domain::envelope::LogPosition;
use eventstore::{Position, StreamPosition, SubscribeToAllOptions, SubscriptionEvent};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    error::Trouble,
    event::parse,
    health::Side,
    identity,
    link::{Session, asking},
};

/// Pauses between tries to subscribe.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(20), Duration::from_millis(100), Duration::from_millis(300), Duration::from_secs(1)];

/// Between two looks whether calls that failed would be answered again.
const PROBE: Duration = Duration::from_secs(1);

/// Follows until it is told to end.
pub(super) async fn follow(shared: Arc<Shared>, end: CancellationToken) {
    tokio::select! {
        () = end.cancelled() => {}
        () = subscribed(&shared) => {}
        () = probed(&shared) => {}
    }
}

/// Where calls failed, calls until one is answered: nobody else may, once it is known that the store is away.
async fn probed(shared: &Shared) {
    loop {
        sleep(PROBE).await;
        if shared.health.calls_fail() {
            // What comes of it, the call itself notes.
            let _ = identity::read(shared).await;
        }
    }
}

/// One subscription after the other.
async fn subscribed(shared: &Shared) {
    let mut at = shared.tail.end();
    let mut failures = 0;
    loop {
        let before = at;
        let what = match subscription(shared, &mut at).await {
            Trouble::Again { what, .. } => what,
            Trouble::Final(error) => error.to_string(),
        };
        shared.health.set(Side::Following, Some(what));
        failures = if at > before { 0 } else { (failures + 1).min(PAUSES.len() - 1) };
        sleep(PAUSES[failures]).await;
    }
}

/// One subscription, from after `at` until something is wrong. The client would busy itself for ever with one that the server ends without an
/// error; no server does.
async fn subscription(shared: &Shared, at: &mut LogPosition) -> Trouble {
    let session = match shared.link.session().await {
        Ok(session) => session,
        Err(trouble) => return trouble,
    };
    let trouble = following(shared, &session, at).await;
    if let Trouble::Again { reconnect: true, .. } = &trouble {
        shared.link.lost(&session);
    }
    trouble
}

async fn following(shared: &Shared, session: &Session, at: &mut LogPosition) -> Trouble {
    // A subscription begins after the position, where reading begins with it.
    let start = match *at {
        LogPosition(0) => StreamPosition::Start,
        LogPosition(at) => StreamPosition::Position(Position { commit: at, prepare: at }),
    };
    let options = SubscribeToAllOptions::default().position(start).filter(shared.filter());
    let options = asking!(session, options);
    let mut subscription = session.client.subscribe_to_all(&options).await;
    let mut confirmed = false;
    loop {
        let next = subscription.next_subscription_event();
        // Once it is confirmed nothing may come for days; whether the connection lives is for the pings of HTTP/2 to find out.
        let next = match confirmed {
            true => next.await,
            false => match timeout(session.patience, next).await {
                Ok(next) => next,
                Err(_) => return Trouble::silence(),
            },
        };
        match next {
            Ok(SubscriptionEvent::Confirmed(_)) => {
                confirmed = true;
                shared.health.set(Side::Following, None);
            }
            Ok(SubscriptionEvent::EventAppeared(found)) => match parse(&shared.names, found.get_original_event()) {
                Ok(read) => {
                    *at = read.event.position;
                    shared.tail.push(read);
                    shared.raise(*at);
                }
                Err(error) => return Trouble::Final(error),
            },
            // How far the server has looked: nothing of ours stands before it.
            Ok(SubscriptionEvent::Checkpoint(position)) => *at = LogPosition(position.commit).max(*at),
            Ok(_) => {}
            Err(error) => return Trouble::of(&error),
        }
    }
}
