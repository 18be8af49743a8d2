//! The queue in this process.

use crate::{
    contract::{self, PLACES},
    place::Place,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn contract_embedded() {
    let dirs: Vec<_> = (0..PLACES).map(|_| tempfile::tempdir().unwrap()).collect();
    contract::holds(dirs.iter().map(|dir| Place::Directory(dir.path().join("queue")))).await;
}
