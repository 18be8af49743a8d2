//! The machine in words: what matters for the numbers, nothing that names it.

use std::{fs, path::Path, process::Command};

use crate::Failed;

/// How busy the machine is: its load average of the last minute.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}

/// Cores, memory and the kind of disk under `dir`.
pub fn in_words(dir: &Path) -> Result<String, Failed> {
    let cores = std::thread::available_parallelism()?;
    let memory = kilobytes("/proc/meminfo", "MemTotal:").unwrap_or_default() / (1 << 20) + 1;
    let disk = disk(dir).unwrap_or_else(|| "an unknown disk".to_owned());
    Ok(format!(
        "Measured on a machine with {cores} {} cores and {memory} GiB of memory, on {disk}. A load average tells what ran \
         in the minute before a table was begun, its own making included.",
        std::env::consts::ARCH,
    ))
}

/// A number of kibibytes out of a file of `/proc`.
pub fn kilobytes(file: &str, key: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

fn disk(dir: &Path) -> Option<String> {
    let of_df = |field: &str| {
        let out = Command::new("df").arg(format!("--output={field}")).arg(dir).output().ok()?;
        Some(String::from_utf8(out.stdout).ok()?.lines().nth(1)?.trim().to_owned())
    };
    let (file_system, device) = (of_df("fstype")?, of_df("source")?);
    let name = device.rsplit('/').next()?.trim_end_matches(|c: char| c.is_ascii_digit());
    let rotates = fs::read_to_string(format!("/sys/block/{name}/queue/rotational")).unwrap_or_default();
    let kind = match (name, rotates.trim()) {
        (name, _) if name.starts_with("vd") || name.starts_with("xvd") => "a virtual disk",
        (name, _) if name.starts_with("nvme") => "an NVMe disk",
        (_, "0") => "a solid-state disk",
        (_, "1") => "a rotating disk",
        _ => "a disk",
    };
    Some(format!("{kind} with {file_system}"))
}
