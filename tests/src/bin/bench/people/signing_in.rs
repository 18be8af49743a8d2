//! How long signing in takes, so that nobody learns from the time whether there is such an account.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use dface_api::http::endpoints::sign_in_hash;
use dface_commands::{Context, people::NewAccount};
use dface_domain::events::Gender;
use tokio::runtime::Runtime;

use crate::{
    Failed, Setup,
    made::Directory,
    report::{Table, ms},
    serving::{
        load::{Connection, http},
        server::Server,
    },
    stats::percentile,
};

/// Failures are what is measured here: none of them may close anything.
const SETTINGS: [(&str, &str); 3] = [
    ("DFACE_LIMITS__SIGN_IN_PAIR", "1000000"),
    ("DFACE_LIMITS__SIGN_IN_ADDRESS", "1000000"),
    ("DFACE_LIMITS__SIGN_IN_NAME", "1000000"),
];

const PASSWORD: &str = "the right password";

struct Way {
    what: &'static str,
    request: Vec<u8>,
    status: &'static str,
    waits: Vec<Duration>,
}

impl Way {
    fn new(what: &'static str, name: &str, password: &str, status: &'static str) -> Self {
        let hash = sign_in_hash(name, password, "m");
        let body = format!("name={name}&pass={}&mac=m&hash={hash}", password.replace(' ', "+"));
        let head = format!(
            "POST /oauth2/login HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        Self { what, request: (head + &body).into_bytes(), status, waits: Vec::new() }
    }
}

pub fn run(setup: &Setup, runtime: &Runtime, program: &Path) -> Result<Table, Failed> {
    let data = setup.dir.path().join("signing-in");
    runtime.block_on(fill(&data))?;
    let (server, _) = Server::start_with(program, &data, &SETTINGS)?;
    let mut ways = [
        Way::new("a wrong password", "anna", "a wrong password", "401"),
        Way::new("an unknown name", "nobody", "a wrong password", "401"),
        Way::new("an account of an import, without a password", "old-1", "a wrong password", "401"),
        Way::new("somebody who left", "left", PASSWORD, "401"),
        Way::new("suspended, a wrong password", "away", "a wrong password", "401"),
        Way::new("suspended, the right password", "away", PASSWORD, "403"),
        Way::new("the right password", "anna", PASSWORD, "200"),
    ];
    runtime.block_on(ask(&server, &mut ways, setup.time * 2))?;
    let mut table = Table::new(
        "Signing in",
        "`/oauth2/login` by one client, one way after the other and again, so that all of them meet the same neighbours. Each \
         costs one argon2id verification (19 MiB, 2 passes). The last column is the median beside that of a wrong password.",
        &["what", "times", "p50", "p99", "beside a wrong password"],
    );
    let wrong = percentile(&mut ways[0].waits, 0.5).as_secs_f64();
    for Way { what, waits, .. } in &mut ways {
        let median = percentile(waits, 0.5);
        let beside = format!("{:.3}", median.as_secs_f64() / wrong);
        table.row([(*what).to_owned(), waits.len().to_string(), ms(median), ms(percentile(waits, 0.99)), beside]);
    }
    Ok(table)
}

async fn fill(data: &Path) -> Result<(), Failed> {
    let directory = Directory::open(data).await?;
    let (commands, context) = (&directory.commands, Context::new(directory.commands.fresh_id()));
    for (name, password) in
        [("anna", Some(PASSWORD)), ("old-1", None), ("left", Some(PASSWORD)), ("away", Some(PASSWORD))]
    {
        let (name, password) = (name.to_owned(), password.map(str::to_owned));
        let account = NewAccount { name: name.clone(), password, gender: Gender::Unset, source: None };
        let (user, _) = commands.register(account, &context).await?;
        match name.as_str() {
            "left" => commands.erase(user, &context).await?,
            "away" => commands.set_suspended(user, true, &context).await?,
            _ => None,
        };
    }
    directory.close();
    Ok(())
}

async fn ask(server: &Server, ways: &mut [Way], time: Duration) -> Result<(), Failed> {
    let (mut connection, begun) = (Connection::open(server.http, http).await?, Instant::now());
    let mut round = 0;
    while begun.elapsed() < time {
        for way in &mut *ways {
            let asked = Instant::now();
            let (answer, _) = connection.ask(&way.request).await?;
            let took = asked.elapsed();
            if !answer.starts_with(format!("HTTP/1.1 {} ", way.status).as_bytes()) {
                return Err(format!("{}: {}", way.what, String::from_utf8_lossy(answer)).into());
            }
            // The first round finds nothing in memory.
            if round > 0 {
                way.waits.push(took);
            }
        }
        round += 1;
    }
    Ok(())
}
