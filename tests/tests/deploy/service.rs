//! The unit for systemd, the Debian package, and what shells complete by.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use dface_tests::command::prepared;

use super::{deploy, text};

fn said(command: &mut Command) -> (bool, String) {
    let ended = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    (
        ended.status.success(),
        String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr),
    )
}

#[test]
fn systemd_takes_the_unit_and_finds_little_that_it_could_do() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("dface");
    fs::write(&program, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let unit = dir.path().join("dface.service");
    fs::write(&unit, text("systemd/dface.service").replace("/usr/bin/dface", &program.display().to_string())).unwrap();
    let (well, told) = said(Command::new("systemd-analyze").arg("verify").arg(&unit));
    assert!(well && !told.contains("dface.service:"), "{told}");
    // Of 100, where 0 is nothing that it could do.
    let (well, told) =
        said(Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=20"]).arg(&unit));
    assert!(well, "{told}");
}

#[test]
fn systemd_takes_the_timers_of_backups_and_their_unit() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("dface-backup");
    fs::copy(deploy().join("systemd/dface-backup"), &program).unwrap();
    let unit = text("systemd/dface-backup@.service");
    let unit = unit.replace("/usr/lib/dface/dface-backup", &program.display().to_string());
    fs::write(dir.path().join("dface-backup@.service"), unit).unwrap();
    for kind in ["full", "since"] {
        let name = format!("dface-backup-{kind}.timer");
        let timer = text(&format!("systemd/{name}"));
        assert!(timer.contains(&format!("Unit=dface-backup@{kind}.service")), "{timer}");
        fs::write(dir.path().join(&name), timer).unwrap();
        let (well, told) = said(Command::new("systemd-analyze").arg("verify").arg(dir.path().join(&name)));
        assert!(well && !told.contains("dface-backup"), "{told}");
    }
    let unit = dir.path().join("dface-backup@full.service");
    fs::copy(dir.path().join("dface-backup@.service"), &unit).unwrap();
    let (well, told) = said(Command::new("systemd-analyze").arg("verify").arg(&unit));
    assert!(well && !told.contains("dface-backup@"), "{told}");
    let (well, told) =
        said(Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=30"]).arg(&unit));
    assert!(well, "{told}");
}

/// The server writes backups by itself, and may write into its own directories alone.
#[test]
fn the_server_may_write_where_its_timers_want_backups() {
    let of = |unit: &str| {
        let text = text(unit);
        let line = text.lines().find_map(|line| line.strip_prefix("StateDirectory=")).unwrap();
        line.split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    let (server, backup) = (of("systemd/dface.service"), of("systemd/dface-backup@.service"));
    for dir in ["dface", "dface-keys", "dface-backups"].map(str::to_owned) {
        assert!(server.contains(&dir) && backup.contains(&dir), "{dir}: {server:?} {backup:?}");
    }
    assert!(text("systemd/dface-backup@.service").contains(" /var/lib/dface-backups "));
}

#[test]
fn the_unit_starts_the_program_with_flags_that_it_has() {
    let line = text("systemd/dface.service")
        .lines()
        .find_map(|line| Some(line.strip_prefix("ExecStart=")?.to_owned()))
        .unwrap();
    let (_, help) = said(prepared(&deploy()).args(["serve", "--help"]));
    for flag in line.split_whitespace().filter(|word| word.starts_with("--")) {
        assert!(help.contains(flag), "dface serve has no {flag}");
    }
}

#[test]
fn what_the_debian_package_holds_is_there() {
    let manifest = fs::read_to_string(deploy().join("../api/Cargo.toml")).unwrap();
    let assets: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.trim().strip_prefix("[\""))
        .filter_map(|line| line.split('"').next())
        .collect();
    assert!(assets.len() > 3, "{assets:?}");
    for asset in assets.iter().filter(|asset| !asset.starts_with("target/")) {
        assert!(deploy().join("../api").join(asset).is_file(), "{asset} is not there");
    }
}

#[test]
fn shells_read_what_they_complete_by() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let (well, text) = said(prepared(dir.path()).args(["completions", shell]));
        assert!(well && text.contains("rebuild") && text.contains("dry-run"), "{shell}: {text}");
        if shell == "bash" {
            let file = dir.path().join(shell);
            fs::write(&file, text).unwrap();
            let script = format!(
                "set -e; source {}; COMP_WORDS=(dface reb); COMP_CWORD=1; _dface dface reb dface; echo \"${{COMPREPLY[@]}}\"",
                file.display()
            );
            let (well, completed) = said(Command::new("bash").args(["-c", &script]));
            assert!(well && completed.trim() == "rebuild", "{completed}");
        }
    }
    let (well, text) = said(prepared(dir.path()).args(["completions", "tcsh"]));
    assert!(!well && text.contains("bash"), "{text}");
}
