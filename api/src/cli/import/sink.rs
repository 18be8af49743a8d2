//! Where batches go: into the directory that this process has open, or to the server that has.

use std::future::Future;

use crate::{
    cli::{Failure, target::Server},
    import::{Batch, BatchDone, batch::Import},
    node::Node,
};

/// Takes batches.
pub trait Sink {
    /// Imports a batch.
    ///
    /// # Errors
    /// The whole import cannot go on.
    fn put<R: Import>(&self, batch: Batch<R>) -> impl Future<Output = Result<BatchDone, Failure>> + Send;
}

impl Sink for Node {
    async fn put<R: Import>(&self, batch: Batch<R>) -> Result<BatchDone, Failure> {
        let action = format!("import_{}", R::KIND);
        let act = self.commands.record_act_once(batch.run, "command line", &action, &batch.source).await;
        act.map_err(Failure::work)?;
        R::import(&self.commands, &batch).await.map_err(Failure::work)
    }
}

impl Sink for Server {
    async fn put<R: Import>(&self, batch: Batch<R>) -> Result<BatchDone, Failure> {
        self.post(&format!("/admin/import/{}", R::KIND), &batch).await
    }
}
