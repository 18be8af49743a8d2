//! `--partition type,date`: runs add, go on after a cut, and rewrite what shows people who left.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dface_tests::{Server, server::password_of};
use serde_json::{Value, json};

use super::{HERE, lines, output, python, run, settle, text};

fn export(server: &Server, out: &Path, more: &[&str]) -> Value {
    let args = ["replay", "--partition", "type,date", "--out", text(out)];
    let done = run(server.dir(), &[&args[..], more].concat()).ended(0);
    serde_json::from_str(&done.stdout).expect("one line of JSON")
}

/// All data files.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        let own = entry.file_name().to_string_lossy().starts_with('_');
        if path.is_dir() && !own {
            found.extend(files(&path));
        } else if !own {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The lines of all files of NDJSON, by position.
fn events(dir: &Path) -> Vec<Value> {
    let texts = files(dir).into_iter().map(|file| fs::read_to_string(file).expect("read"));
    let mut all: Vec<Value> = texts.flat_map(|text| lines(&text)).collect();
    all.sort_by_key(|event| event["position"].as_u64());
    all
}

#[test]
fn runs_add_up_to_the_log_and_one_that_was_cut_off_is_done_anew() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let anna = server.person("anna", 2);
    let out = tempfile::tempdir().expect("a directory");
    let out = out.path();
    let first = export(&server, out, &[]);
    assert_eq!((&first["from"], &first["rewritten"]), (&json!(1), &json!(0)));
    anna.check_in(shop, HERE);
    settle(&anna);
    server.stop();

    // What a kill leaves: files without their names, and files of a run that is not whole.
    let to = first["to"].as_u64().expect("a position");
    let folder = files(out)[0].parent().expect("a folder").to_owned();
    fs::write(folder.join(format!("{:020}-{:020}.ndjson", to + 1, to + 3)), "half").expect("written");
    fs::write(folder.join(format!("{:020}-{:020}.ndjson.part", to + 1, to + 3)), "half").expect("written");
    let second = export(&server, out, &[]);
    assert_eq!(second["from"], json!(to + 1));
    let replayed = lines(&output(server.dir(), &["replay", "--to", &second["to"].to_string()]));
    assert_eq!(events(out), replayed);
    assert_eq!(
        first["events"].as_u64().expect("a count") + second["events"].as_u64().expect("a count"),
        replayed.len() as u64
    );
    for file in files(out) {
        let name = text(&file);
        assert!(name.contains("/type=") && name.contains("/date=20") && name.ends_with(".ndjson"), "{name}");
    }
    assert_eq!(export(&server, out, &[])["events"], 0, "there is nothing new");
    run(server.dir(), &["replay", "--partition", "type,date", "--out", text(out), "--profile", "full"])
        .ended(2)
        .says(&["something else"]);
    run(server.dir(), &["replay", "--partition", "type,date"]).ended(2);
    server.start_again();
}

#[test]
fn an_accounts_end_takes_the_places_out_of_files_that_were_written_before() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    anna.check_in(shop, HERE);
    ben.check_in(shop, HERE);
    settle(&ben);
    let out = tempfile::tempdir().expect("a directory");
    let (hashed, full) = (out.path().join("hashed"), out.path().join("full"));
    let forms: [(&Path, &[&str]); 2] =
        [(&hashed, &["--format", "parquet"]), (&full, &["--profile", "full", "--format", "parquet"])];
    for (dir, more) in forms {
        export(&server, dir, more);
    }
    let shown = |dir: &Path| {
        let rows = lines(&python("parquet_dump.py", &["rows", text(dir)]));
        let rows = rows.into_iter().filter(|row| row["checkin"].is_string() && row["file"].is_string());
        rows.map(|row| (row["user"].clone(), row["fix_lat"].is_number())).collect::<Vec<_>>()
    };
    for (dir, _) in forms {
        assert!(shown(dir).len() == 2 && shown(dir).iter().all(|(_, place)| *place), "{:?}", shown(dir));
    }
    anna.post("/user_info/delete", &[("pass", &password_of("anna"))]).ok();
    for (dir, more) in forms {
        let done = export(&server, dir, more);
        assert!(done["rewritten"].as_u64().expect("a count") >= 1, "{done}");
        let places: Vec<bool> = shown(dir).into_iter().map(|(_, place)| place).collect();
        assert_eq!(places, [false, true], "anna's place is gone, ben's is not");
    }
    let said = python("parquet_dump.py", &["rows", text(&full)]);
    assert!(!said.contains("\"anna\"") && said.contains("\"ben\""), "{said}");
}
