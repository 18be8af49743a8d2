//! Who has left, and the earlier files that show something of them.

use std::{collections::HashSet, io};

use dface_domain::events::{EventType as _, PersonErased, WatchUnbound};

use super::{
    files::{Layout, PartitionSink, bounds},
    open::hashes,
    runs::Entry,
};
use crate::{
    cli::replay::{Ended, out::Written, sink::Sink, source::Source},
    replay::{By, Row, Selection},
};

/// Collects whom events are about.
#[derive(Default)]
struct About(HashSet<u64>);

impl Sink for About {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        // Of both types the first field is who it is.
        let fields: crate::replay::Fields<'_> = serde_json::from_str(row.data)?;
        if let Some((_, json)) = fields.0.first() {
            hashes(json.get(), &mut |hash| {
                self.0.insert(hash);
            });
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// Who left in the positions of `asked`, whatever its types; a watch that was unbound is one.
pub async fn since(source: &Source, asked: &Selection) -> Result<HashSet<u64>, Ended> {
    let types = vec![PersonErased::TYPE.to_owned(), WatchUnbound::TYPE.to_owned()];
    let asked =
        Selection { types, stream: None, since: None, until: None, by: By::Append, raw: false, ..asked.clone() };
    let mut about = About::default();
    source.read(&asked, &mut about).await?;
    Ok(about.0)
}

/// Reads what a file holds once more, now that keys are gone. Where retention has dropped events meanwhile, they go from the file too.
pub async fn rewritten(
    source: &Source,
    selection: &Selection,
    layout: &Layout,
    entry: &Entry,
) -> Result<Vec<Written>, Ended> {
    let mut asked = Selection { from: Some(entry.first), to: Some(entry.last), ..selection.clone() };
    asked.types = entry.one_type.clone().map_or_else(|| selection.types.clone(), |name| vec![name]);
    if let Some((first, last)) = entry.day.map(bounds) {
        asked.since = Some(selection.since.map_or(first, |since| since.max(first)));
        asked.until = Some(selection.until.map_or(last, |until| until.min(last)));
    }
    let stem = entry.name.split('.').next().unwrap_or_default().to_owned();
    let mut sink = PartitionSink::new(layout.clone(), stem);
    source.read(&asked, &mut sink).await?;
    Ok(sink.whole()?.0)
}
