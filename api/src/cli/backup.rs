//! `dface backup`, `restore`, `backup-keys` and `restore-keys`.

use std::path::{Path, PathBuf};

use dface_commands::{
    store::embedded::{EmbeddedStore, OpenError},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::envelope::LogPosition;
use futures::TryStreamExt as _;
use tokio::{io::AsyncBufReadExt as _, runtime::Handle};
use tokio_util::io::StreamReader;

use super::{
    Common, Failure, print_json,
    progress::{Progress, bar},
    target::Server,
};
use crate::{
    admin::{BackupLine, BackupTo},
    backup::{
        BackupError, keys,
        make::{Made, Source, make},
        restore::{Means, restore},
    },
    node::refuse_half_restored,
    settings::Settings,
    store::embedded_config,
};

/// `dface backup`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dface backup /var/backups/monday\n         \
                        dface backup /var/backups/tuesday.tar --since /var/backups/monday\n\n\
                        Log, objects and settings, while the server runs or not. Keys and secrets are not in it: see backup-keys.")]
pub struct BackupArgs {
    /// A directory that is empty or not there, or a file that ends with .tar
    #[arg(value_name = "DIR_OR_FILE")]
    to: PathBuf,
    /// An earlier backup: what it has already is left out, and it is needed for a restore
    #[arg(long, value_name = "BACKUP")]
    since: Option<PathBuf>,
}

/// `dface restore`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dface restore /var/backups/monday --data ./data\n\n\
                        Into an empty directory. Every event and object is checked. Keys come back by restore-keys. Sessions are over, \
                        whoever left stays forgotten, and nothing goes out until POST /admin/release.")]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "DIR_OR_FILE")]
    from: PathBuf,
    /// The last event that is wanted
    #[arg(long, value_name = "POS")]
    to: Option<u64>,
}

/// `dface backup-keys`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dface backup-keys keys.age --recipient age1…\n\n\
                        Encrypted by age (age-encryption.org); age-keygen makes recipient and identity. Keep it apart from the backups: \
                        who holds both can read what people deleted.")]
pub struct BackupKeysArgs {
    /// The file
    file: PathBuf,
    /// Who can read it; may be given several times
    #[arg(long, value_name = "AGE1…", required = true)]
    recipient: Vec<String>,
}

/// `dface restore-keys`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dface restore-keys keys.age --identity identity.txt --data ./data\n\n\
                        After restore, while no server runs. Who has left by the log stays forgotten.")]
pub struct RestoreKeysArgs {
    /// The file
    file: PathBuf,
    /// What opens it, as age-keygen made it
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// Takes the keys of the backup where the directory has made others since
    #[arg(long)]
    replace: bool,
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Refused(text) => Self::Usage(text),
            other => Self::Work(other.to_string()),
        }
    }
}

/// Runs `backup`.
pub async fn backup(common: &Common, args: BackupArgs) -> Result<(), Failure> {
    let settings = common.settings(&[])?;
    super::logging::start("warn")?;
    let whole = |path: &Path| std::path::absolute(path).map_err(Failure::work);
    let (to, since) = (whole(&args.to)?, args.since.as_deref().map(whole).transpose()?);
    if settings.store.is_shared() {
        let text = "setting `store`: the log is at EventStoreDB or KurrentDB: back it up by that server's own means; `dface backup` is for the embedded store";
        return Err(Failure::Usage(text.to_owned()));
    }
    let made = match Server::find(&settings).await? {
        Some(server) => of_server(&server, &BackupTo { to, since }).await?,
        None => {
            if !settings.data.join("log").is_dir() {
                return Err(Failure::Usage(format!("--data: there is no event log in {}", settings.data.display())));
            }
            refuse_half_restored(&settings.data)?;
            blocking(move |runtime| of_directory(&settings, &to, since.as_deref(), runtime)).await?
        }
    };
    print_json(&made)?;
    if made.damaged.is_empty() {
        return Ok(());
    }
    Err(Failure::Work(format!(
        "{} objects are damaged, and not in the backup; see dface doctor --verify",
        made.damaged.len()
    )))
}

