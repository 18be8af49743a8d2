//! SIGHUP: certificates, the key that signs in with Apple, regions and the level of logs are read again (spec cli.md). Each that cannot be read stays
//! as it was, and is told of. The embedded MQTT broker keeps the certificate that it was started with: its library has no way to another one.

use std::{path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use dface_workers::apns::Apns;
use metrics::gauge;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Common, Failure, logging::Level};
use crate::{
    app::App,
    http::tls::{self, Making, Tls},
    metrics::CERTIFICATE_ENDS_SECONDS,
    settings::Settings,
};

/// Where the settings of this process come from.
pub(super) struct Read {
    common: Common,
    flags: Vec<(&'static str, String)>,
}

impl Read {
    pub(super) fn of(common: &Common, flags: Vec<(&'static str, String)>) -> Self {
        Self { common: common.clone(), flags }
    }
}

/// What can be read again.
pub(super) struct Reloading {
    read: Read,
    level: Level,
    tls: Vec<(Tls, Making)>,
    regions: Option<Arc<App>>,
    apns: Option<Arc<Apns>>,
}

impl Reloading {
    pub(super) const fn new(read: Read, level: Level) -> Self {
        Self { read, level, tls: Vec::new(), regions: None, apns: None }
    }

    pub(super) fn with_tls(mut self, tls: Option<&Tls>, making: Making) -> Self {
        self.tls.extend(tls.map(|tls| (Arc::clone(tls), making)));
        self
    }

    /// All that a server has: the certificates of its web listeners and of its chat, what it tells phones, and who speaks to Apple for it.
    pub(super) fn of_server(self, tls: [Option<Tls>; 2], app: &Arc<App>, apns: Option<Arc<Apns>>) -> Self {
        let [web, chat] = tls;
        let all = self.with_tls(web.as_ref(), tls::http_config).with_tls(chat.as_ref(), tls::stream_config);
        Self { regions: Some(Arc::clone(app)), ..all }.with_apns(apns)
    }

    pub(super) fn with_apns(self, apns: Option<Arc<Apns>>) -> Self {
        Self { apns, ..self }
    }

    /// Reads again whenever it is told to, until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut told = match signal(SignalKind::hangup()) {
            Ok(told) => told,
            Err(error) => return tracing::error!(%error, "SIGHUP cannot be heard"),
        };
        while let Some(Some(())) = stop.run_until_cancelled(told.recv()).await {
            self.again();
        }
    }

    fn again(&self) {
        let settings = match self.read.common.settings(&self.read.flags) {
            Ok(settings) => settings,
            Err(error) => return tracing::error!(%error, "the settings are not read again; all stays as it was"),
        };
        let parts: [(&str, Result<bool, Failure>); 4] = [
            ("log.level", self.level.set(&settings.log.level).map(|()| true)),
            ("tls", self.certificates(&settings)),
            ("apns", self.apns_key(&settings)),
            ("regions", Ok(self.regions(&settings))),
        ];
        for (what, read) in parts {
            match read {
                Ok(true) => tracing::info!(what, "read again"),
                Ok(false) => {}
                Err(error) => tracing::error!(what, %error, "not read again; it stays as it was"),
            }
        }
    }

    /// New connections get the new one.
    fn certificates(&self, settings: &Settings) -> Result<bool, Failure> {
        // All or none: one that does not fit its key is noticed by the first.
        let read: Vec<Option<Tls>> =
            self.tls.iter().map(|(_, making)| load_tls(settings, *making)).collect::<Result<_, _>>()?;
        for ((used, _), read) in self.tls.iter().zip(&read) {
            if let Some(read) = read {
                used.store(read.load_full());
            }
        }
        Ok(read.iter().any(Option::is_some))
    }

    fn apns_key(&self, settings: &Settings) -> Result<bool, Failure> {
        let (Some(apns), Some(config)) = (&self.apns, settings.apns_config()?) else { return Ok(false) };
        apns.sign_in_with(&config).map_err(|error| Failure::Usage(format!("settings `apns`: {error}")))?;
        Ok(true)
    }

    fn regions(&self, settings: &Settings) -> bool {
        if let Some(app) = &self.regions {
            app.regions.store(Arc::new(settings.regions.clone()));
        }
        self.regions.is_some()
    }
}

/// The settings' certificate, where they have one.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(super) fn load_tls(settings: &Settings, config: Making) -> Result<Option<Tls>, Failure> {
    if settings.tls.cert.as_os_str().is_empty() {
        return Ok(None);
    }
    let read = |key: &str, path: &PathBuf| {
        std::fs::read(path).map_err(|e| Failure::Usage(format!("setting `{key}`: {}: {e}", path.display())))
    };
    let (cert, key) = (read("tls.cert", &settings.tls.cert)?, read("tls.key", &settings.tls.key)?);
    let bad = |error| Failure::Usage(format!("settings `tls`: {error}"));
    let config = config(&cert, &key).map_err(bad)?;
    gauge!(CERTIFICATE_ENDS_SECONDS).set(tls::ends(&cert).map_err(bad)? as f64);
    Ok(Some(Arc::new(ArcSwap::from_pointee(config))))
}
