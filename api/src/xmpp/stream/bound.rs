//! A bound stream: stanzas in, one after the other; the outbox out, as much at once as there is; and what happens when the connection goes.

use std::{sync::Arc, time::Duration};

use metrics::{counter, gauge};
use minidom::Element;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};

use super::{
    super::{
        hub::Hub,
        outbox::{End, Next, Outgoing, Waiting},
    },
    door::{Door, Place},
    error::StreamError,
    framer::Input,
    management::Management,
    names::{CLIENT, PING, SESSION, SM, STANZA_ERRORS},
    negotiation::{Begin, Resume, iq},
    resumption::Live,
    wire::{Broken, Wire},
};
use crate::metrics as names;

/// Bytes that are written at once, about.
const BATCH: usize = 16 * 1024;

/// Some clients (`@xmpp/client`) begin to count a moment after they read `<enabled/>`, and lose count of what comes in the same read.
const ALONE: Duration = Duration::from_millis(100);

/// How a stream's time on a connection ended.
enum Ended {
    /// It is over; with the error that the server ends it with.
    Over(Option<StreamError>),
    /// The connection is gone, or nobody is there.
    Cut,
    /// Another connection wants it.
    Wanted(oneshot::Sender<Box<Live>>),
}

impl From<StreamError> for Ended {
    fn from(error: StreamError) -> Self {
        Self::Over(Some(error))
    }
}

impl From<Broken> for Ended {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Stream(error) => Self::Over(Some(error)),
            Broken::Connection => Self::Cut,
        }
    }
}

/// A stream on a connection.
struct Bound<'a, H> {
    door: &'a Door<H>,
    wire: Wire,
    live: Box<Live>,
    /// The question whether anybody is there, and since when it is open.
    asked: Option<(Box<str>, Instant)>,
    /// Written without stream management, and perhaps never read.
    lost: Vec<Waiting>,
    /// Until when nothing of the outbox is written, so that `<enabled/>` arrives alone.
    alone: Option<Instant>,
}

/// Serves a stream until it is over, or another connection has it.
pub(super) async fn run<H: Hub>(door: &Door<H>, wire: Wire, live: Box<Live>, begin: Begin, place: Place) {
    gauge!(names::CHAT_STREAMS).increment(1.0);
    let mut bound = Bound { door, wire, live, asked: None, lost: Vec::new(), alone: None };
    let ended = Box::pin(bound.serve(begin)).await;
    let Bound { wire, live, lost, .. } = bound;
    match ended {
        Ended::Over(error) => {
            over(door, live, lost).await;
            close(wire, error).await;
        }
        Ended::Wanted(by) => match by.send(live) {
            Ok(()) => close(wire, Some(StreamError::Conflict)).await,
            Err(live) => {
                close(wire, Some(StreamError::Conflict)).await;
                drop(place);
                parted(door, live).await;
            }
        },
        Ended::Cut if live.is_resumable() => {
            drop((wire, place));
            parted(door, live).await;
        }
        Ended::Cut => {
            drop((wire, place));
            over(door, live, lost).await;
        }
    }
    gauge!(names::CHAT_STREAMS).decrement(1.0);
}

async fn close(mut wire: Wire, error: Option<StreamError>) {
    if let Some(error) = error {
        tracing::debug!(?error, "a stream ended");
        wire.put(error.to_xml());
    }
    wire.close().await;
}

/// A stream without a connection: until it is wanted, or its time is over.
async fn parted<H: Hub>(door: &Door<H>, live: Box<Live>) {
    let Some(place) = door.resumption.place() else { return over(door, live, Vec::new()).await };
    let wanted = match live.takeover.take() {
        Some(by) => Some(by),
        None => {
            door.hub.cut(&live.session, live.unacknowledged());
            tokio::select! {
                by = live.takeover.wanted() => Some(by),
                _ = live.session.outbox.ended() => None,
                () = sleep(Duration::from_secs(door.chat().resume_s)) => None,
                () = door.stop.cancelled() => None,
            }
        }
    };
    drop(place);
    match wanted {
        None => over(door, live, Vec::new()).await,
        Some(by) => {
            if let Err(live) = by.send(live) {
                // Whoever wanted it is gone by now.
                Box::pin(parted(door, live)).await;
            }
        }
    }
}

async fn over<H: Hub>(door: &Door<H>, live: Box<Live>, lost: Vec<Waiting>) {
    door.resumption.forget(&live);
    let unacknowledged = lost.into_iter().chain(live.unacknowledged()).collect();
    let session = Arc::clone(&live.session);
    drop(live);
    door.hub.over(&session, unacknowledged).await;
}

