//! gRPC over HTTP/2, as little of it as the stand-in needs: messages with five bytes before them, and a status after them.

use std::{fmt, pin::Pin};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use futures::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;

/// The connection or stream ends here: nobody is told why.
#[derive(Debug)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut off")
    }
}

impl std::error::Error for Gone {}

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, Gone>;

/// What a call comes to, with what tells the kind of an error to the client.
#[derive(Debug, Clone)]
pub struct Status {
    code: u16,
    message: String,
    more: Vec<(&'static str, String)>,
}

/// gRPC's codes, as far as the server uses them.
pub mod code {
    pub const OK: u16 = 0;
    pub const UNKNOWN: u16 = 2;
    pub const INVALID_ARGUMENT: u16 = 3;
    pub const DEADLINE_EXCEEDED: u16 = 4;
    pub const NOT_FOUND: u16 = 5;
    pub const FAILED_PRECONDITION: u16 = 9;
    pub const UNIMPLEMENTED: u16 = 12;
    pub const UNAVAILABLE: u16 = 14;
    pub const UNAUTHENTICATED: u16 = 16;
}

impl Status {
    pub fn new(code: u16, message: &str) -> Self {
        Self { code, message: message.to_owned(), more: Vec::new() }
    }

    /// With an entry of metadata.
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.more.push((name, value.to_string()));
        self
    }

    fn trailers(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        map.insert("grpc-status", HeaderValue::from(self.code));
        let mut add = |name, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                map.insert(name, value);
            }
        };
        if self.code != code::OK {
            add("grpc-message", &self.message);
        }
        for (name, value) in &self.more {
            add(name, value);
        }
        map
    }
}

/// One part of an answer that comes bit by bit.
pub enum Part {
    /// A message.
    Message(Bytes),
    /// The end.
    End(Status),
}

/// A message with its length.
pub fn framed(message: &impl prost::Message) -> Bytes {
    let mut bytes = BytesMut::with_capacity(5 + message.encoded_len());
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(message.encoded_len()).expect("a message below 4 GiB"));
    bytes.put(message.encode_to_vec().as_slice());
    bytes.freeze()
}

/// All messages of a request.
pub fn messages<M: prost::Message + Default>(mut body: Bytes) -> Result<Vec<M>, Status> {
    let wrong = |what: &str| Status::new(code::INVALID_ARGUMENT, what);
    let mut all = Vec::new();
    while !body.is_empty() {
        if body.len() < 5 || body.get_u8() != 0 {
            return Err(wrong("no message, or a compressed one"));
        }
        let length = body.get_u32() as usize;
        if body.len() < length {
            return Err(wrong("half a message"));
        }
        all.push(M::decode(body.split_to(length)).map_err(|error| wrong(&error.to_string()))?);
    }
    Ok(all)
}

/// An answer bit by bit.
pub fn streamed(parts: impl Stream<Item = Result<Part, Gone>> + Send + 'static) -> Response<Body> {
    let frames = parts.map(|part| {
        part.map(|part| match part {
            Part::Message(bytes) => Frame::data(bytes),
            Part::End(status) => Frame::trailers(status.trailers()),
        })
    });
    let frames: Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Gone>> + Send>> = Box::pin(frames);
    response(StreamBody::new(frames).boxed_unsync(), HeaderMap::new())
}

/// An answer that is there already.
pub fn whole(messages: Vec<Bytes>) -> Response<Body> {
    let parts = messages.into_iter().map(Part::Message);
    let end = Part::End(Status::new(code::OK, ""));
    streamed(stream::iter(parts.chain([end]).map(Ok).collect::<Vec<_>>()))
}

/// An answer that is an error and nothing else.
pub fn refused(status: &Status) -> Response<Body> {
    let nothing = StreamBody::new(stream::empty::<Result<Frame<Bytes>, Gone>>()).boxed_unsync();
    response(nothing, status.trailers())
}

fn response(body: Body, headers: HeaderMap) -> Response<Body> {
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}
