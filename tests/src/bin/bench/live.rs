//! What clients meet while all read models are made anew beside what is served.

use std::{
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    Failed, Setup,
    made::{self, people::Crowd},
    report::{Table, ms, short},
    serving::{
        add_people, add_shops, load, requests,
        server::{self, Server},
    },
};

const CLIENTS: usize = 64;

/// Measures the same requests with and without.
pub fn run(setup: &Setup) -> Result<Table, Failed> {
    let (program, data) = (server::build()?, setup.dir.path().join("live"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let shops = made::shops::made(setup.shops);
    let crowd = Crowd { users: setup.shops / 20, follows: setup.shops / 20 * 3, checkins: setup.shops / 5 * 4 };
    runtime.block_on(add_shops(&data, &shops))?;
    let cookies = runtime.block_on(add_people(&data, &shops, crowd))?;
    let (server, _) = Server::start(&program, &data)?;
    server.rest();
    let mut table = Table::new(
        "A rebuild under load",
        format!(
            "{} shops and {} check-ins; {CLIENTS} clients that ask again as soon as they are answered, on the same machine. All read models are made anew at \
             once by the serving process, by threads that give way to those that answer. The last column is how many times as long the slowest hundredth \
             took as without.",
            shops.len(),
            crowd.checkins
        ),
        &["what", "requests/s", "p50", "p99", "p99 / without"],
    );
    let operator = Operator::of(&server, &data)?;
    let places = requests::places(&shops, 20_000);
    let asked = [
        ("`/aroundme/shops`", requests::around(&places, &cookies, CLIENTS)),
        ("`POST /checkins`", requests::checkins(&shops, &cookies, CLIENTS)),
    ];
    for (what, lists) in asked {
        let mut without = None;
        for rebuilding in [false, true] {
            if rebuilding {
                operator.rebuild_all()?;
            }
            let mut measured = load::run(server.http, load::http, &lists, setup.time)?;
            if measured.failed > 0 {
                return Err(format!("{what}: {} of {} requests failed", measured.failed, measured.count).into());
            }
            if rebuilding && operator.under_way()? == 0 {
                return Err("the rebuilds ended before the measurement did: make more shops".into());
            }
            let (p50, p99) = (measured.percentile(0.5), measured.percentile(0.99));
            let times = without.replace(p99).map(|without: Duration| p99.as_secs_f64() / without.as_secs_f64());
            let name = if rebuilding { format!("{what} meanwhile") } else { what.to_owned() };
            table.row([name, short(measured.rate()), ms(p50), ms(p99), times.map_or(String::new(), short)]);
        }
        let begun = Instant::now();
        while operator.under_way()? > 0 {
            sleep(Duration::from_millis(20));
        }
        crate::report::note(&format!("{what}: the rebuilds ended {} after the load did", ms(begun.elapsed())));
        server.rest();
    }
    Ok(table)
}

/// Who makes read models anew.
struct Operator {
    client: reqwest::blocking::Client,
    url: String,
    token: String,
    names: Vec<String>,
}

impl Operator {
    fn of(server: &Server, data: &Path) -> Result<Self, Failed> {
        let token = fs::read_to_string(data.join("admin-token"))?.trim().to_owned();
        let (client, url) = (reqwest::blocking::Client::new(), format!("http://{}/admin/projections", server.admin));
        let mut operator = Self { client, url, token, names: Vec::new() };
        operator.names = operator.listed()?.iter().filter_map(|one| Some(one["name"].as_str()?.to_owned())).collect();
        Ok(operator)
    }

    fn listed(&self) -> Result<Vec<Value>, Failed> {
        Ok(self.client.get(&self.url).bearer_auth(&self.token).send()?.error_for_status()?.json()?)
    }

    fn rebuild_all(&self) -> Result<(), Failed> {
        for name in &self.names {
            self.client
                .post(format!("{}/{name}/rebuild", self.url))
                .bearer_auth(&self.token)
                .send()?
                .error_for_status()?;
        }
        Ok(())
    }

    fn under_way(&self) -> Result<usize, Failed> {
        Ok(self.listed()?.iter().filter(|one| one["state"] == "rebuilding").count())
    }
}
