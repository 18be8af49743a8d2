//! Our part, in a process of its own, so that its memory is its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use dface_workers::pictures::{PictureLimits, process};

use crate::{Failed, report::note};

/// What one round came to.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Pictures a second, each with its two thumbnails.
    pub rate: f64,
    /// The most memory that one process held.
    pub peak_bytes: u64,
}

#[derive(Debug, clap::Args)]
pub struct WorkArgs {
    source: PathBuf,
    #[arg(long)]
    threads: usize,
    #[arg(long)]
    milliseconds: u64,
}

/// Starts this program again for the work alone.
pub fn ours(source: &Path, threads: usize, time: Duration) -> Result<Measured, Failed> {
    let done = Command::new(std::env::current_exe()?)
        .arg("pictures-work")
        .arg(source)
        .args(["--threads", &threads.to_string(), "--milliseconds", &time.as_millis().to_string()])
        .output()?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stdout).into_owned().into());
    }
    let told = String::from_utf8(done.stdout)?;
    let (rate, peak) = told.trim().split_once(' ').ok_or("the work tells two numbers")?;
    Ok(Measured { rate: rate.parse()?, peak_bytes: peak.parse()? })
}

/// The work: tells pictures a second and the peak of memory.
pub fn work(args: &WorkArgs) -> Result<(), Failed> {
    let (source, time) = (fs::read(&args.source)?, Duration::from_millis(args.milliseconds));
    let begun = Instant::now();
    let counts = std::thread::scope(|scope| -> Result<u64, Failed> {
        let source = &source;
        let one = move || -> Result<u64, Failed> {
            let mut count = 0;
            while begun.elapsed() < time {
                process(source, &[100, 200], &PictureLimits::default())?;
                count += 1;
            }
            Ok(count)
        };
        let threads: Vec<_> = (0..args.threads).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "the work panicked")?).sum()
    })?;
    let rate = crate::stats::rate(counts, begun.elapsed());
    note(&format!("{rate} {}", peak_bytes(std::process::id()).unwrap_or(0)));
    Ok(())
}

/// The most memory that a process held so far.
pub fn peak_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
