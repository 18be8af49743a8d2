//! Golden files: what every version of every event looks like in both encodings, read for ever.
//!
//! A file is made once and never changed. An event whose bytes change is another schema version, with files of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests themselves do")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use dface_domain::events::{
    Encoding, Event,
    samples::{NoSeal, samples},
};

const MAKE: &str = "DFACE_GOLDEN=make cargo test -p dface-domain --test golden";

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn file(type_name: &str, schema: u16, encoding: Encoding) -> PathBuf {
    let ending = match encoding {
        Encoding::Postcard => "postcard.hex",
        Encoding::Json => "json",
    };
    dir().join(format!("{type_name}.v{schema}.{ending}"))
}

fn text_of(event: &Event, encoding: Encoding) -> String {
    let bytes = event.encode(encoding).unwrap();
    let text = match encoding {
        Encoding::Postcard => hex::encode(bytes),
        Encoding::Json => String::from_utf8(bytes).unwrap(),
    };
    text + "\n"
}

fn bytes_of(text: &str, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Postcard => hex::decode(text.trim_end()).unwrap(),
        Encoding::Json => text.trim_end().as_bytes().to_vec(),
    }
}

#[test]
fn every_event_reads_and_writes_its_golden_bytes() {
    let make = std::env::var("DFACE_GOLDEN").is_ok_and(|value| value == "make");
    let mut wrong = Vec::new();
    for event in samples(&mut NoSeal) {
        let (name, schema) = (event.type_name(), event.schema());
        for encoding in [Encoding::Postcard, Encoding::Json] {
            let path = file(name, schema, encoding);
            if make && !path.exists() {
                fs::write(&path, text_of(&event, encoding)).unwrap();
            }
            let Ok(golden) = fs::read_to_string(&path) else {
                wrong.push(format!("{} is missing; make it: {MAKE}", path.display()));
                continue;
            };
            let decoded = Event::decode(name, schema, encoding, &bytes_of(&golden, encoding));
            if decoded.as_ref() != Ok(&event) {
                wrong.push(format!(
                    "{}: reads as {decoded:?}, not as the sample. If a field changed, raise the schema version, write \
                     `upcast` for this one, and then: {MAKE}",
                    path.display()
                ));
            }
            if text_of(&event, encoding) != golden {
                wrong.push(format!("{}: {name} is not written as it was. Raise its schema version.", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_golden_file_of_every_version_can_be_read() {
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(dir()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (event, rest) = name.split_once(".v").unwrap_or_else(|| panic!("{name}: not TYPE.vN.ENCODING"));
        let (schema, _) = rest.split_once('.').unwrap();
        seen.insert((event.to_owned(), schema.parse::<u16>().unwrap()));
    }
    for (name, schema) in seen {
        let read = |encoding| {
            let path = file(&name, schema, encoding);
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            Event::decode(&name, schema, encoding, &bytes_of(&text, encoding))
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        };
        assert_eq!(read(Encoding::Postcard), read(Encoding::Json), "{name} v{schema}");
    }
}

#[test]
fn there_is_a_sample_of_every_type() {
    let sampled: Vec<&str> = samples(&mut NoSeal).iter().map(Event::type_name).collect();
    let mut known: Vec<&str> = Event::TYPES.iter().map(|info| info.name).collect();
    known.sort_unstable();
    assert_eq!(sampled, known);
}
