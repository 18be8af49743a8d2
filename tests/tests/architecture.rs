//! The rules of `ARCHITECTURE.md` that a compiler does not hold: which folder may use which, what lies at the top level,
//! how long a file may grow, what the core may never touch. Each failure names the file, the rule and its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longer than this and a file has more than one job.
const MOST_LINES: usize = 400;

/// Rust sources that may be longer, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Everything that may lie at the top level of the repository.
const TOP_LEVEL: &[&str] = &[
    // The crates.
    "domain",
    "commands",
    "projections",
    "workers",
    "api",
    "tests",
    // What a person reads.
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs",
    "deploy",
    // Tools and their settings.
    "Cargo.toml",
    "Cargo.lock",
    "Makefile",
    ".ci",
    ".config",
    ".cargo",
    ".gitignore",
    ".gitattributes",
    "clippy.toml",
    "deny.toml",
    "rustfmt.toml",
];

/// Which of our own crates each may use, in its code, its tests and its build.
const FOLDERS: &[(&str, &[&str])] = &[
    ("dface-domain", &[]),
    ("dface-commands", &["dface-domain"]),
    ("dface-projections", &["dface-domain"]),
    ("dface-workers", &["dface-domain"]),
    ("dface-api", &["dface-domain", "dface-commands", "dface-projections", "dface-workers"]),
    // The tests talk to the built binary; the benches also measure the parts in process.
    ("dface-tests", &["dface-domain", "dface-commands", "dface-projections", "dface-workers", "dface-api"]),
];

/// What only their tests may use besides: the read models are tested over a real log, the jobs with real keys.
const FOLDERS_OF_TESTS: &[(&str, &[&str])] =
    &[("dface-projections", &["dface-commands"]), ("dface-workers", &["dface-commands"])];

/// Crates of others that the domain may use: values, encodings and geometry. Nothing that reads a clock, a file or a socket.
const DOMAIN_MAY_USE: &[&str] =
    &["base64", "geo", "hex", "jiff", "postcard", "serde", "serde_json", "thiserror", "uuid"];

/// What the domain's sources may not name, for time, ids, randomness and I/O come to it through ports.
const DOMAIN_NEVER: &[(&str, &str)] = &[
    ("SystemTime::now", "time comes through the port Clock"),
    ("Instant::now", "time comes through the port Clock"),
    ("Timestamp::now", "time comes through the port Clock"),
    ("Zoned::now", "time comes through the port Clock"),
    ("Uuid::now_v7", "ids come from outside"),
    ("Uuid::new_v4", "ids come from outside"),
    ("std::fs", "no I/O"),
    ("std::net", "no I/O"),
    ("std::env", "settings come from outside"),
    ("std::process", "no I/O"),
    ("std::thread", "no runtime"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in a folder of the repository").to_path_buf()
}

fn output_of(command: &mut Command) -> String {
    let out = command.current_dir(root()).output().expect("the command starts");
    assert!(out.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("its output is UTF-8")
}

/// Every file that is committed or would be: git's own list, so that build output and data do not count.
fn files() -> Vec<String> {
    // The clone may belong to another user than the one who tests.
    let list = ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let names = output_of(Command::new("git").args(list));
    names.split('\0').filter(|name| !name.is_empty() && root().join(name).is_file()).map(str::to_owned).collect()
}

/// The text of a file, or nothing where it is binary.
fn text_of(name: &str) -> Option<String> {
    String::from_utf8(std::fs::read(root().join(name)).expect("a listed file can be read")).ok()
}

/// Our own crates by name, each with the names of what it depends on, of whatever kind, and whether only for its tests.
fn dependencies() -> BTreeMap<String, Vec<(String, bool)>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let json = output_of(Command::new(cargo).args(["metadata", "--no-deps", "--format-version", "1", "--offline"]));
    let metadata: serde_json::Value = serde_json::from_str(&json).expect("cargo metadata prints JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a name is a string").to_owned();
    let packages = metadata["packages"].as_array().expect("there are packages");
    let of = |package: &serde_json::Value| {
        let list = package["dependencies"].as_array().expect("a package lists its dependencies");
        list.iter().map(|one| (text(&one["name"]), one["kind"] == "dev")).collect()
    };
    packages.iter().map(|package| (text(&package["name"]), of(package))).collect()
}

fn assert_none(rule: &str, mut found: Vec<String>) {
    found.sort();
    assert!(found.is_empty(), "{rule}\n  {}\n", found.join("\n  "));
}

#[test]
fn each_folder_uses_only_what_it_may() {
    let mut found = Vec::new();
    let known: BTreeSet<&str> = FOLDERS.iter().map(|(name, _)| *name).collect();
    for (name, used) in dependencies() {
        let Some((_, allowed)) = FOLDERS.iter().find(|(known, _)| *known == name) else {
            found.push(format!("{name}: a crate of ours that the architecture does not know"));
            continue;
        };
        for (dependency, only_tests) in used {
            let of_tests = FOLDERS_OF_TESTS.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, more)| more);
            let allowed =
                allowed.contains(&dependency.as_str()) || (only_tests && of_tests.contains(&dependency.as_str()));
            if known.contains(dependency.as_str()) && !allowed {
                found.push(format!("{name} may not use {dependency}"));
            }
        }
    }
    assert_none("A folder uses one that it may not (ARCHITECTURE.md, the table of folders):", found);
}

