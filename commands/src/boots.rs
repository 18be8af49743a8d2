//! Starts of the app (seed §1), counted in memory by the door and kept here once an hour.

use dface_domain::{
    envelope::LogPosition,
    events::{BootCount, BootsCounted},
    stream::{Category, StreamId},
    time::Timestamp,
};

use crate::{CommandError, Commands, Context};

impl Commands {
    /// Keeps what was counted in the hour that began at `hour`.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn record_boots(
        &self,
        hour: Timestamp,
        boots: Vec<BootCount>,
        context: &Context,
    ) -> Result<LogPosition, CommandError> {
        let stream = StreamId::new(Category::Boots, self.fresh_id().simple());
        let event = BootsCounted { hour, boots };
        Ok(self.executor.append_first(&stream, event.into(), context).await?.position)
    }
}
