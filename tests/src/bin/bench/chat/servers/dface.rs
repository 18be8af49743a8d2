//! dface as it is released, with limits that the load does not meet.

use std::path::Path;

use dface_commands::{Context, people::NewAccount};
use dface_domain::events::Gender;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::runtime::Runtime;

use super::{Account, Running};
use crate::{
    Failed,
    made::{self, Directory},
    serving::server::Server,
};

const SETTINGS: [(&str, &str); 2] =
    [("DFACE_LIMITS__MESSAGES_PER_SECOND", "1000000"), ("DFACE_LIMITS__MESSAGE_BURST", "1000000")];

pub fn start(runtime: &Runtime, program: &Path, dir: &Path, count: usize) -> Result<Running, Failed> {
    let data = dir.join("data");
    let (accounts, room) = runtime.block_on(fill(&data, count))?;
    let (server, _) = Server::start_with(program, &data, &SETTINGS)?;
    let at = server.xmpp.ok_or("the server named no address of its chat")?;
    Ok(Running { process: server.process(), at, accounts, room, _held: Box::new(server) })
}

/// A shop and people, with their chat passwords.
async fn fill(data: &Path, count: usize) -> Result<(Vec<Account>, String), Failed> {
    let directory = Directory::open(data).await?;
    let (commands, context) = (&directory.commands, Context::new(directory.commands.fresh_id()));
    let details = made::shops::made(1).pop().ok_or("no shop was made")?;
    let (shop, _) = commands.add_shop(details, &context).await?;
    let made = (0..count).map(|number| async move {
        let name = format!("u{number}");
        let account = NewAccount { name, password: None, gender: Gender::Unset, source: None };
        let context = Context::new(commands.fresh_id());
        let (user, _) = commands.register(account, &context).await?;
        Ok::<_, Failed>(Account { name: user.to_string(), password: commands.secret().chat_password(user, 0) })
    });
    let accounts = futures::stream::iter(made).buffered(64).try_collect().await?;
    directory.close();
    Ok((accounts, shop.to_string()))
}
