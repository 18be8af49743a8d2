//! Apple's push service (APNs), over our own HTTP/2: one connection for each environment, which all pushes share, the provider's token,
//! and what Apple's answers mean. Base URLs and certificates come from the settings, so that a stand-in can be spoken to.

mod answer;
mod line;
mod provider;

use std::{sync::Arc, time::Duration};

use a2::request::notification::{CollapseId, Priority, PushType};
use dface_domain::{ports::Clock, time::Timestamp};
use http::{Request, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;
use tokio::time::timeout;
use uuid::Uuid;

pub use self::answer::Answer;
use self::{
    line::{Host, Lost},
    provider::Provider,
};
use crate::tls::trusting;

/// Bytes of a payload that Apple takes.
pub const PAYLOAD_BYTES: usize = 4096;

/// Connections that one push may see end before it waits for its next try.
const CONNECTIONS: usize = 3;

/// What is needed to speak to Apple.
#[derive(Debug, Clone)]
pub struct ApnsConfig {
    /// Where the sandbox is (`https://…`).
    pub sandbox_url: String,
    /// Where production is.
    pub production_url: String,
    /// Certificates (PEM) to trust in place of the system's.
    pub ca: Option<Vec<u8>>,
    /// The key that signs in (.p8).
    pub key: Vec<u8>,
    /// The key's id.
    pub key_id: String,
    /// The team's id.
    pub team_id: String,
    /// The app's bundle id.
    pub topic: String,
    /// How long Apple may take to answer.
    pub timeout: Duration,
}

/// It cannot be spoken to Apple as the settings have it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct BadApns(pub String);

/// One push, opened.
#[derive(Debug, Clone, Copy)]
pub struct Push<'a> {
    /// 1 sandbox, 2 production.
    pub environment: u8,
    /// The device's token.
    pub token: &'a str,
    /// The JSON.
    pub payload: &'a str,
    /// Shown at once, or silent.
    pub alert: bool,
    /// Which it is: the same for a repeat.
    pub id: Uuid,
    /// Until when Apple keeps it for a device that is away.
    pub expires: Timestamp,
}

/// Apple's servers.
pub struct Apns {
    sandbox: Host,
    production: Host,
    provider: Provider,
    topic: String,
    timeout: Duration,
}

impl Apns {
    /// Speaks to Apple as `config` says; connects when the first push is sent.
    ///
    /// # Errors
    /// A URL, the key or the certificates cannot be used.
    pub fn new(config: &ApnsConfig, clock: Arc<dyn Clock>) -> Result<Self, BadApns> {
        let tls = trusting(config.ca.as_deref(), &[b"h2"]).map_err(|error| BadApns(error.to_string()))?;
        let tls = Arc::new(tls);
        Ok(Self {
            sandbox: Host::new(&config.sandbox_url, Arc::clone(&tls))?,
            production: Host::new(&config.production_url, tls)?,
            provider: Provider::new(&config.key, &config.key_id, &config.team_id, clock)?,
            topic: config.topic.clone(),
            timeout: config.timeout,
        })
    }

    /// Signs in with the key of `config` from now on; what else it says counts at the next start.
    ///
    /// # Errors
    /// The key cannot be used: the one of before is.
    pub fn sign_in_with(&self, config: &ApnsConfig) -> Result<(), BadApns> {
        self.provider.turn_to(&config.key, &config.key_id, &config.team_id)
    }

    /// Sends it. A connection that Apple ended is no failure of the push, so it is sent on the next one.
    pub async fn send(&self, push: &Push<'_>) -> Answer {
        let host = match push.environment {
            1 => &self.sandbox,
            2 => &self.production,
            _ => return Answer::Refused("there is no such environment".to_owned()),
        };
        if push.payload.len() > PAYLOAD_BYTES {
            return Answer::Refused(format!("a payload of {} bytes", push.payload.len()));
        }
        let (mut lost, mut renewed) = (0, false);
        loop {
            match self.try_once(host, push, lost > 0).await {
                Ok(Answer::TokenExpired) if !renewed => renewed = true,
                Ok(answer) => return answer,
                Err(Lost(why)) => {
                    lost += 1;
                    if lost == CONNECTIONS {
                        return Answer::Again(why);
                    }
                }
            }
        }
    }

    /// One request. What ends it may be its stream's end alone; a connection on which a push fails `again` is given up.
    async fn try_once(&self, host: &Host, push: &Push<'_>, again: bool) -> Result<Answer, Lost> {
        let authorization = match self.provider.authorization() {
            Ok(authorization) => authorization,
            Err(BadApns(why)) => return Ok(Answer::Again(why)),
        };
        let request = match self.request(host, push, &authorization) {
            Ok(request) => request,
            // What it says may hold the token.
            Err(_) => return Ok(Answer::Refused("its token makes no address".to_owned())),
        };
        let line = host.line();
        let sent = async {
            let answer = line.send(host, request, self.timeout).await?;
            let (status, after) = (answer.status(), answer::retry_after(answer.headers()));
            let body = if status == StatusCode::OK { Bytes::new() } else { answer::body(answer).await? };
            Ok((status, after, body))
        };
        match timeout(self.timeout, sent).await {
            Ok(Ok((status, after, body))) => {
                line.answered();
                let answer = answer::meaning(status, after, &body);
                if answer == Answer::TokenExpired {
                    self.provider.expired(&authorization);
                }
                Ok(answer)
            }
            Ok(Err(lost)) => {
                if again {
                    host.end(&line);
                }
                Err(lost)
            }
            Err(_) => {
                // A connection that answers nobody is given up; one that answers others is fine.
                if line.is_silent_for(self.timeout) {
                    host.end(&line);
                }
                Ok(Answer::Again("Apple did not answer in time".to_owned()))
            }
        }
    }

    fn request(
        &self,
        host: &Host,
        push: &Push<'_>,
        authorization: &http::HeaderValue,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let (kind, priority) =
            if push.alert { (PushType::Alert, Priority::High) } else { (PushType::Background, Priority::Normal) };
        let id = push.id.hyphenated().to_string();
        let request = Request::post(format!("{}/3/device/{}", host.base(), push.token))
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .header("apns-id", &id)
            .header("apns-push-type", kind.to_string())
            .header("apns-priority", priority.to_string())
            .header("apns-expiration", push.expires.seconds().max(0))
            .header("apns-topic", &self.topic);
        let request = match CollapseId::new(&id) {
            Ok(collapse) => request.header("apns-collapse-id", collapse.value),
            Err(_) => request,
        };
        request.body(Full::new(Bytes::copy_from_slice(push.payload.as_bytes())))
    }
}

#[cfg(test)]
mod tests;
