//! What came to a client, and in which order.

use std::{collections::HashSet, time::Instant};

use minidom::Element;

use super::Size;
use crate::xmpp::CLIENT;

pub const MAM: &str = "urn:xmpp:mam:2";
const SID: &str = "urn:xmpp:sid:0";
const RSM: &str = "http://jabber.org/protocol/rsm";
const FORWARD: &str = "urn:xmpp:forward:0";

/// A message by its stable id, and its body: the sender's number and the message's.
pub type Said = (String, String);

/// A message from another client alone.
#[derive(Debug)]
pub struct Direct {
    pub said: Said,
    /// On which bound stream it came: one that is resumed is the same.
    pub stream: usize,
    /// When the client acknowledged it.
    pub acknowledged: Option<Instant>,
}

#[derive(Debug)]
pub struct Heard {
    pub number: usize,
    /// What was said in the room.
    pub room: Vec<Said>,
    pub direct: Vec<Direct>,
    /// When each bound stream was over, from the first on; the one before the first never was.
    pub ended: Vec<Instant>,
    /// What may not be.
    pub wrong: Vec<String>,
    /// Whether the archive was not asked yet for what came before the stream.
    pub behind: bool,
    /// Stable ids of `room` and of `direct`.
    in_room: HashSet<String>,
    /// Came from the archive on this stream: what was just said may come live too, once, since the archive may be ahead.
    archived: HashSet<String>,
    in_direct: HashSet<String>,
    /// Came in the room while the archive was asked.
    live: Vec<Said>,
    query: String,
    results: Vec<Said>,
}

impl Heard {
    pub fn of(number: usize) -> Self {
        Self {
            number,
            room: Vec::new(),
            direct: Vec::new(),
            ended: Vec::new(),
            wrong: Vec::new(),
            behind: true,
            in_room: HashSet::new(),
            archived: HashSet::new(),
            in_direct: HashSet::new(),
            live: Vec::new(),
            query: String::new(),
            results: Vec::new(),
        }
    }

    /// Whether all that was to come is here.
    pub fn all_of(&self, size: Size) -> bool {
        self.room.len() >= size.in_room() && self.in_direct.len() >= size.to_each()
    }

    /// A stream was bound anew; the one before broke then.
    pub fn new_stream(&mut self, broken: Instant) {
        self.ended.push(broken);
        self.behind = true;
        self.live.clear();
        self.archived.clear();
        self.query.clear();
    }

    pub fn last_of_room(&self) -> Option<&str> {
        self.room.last().map(|(id, _)| id.as_str())
    }

    /// The archive was asked.
    pub fn asked(&mut self, query: &str) {
        query.clone_into(&mut self.query);
        self.results.clear();
    }

    /// Whether it answered.
    pub const fn answered(&self) -> bool {
        self.query.is_empty()
    }

    /// All that came until now was acknowledged to the server.
    pub fn acknowledged(&mut self) {
        let now = Instant::now();
        for direct in self.direct.iter_mut().rev().take_while(|direct| direct.acknowledged.is_none()) {
            direct.acknowledged = Some(now);
        }
    }

    /// Takes a stanza; how many messages came with it.
    pub fn take(&mut self, stanza: &Element) -> usize {
        if stanza.attr("type") == Some("error") {
            self.wrong.push(String::from(stanza));
        }
        if let Some(fin) = stanza.get_child("fin", MAM).filter(|_| stanza.attr("id") == Some(&*self.query)) {
            return self.fin(fin.attr("complete") == Some("true"));
        }
        if stanza.name() != "message" {
            return 0;
        }
        if let Some(result) = stanza.get_child("result", MAM) {
            if result.attr("queryid") == Some(&*self.query) {
                self.results.extend(archived(result));
            }
            return 0;
        }
        let Some(body) = stanza.get_child("body", CLIENT).map(Element::text) else { return 0 };
        let Some(id) = stanza.get_child("stanza-id", SID).and_then(|id| id.attr("id")) else {
            self.wrong.push(format!("without a stable id: {}", String::from(stanza)));
            return 0;
        };
        let said = (id.to_owned(), body);
        match (stanza.attr("type"), self.behind) {
            (Some("groupchat"), true) => {
                self.live.push(said);
                0
            }
            (Some("groupchat"), false) if self.archived.remove(&said.0) => 0,
            (Some("groupchat"), false) => self.in_the_room(said),
            _ => self.directly(said),
        }
    }

    fn in_the_room(&mut self, said: Said) -> usize {
        if self.in_room.insert(said.0.clone()) {
            self.room.push(said);
            1
        } else {
            self.wrong.push(format!("came twice in the room: {said:?}"));
            0
        }
    }

    fn directly(&mut self, said: Said) -> usize {
        let new = self.in_direct.insert(said.0.clone());
        self.direct.push(Direct { said, stream: self.ended.len(), acknowledged: None });
        usize::from(new)
    }

    /// A page of the archive is here.
    fn fin(&mut self, complete: bool) -> usize {
        self.query.clear();
        let mut new = 0;
        for said in std::mem::take(&mut self.results) {
            self.archived.insert(said.0.clone());
            new += self.in_the_room(said);
        }
        if complete {
            self.behind = false;
            for said in std::mem::take(&mut self.live) {
                if !self.archived.remove(&said.0) {
                    new += self.in_the_room(said);
                }
            }
        }
        new
    }
}

/// Asks for the next page of somebody's archive, or one's own.
pub fn query(room: &str, id: &str, page: usize, after: Option<&str>) -> String {
    let after = after.map(|after| format!("<after>{after}</after>")).unwrap_or_default();
    format!(
        "<iq type='set' id='{id}' to='{room}'><query xmlns='{MAM}' queryid='{id}'>\
         <set xmlns='{RSM}'><max>{page}</max>{after}</set></query></iq>"
    )
}

/// What a result of the archive holds.
pub fn archived(result: &Element) -> Option<Said> {
    let message = result.get_child("forwarded", FORWARD)?.get_child("message", CLIENT)?;
    Some((result.attr("id")?.to_owned(), message.get_child("body", CLIENT)?.text()))
}
