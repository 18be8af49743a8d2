//! `dface serve`: everything in one process, or jobs alone (`worker`).

use std::{net::SocketAddr, sync::Arc, time::Duration};

use dface_workers::apns::Apns;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use warp::Filter as _;

use super::{
    Common, Failure, logging, print_json, rebuild,
    reload::{Read, Reloading, load_tls},
    target::{RUN_FILE, RunFile},
    told::Told,
};
use crate::{
    admin::{self, Admin, AdminAccess, Tokens},
    app::{Access, App},
    console, demo,
    http::{Gate, Limits, Route, Router, RouterSettings, endpoints, openapi, serve, tls, upload::Uploads},
    jobs::{
        Desk, DeskParts, duty,
        ledger::Ledger,
        log::LogOfJobs,
        queue,
        works::{self, Means},
    },
    leases,
    metrics::Exporter,
    mqtt::{embedded, external::BrokerAddress, start as mqtt},
    node::{Node, write_private},
    settings::{Role, Settings},
    xmpp::{
        chat::Chat,
        delivery, signals,
        stream::Door,
        web::{self, Web, WebAccess},
    },
};

/// `dface serve`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dface serve --data ./data --demo")]
pub struct Args {
    /// The public API's address
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// The operators' and analysts' address
    #[arg(long, value_name = "ADDR")]
    admin: Option<SocketAddr>,
    /// Chat's address (XMPP)
    #[arg(long, value_name = "ADDR")]
    xmpp: Option<SocketAddr>,
    /// The address for the history of chat and for the back end (§32)
    #[arg(long, value_name = "ADDR")]
    xmpp_api: Option<SocketAddr>,
    /// The address for watches and families (MQTT), or `off`
    #[arg(long, value_name = "ADDR")]
    mqtt: Option<String>,
    /// The event store: `embedded`, or KurrentDB as in esdb://user:password@host:2113, which several nodes may share
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The queue of jobs: `embedded`, or RabbitMQ as in amqp://user:password@host/vhost
    #[arg(long, value_name = "URL")]
    queue: Option<String>,
    /// The MQTT broker: `embedded`, or an external one as in mqtt://user:password@host:1883 (mqtts:// for TLS)
    #[arg(long, value_name = "URL")]
    mqtt_broker: Option<String>,
    /// Where pictures are; `DIR/objects`
    #[arg(long, value_name = "URL")]
    objects: Option<String>,
    /// What this process does: `http,chat,worker`; `worker` alone does jobs for others over RabbitMQ
    #[arg(long, value_name = "ROLE,…")]
    roles: Option<String>,
    /// Where keys of people are: a directory; shared:DIR or s3://BUCKET for several nodes
    #[arg(long, value_name = "DIR")]
    keys: Option<String>,
    /// Read models to make anew at start, or `all`
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    rebuild: Vec<String>,
    /// Fills an empty directory with sample shops, people and check-ins, and prints what to try
    #[arg(long)]
    demo: bool,
}

