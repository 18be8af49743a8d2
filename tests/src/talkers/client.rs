//! Somebody who talks and listens over a bad road.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use minidom::Element;
use tokio::time::timeout;

use super::{
    Company, Shared, chance,
    heard::{self, Heard},
    pause,
    stream::{Broken, Stream, count},
};
use crate::xmpp::{CLIENT, SM};

/// Messages on their way at a time.
const WINDOW: usize = 4;
/// One element of so many makes the client drop its connection.
const CUTS: usize = 250;
/// One sign-in of so many does not try to resume.
const ANEW: usize = 4;
/// Messages in a page of the archive.
const PAGE: usize = 50;
/// Whether all are done is looked at so often.
const LOOK: Duration = Duration::from_millis(200);

pub struct Client {
    name: String,
    password: String,
    partner: String,
    company: Arc<Company>,
    /// The road that is tried next.
    road: usize,
    shared: Arc<Shared>,
    /// By which the stream is resumed.
    resume: Option<String>,
    /// Stanzas that came on it.
    handled: u32,
    /// Stanzas of ours that the server acknowledged on it.
    acknowledged: u32,
    /// Stanzas that are not acknowledged, in order; the first `sent` of them were sent on this connection.
    waiting: VecDeque<String>,
    sent: usize,
    /// Messages made so far.
    made: usize,
    joined: bool,
    complete: bool,
    /// Queries of the archive so far.
    queries: usize,
    broken: Instant,
    heard: Heard,
}

impl Client {
    pub fn new(number: usize, company: &Arc<Company>, shared: &Arc<Shared>) -> Self {
        let people = &company.people;
        let (name, password) = people[number].clone();
        let partner = format!("{}@dface.cn", people[(number + 1) % people.len()].0);
        Self {
            name,
            password,
            partner,
            company: Arc::clone(company),
            road: number,
            shared: Arc::clone(shared),
            resume: None,
            handled: 0,
            acknowledged: 0,
            waiting: VecDeque::new(),
            sent: 0,
            made: 0,
            joined: false,
            complete: false,
            queries: 0,
            broken: Instant::now(),
            heard: Heard::of(number),
        }
    }

    /// Talks and listens until all is over.
    pub async fn run(mut self) -> Heard {
        while !self.over() {
            if let Ok(stream) = self.connection().await {
                stream.close().await;
            } else {
                self.broken = Instant::now();
                pause().await;
            }
        }
        self.heard
    }

    fn over(&self) -> bool {
        self.shared.over.load(Ordering::SeqCst)
    }

    /// One connection, until it breaks or all is over.
    async fn connection(&mut self) -> Result<Stream, Broken> {
        let roads = &self.company.roads;
        let opened = Stream::open(roads[self.road % roads.len()], &self.name, &self.password).await;
        // Who finds nobody there tries the next one.
        self.road += usize::from(opened.is_err());
        let mut stream = opened?;
        self.sent = 0;
        if !self.resumed(&mut stream).await? {
            self.anew(&mut stream).await?;
        }
        self.flush(&mut stream).await?;
        self.catch_up(&mut stream).await?;
        if !std::mem::replace(&mut self.joined, true) {
            self.shared.joined.fetch_add(1, Ordering::SeqCst);
        }
        while !self.over() {
            self.talk(&mut stream).await?;
            if let Ok(element) = timeout(LOOK, stream.next()).await {
                self.take(&mut stream, &element?).await?;
            }
            self.look();
        }
        Ok(stream)
    }

    async fn resumed(&mut self, stream: &mut Stream) -> Result<bool, Broken> {
        if chance(ANEW) == 0 {
            self.resume = None;
        }
        let Some(id) = &self.resume else { return Ok(false) };
        let Ok(count) = stream.resume(id, self.handled).await? else { return Ok(false) };
        self.acknowledge(count);
        Ok(true)
    }

    /// A new stream, on which all that nobody acknowledged is said again.
    async fn anew(&mut self, stream: &mut Stream) -> Result<(), Broken> {
        self.resume = None;
        self.waiting.retain(|stanza| stanza.starts_with("<message"));
        let id = stream.bind().await?;
        (self.resume, self.handled, self.acknowledged) = (Some(id), 0, 0);
        self.heard.new_stream(self.broken);
        let join = format!(
            "<presence to='{}/x'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>",
            self.company.room
        );
        self.waiting.push_front(join);
        self.waiting.push_front("<presence/>".to_owned());
        Ok(())
    }

    /// Sends what waits.
    async fn flush(&mut self, stream: &mut Stream) -> Result<(), Broken> {
        if self.sent == self.waiting.len() {
            return Ok(());
        }
        for stanza in self.waiting.iter().skip(self.sent) {
            stream.send(stanza).await?;
        }
        self.sent = self.waiting.len();
        stream.send(&format!("<r xmlns='{SM}'/>")).await
    }

    /// Asks the archive of the room for what came before the stream; what comes live meanwhile is kept behind it.
    async fn catch_up(&mut self, stream: &mut Stream) -> Result<(), Broken> {
        while self.heard.behind {
            self.queries += 1;
            let id = format!("q{}", self.queries);
            self.waiting.push_back(heard::query(&self.company.room, &id, PAGE, self.heard.last_of_room()));
            self.flush(stream).await?;
            self.heard.asked(&id);
            while !self.heard.answered() {
                let element = stream.next().await?;
                self.take(stream, &element).await?;
            }
        }
        Ok(())
    }

    /// Says the next, if there is room for it.
    async fn talk(&mut self, stream: &mut Stream) -> Result<(), Broken> {
        let size = self.shared.size;
        if self.shared.joined.load(Ordering::SeqCst) < size.clients {
            return Ok(());
        }
        while self.made < size.each && self.waiting.len() < WINDOW {
            let (number, made) = (self.heard.number, self.made);
            let (to, kind) =
                if made.is_multiple_of(2) { (&self.company.room, "groupchat") } else { (&self.partner, "chat") };
            self.waiting.push_back(format!(
                "<message to='{to}' type='{kind}' id='loss-{number}-{made}'><body>{number} {made}</body></message>"
            ));
            self.made += 1;
        }
        self.flush(stream).await
    }

    async fn take(&mut self, stream: &mut Stream, element: &Element) -> Result<(), Broken> {
        if chance(CUTS) == 0 {
            return Err(Broken);
        }
        if element.is("r", SM) {
            stream.send(&format!("<a xmlns='{SM}' h='{}'/>", self.handled)).await?;
            self.heard.acknowledged();
        } else if element.is("a", SM) {
            self.acknowledge(count(element));
        } else if element.has_ns(CLIENT) {
            self.handled += 1;
            let new = self.heard.take(element);
            self.shared.progress.fetch_add(new, Ordering::SeqCst);
        }
        Ok(())
    }

    /// The server has so many stanzas of this stream.
    fn acknowledge(&mut self, count: u32) {
        while self.acknowledged < count {
            let Some(stanza) = self.waiting.pop_front() else {
                self.heard.wrong.push(format!("acknowledged {count}, and only {} were sent", self.acknowledged));
                return;
            };
            self.acknowledged += 1;
            self.sent = self.sent.saturating_sub(1);
            self.shared.progress.fetch_add(usize::from(stanza.starts_with("<message")), Ordering::SeqCst);
        }
    }

    /// Whether all was said and heard.
    fn look(&mut self) {
        let size = self.shared.size;
        let said = self.made == size.each && self.waiting.is_empty();
        if said && !self.complete && self.heard.all_of(size) {
            self.complete = true;
            self.shared.complete.fetch_add(1, Ordering::SeqCst);
        }
    }
}
