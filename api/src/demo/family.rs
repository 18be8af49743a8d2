//! The family circle of the demo, with a watch.

use dface_commands::{Context, watches::Binding};
use dface_domain::{
    ids::{GroupId, Imei, UserId},
    watches::WatchDetails,
};

use crate::node::{Node, StartError};

/// What the circle is called.
const NAME: &str = "家";

/// The watch's number, what it signs in with and what is printed on it; all made up.
pub const IMEI: &str = "861234560000017";
/// What the watch signs in with.
pub const KEY: &str = "demo-watch-key";
const CODE: &str = "demo-watch-code";

/// Makes what is missing of it: `mother` made it, `father` is in it.
pub async fn prepare(node: &Node, mother: UserId, father: UserId) -> Result<(), StartError> {
    node.catch_up().await;
    // Codes live for a day from now, however long ago the demo was begun.
    let context = Context::new(node.commands.fresh_id());
    let known = node.views.circles.view().of(mother).first().copied();
    let group = match known {
        Some(group) => group,
        None => node.commands.create_circle(mother, NAME, &context).await?.0,
    };
    if !node.views.circles.view().is_member(group, father) {
        let code = node.commands.invite(group, mother, usize::MAX, &context).await?.code;
        node.commands.join(group, father, &code, usize::MAX, &context).await?;
    }
    bind(node, group, mother, &context).await
}

async fn bind(node: &Node, group: GroupId, by: UserId, context: &Context) -> Result<(), StartError> {
    let imei: Imei = IMEI.parse().map_err(|e| StartError::Failed(format!("the demo's watch: {e}")))?;
    if node.views.circles.view().watch(imei).is_some_and(|row| row.bound.is_some()) {
        return Ok(());
    }
    node.commands.import_watch(imei, KEY, Some(CODE), context).await?;
    let binding = Binding { imei, group, by, code: Some(CODE), open: false };
    let number = node.commands.may_bind(&binding, context).await?;
    let details = WatchDetails {
        mac: "02:00:00:00:00:17".to_owned(),
        dev_name: "小宝".to_owned(),
        phone: String::new(),
        fast_call_phone: String::new(),
        image: None,
    };
    node.commands.bind_watch(&binding, number, "demo".to_owned(), &details, context).await?;
    Ok(())
}
