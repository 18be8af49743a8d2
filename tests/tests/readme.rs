//! The shell blocks of the documents do what the documents say.
//!
//! A block that begins with "```sh try" is run, in the order of the page, by one bash beside a server with the demo's
//! data; "```python try" by Python with slixmpp, "```js try" by Node with @xmpp/client and strophe.js. A "```json" block after it is its answer. Ids (also in paths), dates and passwords of the answer are compared by their shape,
//! everything else as it stands. A list that the page cuts short ends with `…`.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// Parts the outputs of two blocks.
const PART: &str = "\u{1e}";

/// A block and what the page says it prints.
struct Step {
    commands: String,
    answer: Option<String>,
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = page.lines();
    // Whether the fence before was a step's.
    let mut open = false;
    while let Some(line) = lines.next() {
        let Some(language) = line.trim().strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
        let text = block.join("\n");
        let commands = match language {
            "sh try" => Some(text.clone()),
            "python try" => Some(format!("slixmpp-python - <<'THE_END'\n{text}\nTHE_END")),
            "js try" => Some(format!("xmpp-node /dev/stdin <<'THE_END'\n{text}\nTHE_END")),
            _ => None,
        };
        if language == "json" && open {
            steps.last_mut().expect("a step is open").answer = Some(text);
        }
        open = commands.is_some();
        steps.extend(commands.map(|commands| Step { commands, answer: None }));
    }
    steps
}

/// The binary lies beside the folder of the tests.
fn dface() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    let folder = test.parent().and_then(Path::parent).expect("tests lie in `deps`");
    folder.join("dface")
}

