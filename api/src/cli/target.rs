//! What a command works on: the directory itself, or the server that runs on it (spec cli.md: "works whether or not
//! a server runs on it").

use std::{fs, io, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Failure;
use crate::{
    node::{Node, StartError, refuse_half_restored},
    settings::Settings,
};

/// `DIR/run.json`: how to reach the server that runs on the directory.
#[derive(Debug, Serialize, Deserialize)]
pub struct RunFile {
    /// The admin listener, as a URL.
    pub admin: String,
    /// An operator's token.
    pub token: String,
    /// The server's process.
    pub pid: u32,
}

/// The name of the file in the data directory.
pub const RUN_FILE: &str = "run.json";

/// A server that runs on the directory.
pub struct Server {
    client: reqwest::Client,
    run: RunFile,
}

/// What a command works on.
pub enum Target {
    /// The directory, opened by this process.
    Directory(Box<Node>),
    /// The server that has it open.
    Server(Server),
}

impl Target {
    /// The server on the directory where there is one, else the directory itself.
    ///
    /// # Errors
    /// Neither can be used.
    pub async fn of(settings: Settings) -> Result<Self, Failure> {
        if let Some(server) = Server::find(&settings).await? {
            return Ok(Self::Server(server));
        }
        match Box::pin(Node::open(settings)).await {
            Ok(node) => Ok(Self::Directory(Box::new(node))),
            Err(error @ StartError::Failed(_)) => Err(error.into()),
            Err(StartError::Refused(text)) => Err(Failure::Usage(text)),
        }
    }

    /// As `of`, for what only looks at or changes what is there: a directory mistyped is not made.
    ///
    /// # Errors
    /// There is no data, or neither can be used.
    pub async fn of_existing(settings: Settings) -> Result<Self, Failure> {
        if !settings.data.join("format").exists() {
            return Err(Failure::Usage(format!("--data: there is no data of dface in {}", settings.data.display())));
        }
        Self::of(settings).await
    }

    /// Writes everything down.
    pub async fn close(self) {
        if let Self::Directory(node) = self {
            node.close().await;
        }
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
}

impl Server {
    /// The server that runs on the directory, where one answers.
    ///
    /// # Errors
    /// Its run file cannot be read.
    pub async fn find(settings: &Settings) -> Result<Option<Self>, Failure> {
        let path = settings.data.join(RUN_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::Work(format!("{}: {error}", path.display()))),
        };
        let run: RunFile =
            serde_json::from_str(&text).map_err(|e| Failure::Work(format!("{}: {e}", path.display())))?;
        let mut client = reqwest::Client::builder().no_proxy().connect_timeout(Duration::from_secs(5));
        if run.admin.starts_with("https://") {
            let pem = fs::read(&settings.tls.cert).map_err(Failure::work)?;
            let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(Failure::work)?;
            client = client.tls_certs_only(roots);
        }
        let server = Self { client: client.build().map_err(Failure::work)?, run };
        let answered = server.client.get(server.url("/admin/status")).bearer_auth(&server.run.token).send().await;
        match answered {
            Ok(answer) if answer.status().is_success() => Ok(Some(server)),
            // A server that was killed leaves its run file; the directory's lock tells whether one is there.
            _ => Ok(None),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.run.admin)
    }

    /// GET, as a stream or whole; an error answer is an error here.
    ///
    /// # Errors
    /// The server's sentence.
    pub async fn get(&self, path: &str) -> Result<reqwest::Response, Failure> {
        self.send(self.client.get(self.url(path))).await
    }

    /// GET of JSON.
    ///
    /// # Errors
    /// The server's sentence.
    pub async fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.get(path).await?.json().await.map_err(Failure::work)
    }

    /// POST of JSON.
    ///
    /// # Errors
    /// The server's sentence.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.send(self.client.post(self.url(path)).json(body)).await?.json().await.map_err(Failure::work)
    }

    /// POST of JSON that is answered piece by piece; an error answer is an error here.
    ///
    /// # Errors
    /// The server's sentence.
    pub async fn post_for_stream(&self, path: &str, body: &impl Serialize) -> Result<reqwest::Response, Failure> {
        self.send(self.client.post(self.url(path)).json(body)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Failure> {
        let request = request.bearer_auth(&self.run.token);
        let answer = loop {
            let again = request.try_clone().ok_or_else(|| Failure::work("a request cannot be sent again"))?;
            let answer = again.send().await.map_err(Failure::work)?;
            let wait = answer.headers().get("retry-after").and_then(|after| after.to_str().ok()?.parse().ok());
            match wait {
                Some(seconds) if answer.status() == reqwest::StatusCode::TOO_MANY_REQUESTS => {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                }
                _ => break answer,
            }
        };
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        match answer.json::<ErrorBody>().await {
            Ok(body) => Err(Failure::Work(body.error)),
            Err(_) => Err(Failure::Work(format!("the server answered {status}"))),
        }
    }
}

/// Refuses a directory without a log: whoever only reads makes none.
///
/// # Errors
/// Names what is missing.
pub fn existing(settings: &Settings) -> Result<(), Failure> {
    refuse_half_restored(&settings.data)?;
    if !settings.store.is_shared() && !settings.data.join("log").is_dir() {
        return Err(Failure::Usage(format!("--data: there is no event log in {}", settings.data.display())));
    }
    let secret = settings.secret_path();
    if !secret.is_file() {
        let text = format!(
            "setting `secret_file`: {} is missing; this log was begun with a secret (dface restore-keys brings it back)",
            secret.display()
        );
        return Err(Failure::Usage(text));
    }
    Ok(())
}