async fn of_server(server: &Server, wanted: &BackupTo) -> Result<Made, Failure> {
    let answer = server.post_for_stream("/admin/backup", wanted).await?;
    let mut lines = StreamReader::new(Box::pin(answer.bytes_stream().map_err(std::io::Error::other))).lines();
    let mut shown = Shown::default();
    while let Some(line) = lines.next_line().await.map_err(Failure::work)? {
        if line.is_empty() {
            continue;
        }
        match serde_json::from_str(&line).map_err(Failure::work)? {
            BackupLine::Progress { of, done, all } => shown.show(&of, done, all),
            BackupLine::Made(made) => {
                shown.end();
                return Ok(made);
            }
            BackupLine::Failed { error, code } if code == "refused" => return Err(Failure::Usage(error)),
            BackupLine::Failed { error, .. } => return Err(Failure::Work(error)),
        }
    }
    Err(Failure::Work("the server broke off".to_owned()))
}

fn of_directory(settings: &Settings, to: &Path, since: Option<&Path>, runtime: Handle) -> Result<Made, Failure> {
    let opened = EmbeddedStore::open(embedded_config(settings), std::sync::Arc::new(SystemClock), &SystemEntropy);
    let store = opened.map_err(|error| match error {
        OpenError::InUse(_) | OpenError::Config(_) => Failure::Usage(error.to_string()),
        other => Failure::Work(other.to_string()),
    })?;
    let objects = dface_workers::objects::open(Some(&settings.objects), &settings.data)
        .map_err(|error| Failure::Usage(format!("setting `objects`: {error}")))?;
    let source =
        Source { store: &store, objects: &*objects, settings, clock: &SystemClock, entropy: &SystemEntropy, runtime };
    let mut shown = Shown::default();
    let made = make(&source, to, since, &mut |of, done, all| {
        shown.show(of, done, all);
        Ok(())
    });
    store.close();
    shown.end();
    Ok(made?)
}

/// Runs `restore`.
pub async fn restore_backup(common: &Common, args: RestoreArgs) -> Result<(), Failure> {
    let settings = common.settings(&[])?;
    super::logging::start("warn")?;
    if settings.store.is_shared() {
        let text = "setting `store`: a backup is restored into the embedded store; dface copy brings it elsewhere, once it is released";
        return Err(Failure::Usage(text.to_owned()));
    }
    let restored = blocking(move |runtime| {
        let means =
            Means { clock: std::sync::Arc::new(SystemClock), entropy: std::sync::Arc::new(SystemEntropy), runtime };
        let mut shown = Shown::default();
        let restored = restore(&settings, &args.from, args.to.map(LogPosition), &means, &mut |of, done, all| {
            shown.show(of, done, all);
            Ok(())
        });
        shown.end();
        Ok(restored?)
    });
    print_json(&restored.await?)
}

/// Runs `backup-keys`.
pub async fn backup_keys(common: &Common, args: BackupKeysArgs) -> Result<(), Failure> {
    let settings = common.settings(&[])?;
    super::logging::start("warn")?;
    print_json(&blocking(move |_| Ok(keys::back_up(&settings, &args.file, &args.recipient)?)).await?)
}

/// Runs `restore-keys`.
pub async fn restore_keys(common: &Common, args: RestoreKeysArgs) -> Result<(), Failure> {
    let settings = common.settings(&[])?;
    super::logging::start("warn")?;
    print_json(&blocking(move |_| Ok(keys::restore(&settings, &args.file, &args.identity, args.replace)?)).await?)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce(Handle) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || work(runtime)).await.map_err(Failure::work)?
}

/// A bar for each part of the work.
#[derive(Default)]
struct Shown {
    of: String,
    bar: Option<Progress>,
}

impl Shown {
    fn show(&mut self, of: &str, done: u64, all: u64) {
        if self.of != of {
            self.end();
            of.clone_into(&mut self.of);
            self.bar = Some(bar(of, all));
        }
        if let Some(bar) = &self.bar {
            bar.set(done);
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}