impl Args {
    fn flags(&self) -> Vec<(&'static str, String)> {
        let address = |address: &Option<SocketAddr>| address.map(|a| a.to_string());
        let flags = [
            ("listen.http", address(&self.http)),
            ("listen.admin", address(&self.admin)),
            ("listen.xmpp_api", address(&self.xmpp_api)),
            ("listen.xmpp", address(&self.xmpp)),
            ("listen.mqtt", self.mqtt.clone()),
            ("store", self.store.clone()),
            ("queue", self.queue.clone()),
            ("mqtt.broker", self.mqtt_broker.clone()),
            ("objects", self.objects.clone()),
            ("roles", self.roles.clone()),
            ("keys", self.keys.clone()),
        ];
        flags.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// Runs until SIGTERM or SIGINT.
pub async fn run(common: &Common, args: Args) -> Result<(), Failure> {
    let settings = common.settings(&args.flags())?;
    let level = logging::start(&settings.log.level)?;
    let read = Read::of(common, args.flags());
    let metrics = Exporter::install().map_err(Failure::work)?;
    let admin = bind("--admin", settings.listen.admin).await?;
    if settings.roles.worker_alone() {
        return super::worker::run(&settings, admin, metrics, Reloading::new(read, level)).await;
    }
    let http = bind("--http", settings.listen.http).await?;
    let chat = if settings.roles.has(Role::Chat) {
        let xmpp = bind("--xmpp", settings.listen.xmpp).await?;
        Some(ChatListeners { xmpp, api: bind("--xmpp-api", settings.listen.xmpp_api).await? })
    } else {
        None
    };
    // The broker reads the files by itself, and does not say of which setting they are.
    load_tls(&settings, tls::http_config)?;
    let mqtt = listen_mqtt(&settings)?;
    let node = Arc::new(Box::pin(Node::open(settings)).await?);
    tell_restored(&node);
    let reloading = Reloading::new(read, level);
    let served = serve_open(&node, Listeners { http, admin, chat, mqtt }, metrics, &args, reloading).await;
    node.close().await;
    served
}

/// Says that nothing goes out, where that is so.
fn tell_restored(node: &Node) {
    if let Some(restored) = node.restored.filter(|restored| restored.is_held) {
        tracing::warn!(
            up_to = restored.up_to.0,
            "this log was restored from a backup: pushes, posts and coupons are held back until POST /admin/release"
        );
    }
}

async fn serve_open(
    node: &Arc<Node>,
    listeners: Listeners,
    metrics: Exporter,
    args: &Args,
    reloading: Reloading,
) -> Result<(), Failure> {
    rebuild::at_start(node, &args.rebuild).await?;
    if args.demo {
        demo::prepare(node).await?;
    }
    serve_node(node, listeners, metrics, args.demo, reloading).await
}

async fn bind(flag: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| not_bound(flag, address, &error))
}

fn not_bound(flag: &str, address: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::Usage(match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("{flag}: another program listens on {address}, perhaps another dface; choose another address")
        }
        _ => format!("{flag}: cannot listen on {address}: {error}"),
    })
}

/// The embedded broker's listener; none where it is `off`.
fn listen_mqtt(settings: &Settings) -> Result<Option<embedded::Listening>, Failure> {
    let BrokerAddress::Embedded = settings.mqtt.broker else { return Ok(None) };
    let Some(address) = settings.listen.mqtt.0 else { return Ok(None) };
    embedded::listen(settings, address).map(Some).map_err(|error| not_bound("--mqtt", address, &error))
}

/// The one line on standard output, when everything listens.
#[derive(serde::Serialize)]
struct Ready {
    ready: bool,
    http: SocketAddr,
    admin: SocketAddr,
    #[serde(flatten)]
    chat: Option<ChatReady>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mqtt: Option<SocketAddr>,
}

#[derive(serde::Serialize)]
struct ChatReady {
    xmpp: SocketAddr,
    xmpp_api: SocketAddr,
}

struct Listeners {
    http: TcpListener,
    admin: TcpListener,
    /// None without the role `chat`.
    chat: Option<ChatListeners>,
    /// None where it is off.
    mqtt: Option<embedded::Listening>,
}

struct ChatListeners {
    xmpp: TcpListener,
    /// That of §32.
    api: TcpListener,
}

impl ChatListeners {
    fn ready(&self) -> Result<ChatReady, Failure> {
        Ok(ChatReady { xmpp: local(&self.xmpp)?, xmpp_api: local(&self.api)? })
    }
}

