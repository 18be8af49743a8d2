//! Headers of streams.

use minidom::Element;
use rxml::{AttrMap, Namespace};

use super::{framer::Input, names::FRAMING};

/// What a client says at the beginning of a stream; unknown attributes are let be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// The domain.
    pub to: Option<String>,
    /// The protocol's version.
    pub version: Option<String>,
}

impl Header {
    pub(super) fn of(attributes: &AttrMap) -> Self {
        let of = |name: &str| attributes.get(&Namespace::NONE, name).cloned();
        Self { to: of("to"), version: of("version") }
    }

    /// What a frame of WebSocket says.
    pub(super) fn of_frame(element: Element) -> Input {
        if element.is("open", FRAMING) {
            Input::Open(Self::of(element.attrs()))
        } else if element.is("close", FRAMING) {
            Input::Close
        } else {
            Input::Element(element)
        }
    }

    /// Whether the client speaks XMPP 1.0 or a later 1.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let major = self.version.as_deref().and_then(|version| version.split('.').next());
        major.and_then(|major| major.parse().ok()).is_some_and(|major: u32| major >= 1)
    }
}
