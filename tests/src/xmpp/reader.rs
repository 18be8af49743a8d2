//! Bytes to elements, without the limits that a server has.

use minidom::Element;
use rxml::{Event, Parse, Parser, error::EndOrError};

/// What the server says.
#[derive(Debug)]
pub enum Incoming {
    /// Its header, with its attributes alone.
    Open(Element),
    /// An element of the stream.
    Element(Element),
    /// The end of the stream.
    Close,
}

/// Reads a stream.
#[derive(Default)]
pub struct Reader {
    parser: Parser,
    bytes: Vec<u8>,
    open: Vec<Element>,
    begun: bool,
}

impl Reader {
    /// Takes bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What is there; none where more bytes are needed.
    ///
    /// # Panics
    /// It is not XML.
    #[expect(clippy::should_implement_trait, reason = "more may come after none")]
    pub fn next(&mut self) -> Option<Incoming> {
        loop {
            let mut bytes = self.bytes.as_slice();
            let before = bytes.len();
            let parsed = self.parser.parse(&mut bytes, false);
            let read = before - bytes.len();
            self.bytes.drain(..read);
            match parsed {
                Ok(Some(event)) => {
                    if let Some(incoming) = self.event(event) {
                        return Some(incoming);
                    }
                }
                Ok(None) | Err(EndOrError::NeedMoreData) => return None,
                Err(EndOrError::Error(error)) => panic!("the server does not write XML: {error}"),
            }
        }
    }

    fn event(&mut self, event: Event) -> Option<Incoming> {
        match event {
            Event::XmlDeclaration(..) => None,
            Event::StartElement(_, (ns, name), attributes) => {
                let mut element = Element::bare(name.as_str(), ns.as_str());
                *element.attrs_mut() = attributes;
                if !std::mem::replace(&mut self.begun, true) {
                    return Some(Incoming::Open(element));
                }
                self.open.push(element);
                None
            }
            Event::Text(_, text) => {
                if let Some(element) = self.open.last_mut() {
                    element.append_text(text);
                }
                None
            }
            Event::EndElement(_) => {
                let Some(element) = self.open.pop() else { return Some(Incoming::Close) };
                match self.open.last_mut() {
                    Some(parent) => {
                        parent.append_child(element);
                        None
                    }
                    None => Some(Incoming::Element(element)),
                }
            }
        }
    }
}
