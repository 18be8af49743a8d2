//! From a connection to a bound stream: headers, features, STARTTLS, signing in, a resource; or an older stream that is resumed.

mod signing_in;

use std::{sync::Arc, time::Duration};

use dface_domain::messages::Party;
use minidom::{Element, element::escape};
use tokio::time::{Instant, timeout_at};

use super::{
    super::{hub::Hub, outbox::Outbox, session::Session},
    door::Door,
    error::StreamError,
    framer::{Caps, Input},
    names::{BIND, CLIENT, SESSION, SM, STANZA_ERRORS, STREAM, TLS},
    resource,
    resumption::{Live, Takeover},
    wire::{Broken, Wire},
};

/// Why negotiating ended without a bound stream.
enum Ended {
    /// The server ends it with this.
    Error(StreamError),
    /// The client closed the stream, or the connection is gone.
    Closed,
}

impl From<Broken> for Ended {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Stream(error) => Self::Error(error),
            Broken::Connection => Self::Closed,
        }
    }
}

impl From<StreamError> for Ended {
    fn from(error: StreamError) -> Self {
        Self::Error(error)
    }
}

/// What a client that has not signed in did.
enum Step {
    Tls,
    SignedIn(Party),
}

/// How a bound stream begins.
pub(super) enum Begin {
    /// It was bound just now.
    Bound,
    /// It was cut off, and is resumed.
    Resumed(Resume),
}

/// What a client asks to resume a stream with.
pub(super) struct Resume {
    pub(super) ns: &'static str,
    /// Stanzas that it has handled.
    pub(super) handled: u32,
}

/// What a client that has signed in did.
enum Chosen {
    New(Box<Live>),
    Former { id: String, owner: Party, resume: Resume },
}

/// A connection that is not bound yet.
struct Negotiation<'a, H> {
    door: &'a Door<H>,
    wire: Wire,
    /// Our header stands on the wire.
    is_open: bool,
    tries: u32,
    owner: Option<Party>,
}

/// Negotiates until a stream is bound or resumed; none where it ended, and was ended.
pub(super) async fn run<H: Hub>(door: &Door<H>, wire: Wire) -> Option<(Wire, Box<Live>, Begin)> {
    let mut negotiation = Negotiation { door, wire, is_open: false, tries: 0, owner: None };
    let end = Instant::now() + Duration::from_secs(door.chat().sign_in_s);
    loop {
        let chosen = tokio::select! {
            chosen = timeout_at(end, negotiation.choose()) => {
                chosen.unwrap_or_else(|_| Err(StreamError::ConnectionTimeout.into()))
            }
            () = door.stop.cancelled() => Err(StreamError::SystemShutdown.into()),
        };
        match chosen {
            Ok(Chosen::New(live)) => return Some((negotiation.wire, live, Begin::Bound)),
            // Outside of the time limit: a stream that was given must not be dropped.
            Ok(Chosen::Former { id, owner, resume }) => match door.resumption.take(&id, owner).await {
                Ok(live) => return Some((negotiation.wire, live, Begin::Resumed(resume))),
                Err(known) => negotiation.wire.put(not_found(resume.ns, known)),
            },
            Err(Ended::Error(error)) => {
                refuse(door, negotiation.wire, negotiation.is_open, error).await;
                return None;
            }
            Err(Ended::Closed) => {
                if negotiation.is_open {
                    negotiation.wire.close().await;
                }
                return None;
            }
        }
    }
}

fn not_found(ns: &str, known: Option<u32>) -> String {
    let known = known.map_or_else(String::new, |handled| format!(" h='{handled}'"));
    format!("<failed xmlns='{ns}'{known}><item-not-found xmlns='{STANZA_ERRORS}'/></failed>")
}

/// Ends a stream with an error.
pub(super) async fn refuse<H: Hub>(door: &Door<H>, mut wire: Wire, is_open: bool, error: StreamError) {
    tracing::debug!(?error, "a stream ended");
    if !is_open {
        wire.put_header(&door.chat().domain, &door.fresh_id());
    }
    wire.put(error.to_xml());
    wire.close().await;
}

impl<H: Hub> Door<H> {
    /// An id that nobody can guess.
    pub(super) fn fresh_id(&self) -> String {
        hex::encode(self.app.node.commands.entropy().bytes::<16>())
    }
}

/// A text inside an attribute or an element.
fn escaped(text: &str) -> String {
    String::from_utf8_lossy(&escape(text.as_bytes())).into_owned()
}

/// A request or an answer of the stream's own.
pub(super) fn iq(kind: &str, id: &str, more: &str, child: &str) -> String {
    format!("<iq xmlns='{CLIENT}' type='{kind}' id='{}'{more}>{child}</iq>", escaped(id))
}

