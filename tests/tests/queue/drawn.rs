//! Jobs of the real program from their events to the events that end them: coupons' drawings, in the process and by workers that are killed.

use std::{collections::BTreeSet, time::Duration};

use dface_tests::{
    Operator, Server, Setup,
    rabbitmq::{PASSWORD, RabbitMq},
};
use serde_json::{Value, json};

use crate::served::{Worker, becomes};

fn campaigns(operator: &Operator, shop: u64, count: usize) -> BTreeSet<String> {
    let offer = json!({
        "shop_id": shop, "name": "第二杯:半价", "text": "任意咖啡", "trigger": "manual",
        "from": "2020-01-01T00:00:00+08:00", "until": "2999-01-01T00:00:00Z", "quota": 5,
    });
    let made = (0..count).map(|_| operator.post("/admin/campaigns", &offer).ok()["id"].as_str().unwrap().to_owned());
    made.collect()
}

/// The campaigns that were drawn, in the order of the log.
fn drawn(operator: &Operator) -> Vec<String> {
    let lines = operator.get("/events?type=CampaignDrawn&profile=full");
    assert_eq!(lines.status, 200, "{lines}");
    let campaign = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["data"]["campaign"].as_str().unwrap().to_owned()
    };
    lines.text.lines().map(campaign).collect()
}

/// Waits until each is drawn, and looks that none is drawn twice and that nothing is left to do.
fn all_drawn_once(server: &Server, made: &BTreeSet<String>) {
    let operator = server.operator();
    becomes("drawn", || drawn(&operator).iter().collect::<BTreeSet<_>>() == made.iter().collect());
    becomes("over", || operator.get("/admin/jobs").ok() == json!([]));
    assert_eq!(drawn(&operator).len(), made.len(), "none twice");
}

#[test]
fn the_server_draws_its_coupons_itself() {
    let server = Server::start();
    let operator = server.operator();
    let shop = operator.add_shop("海洋:二所", (30.286_91, 120.127_63));
    let made = campaigns(&operator, shop, 2);
    all_drawn_once(&server, &made);
    let metrics = server.operator().get("/metrics").text;
    assert!(metrics.contains(r#"dface_job_tries_total{kind="coupon",end="done"} 2"#), "{metrics}");
}

#[test]
fn crash_of_workers_and_server_draws_each_coupon_once() {
    let broker = RabbitMq::start();
    let url = broker.fresh();
    let mut server = Setup::default().set("QUEUE", &url).arg("--roles").arg("http").start();
    server.secret(PASSWORD);
    let operator = server.operator();
    let shop = operator.add_shop("海洋:二所", (30.286_91, 120.127_63));
    let mut made = BTreeSet::new();
    for _ in 0..3 {
        let workers = [Worker::start(&server, &url), Worker::start(&server, &url)];
        made.extend(campaigns(&server.operator(), shop, 3));
        std::thread::sleep(Duration::from_millis(150));
        workers.into_iter().for_each(Worker::kill);
        server.kill();
        server.start_again();
    }
    let worker = Worker::start(&server, &url);
    all_drawn_once(&server, &made);
    worker.stop();
}
