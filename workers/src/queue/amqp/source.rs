//! Taking messages from one queue, over all connections that there will be.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures::StreamExt;
use lapin::{
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio_util::sync::CancellationToken;

use super::{
    hands::Came,
    link::{Link, Links, connected},
};

/// One queue's messages. Consuming begins when somebody first asks, so that a node that does no jobs takes none.
pub(super) struct Source {
    queue: String,
    prefetch: u16,
    asked: AtomicBool,
    /// Holds at most one more than what the broker gave ahead.
    out: flume::Sender<Came>,
    waiting: flume::Receiver<Came>,
}

impl Source {
    pub(super) fn new(queue: String, prefetch: u16) -> Self {
        let (out, waiting) = flume::bounded(1);
        Self { queue, prefetch, asked: AtomicBool::new(false), out, waiting }
    }

    /// The next message whose connection still stands.
    pub(super) async fn next(&self, links: &Links, stop: &CancellationToken) -> Came {
        if !self.asked.swap(true, Ordering::SeqCst) {
            let feeding = feed(self.queue.clone(), self.prefetch, links.clone(), self.out.clone());
            let stop = stop.clone();
            tokio::spawn(async move { stop.run_until_cancelled(feeding).await });
        }
        loop {
            match self.waiting.recv_async().await {
                Ok(came) if came.stands() => return came,
                Ok(_) => {}
                // Not while `out` is here.
                Err(_) => std::future::pending().await,
            }
        }
    }
}

async fn feed(queue: String, prefetch: u16, mut links: Links, out: flume::Sender<Came>) {
    while let Some(link) = connected(&mut links).await {
        if let Some(ended) = link.broken.run_until_cancelled(consume(&link, &queue, prefetch, &out)).await {
            // Whatever the reason, a fresh connection with its topology declared anew is the way on.
            let why = ended.err().map_or_else(|| "the broker cancelled it".to_owned(), |error| error.to_string());
            link.breaks(format!("{queue} gives no more: {why}"));
        }
        if links.wait_for(|now| now.as_ref().is_none_or(|now| !Arc::ptr_eq(now, &link))).await.is_err() {
            return;
        }
    }
}

async fn consume(link: &Link, queue: &str, prefetch: u16, out: &flume::Sender<Came>) -> lapin::Result<()> {
    let channel = link.connection.create_channel().await?;
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
    while let Some(delivery) = consumer.next().await {
        let came = Came { delivery: delivery?, broken: link.broken.clone() };
        if out.send_async(came).await.is_err() {
            break;
        }
    }
    Ok(())
}
