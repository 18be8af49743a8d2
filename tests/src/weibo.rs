//! A stand-in for Sina Weibo on loopback: the two paths of its API that signing in asks (seed §2.1).

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

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

#[derive(Debug)]
struct State {
    mood: Mood,
    /// Codes that were not yet exchanged, and the uids that they stand for.
    codes: HashMap<String, u64>,
    tokens: HashMap<String, u64>,
    people: HashMap<u64, (String, String)>,
    given: u32,
    redirects: Vec<String>,
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
            redirects: Vec::new(),
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

    fn answer(&self, stream: &TcpStream) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        let Ok((path, given)) = read_request(stream) else { return };
        let mood = self.state().mood;
        let (status, body) = match mood {
            Mood::Silent => return,
            Mood::Down => (502, "<html>bad gateway</html>".to_owned()),
            Mood::Garbage => (200, "<html>welcome</html>".to_owned()),
            mood => {
                let (status, body) = self.told(mood, &path, &given);
                (status, body.to_string())
            }
        };
        let head =
            format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n", body.len());
        let mut to = stream;
        let _ = to.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes());
    }

    fn told(&self, mood: Mood, path: &str, given: &HashMap<String, String>) -> (u16, Value) {
        let given = |name: &str| given.get(name).map(String::as_str).unwrap_or_default();
        let mut state = self.state();
        match path {
            "/oauth2/access_token" => {
                let app = (given("client_id"), given("client_secret"));
                if app != APP || given("grant_type") != "authorization_code" {
                    return (401, json!({ "error": "invalid_client", "error_code": 21324 }));
                }
                let Some(uid) = state.codes.remove(given("code")) else {
                    return (400, json!({ "error": "invalid_grant", "error_code": 21325 }));
                };
                state.redirects.push(given("redirect_uri").to_owned());
                let token = format!("2.00-token-{}-{uid}", state.given);
                state.tokens.insert(token.clone(), uid);
                let told = json!({ "access_token": token, "remind_in": EXPIRES_IN.to_string(), "expires_in": EXPIRES_IN, "uid": uid.to_string() });
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
        }
    }
}

/// The path, and the parameters of query and form.
fn read_request(stream: &TcpStream) -> io::Result<(String, HashMap<String, String>)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        if header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut given = HashMap::new();
    for text in [query, &String::from_utf8_lossy(&body)] {
        let address = reqwest::Url::parse(&format!("http://localhost/?{text}")).map_err(io::Error::other)?;
        given.extend(address.query_pairs().into_owned());
    }
    Ok((path.to_owned(), given))
}