impl<H: Hub> Negotiation<'_, H> {
    async fn choose(&mut self) -> Result<Chosen, Ended> {
        if let Some(owner) = self.owner {
            return self.bind(owner).await;
        }
        loop {
            self.open().await?;
            self.offer_signing_in().await?;
            match self.sign_in().await? {
                Step::Tls => self.start_tls().await?,
                Step::SignedIn(owner) => {
                    self.owner = Some(owner);
                    self.wire.allow(Caps::member(self.door.chat()));
                    self.restart();
                    self.open().await?;
                    self.offer_binding().await?;
                    return self.bind(owner).await;
                }
            }
        }
    }

    fn restart(&mut self) {
        self.wire.restart();
        self.is_open = false;
    }

    /// Waits for the client's header and answers it.
    async fn open(&mut self) -> Result<(), Ended> {
        let header = match self.wire.read().await? {
            Input::Open(header) => header,
            Input::Element(_) => return Err(StreamError::BadFormat.into()),
            Input::Close => return Err(Ended::Closed),
        };
        let chat = self.door.chat();
        self.wire.put_header(&chat.domain, &self.door.fresh_id());
        self.is_open = true;
        if header.to.as_ref().is_some_and(|to| !to.eq_ignore_ascii_case(&chat.domain)) {
            return Err(StreamError::HostUnknown.into());
        }
        if header.is_current() { Ok(()) } else { Err(StreamError::UnsupportedVersion.into()) }
    }

    async fn offer(&mut self, features: &str) -> Result<(), Ended> {
        self.wire.put(format!("<stream:features xmlns:stream='{STREAM}'>{features}</stream:features>"));
        Ok(self.wire.flush().await?)
    }

    async fn element(&mut self) -> Result<Element, Ended> {
        match self.wire.read().await? {
            Input::Element(element) => Ok(element),
            Input::Open(_) => Err(StreamError::BadFormat.into()),
            Input::Close => Err(Ended::Closed),
        }
    }

    async fn say(&mut self, element: String) -> Result<(), Ended> {
        self.wire.put(element);
        Ok(self.wire.flush().await?)
    }

    async fn start_tls(&mut self) -> Result<(), Ended> {
        let Some(tls) = &self.door.tls else { return Err(StreamError::NotAuthorized.into()) };
        self.say(format!("<proceed xmlns='{TLS}'/>")).await?;
        self.wire.start_tls(tls.load_full()).await?;
        self.is_open = false;
        Ok(())
    }

    async fn offer_binding(&mut self) -> Result<(), Ended> {
        let optional = format!("<bind xmlns='{BIND}'/><session xmlns='{SESSION}'><optional/></session>");
        let managed: String = SM.iter().map(|ns| format!("<sm xmlns='{ns}'/>")).collect();
        self.offer(&format!("{optional}{managed}{}", self.door.hub.features())).await
    }

    async fn bind(&mut self, owner: Party) -> Result<Chosen, Ended> {
        loop {
            self.wire.flush().await?;
            let element = self.element().await?;
            if let Some(ns) = SM.into_iter().find(|ns| element.is("resume", *ns)) {
                let handled = element.attr("h").and_then(|h| h.parse().ok());
                if let (Some(id), Some(handled)) = (element.attr("previd"), handled) {
                    return Ok(Chosen::Former { id: id.to_owned(), owner, resume: Resume { ns, handled } });
                }
                self.wire.put(format!("<failed xmlns='{ns}'><bad-request xmlns='{STANZA_ERRORS}'/></failed>"));
                continue;
            }
            let asked = element.get_child("bind", BIND).filter(|_| element.is("iq", CLIENT));
            let (Some(asked), Some("set"), Some(id)) = (asked, element.attr("type"), element.attr("id")) else {
                return Err(StreamError::NotAuthorized.into());
            };
            let resource = match asked.get_child("resource", BIND).map(Element::text).filter(|text| !text.is_empty()) {
                Some(asked) => resource::prepared(&asked),
                None => Some(resource::made(self.door.app.node.commands.entropy().as_ref())),
            };
            match resource {
                Some(resource) => return self.bound(owner, &resource, id).await,
                None => {
                    let error = format!("<error type='modify'><bad-request xmlns='{STANZA_ERRORS}'/></error>");
                    self.wire.put(iq("error", id, "", &error));
                }
            }
        }
    }

    async fn bound(&mut self, owner: Party, resource: &str, id: &str) -> Result<Chosen, Ended> {
        let chat = self.door.chat();
        let outbox = Arc::new(Outbox::new(chat.outbox_bytes));
        let session = Arc::new(Session::new(owner, resource, &chat.domain, outbox));
        let bind = format!("<bind xmlns='{BIND}'><jid>{}</jid></bind>", escaped(&session.full()));
        self.say(iq("result", id, "", &bind)).await?;
        Ok(Chosen::New(Box::new(Live { session, management: None, takeover: Arc::new(Takeover::default()) })))
    }
}
