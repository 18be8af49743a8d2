//! `dface doctor`: looks, changes nothing, and says what to do.

use std::{
    io::{IsTerminal, Write as _, stdout},
    path::Path,
};

use dface_commands::system::SystemClock;
use dface_domain::{ports::Clock as _, time::Timestamp};
use serde_json::Value;

use super::{Common, Failure, print_json, target::Server};
use crate::{
    doctor::{
        Finding, State, broker, data_directory, fonts, key_records, models_of_server, objects, ports,
        retention_of_server, secrets, stored, verify::Verification,
    },
    http::tls,
    settings::Settings,
};

/// A certificate is told of so many days before its end.
const SOON_DAYS: i64 = 14;
const DAY_S: i64 = 86_400;

/// `dface doctor`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: dface doctor --verify\n\nA line for each thing: ok, warning or error, with what to do. Off a \
                        terminal they are JSON lines. Exit 1 where there is an error."
)]
pub struct Args {
    /// Reads and checks every stored record too
    #[arg(long)]
    verify: bool,
}

/// Runs it.
pub async fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    super::logging::start("error")?;
    let mut all = Vec::new();
    match common.settings(&[]) {
        Err(failure) => {
            let remedy = "correct it in dface.toml, the environment (DFACE_…) or the flag";
            all.push(Finding::error("settings", failure.to_string(), remedy));
        }
        Ok(settings) => {
            all.push(Finding::ok("settings", "all known and fitting"));
            all.push(Finding::ok("timezone", settings.timezone.clone()));
            all.extend(examine(&settings, args.verify).await?);
        }
    }
    for finding in &all {
        if stdout().is_terminal() {
            writeln!(stdout(), "{finding}").map_err(Failure::work)?;
        } else {
            print_json(finding)?;
        }
    }
    let errors = all.iter().filter(|finding| finding.state == State::Error).count();
    if errors == 0 {
        Ok(())
    } else {
        Err(Failure::Work(format!("{errors} of {} things are not as they must be", all.len())))
    }
}

async fn examine(settings: &Settings, thorough: bool) -> Result<Vec<Finding>, Failure> {
    let mut all = certificates(settings);
    all.extend(data_directory(settings));
    all.extend(secrets(settings));
    let server = match Server::find(settings).await {
        Ok(server) => server,
        Err(failure) => {
            all.push(Finding::error("server", failure.to_string(), "delete DIR/run.json where no server runs"));
            None
        }
    };
    all.extend(ports(settings, server.is_some()));
    all.extend(broker(settings).await);
    match server {
        Some(server) => all.extend(of_server(settings, &server, thorough).await?),
        None => {
            let settings = settings.clone();
            let found = tokio::task::spawn_blocking(move || stored(&settings, thorough)).await;
            all.extend(found.map_err(Failure::work)?);
        }
    }
    Ok(all)
}

async fn of_server(settings: &Settings, server: &Server, thorough: bool) -> Result<Vec<Finding>, Failure> {
    let status: Value = server.get_json("/admin/status").await?;
    let mut all = vec![of_log(&status), retention_of_server(&status["retention"])];
    let standings: Vec<Value> = server.get_json("/admin/projections").await?;
    all.extend(models_of_server(&standings));
    let campaigns: Vec<Value> = server.get_json("/admin/campaigns?pcount=1").await?;
    all.extend(fonts(settings, || !campaigns.is_empty()));
    if thorough {
        match server.get_json::<Verification>("/admin/verify").await {
            Ok(found) => {
                let whole = format!("{} events, {} bytes, every record is whole", found.events, found.bytes);
                all.push(Finding::ok("verify", whole));
                all.extend(found.files.as_ref().map(objects::finding));
            }
            Err(failure) => {
                all.push(Finding::error("verify", failure.to_string(), "stop the server and restore a backup"));
            }
        }
        all.push(key_records(settings));
    }
    Ok(all)
}

fn of_log(status: &Value) -> Finding {
    let store = &status["store"];
    let at = store["at"].as_str().unwrap_or_default();
    match (store["shared"].as_bool(), store["connected"].as_bool()) {
        (Some(true), Some(false)) => {
            let error = store["error"].as_str().unwrap_or_default();
            Finding::error(
                "log",
                format!("{at} does not answer: {error}"),
                "let dface reach one of the servers of `store`",
            )
        }
        (Some(true), _) => Finding::ok("log", format!("{at} answers; its log is at position {}", status["head"])),
        _ => Finding::ok("log", format!("{} events in {} segments", status["events"], status["segments"])),
    }
}

fn certificates(settings: &Settings) -> Vec<Finding> {
    if settings.tls.cert.as_os_str().is_empty() {
        return Vec::new();
    }
    let read = std::fs::read(&settings.tls.cert).and_then(|cert| Ok((cert, std::fs::read(&settings.tls.key)?)));
    let usable = read.map_err(|e| e.to_string()).and_then(|(cert, key)| {
        tls::http_config(&cert, &key).and_then(|_| tls::ends(&cert)).map_err(|e| e.to_string())
    });
    vec![match usable {
        Ok(ends) => holds(ends, SystemClock.now(), &settings.tls.cert),
        Err(error) => Finding::error("tls", error, "settings `tls.cert` and `tls.key` must name PEM files that fit"),
    }]
}

/// Whether a certificate holds for a while yet.
fn holds(ends: i64, now: Timestamp, path: &Path) -> Finding {
    let (path, until) = (path.display(), Timestamp::from_seconds(ends));
    let remedy = "put the new certificate and its key in their place and send SIGHUP to the server";
    match (ends - now.seconds()).div_euclid(DAY_S) {
        ..0 => Finding::error("tls", format!("{path} ended at {until}"), remedy),
        left @ ..SOON_DAYS => Finding::warning("tls", format!("{path} ends in {left} days, at {until}"), remedy),
        _ => Finding::ok("tls", format!("{path}, until {until}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_told_of_two_weeks_before_its_end() {
        let state = |days: i64| holds(days * DAY_S, Timestamp::from_seconds(0), Path::new("cert.pem")).state;
        assert_eq!(
            [state(-1), state(1), state(13), state(15)],
            [State::Error, State::Warning, State::Warning, State::Ok]
        );
    }
}