impl<H: Hub> Bound<'_, H> {
    async fn serve(&mut self, begin: Begin) -> Ended {
        match begin {
            Begin::Bound => self.door.hub.bound(&self.live.session).await,
            Begin::Resumed(resume) => {
                if let Err(ended) = self.resume(&resume).await {
                    return ended;
                }
            }
        }
        loop {
            if let Err(ended) = self.turn().await {
                return ended;
            }
        }
    }

    /// Waits for one thing to happen, and does what it asks for.
    async fn turn(&mut self) -> Result<(), Ended> {
        let (outbox, has_room) = (&self.live.session.outbox, self.has_room());
        let patience = self.next_question();
        tokio::select! {
            next = outbox.next(BATCH), if has_room && self.alone.is_none() => match next {
                Next::Stanzas(stanzas) => self.write(stanzas).await,
                Next::End(why) => Err(StreamError::from(why).into()),
            },
            why = outbox.ended(), if !has_room => Err(StreamError::from(why).into()),
            () = sleep_until(self.alone.unwrap_or(patience)), if self.alone.is_some() => {
                self.alone = None;
                Ok(())
            }
            input = self.wire.read() => match input? {
                Input::Element(element) => self.element(element).await,
                Input::Open(_) => Err(StreamError::BadFormat.into()),
                Input::Close => Err(self.closed()),
            },
            by = self.live.takeover.wanted() => Err(Ended::Wanted(by)),
            () = self.door.stop.cancelled() => Err(StreamError::from(End::Shutdown).into()),
            () = sleep_until(patience) => self.question().await,
        }
    }

    /// What is unacknowledged stays bounded: with more the outbox waits.
    fn has_room(&self) -> bool {
        let most = self.door.chat().unacknowledged;
        self.live.management.as_ref().is_none_or(|management| management.unacknowledged() < most)
    }

    /// When somebody must be asked for a sign, or has not given one.
    fn next_question(&self) -> Instant {
        let chat = self.door.chat();
        match &self.asked {
            Some((_, since)) => *since + Duration::from_secs(chat.answer_s),
            None => self.wire.heard() + Duration::from_secs(chat.silent_s),
        }
    }

    async fn question(&mut self) -> Result<(), Ended> {
        if let Some((_, since)) = self.asked.take() {
            return if self.wire.heard() > since {
                Ok(())
            } else {
                // It may be somewhere without a network, and come back.
                self.wire.put(StreamError::ConnectionTimeout.to_xml());
                let _ = self.wire.flush().await;
                Err(Ended::Cut)
            };
        }
        let id = self.door.fresh_id();
        if let Some(management) = &mut self.live.management {
            management.asked = true;
            self.wire.put(format!("<r xmlns='{}'/>", management.ns));
        } else {
            // To nobody is to the stream's own client; resources may hold what would have to be escaped.
            let from = format!(" from='{}'", self.door.chat().domain);
            self.wire.put(iq("get", &id, &from, &format!("<ping xmlns='{PING}'/>")));
        }
        self.asked = Some((id.into(), Instant::now()));
        self.flush().await
    }

    /// Writes; gives up where another connection wants the stream meanwhile, since this one is then most likely dead.
    async fn flush(&mut self) -> Result<(), Ended> {
        let live = &self.live;
        tokio::select! {
            written = self.wire.flush() => Ok(written?),
            by = live.takeover.wanted() => Err(Ended::Wanted(by)),
        }
    }

    async fn write(&mut self, stanzas: Vec<Outgoing>) -> Result<(), Ended> {
        counter!(names::CHAT_STANZAS_TOTAL, "way" => "out").increment(stanzas.len() as u64);
        let waiting: Vec<Waiting> = stanzas.iter().filter_map(|stanza| stanza.waiting).collect();
        for stanza in stanzas {
            self.wire.put_both(&stanza.head, &stanza.tail);
            if let Some(management) = &mut self.live.management {
                management.sent(stanza);
            }
        }
        self.ask_for_acknowledgement();
        if self.live.management.is_some() {
            return self.flush().await;
        }
        let (written, last) = (self.flush().await, waiting.last().copied());
        match (&written, last) {
            (Ok(()), Some(last)) => self.door.hub.taken(&self.live.session, last),
            (Ok(()), None) => {}
            (Err(_), _) => self.lost = waiting,
        }
        written
    }

    /// One question at a time, for as long as something is unacknowledged.
    fn ask_for_acknowledgement(&mut self) {
        if let Some(management) = &mut self.live.management
            && !management.asked
            && management.unacknowledged() > 0
        {
            management.asked = true;
            self.wire.put(format!("<r xmlns='{}'/>", management.ns));
        }
    }

    fn closed(&mut self) -> Ended {
        self.put_handled();
        Ended::Over(None)
    }

    fn put_handled(&mut self) {
        if let Some(management) = &self.live.management {
            self.wire.put(format!("<a xmlns='{}' h='{}'/>", management.ns, management.handled));
        }
    }

    async fn element(&mut self, element: Element) -> Result<(), Ended> {
        if element.has_ns(CLIENT) && matches!(element.name(), "message" | "presence" | "iq") {
            self.stanza(element).await;
        } else if let Some(ns) = SM.into_iter().find(|ns| element.has_ns(*ns)) {
            self.manage(&element, ns)?;
        } else {
            return Err(StreamError::UnsupportedStanzaType.into());
        }
        self.flush().await
    }

    async fn stanza(&mut self, stanza: Element) {
        counter!(names::CHAT_STANZAS_TOTAL, "way" => "in").increment(1);
        let (id, is_iq) = (stanza.attr("id"), stanza.name() == "iq");
        let is_answer = is_iq && self.asked.as_ref().is_some_and(|(asked, _)| id == Some(asked));
        if is_iq && stanza.attr("type") == Some("set") && stanza.get_child("session", SESSION).is_some() {
            // Nothing is to be done for it since RFC 6121, but older clients wait for an answer.
            self.wire.put(iq("result", id.unwrap_or_default(), "", ""));
        } else if !is_answer {
            self.door.hub.stanza(&self.live.session, stanza).await;
        }
        if let Some(management) = &mut self.live.management {
            management.handled = management.handled.wrapping_add(1);
        }
    }

    /// Stream management's own elements.
    fn manage(&mut self, element: &Element, ns: &'static str) -> Result<(), Ended> {
        match (element.name(), &mut self.live.management) {
            ("r", Some(_)) => self.put_handled(),
            ("a", Some(management)) => {
                let Some(handled) = element.attr("h").and_then(|h| h.parse().ok()) else {
                    return Err(StreamError::BadFormat.into());
                };
                management.asked = false;
                if let Some(last) = management.acknowledge(handled)? {
                    self.door.hub.taken(&self.live.session, last);
                }
                self.ask_for_acknowledgement();
            }
            ("enable", None) => self.enable(element, ns),
            ("enable" | "resume", _) => {
                let condition = format!("<unexpected-request xmlns='{STANZA_ERRORS}'/>");
                self.wire.put(format!("<failed xmlns='{ns}'>{condition}</failed>"));
            }
            _ => return Err(StreamError::UnsupportedStanzaType.into()),
        }
        Ok(())
    }

    fn enable(&mut self, element: &Element, ns: &'static str) {
        let longest = self.door.chat().resume_s;
        let asked = matches!(element.attr("resume"), Some("true" | "1")) && longest > 0;
        let id = asked.then(|| self.door.fresh_id().into_boxed_str());
        self.wire.put(match &id {
            Some(id) => format!("<enabled xmlns='{ns}' id='{id}' resume='true' max='{longest}'/>"),
            None => format!("<enabled xmlns='{ns}'/>"),
        });
        self.live.management = Some(Management::new(ns, id.clone()));
        self.alone = Some(Instant::now() + ALONE);
        if let Some(id) = id {
            self.door.resumption.keep(&id, &self.live);
        }
    }

    /// Goes on where another connection was cut off.
    async fn resume(&mut self, resume: &Resume) -> Result<(), Ended> {
        let Some(management) = &mut self.live.management else {
            return Err(StreamError::InternalServerError.into());
        };
        let taken = management.acknowledge(resume.handled)?;
        (management.ns, management.asked) = (resume.ns, false);
        let (id, handled) = (management.id.as_deref().unwrap_or_default(), management.handled);
        self.wire.put(format!("<resumed xmlns='{}' previd='{id}' h='{handled}'/>", resume.ns));
        for stanza in management.waiting() {
            self.wire.put_both(&stanza.head, &stanza.tail);
        }
        self.ask_for_acknowledgement();
        self.door.hub.resumed(&self.live.session);
        if let Some(last) = taken {
            self.door.hub.taken(&self.live.session, last);
        }
        self.flush().await
    }
}
