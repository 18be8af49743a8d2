//! `dface user`: local accounts.

use clap::Subcommand;
use dface_commands::{Context, people::NewAccount};
use dface_domain::{
    events::{EndReason, Gender},
    ids::UserId,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Common, Failure, print_json,
    target::{Server, Target},
};
use crate::{
    admin::{checked_name, checked_password},
    node::Node,
};

/// `dface user`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dface user add --name anna --password s3cret")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a local account
    #[command(after_help = "Example: dface user add --name anna --password s3cret --gender 2")]
    Add {
        /// Sign-in name, unique; the name shown starts as the same
        #[arg(long)]
        name: String,
        /// Sign-in password
        #[arg(long)]
        password: String,
        /// 0 unset, 1 male, 2 female
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
        gender: u8,
    },
    /// Lists all accounts, a JSON line each
    #[command(after_help = "Example: dface user list | head")]
    List,
    /// Sets another sign-in password, which also changes the chat password and ends all sessions
    #[command(after_help = "Example: dface user reset-password 7")]
    ResetPassword {
        /// The user's id
        id: UserId,
        /// The new password; made and printed where none is given
        #[arg(long)]
        password: Option<String>,
    },
}

/// Runs it.
pub async fn run(common: &Common, args: Args) -> Result<(), Failure> {
    let settings = common.settings(&[])?;
    super::logging::start("warn")?;
    let target = match args.action {
        Action::Add { .. } => Target::of(settings).await?,
        Action::List | Action::ResetPassword { .. } => Target::of_existing(settings).await?,
    };
    let done = match &target {
        Target::Server(server) => on_server(server, args.action).await,
        Target::Directory(node) => on_directory(node, args.action).await,
    };
    target.close().await;
    done
}

async fn on_server(server: &Server, action: Action) -> Result<(), Failure> {
    match action {
        Action::Add { name, password, gender } => {
            let body = json!({ "name": name, "password": password, "gender": gender });
            print_json(&server.post::<Value>("/admin/users", &body).await?)
        }
        Action::List => {
            let mut path = "/admin/users?pcount=100".to_owned();
            loop {
                let page: Vec<Value> = server.get_json(&path).await?;
                page.iter().try_for_each(print_json)?;
                let Some(last) = page.last() else { return Ok(()) };
                path = format!("/admin/users?pcount=100&after={}", text_of(&last["id"]));
            }
        }
        Action::ResetPassword { id, password } => {
            let path = format!("/admin/users/{id}/reset-password");
            print_json(&server.post::<Value>(&path, &json!({ "password": password })).await?)
        }
    }
}

fn text_of(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

#[derive(Serialize)]
struct Listed {
    id: UserId,
    name: Option<String>,
    gender: Gender,
    source: Option<String>,
    registered: String,
}

async fn on_directory(node: &Node, action: Action) -> Result<(), Failure> {
    let (commands, context) = (&node.commands, Context::new(node.commands.fresh_id()));
    match action {
        Action::Add { name, password, gender } => {
            let name = checked_name(&name).map_err(|e| Failure::Usage(e.message.into_owned()))?;
            let password = checked_password(password).map_err(|e| Failure::Usage(e.message.into_owned()))?;
            let gender = Gender::try_from(gender).map_err(Failure::work)?;
            let account = NewAccount { name: name.clone(), password: Some(password), gender, source: None };
            let (id, _) = commands.register(account, &context).await.map_err(Failure::work)?;
            audit(node, "user_add", id).await?;
            print_json(&json!({ "id": id, "name": name }))
        }
        Action::List => {
            let mut after = None;
            loop {
                let page = node.views.people.view().list(after, 1_000).map_err(Failure::work)?;
                let Some(last) = page.last() else { return Ok(()) };
                after = Some(last.user);
                for one in page {
                    let (gender, source, registered) = (one.gender, one.source, one.registered.to_string());
                    print_json(&Listed { id: one.user, name: one.profile.name, gender, source, registered })?;
                }
            }
        }
        Action::ResetPassword { id, password } => reset(node, id, password).await,
    }
}

async fn reset(node: &Node, id: UserId, password: Option<String>) -> Result<(), Failure> {
    let (commands, context) = (&node.commands, Context::new(node.commands.fresh_id()));
    let password = password.unwrap_or_else(|| hex::encode(commands.entropy().bytes::<8>()));
    let password = checked_password(password).map_err(|e| Failure::Usage(e.message.into_owned()))?;
    commands.reset_password(id, password.clone(), &context).await.map_err(Failure::work)?;
    for session in node.views.sessions.view().of_user(id).map_err(Failure::work)? {
        commands.end_session(session, id, EndReason::PasswordChanged, &context).await.map_err(Failure::work)?;
    }
    audit(node, "user_reset_password", id).await?;
    let name = node.views.people.view().get(id).map_err(Failure::work)?.and_then(|person| person.profile.name.clone());
    print_json(&json!({ "id": id, "name": name, "password": password }))
}

async fn audit(node: &Node, action: &str, id: UserId) -> Result<(), Failure> {
    let context = Context::new(node.commands.fresh_id());
    let recorded = node.commands.record_act("command line", action, &id.to_string(), &context).await;
    recorded.map(|_| ()).map_err(Failure::work)
}
