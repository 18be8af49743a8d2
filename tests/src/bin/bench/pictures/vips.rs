//! `vipsthumbnail` making the same files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::run::{Measured, peak_bytes};
use crate::Failed;

/// Pictures given to one process at once.
const BATCH: usize = 8;

/// Between two looks at a process's memory; the peak only rises, so that only what comes after the last look is missed.
const LOOK: Duration = Duration::from_millis(2);

/// So many processes at a time, batch after batch, for about `time`.
pub fn run(dir: &Path, source: &Path, threads: usize, time: Duration, chained: bool) -> Result<Measured, Failed> {
    let dir = dir.join("vips");
    let begun = Instant::now();
    let done = std::thread::scope(|scope| -> Result<Vec<(u64, u64)>, Failed> {
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let place = dir.join(number.to_string());
                scope.spawn(move || batches(&place, source, begun + time, chained))
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| "vipsthumbnail's thread panicked")?).collect()
    })?;
    let (count, peak_bytes) = done.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1.max(one.1)));
    fs::remove_dir_all(&dir)?;
    Ok(Measured { rate: crate::stats::rate(count, begun.elapsed()), peak_bytes })
}

/// Pictures made, and the peak of memory.
fn batches(place: &Path, source: &Path, until: Instant, chained: bool) -> Result<(u64, u64), Failed> {
    fs::create_dir_all(place)?;
    let sources: Vec<PathBuf> = (0..BATCH).map(|number| place.join(format!("p{number}.jpg"))).collect();
    for name in &sources {
        fs::copy(source, name)?;
    }
    let scaled: Vec<PathBuf> = (0..BATCH).map(|number| place.join(format!("p{number}_960.jpg"))).collect();
    let thumbnails_of = if chained { &scaled } else { &sources };
    let (mut count, mut peak) = (0, 0);
    while Instant::now() < until {
        let steps = [
            thumbnail(&sources, "960x960", &place.join("%s_960.jpg[Q=85,strip]"), false),
            thumbnail(thumbnails_of, "100x100", &place.join("%s_100.png[strip]"), true),
            thumbnail(thumbnails_of, "200x200", &place.join("%s_200.png[strip]"), true),
        ];
        for mut step in steps {
            peak = peak.max(watched(step.spawn()?)?);
        }
        count += BATCH as u64;
    }
    Ok((count, peak))
}

fn thumbnail(files: &[PathBuf], size: &str, out: &Path, cropped: bool) -> Command {
    let mut command = Command::new("vipsthumbnail");
    command.args(files).args(["-s", size, "-o"]).arg(out).env("VIPS_CONCURRENCY", "1");
    if cropped {
        command.arg("--smartcrop=centre");
    }
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Waits for its end: the most memory that it held.
fn watched(mut process: Child) -> Result<u64, Failed> {
    let mut peak = 0;
    loop {
        peak = peak_bytes(process.id()).unwrap_or(0).max(peak);
        match process.try_wait()? {
            Some(status) if status.success() => return Ok(peak),
            Some(status) => return Err(format!("vipsthumbnail failed: {status}").into()),
            None => std::thread::sleep(LOOK),
        }
    }
}
