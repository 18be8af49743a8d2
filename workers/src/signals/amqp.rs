//! Signals by RabbitMQ: what a node tells goes to an exchange that hands it to the queue of each node. A queue belongs to one connection and ends with it; where its
//! node is too slow, the oldest in it are dropped.

use std::{sync::Arc, time::Duration};

use dface_domain::{
    jobs::QueueHealth,
    ports::{Clock, PortFuture},
    signals::{Heard, NotTold, Signals},
};
use futures::StreamExt as _;
use lapin::{
    BasicProperties, Channel,
    message::Delivery,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, QueueBindOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::queue::amqp::{
    AmqpConfig,
    link::{self, Link, Links, Purpose, Standing, connected},
    topology::SIGNALS,
};

/// Signals that the broker gives this process ahead.
const PREFETCH: u16 = 128;

/// Not written to the broker's disk.
const TRANSIENT: u8 = 1;

/// How nodes reach each other.
#[derive(Debug, Clone)]
pub struct SignalsConfig {
    /// The broker.
    pub amqp: AmqpConfig,
    /// This node; unlike any other.
    pub node: String,
    /// Signals that the broker keeps for this node at most.
    pub queue: u32,
    /// Their bytes at most.
    pub queue_bytes: u32,
}

struct Inner {
    node: String,
    patience: Duration,
    standing: Arc<Standing>,
    links: Links,
    heard: flume::Receiver<Heard>,
    _stopping: DropGuard,
}

/// See the module.
pub struct AmqpSignals(Inner);

impl AmqpSignals {
    /// Begins to connect, and goes on until it is dropped. Must be called within a runtime.
    #[must_use]
    pub fn connect(config: SignalsConfig, clock: Arc<dyn Clock>) -> Self {
        let (amqp, standing) =
            (Arc::new(config.amqp.clone()), Arc::new(Standing::new(Purpose::Signals, clock.clone())));
        let (node, patience, stop) = (config.node.clone(), config.amqp.timeout, CancellationToken::new());
        let (made, links) = watch::channel(None);
        // One more than what the broker gave ahead.
        let (out, heard) = flume::bounded(1);
        tokio::spawn(link::keep(amqp, Arc::clone(&standing), made, stop.clone()));
        let (feeding, ends) = (feed(config, clock, links.clone(), out), stop.clone());
        tokio::spawn(async move { ends.run_until_cancelled(feeding).await });
        Self(Inner { node, patience, standing, links, heard, _stopping: stop.drop_guard() })
    }
}

impl Inner {
    async fn tell(&self, message: &[u8]) -> Result<(), NotTold> {
        let link = self.links.borrow().clone();
        let away = || NotTold(self.standing.health().error.unwrap_or_else(|| "the broker is away".to_owned()));
        let Some(link) = link.filter(|link| !link.connection.status().blocked()) else { return Err(away()) };
        let properties =
            BasicProperties::default().with_app_id(self.node.as_str().into()).with_delivery_mode(TRANSIENT);
        let told = timeout(self.patience, async {
            let options = BasicPublishOptions::default();
            let put = link.publisher.basic_publish(SIGNALS.into(), "".into(), options, message, properties);
            // Nothing is confirmed on this channel, so this is there at once.
            put.await?.await
        });
        let wrong = match link.broken.run_until_cancelled(told).await {
            Some(Ok(Ok(_))) => return Ok(()),
            Some(Ok(Err(error))) => error.to_string(),
            Some(Err(_)) => format!("the broker did not take it in {} ms", self.patience.as_millis()),
            None => return Err(away()),
        };
        link.breaks(format!("a signal: {wrong}"));
        Err(NotTold(wrong))
    }
}

/// Listens on all connections that there will be.
async fn feed(config: SignalsConfig, clock: Arc<dyn Clock>, mut links: Links, out: flume::Sender<Heard>) {
    while let Some(link) = connected(&mut links).await {
        if let Some(ended) = link.broken.run_until_cancelled(listen(&config, &*clock, &link, &out)).await {
            let why = ended.err().map_or_else(|| "the broker cancelled it".to_owned(), |error| error.to_string());
            link.breaks(format!("signals come no more: {why}"));
        }
        if links.wait_for(|now| now.as_ref().is_none_or(|now| !Arc::ptr_eq(now, &link))).await.is_err() {
            return;
        }
    }
}

async fn listen(
    config: &SignalsConfig,
    clock: &dyn Clock,
    link: &Link,
    out: &flume::Sender<Heard>,
) -> lapin::Result<()> {
    let channel = link.connection.create_channel().await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    // The broker may hold on to the queue of a lost connection for a while: so each has a name of its own.
    let queue = format!("{SIGNALS}.{}.{}", config.node, clock.now().0);
    declare(&channel, &queue, config).await?;
    let options = BasicConsumeOptions { exclusive: true, ..BasicConsumeOptions::default() };
    let mut consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
    let mut is_wanted = out.send_async(Heard::Connected).await.is_ok();
    while is_wanted && let Some(delivery) = consumer.next().await {
        let delivery = delivery?;
        delivery.acker.ack(BasicAckOptions::default()).await?;
        if !is_of(&delivery, &config.node) {
            is_wanted = out.send_async(Heard::Message(delivery.data)).await.is_ok();
        }
    }
    Ok(())
}

fn is_of(delivery: &Delivery, node: &str) -> bool {
    delivery.properties.app_id().as_ref().is_some_and(|app| app.as_str() == node)
}

async fn declare(channel: &Channel, queue: &str, config: &SignalsConfig) -> lapin::Result<()> {
    let mut limits = FieldTable::default();
    limits.insert("x-max-length".into(), AMQPValue::LongLongInt(config.queue.into()));
    limits.insert("x-max-length-bytes".into(), AMQPValue::LongLongInt(config.queue_bytes.into()));
    limits.insert("x-overflow".into(), AMQPValue::LongString("drop-head".into()));
    let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), options, limits).await?;
    channel
        .queue_bind(queue.into(), SIGNALS.into(), "".into(), QueueBindOptions::default(), FieldTable::default())
        .await
}

impl Signals for AmqpSignals {
    fn tell(&self, message: Vec<u8>) -> PortFuture<'_, Result<(), NotTold>> {
        Box::pin(async move { self.0.tell(&message).await })
    }

    fn hear(&self) -> PortFuture<'_, Heard> {
        Box::pin(async move {
            match self.0.heard.recv_async().await {
                Ok(heard) => heard,
                // Its task ends with this alone.
                Err(_) => std::future::pending().await,
            }
        })
    }

    fn health(&self) -> QueueHealth {
        self.0.standing.health()
    }
}
