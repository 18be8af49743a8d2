//! Phones that upload pictures while things are killed, and what the log, the objects and the phones must say of them afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use dface_tests::{
    Answer, Phone, Server, dface,
    pictures::{encoded, id_of, with_file},
};
use image::{ImageFormat, Rgb, RgbImage};
use reqwest::{Method, blocking::RequestBuilder};
use serde_json::{Value, json};

const PEOPLE: usize = 4;
const HERE: (f64, f64) = (30.286_91, 120.127_63);
/// Between two uploads of a phone.
const PACE: Duration = Duration::from_millis(150);
/// Nothing that must end takes longer, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// An upload; all of it follows from its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    person: usize,
    number: u32,
}

impl Sent {
    const fn to_room(self) -> bool {
        self.number.is_multiple_of(2)
    }

    /// Where no answer comes, it is sent again. One without a key stays as it was: cut off anywhere.
    const fn has_key(self) -> bool {
        !self.number.is_multiple_of(3)
    }

    const fn undecodable(self) -> bool {
        self.number.is_multiple_of(5)
    }

    /// No two are the same.
    fn file(self) -> Vec<u8> {
        let [_, r, g, b] = self.number.to_be_bytes();
        let picture = RgbImage::from_fn(32, 24, |x, y| if x < y { Rgb([r, g, b]) } else { Rgb([b, r, 90]) });
        let mut file = encoded(&picture.into(), ImageFormat::Png);
        if self.undecodable() {
            // A PNG whose head is good and whose data is none.
            let data = file.windows(4).position(|name| name == b"IDAT").expect("data");
            file.truncate(data + 8);
            file.extend_from_slice(&[0x5a; 200]);
            file.extend_from_slice(&self.number.to_be_bytes());
        }
        file
    }

    const fn show(self) -> &'static str {
        if self.to_room() { "/photos/show" } else { "/user_logos/show" }
    }
}

/// What phones know.
#[derive(Default)]
struct Known {
    /// By the ids in the answers.
    accepted: BTreeMap<String, Sent>,
    /// No answer came.
    unanswered: Vec<Sent>,
    /// No answer came, and they were not sent again: they may be there or not.
    given_up: usize,
}

/// Phones that upload to their albums and to a room.
pub struct Uploads {
    phones: Vec<Phone>,
    shop: u64,
    next: AtomicU32,
    known: Mutex<Known>,
}

/// From when on phones send nothing more, and need not get an answer.
pub struct Over<'a>(&'a AtomicBool);

impl Over<'_> {
    pub fn now(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.now();
    }
}

