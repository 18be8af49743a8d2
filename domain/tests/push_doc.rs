//! `docs/push.md` has a table and examples that are made from the code; this holds them to it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests themselves do")]

use std::{fmt::Write as _, fs, path::Path};

use dface_domain::pushes::{Data, KINDS, PushKind, Topic, Way, merge::Merge, samples};

const MAKE: &str = "DFACE_DOCS=write cargo test -p dface-domain --test push_doc";

const BEGIN: &str = "<!-- made from domain/src/pushes -->\n";
const END: &str = "<!-- end of what is made -->\n";

fn made() -> String {
    let mut text =
        String::from("| section of the seed | `push_type`, `type` | topic | APNs | for |\n|---|---|---|---|---|\n");
    for row in KINDS {
        let number = row.number.map_or_else(String::new, |number| format!(" {number}"));
        let topic = match row.topic {
            Topic::Circle => "group",
            Topic::User => "user",
        };
        let way = match row.way {
            Way::Silent => "silent".to_owned(),
            Way::Alert(words) => format!("alert: {words}"),
        };
        writeln!(text, "| {} | `{}`{number} | {topic} | {way} | {} |", row.section, row.push_type, row.to).unwrap();
    }
    text.push_str("\nEach as it is published:\n\n```json\n");
    for row in KINDS {
        writeln!(text, "{}", samples::data(row.kind).json()).unwrap();
    }
    let missed: Vec<Data> = [PushKind::BatteryLow, PushKind::TalkStatus].map(samples::data).into();
    writeln!(text, "{}\n```", Merge::of(&missed).json()).unwrap();
    text
}

#[test]
fn the_document_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/push.md");
    let kept = fs::read_to_string(&path).unwrap();
    let (head, rest) = kept.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let whole = format!("{head}{BEGIN}{}{END}{tail}", made());
    if std::env::var("DFACE_DOCS").is_ok_and(|value| value == "write") {
        fs::write(&path, &whole).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept == whole, "docs/push.md is not what the code says; write it: {MAKE}");
}
