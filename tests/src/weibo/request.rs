//! A request as the stand-in reads it: the parameters of query, form or multipart form, and a file.

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Read},
    net::TcpStream,
};

/// What came.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) path: String,
    given: HashMap<String, String>,
    /// A file's name, media type and bytes.
    pub(super) picture: Option<(String, String, Vec<u8>)>,
}

impl Request {
    /// A parameter; empty where it is absent.
    pub(super) fn given(&self, name: &str) -> &str {
        self.given.get(name).map(String::as_str).unwrap_or_default()
    }

    fn add_pairs(&mut self, text: &str) -> io::Result<()> {
        let address = reqwest::Url::parse(&format!("http://localhost/?{text}")).map_err(io::Error::other)?;
        self.given.extend(address.query_pairs().into_owned());
        Ok(())
    }

    /// One part of a multipart form, with its headers.
    fn add_part(&mut self, part: &[u8]) {
        let Some(at) = find(part, b"\r\n\r\n") else { return };
        let head = String::from_utf8_lossy(&part[..at]).into_owned();
        let body = part[at + 4..].strip_suffix(b"\r\n").unwrap_or(&part[at + 4..]);
        let Some(name) = quoted(&head, "; name=\"") else { return };
        match quoted(&head, "filename=\"") {
            Some(file) if name == "pic" => {
                let media_type = head
                    .lines()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-type: ").map(str::to_owned));
                self.picture = Some((file, media_type.unwrap_or_default(), body.to_vec()));
            }
            _ => {
                self.given.insert(name, String::from_utf8_lossy(body).into_owned());
            }
        }
    }
}

/// Reads one.
pub(super) fn read(stream: &TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut boundary) = (0, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        if header.trim().is_empty() {
            break;
        }
        match header.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim())) {
            Some((name, value)) if name == "content-length" => length = value.parse().unwrap_or(0),
            Some((name, value)) if name == "content-type" => {
                boundary = value.split_once("boundary=").map(|(_, text)| text.trim_matches('"').to_owned());
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut request = Request { path: path.to_owned(), ..Request::default() };
    request.add_pairs(query)?;
    match boundary {
        None => request.add_pairs(&String::from_utf8_lossy(&body))?,
        Some(boundary) => {
            let line = format!("--{boundary}").into_bytes();
            let mut rest = &body[..];
            while let Some(at) = find(rest, &line) {
                request.add_part(&rest[..at]);
                rest = &rest[at + line.len()..];
            }
        }
    }
    Ok(request)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|part| part == what)
}

fn quoted(head: &str, before: &str) -> Option<String> {
    let (_, rest) = head.split_once(before)?;
    Some(rest.split_once('"')?.0.to_owned())
}