impl Uploads {
    pub fn prepare(server: &mut Server) -> Self {
        let phones = (0..PEOPLE).map(|n| server.person(&format!("person {n}"), 1)).collect();
        let shop = server.operator().add_shop("海洋:二所", HERE);
        Self { phones, shop, next: AtomicU32::new(1), known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many were answered with 200.
    pub fn accepted(&self) -> usize {
        self.known().accepted.len()
    }

    /// Waits until so many more were accepted.
    pub fn more(&self, count: usize) {
        let (begun, goal) = (Instant::now(), self.accepted() + count);
        while self.accepted() < goal {
            assert!(begun.elapsed() < PATIENCE, "uploads are not taken any more");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn request(&self, sent: Sent) -> RequestBuilder {
        let (path, field) = if sent.to_room() { ("/photos", "photo[img]") } else { ("/user_logos", "user_logo[img]") };
        let room = self.shop.to_string();
        let fields: &[(&str, &str)] = if sent.to_room() { &[("photo[room]", &room)] } else { &[] };
        let request = self.phones[sent.person].request(Method::POST, path);
        let request = if sent.has_key() { request.header("idempotency-key", sent.number.to_string()) } else { request };
        with_file(request, field, sent.file(), fields)
    }

    #[track_caller]
    fn accept(&self, sent: Sent, answer: &Answer) {
        let before = self.known().accepted.insert(id_of(&answer.ok()), sent);
        assert_eq!(before, None, "another upload has this id: {answer}");
    }

    fn upload(&self, person: usize, over: &AtomicBool) {
        while !over.load(Ordering::Acquire) {
            let sent = Sent { person, number: self.next.fetch_add(1, Ordering::Relaxed) };
            match Answer::try_to(self.request(sent)) {
                Ok(answer) => self.accept(sent, &answer),
                Err(broken) => {
                    assert!(over.load(Ordering::Acquire), "a connection broke: {broken}");
                    return self.known().unanswered.push(sent);
                }
            }
            thread::sleep(PACE);
        }
    }

    /// Lets all phones upload while `fire` runs; each must be answered 200 until it says that it is over.
    pub fn during<T>(&self, fire: impl FnOnce(&Over<'_>) -> T) -> T {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for person in 0..PEOPLE {
                let over = &over;
                scope.spawn(move || self.upload(person, over));
            }
            // A panic ends the uploads too.
            fire(&Over(&over))
        })
    }

    /// Sends what was not answered again, where it has a key.
    pub fn repeat(&self) {
        let unanswered = std::mem::take(&mut self.known().unanswered);
        for sent in unanswered {
            if sent.has_key() {
                let answer = Answer::to(self.request(sent));
                assert_eq!(Answer::to(self.request(sent)).ok(), answer.ok(), "a repeat answers as the first did");
                self.accept(sent, &answer);
            } else {
                self.known().given_up += 1;
            }
        }
    }

    /// Waits until every picture has come to its end, and looks that each came to the right one, once.
    pub fn check(&self, server: &Server) {
        let (operator, begun) = (server.operator(), Instant::now());
        let told = loop {
            let told = Told::of(server);
            let jobs = operator.get("/admin/jobs").ok();
            if jobs == json!([]) && told.is_over() {
                break told;
            }
            assert!(begun.elapsed() < PATIENCE, "these jobs do not end: {jobs}");
            thread::sleep(Duration::from_millis(300));
        };
        told.right(&self.known(), &format!("r{}", self.shop));
    }

    /// Looks that phones get what they are to get of each accepted picture.
    pub fn shown(&self, server: &Server) {
        let accepted = self.known().accepted.clone();
        for (id, sent) in &accepted {
            let phone = &self.phones[sent.person];
            let sizes: &[u8] = if sent.to_room() { &[0, 2] } else { &[0, 1, 2] };
            for size in sizes {
                let answer = phone.get(sent.show(), &[("id", id), ("size", size)]);
                if sent.undecodable() {
                    answer.refused(422, "undecodable");
                } else {
                    assert_eq!(answer.status, 302, "{answer}");
                    let file = server.request(Method::GET, answer.header("location")).send().unwrap();
                    assert_eq!(file.status(), 200, "{answer}");
                    assert!(!file.bytes().unwrap().is_empty(), "{answer}");
                }
            }
        }
    }

    /// Starts the server with little patience for objects that nothing needs, and looks that those alone are gone.
    pub fn cleaned(&self, server: &mut Server) {
        server.stop();
        let settings = [("CLEANING__ORPHAN_AFTER_S", "1"), ("CLEANING__EVERY_S", "1")];
        settings.iter().for_each(|(key, value)| server.set(key, value));
        server.start_again();
        let (needed, begun) = (Told::of(server).objects, Instant::now());
        while stored(server) != needed {
            let (there, patience) = (stored(server), Duration::from_secs(30));
            let (orphans, missing) = (there.difference(&needed).count(), needed.difference(&there).count());
            assert!(missing == 0 && begun.elapsed() < patience, "{orphans} orphans, {missing} missing objects");
            thread::sleep(Duration::from_millis(200));
        }
        let settings = settings.map(|(key, value)| (format!("DFACE_{key}"), value));
        let settings: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        let found = dface(server.dir(), &settings, &["doctor", "--verify"]).ended(0);
        let objects = found.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let objects = objects.into_iter().find(|finding| finding["check"] == "objects").expect("it looks at objects");
        assert_eq!(objects["state"], "ok", "{objects}");
        self.check(server);
        self.shown(server);
    }
}

/// The names of all stored objects.
fn stored(server: &Server) -> BTreeSet<String> {
    let folders = fs::read_dir(server.dir().join("objects")).unwrap().map(Result::unwrap);
    let folders = folders.filter(|folder| folder.file_name() != "unfinished" && folder.path().is_dir());
    let names = |folder: fs::DirEntry| fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
    folders.flat_map(names).map(|name| name.to_string_lossy().into_owned()).collect()
}

/// What the log says of pictures.
#[derive(Default)]
struct Told {
    /// By id: how often it was uploaded, and whether to a room.
    uploaded: BTreeMap<String, (usize, bool)>,
    /// By id: the types of the events that ended it.
    ended: BTreeMap<String, Vec<String>>,
    /// Conversations and texts.
    messages: Vec<(String, String)>,
    /// Of processed pictures.
    objects: BTreeSet<String>,
}

impl Told {
    fn of(server: &Server) -> Self {
        let types = ["PhotoUploaded", "PhotoProcessed", "PhotoFailed", "MessageSent"];
        let types = types.iter().flat_map(|name| ["--type", name]);
        let args: Vec<&str> = ["replay", "--profile", "full"].into_iter().chain(types).chain(["--out"]).collect();
        let out = server.dir().join("../replayed.ndjson");
        let _ = fs::remove_file(&out);
        let args: Vec<&std::ffi::OsStr> = args.iter().map(|arg| (*arg).as_ref()).chain([out.as_os_str()]).collect();
        dface(server.dir(), &[], &args).ended(0);
        let mut told = Self::default();
        for line in fs::read_to_string(&out).unwrap().lines() {
            told.apply(&serde_json::from_str(line).unwrap());
        }
        told
    }

    fn apply(&mut self, event: &Value) {
        let (kind, data) = (event["type"].as_str().unwrap(), &event["data"]);
        let text = |name: &str| data[name].as_str().map(str::to_owned).unwrap_or_default();
        match kind {
            "PhotoUploaded" => {
                let uploaded = self.uploaded.entry(text("photo")).or_default();
                *uploaded = (uploaded.0 + 1, !data["room"].is_null());
            }
            "MessageSent" => self.messages.push((text("conversation"), text("body"))),
            _ => self.ended.entry(text("photo")).or_default().push(kind.to_owned()),
        }
        if kind == "PhotoProcessed" {
            let files = data["files"].as_object().expect("files");
            self.objects.extend(files.values().filter_map(|key| key.as_str().map(str::to_owned)));
        }
    }

    fn to_room(&self) -> usize {
        self.uploaded.values().filter(|(_, room)| *room).count()
    }

    fn is_over(&self) -> bool {
        self.ended.len() >= self.uploaded.len() && self.messages.len() >= self.to_room()
    }

    #[track_caller]
    fn right(&self, known: &Known, room: &str) {
        for (id, sent) in &known.accepted {
            let (times, to_room) = self.uploaded.get(id).copied().unwrap_or_default();
            assert_eq!((times, to_room), (1, sent.to_room()), "{id} of {sent:?} was accepted");
            let end = if sent.undecodable() { "PhotoFailed" } else { "PhotoProcessed" };
            assert_eq!(self.ended.get(id).map(Vec::as_slice), Some([end.to_owned()].as_slice()), "{id} of {sent:?}");
        }
        let more = self.uploaded.len() - known.accepted.len();
        assert!(more <= known.given_up, "{more} uploads that nobody sent");
        assert!(self.uploaded.values().all(|(times, _)| *times == 1), "uploaded twice: {:?}", self.uploaded);
        assert!(self.ended.values().all(|ends| ends.len() == 1), "ended twice: {:?}", self.ended);
        assert!(self.ended.keys().eq(self.uploaded.keys()), "what was not uploaded ended");
        let expected = self.uploaded.iter().filter(|(_, (_, room))| *room);
        let expected: BTreeSet<_> = expected.map(|(id, _)| (room.to_owned(), format!("[img:{id}]"))).collect();
        assert_eq!(self.messages.iter().cloned().collect::<BTreeSet<_>>(), expected, "a message for each in the room");
        assert_eq!(self.messages.len(), expected.len(), "no message twice");
    }
}
