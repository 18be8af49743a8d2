//! What every store of shared records promises, run against both adapters.

use std::sync::Arc;

use dface_domain::records::Records;
use dface_workers::records::{DirectoryRecords, S3Records};
use futures::future::join_all;
use url::Url;

use crate::bucket::Server;

async fn holds(records: Arc<dyn Records>) {
    let (one, other) = ("00/0101", "ff/0102");
    assert_eq!(records.get(one).await.unwrap(), None);
    assert!(records.create(one, b"first").await.unwrap());
    assert!(!records.create(one, b"second").await.unwrap(), "what is there stays");
    assert_eq!(records.get(one).await.unwrap().as_deref(), Some(b"first".as_slice()));
    records.replace(one, b"x").await.unwrap();
    assert_eq!(records.get(one).await.unwrap().as_deref(), Some(b"x".as_slice()));
    assert!(!records.create(one, b"third").await.unwrap());
    assert_eq!(records.get(other).await.unwrap(), None);
    records.replace(other, b"new").await.unwrap();
    assert_eq!(records.get(other).await.unwrap().as_deref(), Some(b"new".as_slice()));

    let race = "7f/0103";
    let tries = (0..16_u8).map(|n| {
        let records = Arc::clone(&records);
        tokio::spawn(async move { (n, records.create(race, &[n; 64]).await.unwrap()) })
    });
    let ended: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    let winners: Vec<u8> = ended.iter().filter(|(_, made)| *made).map(|(n, _)| *n).collect();
    assert_eq!(winners.len(), 1, "{ended:?}");
    assert_eq!(records.get(race).await.unwrap(), Some(vec![winners[0]; 64]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_holds_the_contract_of_records() {
    let dir = tempfile::tempdir().unwrap();
    let records = Arc::new(DirectoryRecords::open(&dir.path().join("keys")).unwrap());
    holds(Arc::clone(&records) as _).await;
    // Another process sees the same, and a disk that is not mounted is not taken for an empty one.
    let again = DirectoryRecords::open(&dir.path().join("keys")).unwrap();
    assert!(again.get("00/0101").await.unwrap().is_some());
    std::fs::rename(dir.path().join("keys"), dir.path().join("away")).unwrap();
    assert!(records.get("00/0101").await.is_err() && records.get("00/0109").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_holds_the_contract_of_records() {
    let server = Server::start();
    server.make_bucket("dface");
    for path in ["dface", "dface/some/keys"] {
        let url = format!("s3://{path}?endpoint={}&region=us-east-1", server.endpoint);
        let records = S3Records::with_credentials(&Url::parse(&url).unwrap(), "test", "test").unwrap();
        holds(Arc::new(records)).await;
    }
    let url = format!("s3://dface?endpoint={}&region=us-east-1", server.endpoint);
    let records = S3Records::with_credentials(&Url::parse(&url).unwrap(), "test", "test").unwrap();
    drop(server);
    assert!(records.get("00/0101").await.is_err());
}
