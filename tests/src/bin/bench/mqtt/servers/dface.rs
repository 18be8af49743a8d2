//! dface as it is released, with limits that the load does not meet.

use std::path::Path;

use dface_commands::{Context, people::NewAccount, watches::Binding};
use dface_domain::{
    events::Gender,
    ids::{GroupId, Imei, UserId},
    watches::WatchDetails,
};
use dface_tests::apns::Apple;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::runtime::Runtime;

use super::{Account, Running};
use crate::{Failed, made::Directory, serving::server::Server};

const SETTINGS: (&str, &str) = ("DFACE_MQTT__MESSAGES_PER_SECOND", "100000");
const KEY: &str = "bench-key-0123456789abcdef";
/// Circles that are made at once.
const AT_ONCE: usize = 32;

/// With `devices` one member of each circle has one, which Apple is a stand-in for: in this process, on the same cores.
pub fn start(
    runtime: &Runtime,
    program: &Path,
    dir: &Path,
    of: (usize, usize),
    devices: bool,
) -> Result<Running, Failed> {
    let (data, apple) = (dir.join("data"), devices.then(Apple::start));
    let (phones, watches) = runtime.block_on(fill(&data, of, devices))?;
    let settings = apple.iter().flat_map(Apple::settings).map(|(key, value)| (format!("DFACE_{key}"), value));
    let settings: Vec<(String, String)> = settings.collect();
    let settings = settings.iter().map(|(key, value)| (&**key, &**value)).chain([SETTINGS]);
    let (server, _) = Server::start_with(program, &data, &settings.collect::<Vec<_>>())?;
    let at = server.mqtt.ok_or("the server named no address of MQTT")?;
    let taking = apple.as_ref().map(|apple| apple.production.clone());
    Ok(Running { process: server.process(), at, phones, watches, apple: taking, _held: Box::new((server, apple)) })
}

/// Circles with their members' phones and a watch each.
async fn fill(
    data: &Path,
    (circles, members): (usize, usize),
    devices: bool,
) -> Result<(Vec<Account>, Vec<Account>), Failed> {
    let directory = Directory::open(data).await?;
    let made = (0..circles).map(|number| circle(&directory, number, members, devices));
    let made: Vec<(Vec<Account>, Account)> = futures::stream::iter(made).buffered(AT_ONCE).try_collect().await?;
    directory.close();
    let (phones, watches): (Vec<Vec<Account>>, Vec<Account>) = made.into_iter().unzip();
    Ok((phones.concat(), watches))
}

async fn circle(
    directory: &Directory,
    number: usize,
    members: usize,
    device: bool,
) -> Result<(Vec<Account>, Account), Failed> {
    let commands = &directory.commands;
    let mut users = Vec::new();
    for member in 0..members {
        let name = format!("u{number}-{member}");
        let account = NewAccount { name, password: None, gender: Gender::Unset, source: None };
        users.push(commands.register(account, &context(directory)).await?.0);
    }
    let (guardian, others) = users.split_first().ok_or("a circle has members")?;
    let (group, _) = commands.create_circle(*guardian, "bench", &context(directory)).await?;
    for user in others {
        let invited = commands.invite(group, *guardian, members, &context(directory)).await?;
        commands.join(group, *user, &invited.code, members, &context(directory)).await?;
    }
    if device {
        commands.bind_push_token(*guardian, 2, &format!("{number:064x}"), &context(directory)).await?;
    }
    let imei = bind(directory, (group, *guardian), number).await?;
    let phones = users.iter().map(|user| Account {
        client: format!("phone-{user}"),
        name: user.to_string(),
        password: commands.secret().chat_password(*user, 0),
        topic: format!("xunqun/group/{group}/#"),
    });
    let watch = Account {
        client: format!("watch-{imei}"),
        name: imei.to_string(),
        password: KEY.to_owned(),
        topic: format!("xunqun/watch/{imei}/up"),
    };
    Ok((phones.collect(), watch))
}

async fn bind(directory: &Directory, (group, by): (GroupId, UserId), number: usize) -> Result<Imei, Failed> {
    let commands = &directory.commands;
    let imei = Imei::new(860_000_000_000_000 + number as u64).ok_or("no imei")?;
    commands.import_watch(imei, KEY, None, &context(directory)).await?;
    let (context, binding) = (context(directory), Binding { imei, group, by, code: Some(KEY), open: false });
    let time = commands.may_bind(&binding, &context).await?;
    let details = WatchDetails {
        mac: String::new(),
        dev_name: "bench".to_owned(),
        phone: String::new(),
        fast_call_phone: String::new(),
        image: None,
    };
    commands.bind_watch(&binding, time, "1".to_owned(), &details, &context).await?;
    Ok(imei)
}

fn context(directory: &Directory) -> Context {
    Context::new(directory.commands.fresh_id())
}
