//! Bytes to stream headers and whole elements, by `rxml`, which knows neither DTDs nor entities. Limits are held while it parses, so that no
//! more than one element of the allowed size is ever in memory.

use minidom::Element;
use rxml::{
    AttrMap, Error as XmlError, Namespace, NcName, Options, Parse, RawEvent, RawParser, WithOptions, error::EndOrError,
};

use super::{
    error::StreamError,
    header::Header,
    names::{CLIENT, STREAM, Scopes},
};
use crate::settings::Chat;

/// What one element may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of a stanza or a header.
    pub bytes: usize,
    /// Elements in each other, the stanza's own included.
    pub depth: usize,
    /// Elements in a stanza, and attributes in a stanza.
    pub nodes: usize,
    /// Attributes of one element, declarations of namespaces included.
    pub attributes: usize,
    /// Bytes of a name.
    pub name: usize,
}

impl Caps {
    /// Before anybody has signed in: what signing in takes.
    pub const STRANGER: Self = Self { bytes: 8 * 1024, depth: 5, nodes: 64, attributes: 32, name: 128 };

    /// Of whoever has signed in.
    #[must_use]
    pub const fn member(chat: &Chat) -> Self {
        Self {
            bytes: chat.stanza_bytes,
            depth: chat.stanza_depth,
            nodes: chat.stanza_parts,
            attributes: 128,
            name: 512,
        }
    }
}

/// What a client sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The beginning of a stream.
    Open(Header),
    /// An element of the stream.
    Element(Element),
    /// The end of the stream.
    Close,
}

/// How elements come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Inside one long document (RFC 6120).
    Stream,
    /// Each is a document of its own (RFC 7395).
    Whole,
}

/// The start tag that is being read.
struct Tag {
    prefix: Option<NcName>,
    name: NcName,
    attributes: Vec<(NcName, NcName, String)>,
    plain: AttrMap,
    seen: usize,
}

/// A parser of one stream.
pub struct Framer {
    parser: RawParser,
    caps: Caps,
    framing: Framing,
    scopes: Scopes,
    /// Elements that are open, the stream's own left out.
    open: Vec<Element>,
    text: String,
    tag: Option<Box<Tag>>,
    begun: bool,
    /// Of the element that is being read.
    bytes: usize,
    nodes: usize,
}

fn parser(caps: Caps) -> RawParser {
    // Names and values that are too long are found by the limits here, which know the right error.
    let options = Options { max_token_length: caps.bytes + 1, ..Options::default() };
    let mut parser: RawParser = WithOptions::with_options(options);
    // Else whitespace between stanzas would wait for what follows it.
    parser.set_text_buffering(false);
    parser
}

/// What `rxml` says of `<!DOCTYPE` and its like; a test holds it.
const DECLARATION: &str = "malformed cdata or comment section start";

fn broken(error: XmlError) -> StreamError {
    match error {
        XmlError::RestrictedXml(_) | XmlError::UndeclaredEntity | XmlError::InvalidSyntax(DECLARATION) => {
            StreamError::RestrictedXml
        }
        XmlError::InvalidUtf8Byte(_) => StreamError::UnsupportedEncoding,
        _ => StreamError::NotWellFormed,
    }
}

impl Framer {
    /// At the beginning of a stream.
    #[must_use]
    pub fn new(framing: Framing, caps: Caps) -> Self {
        Self {
            parser: parser(caps),
            caps,
            framing,
            scopes: Scopes::default(),
            open: Vec::new(),
            text: String::new(),
            tag: None,
            begun: false,
            bytes: 0,
            nodes: 0,
        }
    }