async fn serve_node(
    node: &Arc<Node>,
    listeners: Listeners,
    metrics: Exporter,
    is_demo: bool,
    reloading: Reloading,
) -> Result<(), Failure> {
    let (settings, stop) = (&node.settings, CancellationToken::new());
    let tokens = Tokens::load_or_create(&settings.data, node.commands.entropy().as_ref()).map_err(Failure::work)?;
    let (tls, stream_tls) = (load_tls(settings, tls::http_config)?, load_tls(settings, tls::stream_config)?);
    let (http_at, admin_at) = (local(&listeners.http)?, local(&listeners.admin)?);
    let chat_at = listeners.chat.as_ref().map(ChatListeners::ready).transpose()?;
    let mqtt_at = listeners.mqtt.as_ref().map(|listening| listening.at);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let run = RunFile { admin: format!("{scheme}://{admin_at}"), token: tokens.admin.clone(), pid: std::process::id() };

    let desk = open_desk(node)?;
    let app = Arc::new(App::new(Arc::clone(node))?);
    let boots = crate::boots::keep_hourly(Arc::clone(&app.boots), Arc::clone(node), stop.clone());
    let back_end = Arc::new(Web { app: Arc::clone(&app), token: tokens.internal.clone() });
    let back_end = router(back_end, settings, web::routes(), WebAccess::Public, &web::document())?;
    let chat = Chat::among(Arc::clone(node), signals::open(node)?);
    let door = Door::new(Arc::clone(&app), Arc::clone(&chat), stream_tls.clone(), stop.clone());
    let families = Arc::clone(&app);
    let public = router(app, settings, endpoints::routes(), Access::Public, &endpoints::document())?;
    let operators = Admin::new(Arc::clone(node), Arc::clone(&families), tokens, metrics.clone(), stop.clone());
    let routes = admin::routes().into_iter().chain(console::routes()).collect();
    let operators = router(Arc::new(operators), settings, routes, AdminAccess::Listener, &admin::document())?;

    let keeping = leases::Keeping::start(&node.leases, &node.commands);
    let mut tasks = JoinSet::new();
    tasks.spawn(crate::processes::run(node, stop.clone())?);
    start_families(&families, listeners.mqtt, &mut tasks, &stop).await?;
    let limits = limits(settings);
    let web = Arc::clone(&door);
    tasks.spawn(serve(listeners.http, limits.clone(), tls.clone(), stop.clone(), move |peer| {
        Arc::clone(&web).web(Arc::clone(&peer)).or(public.filter(peer)).unify()
    }));
    if let Some(ChatListeners { xmpp, api }) = listeners.chat {
        let (limits, tls) = (limits.clone(), tls.clone());
        tasks.spawn(serve(api, limits, tls, stop.clone(), move |peer| back_end.filter(peer)));
        tasks.spawn(delivery::run(chat, stop.clone()));
        tasks.spawn(door.listen(xmpp));
    }
    tasks.spawn(serve(listeners.admin, limits, tls.clone(), stop.clone(), move |peer| operators.filter(peer)));
    tasks.spawn(metrics.upkeep(stop.clone()));
    tasks.spawn(boots);
    tasks.spawn(crate::closures::run(Arc::clone(&families), stop.clone()));
    tasks.spawn(crate::cleaning::run(Arc::clone(node), stop.clone()));
    tasks.spawn(crate::retention::run(Arc::clone(node), stop.clone()));
    tasks.spawn(duty::run(Arc::clone(node), Arc::clone(&desk), stop.clone()));
    let apns = start_worker(node, &desk, &mut tasks, &stop)?;
    tasks.spawn(reloading.of_server([tls, stream_tls], &families, apns).run(stop.clone()));

    let ready = Ready { ready: true, http: http_at, admin: admin_at, chat: chat_at, mqtt: mqtt_at };
    let told = announce(settings, &run, &ready)?;
    if is_demo {
        demo::tell(http_at, admin_at, scheme, &settings.data);
    }
    told.heard().await;
    tracing::info!("stopping");
    stop.cancel();
    while tasks.join_next().await.is_some() {}
    // Nothing is done any more that another node may do from here on.
    keeping.end().await;
    if let Err(error) = std::fs::remove_file(settings.data.join(RUN_FILE)) {
        tracing::warn!(%error, "run.json could not be removed");
    }
    Ok(())
}

