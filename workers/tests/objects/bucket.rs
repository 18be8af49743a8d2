//! A bucket of a real S3 server on loopback: `moto_server`, which `.ci/setup test` installs.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use dface_domain::objects::{Format, ObjectError, Objects};
use dface_workers::objects::{S3Objects, key_of};
use object_store::{ObjectStoreExt, aws::AmazonS3Builder, path::Path};
use url::Url;

use crate::contract;

/// A server of its own on a free port, gone when dropped.
pub struct Server {
    process: Child,
    /// Where it listens.
    pub endpoint: String,
}

impl Server {
    pub fn start() -> Self {
        let mut process = Command::new(program())
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto_server is installed by `.ci/setup test`");
        let mut told = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let endpoint = told.find_map(|line| Some(line.split_once("Running on ")?.1.trim().to_owned()));
        // What it writes later goes nowhere, but it must be able to write.
        std::thread::spawn(move || told.for_each(drop));
        Self { process, endpoint: endpoint.expect("the server tells where it listens") }
    }

    /// A bucket's client, as the setting names it.
    fn bucket(&self, path: &str) -> S3Objects {
        let url = format!("s3://{path}?endpoint={}&region=us-east-1", self.endpoint);
        S3Objects::with_credentials(&Url::parse(&url).unwrap(), "test", "test").unwrap()
    }

    /// The client makes no buckets, so by hand.
    pub fn make_bucket(&self, name: &str) {
        let address = self.endpoint.trim_start_matches("http://");
        let mut server = TcpStream::connect(address).unwrap();
        let lines =
            format!("PUT /{name} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        server.write_all(lines.as_bytes()).unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In the path, or where `.ci/setup` puts it.
fn program() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let tools = std::env::var_os("TOOLS_DIR").map(PathBuf::from).or(cache.map(|cache| cache.join("dface-tools")));
    tools.map(|tools| tools.join("bin/moto_server")).filter(|path| path.exists()).unwrap_or("moto_server".into())
}

#[tokio::test]
async fn a_bucket_holds_the_contract() {
    let server = Server::start();
    server.make_bucket("dface");
    contract::holds(&server.bucket("dface")).await;
    contract::holds(&server.bucket("dface/some/prefix")).await;
}

#[tokio::test]
async fn damage_is_named_and_strangers_are_not_listed() {
    let server = Server::start();
    server.make_bucket("dface");
    let objects = server.bucket("dface");
    let key = key_of(b"precious", Format::Gif);
    let stranger = AmazonS3Builder::new()
        .with_bucket_name("dface")
        .with_endpoint(&server.endpoint)
        .with_region("us-east-1")
        .with_access_key_id("test")
        .with_secret_access_key("test")
        .with_allow_http(true)
        .build()
        .unwrap();
    stranger.put(&Path::from(key.to_string()), "preciouS".into()).await.unwrap();
    stranger.put(&Path::from("notes.txt"), "of somebody else".into()).await.unwrap();
    assert!(matches!(objects.get(key).await, Err(ObjectError::Corrupt(named)) if named == key));
    assert_eq!(objects.list(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_bucket_that_is_away_is_unavailable() {
    let server = Server::start();
    let objects = server.bucket("nobody-made-it");
    let key = key_of(b"x", Format::Gif);
    assert!(matches!(objects.put(key, b"x").await, Err(ObjectError::Unavailable(_))));
    drop(server);
    assert!(matches!(objects.get(key).await, Err(ObjectError::Unavailable(_))));
}
