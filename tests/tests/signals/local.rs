//! Nodes of one process.

use std::sync::Arc;

use dface_commands::system::SystemClock;
use dface_domain::signals::{Heard, Signals};
use dface_workers::signals::local::Hub;

use crate::contract::{self, QUEUE, next, tell, word};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn contract_local() {
    contract::holds(|| {
        let hub = Hub::new(QUEUE as usize, Arc::new(SystemClock));
        Box::new(move |_: &str| -> Arc<dyn Signals> { hub.join() })
    })
    .await;
}

#[tokio::test]
async fn who_is_cut_off_tells_and_hears_nothing_and_knows_when_it_is_over() {
    let hub = Hub::new(10, Arc::new(SystemClock));
    let (anna, ben) = (hub.join(), hub.join());
    tell(&*ben, "before").await;
    anna.cut();
    assert!(anna.tell(vec![1]).await.is_err() && !anna.health().connected);
    tell(&*ben, "meanwhile").await;
    anna.heal();
    tell(&*ben, "behind").await;
    assert_eq!((next(&*anna).await, word(&*anna).await), (Heard::Connected, "behind".to_owned()));
}