/// Says where everything listens.
fn announce(settings: &Settings, run: &RunFile, ready: &Ready) -> Result<Told, Failure> {
    write_private(&settings.data.join(RUN_FILE), &json!(run).to_string()).map_err(Failure::work)?;
    // Before the ready line: whoever reads it may tell the server to stop at once.
    let told = Told::listen()?;
    print_json(ready)?;
    Ok(told)
}

/// What families and their watches need: the MQTT broker, pushes, and what happens by time alone.
async fn start_families(
    app: &Arc<App>,
    listening: Option<embedded::Listening>,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    if let Some(listening) = listening {
        mqtt::embedded(app, listening, tasks, stop).await.map_err(Failure::work)?;
    }
    mqtt::external(app, tasks, stop)?;
    tasks.spawn(crate::pushes::run(Arc::clone(&app.node), stop.clone()));
    tasks.spawn(crate::watch_timers::run(Arc::clone(&app.node), stop.clone()));
    Ok(())
}

/// Works at jobs, where that is one of this process's roles.
fn start_worker(
    node: &Node,
    desk: &Desk,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Result<Option<Arc<Apns>>, Failure> {
    let settings = &node.settings;
    if !settings.roles.has(Role::Worker) {
        return Ok(None);
    }
    let (queue, paused) = (Arc::clone(desk.queue()), desk.ledger().paused());
    let means = Means { objects: Arc::clone(&node.objects), keys: Arc::clone(node.commands.keys()) };
    let (runner, apns) = works::runner(settings, queue, &means, paused)?;
    let (leases, stop) = (Arc::clone(&node.leases), stop.clone());
    tasks.spawn(async move { leases.once_released(&stop, runner.run(stop.clone())).await });
    Ok(apns)
}

/// Opens the queue and the desk of jobs.
fn open_desk(node: &Arc<Node>) -> Result<Arc<Desk>, Failure> {
    let (settings, clock) = (&node.settings, node.commands.clock());
    let log = Arc::new(LogOfJobs(Arc::clone(node)));
    let desk = Arc::new(Desk::new(DeskParts {
        queue: queue::open(settings, Arc::clone(clock))?,
        ledger: Ledger::open(&settings.data.join("jobs")).map_err(Failure::work)?,
        outstanding: Arc::clone(&log) as _,
        outcomes: log,
        clock: Arc::clone(clock),
        silent_s: settings.jobs.silent_s,
    }));
    Ok(Arc::clone(node.desk.get_or_init(|| desk)))
}

pub(super) fn local(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(Failure::work)
}

fn router<S: Gate>(
    state: Arc<S>,
    settings: &Settings,
    mut routes: Vec<Route<S>>,
    anyone: S::Access,
    document: &utoipa::openapi::OpenApi,
) -> Result<Arc<Router<S>>, Failure> {
    routes.extend(openapi::routes(anyone, document).map_err(Failure::work)?);
    Ok(Arc::new(Router::new(state, router_settings(settings), routes).map_err(Failure::work)?))
}

pub(super) fn router_settings(settings: &Settings) -> RouterSettings {
    RouterSettings {
        body_limit: settings.limits.body_bytes,
        time_limit: Duration::from_secs(settings.limits.request_s),
        trusted_proxies: settings.trusted_proxies.clone(),
        uploads: Uploads { dir: settings.upload_dir(), max_bytes: settings.limits.picture_bytes },
        upload_time: Duration::from_secs(settings.limits.upload_s),
        ..RouterSettings::default()
    }
}

pub(super) fn limits(settings: &Settings) -> Limits {
    Limits {
        connections: settings.limits.connections,
        head_time: Duration::from_secs(settings.limits.head_s),
        head_bytes: settings.limits.head_bytes,
        idle: Duration::from_secs(settings.limits.idle_s),
        grace: Duration::from_secs(settings.limits.stop_s),
        ..Limits::default()
    }
}