struct Server {
    child: Child,
    http: String,
    admin: String,
    xmpp: String,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let log = fs::File::create(dir.join("log")).expect("the folder can be written");
        let mut child = Command::new(dface())
            .args(["serve", "--demo", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .envs([("DFACE_LISTEN__XMPP", "127.0.0.1:0"), ("DFACE_LISTEN__XMPP_API", "127.0.0.1:0")])
            .env("DFACE_LISTEN__MQTT", "127.0.0.1:0")
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("dface is built beside the tests");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it prints UTF-8");
        let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no ready line but {line:?}; {log}"));
        let at = |key: &str| ready[key].as_str().expect("an address").to_owned();
        Self { child, http: at("http"), admin: at("admin"), xmpp: at("xmpp") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs all steps in one shell; what each printed.
fn run(steps: &[Step], dir: &Path, server: &Server) -> Vec<String> {
    let blocks: Vec<String> = steps.iter().map(|step| format!("{}\nprintf '{PART}'\n", step.commands)).collect();
    let script = format!("set -euo pipefail\n{}", blocks.concat())
        .replace("127.0.0.1:8080", &server.http)
        .replace("127.0.0.1:8081", &server.admin)
        .replace("\"127.0.0.1\", 5222", &server.xmpp.replace("127.0.0.1:", "\"127.0.0.1\", "))
        .replace("target/release/dface", &dface().display().to_string());
    let out = Command::new("bash").arg("-c").arg(&script).current_dir(dir).output().expect("there is a bash");
    let printed = String::from_utf8(out.stdout).expect("answers are UTF-8");
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "the commands of the page fail: {errors}\n{printed}\nThey were:\n{script}");
    printed.split(PART).take(steps.len()).map(str::to_owned).collect()
}

/// Ids, passwords and times differ from run to run.
fn varies(text: &str) -> bool {
    let is_id = matches!(text.len(), 16 | 24) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_time = text.len() >= 5
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || "-:.TZ ".contains(c));
    is_id || is_time
}

/// Ids inside a URL vary too.
fn without_ids(text: &str) -> String {
    let runs = text.split_inclusive(|c: char| !c.is_ascii_hexdigit());
    let masked = runs.map(|run| {
        let id = run.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        if id.len() == 24 { run.replacen(id, "id", 1) } else { run.to_owned() }
    });
    masked.collect()
}

fn shape(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_hexdigit() { 'x' } else { c }).collect()
}

/// Where the two differ, by the path in the document.
fn difference(said: &Value, got: &Value, path: &str) -> Option<String> {
    match (said, got) {
        (Value::Object(said), Value::Object(got)) => {
            let (one, other): (Vec<_>, Vec<_>) = (said.keys().collect(), got.keys().collect());
            if one != other {
                return Some(format!("{path}: fields {one:?}, not {other:?}"));
            }
            said.iter().find_map(|(key, value)| difference(value, &got[key], &format!("{path}.{key}")))
        }
        (Value::Array(said), Value::Array(got)) => {
            let (shown, is_cut) = match said.split_last() {
                Some((last, before)) if *last == "…" => (before, true),
                _ => (said.as_slice(), false),
            };
            if got.len() < shown.len() || is_cut != (got.len() > shown.len()) {
                let more = if is_cut { " and more" } else { "" };
                return Some(format!("{path}: {}{more}, not {}", shown.len(), got.len()));
            }
            let mut pairs = shown.iter().zip(got).enumerate();
            pairs.find_map(|(index, (one, other))| difference(one, other, &format!("{path}[{index}]")))
        }
        (Value::String(said), Value::String(got)) if varies(said) => {
            (shape(said) != shape(got)).then(|| format!("{path}: like {said:?}, not {got:?}"))
        }
        (Value::String(said), Value::String(got)) if without_ids(said) == without_ids(got) => None,
        _ => (said != got).then(|| format!("{path}: {said}, not {got}")),
    }
}

/// An answer as the page prints it: wrapped as it likes, a list perhaps cut short. One line each, or one document.
fn documents(text: &str) -> Vec<Value> {
    let whole = text.replace("…]", "\"…\"]");
    let stream = serde_json::Deserializer::from_str(&whole).into_iter::<Value>();
    stream.map(|one| one.unwrap_or_else(|error| panic!("this is not JSON ({error}): {text}"))).collect()
}

fn holds(page: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository");
    let text = fs::read_to_string(root.join(page)).expect("the page is there");
    let steps = steps(&text);
    assert!(!steps.is_empty(), "{page} has no block to try");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{}", page.replace('/', "-"), std::process::id()));
    fs::create_dir_all(&dir).expect("the target folder can be written");
    let server = Server::start(&dir);
    let printed = run(&steps, &dir, &server);
    drop(server);
    fs::remove_dir_all(&dir).expect("the server has stopped");
    for (step, got) in steps.iter().zip(&printed) {
        let Some(said) = &step.answer else { continue };
        let (said_values, got_values) = (documents(said), documents(got));
        let differs = difference(&Value::Array(said_values), &Value::Array(got_values), "");
        assert!(
            differs.is_none(),
            "{page}: {}\n\n{}\n\nThe page says:\n{said}\n\nIt answers:\n{got}\n",
            differs.unwrap_or_default(),
            step.commands
        );
    }
}

#[test]
fn the_readme() {
    holds("README.md");
}

#[test]
fn the_page_for_app_developers() {
    holds("docs/http.md");
}

#[test]
fn the_page_of_chat() {
    holds("docs/chat.md");
}

#[test]
fn the_page_for_operators() {
    holds("docs/operators.md");
}

#[test]
fn a_block_belongs_to_the_answer_right_after_it() {
    let steps = steps("```sh try\na\n```\ntext\n```json\n1\n```\n```sh\nno\n```\n```json\n2\n```\n");
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].answer.as_deref(), Some("1"));
}

#[test]
fn answers_are_compared_by_fields_and_by_what_cannot_vary() {
    let same = |said: &str, got: &str| difference(&documents(said)[0], &documents(got)[0], "").is_none();
    assert!(same(r#"{"id": "6b014a1ca18079ebef804f8d"}"#, r#"{"id": "000000000000000000000000"}"#));
    assert!(same(r#"["11.21", "15:37"]"#, r#"["01.02", "00:00"]"#));
    assert!(same(r#"[1, …]"#, "[1, 2]") && same("[1]", "[1]"));
    assert!(!same(r#"[1, …]"#, "[1]") && !same("[1]", "[1, 2]") && !same("[]", "[1]"));
    assert!(!same(r#"{"a": 1}"#, r#"{"a": 2}"#) && !same(r#"{"a": 1}"#, r#"{"a": 1, "b": 1}"#));
    let path = |id: &str, size| format!(r#""/photos/show?id={id}&size={size}""#);
    let (one, other) = ("6b014a1ca18079ebef804f8d", "000000000000000000000000");
    assert!(
        same(&path(one, 0), &path(other, 0))
            && !same(&path(one, 0), &path(other, 2))
            && !same(&path(one, 0), &path("", 0))
    );
    assert!(!same(r#"{"a": null}"#, r#"{"a": ""}"#) && !same(r#""川味观""#, r#""星巴克""#));
}
