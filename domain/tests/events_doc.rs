//! `docs/events.md` is made from the types; this holds it to them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests themselves do")]

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use dface_domain::events::{
    Class, Encoding, Event, TypeInfo,
    samples::{NoSeal, samples, stream_of},
};

const MAKE: &str = "DFACE_DOCS=write cargo test -p dface-domain --test events_doc";

const HEAD: &str = "\
# Events

Made from the types in `domain/src/events` by `COMMAND`;
a test holds the two together. `GET /events/schema` answers the same as JSON.

Every event has an envelope: `position` in the log, `id`, `stream` and `version` in it (from 0), `type` and `schema` (from 1), `time` (when
it was appended), `occurred_at`, `correlation` (the request, import or job it belongs to), `causation` (the event that led to it, or
null). Times are UTC with microseconds; ids in `data` are strings in a replay.

What a field is decides what a replay shows of it:

| class | `--profile pseudonymous` | `--profile full` |
|---|---|---|
| public | as it is | as it is |
| person | a keyed hash, the same wherever the person occurs, in `stream` too | the id |
| position | `{\"lat\", \"lng\"}`: the middle of a cell of 1 km; null where the person has left | opened; null where the person has left |
| personal | null | opened; null where the person has left |
| secret | null | null |

Pseudonymous is not anonymous: who knows where a person was at a certain minute finds the person's hash. Handle it as personal data.

The examples show `data` as it is stored, in JSON; what is personal is sealed with the key of whom it is about.
";

fn class(class: Class) -> &'static str {
    match class {
        Class::Public => "public",
        Class::Circle => "circle",
        Class::Person => "person",
        Class::Position => "position",
        Class::Personal => "personal",
        Class::Secret => "secret",
    }
}

fn rendered() -> String {
    let mut text = HEAD.replace("COMMAND", MAKE);
    let samples: BTreeMap<&str, Event> =
        samples(&mut NoSeal).into_iter().map(|event| (event.type_name(), event)).collect();
    for (name, event) in samples {
        let info = TypeInfo::named(name).unwrap();
        let category = stream_of(&event).category.name();
        writeln!(text, "\n## {name}\n\n{} Schema {}, in streams `{category}-…`.\n", info.meaning.trim(), info.schema)
            .unwrap();
        text.push_str("| field | type | class | meaning |\n|---|---|---|---|\n");
        for field in info.fields {
            writeln!(text, "| `{}` | `{}` | {} | {} |", field.name, field.of, class(field.class), field.meaning.trim())
                .unwrap();
        }
        let json = String::from_utf8(event.encode(Encoding::Json).unwrap()).unwrap();
        writeln!(text, "\n```json\n{json}\n```").unwrap();
    }
    text
}

#[test]
fn the_document_is_what_the_types_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.md");
    if std::env::var("DFACE_DOCS").is_ok_and(|value| value == "write") {
        fs::write(&path, rendered()).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == rendered(), "docs/events.md is not what the types say; write it: {MAKE}");
}

#[test]
fn every_type_and_field_says_what_it_is() {
    for info in Event::TYPES {
        assert!(info.meaning.trim().ends_with('.'), "{}", info.name);
        for field in info.fields {
            assert!(field.meaning.trim().ends_with('.'), "{}.{}", info.name, field.name);
            let sealed = field.of.trim_start_matches("Option<").starts_with("Sealed<");
            let must_be = matches!(field.class, Class::Personal | Class::Position);
            assert!(sealed || !must_be, "{}.{} is personal and not sealed", info.name, field.name);
            assert!(!sealed || field.class != Class::Public, "{}.{} is sealed and public", info.name, field.name);
        }
    }
}
