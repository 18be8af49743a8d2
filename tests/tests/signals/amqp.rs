//! Signals by a real RabbitMQ.

use std::{sync::Arc, time::Duration};

use dface_commands::system::SystemClock;
use dface_domain::{
    jobs::JobKind,
    signals::{Heard, Signals},
};
use dface_tests::{
    clients::Cuts,
    rabbitmq::{PASSWORD, RabbitMq},
};
use dface_workers::{
    queue::{Limits, amqp::AmqpConfig},
    signals::amqp::{AmqpSignals, SignalsConfig},
};

use crate::contract::{self, LONG, Place, QUEUE, joined, next, tell, word};

fn config(url: &str, node: &str) -> SignalsConfig {
    let amqp = AmqpConfig {
        url: url.parse().unwrap(),
        ca: None,
        limits: Limits { attempts: [1; JobKind::ALL.len()], message_bytes: 10_000 },
        prefetch: [1; JobKind::ALL.len()],
        prefetch_reports: 1,
        heartbeat_s: 5,
        timeout: Duration::from_secs(10),
        reconnect_min: Duration::from_millis(20),
        reconnect_max: Duration::from_millis(200),
    };
    SignalsConfig { amqp, node: node.to_owned(), queue: QUEUE, queue_bytes: 1 << 20 }
}

fn place(url: String) -> Place {
    Box::new(move |node: &str| -> Arc<dyn Signals> {
        Arc::new(AmqpSignals::connect(config(&url, node), Arc::new(SystemClock)))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn contract_amqp() {
    let broker = RabbitMq::start();
    contract::holds(|| place(broker.fresh())).await;
}

/// Waits until a node tells something or cannot any more.
async fn told(node: &dyn Signals, is: bool) {
    let begun = tokio::time::Instant::now();
    while node.tell(b"are you there?".to_vec()).await.is_ok() != is {
        assert!(begun.elapsed() < LONG, "{:?}", node.health());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_told_while_the_way_is_cut_is_lost_and_then_it_goes_on() {
    let broker = RabbitMq::start();
    let url = broker.fresh();
    let at = url.split(['@', '/']).find_map(|part| part.parse().ok()).expect("the broker's address");
    let road = Cuts::before(at);
    let near = place(url.clone());
    let far = place(url.replace(&at.to_string(), &road.at().to_string()));
    let (anna, ben) = (joined(&near, "a").await, joined(&far, "b").await);
    tell(&*anna, "before").await;
    assert_eq!(word(&*ben).await, "before");
    road.close();
    told(&*ben, false).await;
    assert!(!ben.health().connected && ben.health().error.is_some(), "{:?}", ben.health());
    tell(&*anna, "meanwhile").await;
    road.leads_to(at);
    // What came before it was lost may stand before that.
    assert_eq!(next(&*ben).await, Heard::Connected);
    tell(&*anna, "behind").await;
    assert_eq!(word(&*ben).await, "behind");
    tell(&*ben, "me too").await;
    while word(&*anna).await != "me too" {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wrong_password_is_told_without_it() {
    let broker = RabbitMq::start();
    let node = place(broker.fresh().replace(PASSWORD, "falsch-43"))("a");
    let begun = tokio::time::Instant::now();
    while !node.health().error.is_some_and(|error| error.contains("ACCESS_REFUSED")) {
        assert!(begun.elapsed() < LONG, "{:?}", node.health());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let wrong = node.tell(vec![1]).await.unwrap_err();
    assert!(
        wrong.0.contains("ACCESS_REFUSED") && !format!("{wrong} {:?}", node.health()).contains("falsch"),
        "{wrong}"
    );
}
