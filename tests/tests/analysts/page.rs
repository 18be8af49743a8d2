//! docs/analysts.md: its commands run one after the other beside a server with the demo's data and a stand-in for Apple, and draw its plots.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use dface_tests::{Setup, apns::Apple, command::binary};

/// The blocks that are run, as one script.
fn script(page: &str) -> String {
    let mut script = "set -euo pipefail\n".to_owned();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: String = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        match language {
            "sh try" => script += &block,
            "python try" => script += &format!("analysts-python - <<'THE_END'\n{block}THE_END\n"),
            _ => {}
        }
    }
    script
}

#[test]
fn the_pages_commands_answer_its_questions_and_draw_its_plots() {
    let apple = Apple::start();
    let server = apple.used(Setup::default()).arg("--demo").start();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/analysts.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let dir = tempfile::tempdir().expect("a directory");
    let place = |name: &str| dir.path().join(name);
    symlink(server.dir(), place("data")).expect("a link");
    symlink(binary(), place("dface")).expect("a link");
    let script = script(&page)
        .replace("127.0.0.1:8080", &server.public().address().to_string())
        .replace("127.0.0.1:8081", &server.admin().address().to_string())
        .replace("127.0.0.1:5280", &server.chat_api().address().to_string());
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").expect("a PATH"));
    let out = Command::new("timeout")
        .args(["120", "bash", "-c", &script])
        .current_dir(dir.path())
        .env("PATH", path)
        .env_remove("DFACE_DOCS")
        .output();
    let out = out.expect("there is a bash, and timeout");
    let (printed, errors) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(
        out.status.success(),
        "the page's commands fail ({}): {errors}\n{printed}\nThey were:\n{script}",
        out.status
    );
    for shown in ["checkins", "90%", "shake", "accepted", "later", "\"rewritten\":0"] {
        assert!(printed.contains(shown), "no {shown} in {printed}");
    }
    let plots: Vec<&str> =
        page.split("](analysts/").skip(1).map(|rest| rest.split(')').next().expect("a name")).collect();
    assert_eq!(plots.len(), 5, "{plots:?}");
    for plot in plots {
        let drawn = fs::read_to_string(place(plot)).expect("it was drawn");
        assert!(drawn.contains("<svg"), "{plot}");
        // Whoever changes the page looks at the plots, and keeps them.
        if std::env::var("DFACE_DOCS").is_ok_and(|value| value == "write") {
            let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/analysts").join(plot);
            fs::write(kept, &drawn).expect("kept");
        }
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/analysts").join(plot);
        assert!(kept.is_file(), "{plot} is not in docs/analysts: run this test with DFACE_DOCS=write");
    }
}
