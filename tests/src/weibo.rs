//! A stand-in for Sina Weibo on loopback: the two paths of its API that signing in asks (seed §2.1), and the two for posts (§3, §29.1).

mod request;

use std::{
    collections::{HashMap, VecDeque},
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use self::request::Request;

/// The app that it knows.
pub const APP: (&str, &str) = ("app key", "app secret");

/// Seconds that its tokens hold: as in the document's example.
pub const EXPIRES_IN: i64 = 75_693;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Well,
    /// 502 to everything.
    Down,
    /// It gives tokens and does not say whose profile it is.
    Half,
    /// 200 and a page.
    Garbage,
    /// The connection is closed without an answer.
    Silent,
}

/// How one post is answered, out of the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// 503: nothing is posted.
    Busy,
    /// That `error_code`: nothing is posted.
    Refused(u32),
    /// It is posted, and the connection is closed without an answer.
    AnswerLost,
    /// So many seconds pass before anything is said, and nothing is posted.
    Slow(u64),
}

/// A post as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// In whose name.
    pub token: String,
    /// Its text.
    pub text: String,
    /// The file's name, media type and bytes.
    pub picture: Option<(String, String, Vec<u8>)>,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    /// Codes that were not yet exchanged, and the uids that they stand for.
    codes: HashMap<String, u64>,
    tokens: HashMap<String, u64>,
    people: HashMap<u64, (String, String)>,
    given: u32,
    /// Seconds that tokens hold that are given from now on.
    expires_in: i64,
    redirects: Vec<String>,
    posts: Vec<Post>,
    /// Posts that were asked for, made or not.
    tries: usize,
    /// For the posts that come next.
    troubles: VecDeque<Trouble>,
}

/// It, as long as the process runs.
#[derive(Debug, Clone)]
pub struct StandIn {
    at: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    /// Listens on a free port.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let at = listener.local_addr().expect("it is bound");
        let state = State {
            mood: Mood::Well,
            codes: HashMap::new(),
            tokens: HashMap::new(),
            people: HashMap::new(),
            given: 0,
            expires_in: EXPIRES_IN,
            redirects: Vec::new(),
            posts: Vec::new(),
            tries: 0,
            troubles: VecDeque::new(),
        };
        let weibo = Self { at, state: Arc::new(Mutex::new(state)) };
        let serving = weibo.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let one = serving.clone();
                thread::spawn(move || one.answer(&stream));
            }
        });
        weibo
    }

    /// Where it is.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.at)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it answers so.
    pub fn mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Somebody with an account there (`gender` as Weibo has it: m, f or n) allows the app: a code that works once.
    #[must_use]
    pub fn code(&self, uid: u64, name: &str, gender: &str) -> String {
        let mut state = self.state();
        state.given += 1;
        let code = format!("code-{}-{uid}", state.given);
        state.codes.insert(code.clone(), uid);
        state.people.insert(uid, (name.to_owned(), gender.to_owned()));
        code
    }

    /// The `redirect_uri`s that were sent with codes.
    #[must_use]
    pub fn redirects(&self) -> Vec<String> {
        self.state().redirects.clone()
    }

    /// Tokens that are given from now on hold for so many seconds.
    pub fn expires_in(&self, seconds: i64) {
        self.state().expires_in = seconds;
    }

    /// The posts that were made, the oldest first.
    #[must_use]
    pub fn posts(&self) -> Vec<Post> {
        self.state().posts.clone()
    }

    /// How often a post was asked for, made or not.
    #[must_use]
    pub fn tries(&self) -> usize {
        self.state().tries
    }

    /// The posts that come next meet these, one after the other.
    pub fn troubles(&self, next: &[Trouble]) {
        self.state().troubles.extend(next);
    }

    fn answer(&self, stream: &TcpStream) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        let Ok(request) = request::read(stream) else { return };
        let mood = self.state().mood;
        let (status, body) = match mood {
            Mood::Silent => return,
            Mood::Down => (502, "<html>bad gateway</html>".to_owned()),
            Mood::Garbage => (200, "<html>welcome</html>".to_owned()),
            mood => {
                let Some((status, body)) = self.told(mood, &request) else { return };
                (status, body.to_string())
            }
        };
        let head =
            format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n", body.len());
        let mut to = stream;
        let _ = to.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes());
    }

    /// None where the connection is closed instead.
    fn told(&self, mood: Mood, request: &Request) -> Option<(u16, Value)> {
        if let "/2/statuses/update.json" | "/2/statuses/upload.json" = request.path.as_str() {
            return self.posted(request);
        }
        let given = |name: &str| request.given(name);
        let mut state = self.state();
        Some(match request.path.as_str() {
            "/oauth2/access_token" => {
                let app = (given("client_id"), given("client_secret"));
                if app != APP || given("grant_type") != "authorization_code" {
                    return Some((401, json!({ "error": "invalid_client", "error_code": 21324 })));
                }
                let Some(uid) = state.codes.remove(given("code")) else {
                    return Some((400, json!({ "error": "invalid_grant", "error_code": 21325 })));
                };
                state.redirects.push(given("redirect_uri").to_owned());
                let token = format!("2.00-token-{}-{uid}", state.given);
                state.tokens.insert(token.clone(), uid);
                let held = state.expires_in;
                let told = json!({ "access_token": token, "remind_in": held.to_string(), "expires_in": held, "uid": uid.to_string() });
                (200, told)
            }
            "/2/users/show.json" if mood == Mood::Well => {
                let uid = state.tokens.get(given("access_token")).copied();
                match uid
                    .filter(|uid| uid.to_string() == given("uid"))
                    .and_then(|uid| Some((uid, state.people.get(&uid)?)))
                {
                    Some((uid, (name, gender))) => {
                        (200, json!({ "id": uid, "screen_name": name, "name": name, "gender": gender }))
                    }
                    None => (400, json!({ "error": "expired_token", "error_code": 21327 })),
                }
            }
            _ => (503, json!({ "error": "system busy" })),
        })
    }

    fn posted(&self, request: &Request) -> Option<(u16, Value)> {
        let mut state = self.state();
        state.tries += 1;
        let trouble = state.troubles.pop_front();
        let refused = |code: u32| Some((400, json!({ "error": request.given("status"), "error_code": code })));
        match trouble {
            Some(Trouble::Busy) => return Some((503, json!({ "error": "system busy", "error_code": 10_002 }))),
            Some(Trouble::Refused(code)) => return refused(code),
            Some(Trouble::Slow(seconds)) => {
                drop(state);
                thread::sleep(Duration::from_secs(seconds));
                return None;
            }
            Some(Trouble::AnswerLost) | None => {}
        }
        let (token, text) = (request.given("access_token").to_owned(), request.given("status").to_owned());
        if !state.tokens.contains_key(&token) {
            return refused(21_332);
        }
        // 140 characters, of which two of ASCII are one.
        let length: usize = text.chars().map(|one| if one.is_ascii() { 1 } else { 2 }).sum();
        if text.is_empty() || length > 280 {
            return refused(20_012);
        }
        if request.path.ends_with("upload.json") != request.picture.is_some() {
            return refused(20_007);
        }
        if state.posts.iter().any(|post| post.token == token && post.text == text) {
            return refused(20_019);
        }
        state.posts.push(Post { token, text, picture: request.picture.clone() });
        let told = json!({ "id": state.posts.len(), "text": request.given("status") });
        (trouble != Some(Trouble::AnswerLost)).then_some((200, told))
    }
}