    /// Reads from `bytes` and takes off what was read; none where more is needed.
    ///
    /// # Errors
    /// The error that ends the stream; the framer cannot be used after it.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Input>, StreamError> {
        if self.framing == Framing::Stream && !self.begun && self.bytes == 0 {
            // Clients end what they sent before the stream with a line break, which then stands before its declaration.
            *bytes = bytes.trim_ascii_start();
        }
        loop {
            let room = self.caps.bytes - self.bytes;
            let (mut part, at_end) = match bytes.get(..room) {
                Some(part) => (part, false),
                None => (*bytes, self.framing == Framing::Whole),
            };
            let before = part.len();
            let parsed = self.parser.parse(&mut part, at_end);
            let read = before - part.len();
            self.bytes += read;
            *bytes = bytes.get(read..).unwrap_or_default();
            match parsed {
                Ok(Some(event)) => {
                    if let Some(input) = self.event(event)? {
                        return Ok(Some(input));
                    }
                }
                Ok(None) => return Ok(None),
                Err(EndOrError::NeedMoreData) if self.bytes >= self.caps.bytes => {
                    return Err(StreamError::TooLarge);
                }
                Err(EndOrError::NeedMoreData) => return Ok(None),
                Err(EndOrError::Error(error)) => return Err(broken(error)),
            }
        }
    }

    /// Reads a document that holds one element (RFC 7395); none where it is whitespace.
    ///
    /// # Errors
    /// The error that ends the stream.
    pub fn whole(&mut self, text: &str) -> Result<Option<Input>, StreamError> {
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        if text.len() >= self.caps.bytes {
            return Err(StreamError::TooLarge);
        }
        *self = Self { begun: self.begun, ..Self::new(Framing::Whole, self.caps) };
        let mut bytes = text.as_bytes();
        let input = self.next(&mut bytes)?.ok_or(StreamError::NotWellFormed)?;
        // What follows must be nothing, or the document's error.
        match self.next(&mut bytes)? {
            None if bytes.is_empty() => Ok(Some(input)),
            _ => Err(StreamError::NotWellFormed),
        }
    }

    /// A new stream begins on the same connection.
    pub fn restart(&mut self) {
        *self = Self::new(self.framing, self.caps);
    }

    /// From the next stream on.
    pub const fn allow(&mut self, caps: Caps) {
        self.caps = caps;
    }

    /// Lets go of what is only needed while something is read.
    pub fn rest(&mut self) {
        if self.open.is_empty() && self.tag.is_none() {
            self.parser.release_temporaries();
            (self.open, self.text) = (Vec::new(), String::new());
        }
    }

    fn event(&mut self, event: RawEvent) -> Result<Option<Input>, StreamError> {
        match event {
            RawEvent::XmlDeclaration(..) => Ok(None),
            RawEvent::ElementHeadOpen(_, (prefix, name)) => self.tag(prefix, name).map(|()| None),
            RawEvent::Attribute(_, (prefix, name), value) => self.attribute(prefix, name, value).map(|()| None),
            RawEvent::ElementHeadClose(_) => self.begin(),
            RawEvent::ElementFoot(_) => Ok(self.end()),
            RawEvent::Text(_, text) => self.said(&text).map(|()| None),
        }
    }

    fn tag(&mut self, prefix: Option<NcName>, name: NcName) -> Result<(), StreamError> {
        self.flush_text();
        let length = name.len() + prefix.as_ref().map_or(0, |prefix| prefix.len());
        let is_root = !self.begun && self.framing == Framing::Stream;
        self.nodes += 1;
        if length > self.caps.name || self.nodes > self.caps.nodes || (!is_root && self.open.len() >= self.caps.depth) {
            return Err(StreamError::TooLarge);
        }
        self.tag = Some(Box::new(Tag { prefix, name, attributes: Vec::new(), plain: AttrMap::new(), seen: 0 }));
        self.scopes.open();
        Ok(())
    }

    fn attribute(&mut self, prefix: Option<NcName>, name: NcName, value: String) -> Result<(), StreamError> {
        let Some(tag) = &mut self.tag else { return Err(StreamError::NotWellFormed) };
        let length = name.len() + prefix.as_ref().map_or(0, |prefix| prefix.len());
        tag.seen += 1;
        self.nodes += 1;
        if length > self.caps.name || self.nodes > self.caps.nodes || tag.seen > self.caps.attributes {
            return Err(StreamError::TooLarge);
        }
        match prefix {
            None if name == "xmlns" => self.scopes.declare(None, value),
            None => match tag.plain.insert(Namespace::NONE, name, value) {
                None => Ok(()),
                Some(_) => Err(StreamError::NotWellFormed),
            },
            Some(prefix) if prefix == "xmlns" => self.scopes.declare(Some(name), value),
            Some(prefix) => {
                tag.attributes.push((prefix, name, value));
                Ok(())
            }
        }
    }

    /// The start tag is read.
    fn begin(&mut self) -> Result<Option<Input>, StreamError> {
        let Some(tag) = self.tag.take() else { return Err(StreamError::NotWellFormed) };
        let namespace = self.scopes.of(tag.prefix.as_ref())?.unwrap_or_default();
        let mut attributes = tag.plain;
        for (prefix, name, value) in tag.attributes {
            let Some(namespace) = self.scopes.of(Some(&prefix))? else { return Err(StreamError::NotWellFormed) };
            if attributes.insert(Namespace::from(namespace.to_owned()), name, value).is_some() {
                return Err(StreamError::NotWellFormed);
            }
        }
        if self.framing == Framing::Stream && !self.begun {
            (self.begun, self.bytes, self.nodes) = (true, 0, 0);
            let content = self.scopes.of(None)?.unwrap_or_default();
            return if namespace != STREAM || content != CLIENT {
                Err(StreamError::InvalidNamespace)
            } else if tag.name != "stream" {
                Err(StreamError::BadFormat)
            } else {
                Ok(Some(Input::Open(Header::of(&attributes))))
            };
        }
        let mut element = Element::bare(tag.name.as_str(), namespace);
        *element.attrs_mut() = attributes;
        self.open.push(element);
        Ok(None)
    }

    fn end(&mut self) -> Option<Input> {
        self.flush_text();
        self.scopes.close();
        let Some(element) = self.open.pop() else { return Some(Input::Close) };
        if let Some(parent) = self.open.last_mut() {
            parent.append_child(element);
            return None;
        }
        (self.bytes, self.nodes) = (0, 0);
        Some(match self.framing {
            Framing::Stream => Input::Element(element),
            Framing::Whole => Header::of_frame(element),
        })
    }

    fn said(&mut self, text: &str) -> Result<(), StreamError> {
        if !self.open.is_empty() {
            self.text.push_str(text);
            return Ok(());
        }
        // Between stanzas whitespace keeps a connection alive, and costs nothing.
        self.bytes = 0;
        if text.bytes().all(|byte| byte.is_ascii_whitespace()) { Ok(()) } else { Err(StreamError::BadFormat) }
    }

    fn flush_text(&mut self) {
        if let (false, Some(element)) = (self.text.is_empty(), self.open.last_mut()) {
            element.append_text_node(std::mem::take(&mut self.text));
        }
    }
}

#[cfg(test)]
mod tests;