#[test]
fn the_domain_uses_no_crate_that_could_do_io() {
    let mut found = Vec::new();
    for (dependency, only_tests) in dependencies().remove("dface-domain").expect("the domain is in the workspace") {
        if !only_tests && !DOMAIN_MAY_USE.contains(&dependency.as_str()) {
            found.push(dependency);
        }
    }
    assert_none("domain/Cargo.toml names a crate that is not on the short list of this test:", found);
}

#[test]
fn the_domain_reads_no_clock_no_chance_and_no_file() {
    let mut found = Vec::new();
    for name in files().iter().filter(|name| name.starts_with("domain/src/") && name.ends_with(".rs")) {
        let text = text_of(name).expect("a source is text");
        // The tests of a module stand at its end; they may read golden files.
        let code = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
        for (number, line) in code.enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for (word, reason) in DOMAIN_NEVER.iter().filter(|(word, _)| line.contains(word)) {
                found.push(format!("{name}:{}: {word}: {reason}", number + 1));
            }
        }
    }
    assert_none("The domain is pure: time, ids, randomness and I/O come through its ports.", found);
}

#[test]
fn the_top_level_holds_only_what_it_may() {
    let names = files();
    let top: BTreeSet<&str> = names.iter().filter_map(|name| name.split('/').next()).collect();
    let found = top.into_iter().filter(|name| !TOP_LEVEL.contains(name)).map(str::to_owned).collect();
    assert_none("The top level is fixed (CONTRIBUTING.md says where things go):", found);
}

#[test]
fn no_source_file_grows_too_long() {
    let mut found = Vec::new();
    for name in files().iter().filter(|name| name.ends_with(".rs")) {
        let lines = text_of(name).expect("a source is text").lines().count();
        let excused = LONG_FILES.iter().any(|(long, _)| long == name);
        if lines > MOST_LINES && !excused {
            found.push(format!("{name}: {lines} lines"));
        }
        if excused && lines <= MOST_LINES {
            found.push(format!("{name}: short again, strike it from LONG_FILES"));
        }
    }
    assert_none("One job, one small file: at most 400 lines.", found);
}

#[test]
fn no_file_names_a_registry_or_a_place_on_one_machine() {
    // Built from pieces, so that this file does not name them either.
    let never: Vec<String> = [
        ["crates", ".io"],
        ["py", "pi.org"],
        ["python", "hosted.org"],
        ["npm", "js.org"],
        ["npm", "js.com"],
        ["deb", ".debian.org"],
        ["ftp", ".debian.org"],
        ["security", ".debian.org"],
        ["../", "shared"],
        ["/work/", "main"],
        ["/work/", "shared"],
        ["/ro", "ot/"],
        ["/tmp/target", "-"],
    ]
    .map(|pieces| pieces.concat())
    .to_vec();
    let mut found = Vec::new();
    // Cargo writes the lock file, with the registry's address in it.
    for name in files().iter().filter(|name| *name != "Cargo.lock") {
        for (number, line) in text_of(name).unwrap_or_default().lines().enumerate() {
            for word in never.iter().filter(|word| line.contains(*word)) {
                found.push(format!("{name}:{}: {word}", number + 1));
            }
        }
    }
    assert_none("A file names a package registry's host or a path of one machine:", found);
}

#[test]
fn every_shared_dependency_is_used() {
    let mut found = Vec::new();
    let workspace = text_of("Cargo.toml").expect("Cargo.toml is text");
    let used: BTreeSet<String> = dependencies().into_values().flatten().map(|(name, _)| name).collect();
    let (_, table) = workspace.split_once("[workspace.dependencies]").expect("the table is there");
    for line in table.lines().skip(1).take_while(|line| !line.starts_with('[')) {
        let alias = line.split('=').next().unwrap_or_default().trim();
        let name = line.split_once("package = \"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or(alias);
        if !name.is_empty() && !name.starts_with('#') && !used.contains(name) {
            found.push(name.to_owned());
        }
    }
    assert_none("[workspace.dependencies] names what no crate uses:", found);
}
