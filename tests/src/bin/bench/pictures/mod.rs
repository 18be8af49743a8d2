//! Pictures a second, and memory, beside `vipsthumbnail`: the same three files of the same 12-megapixel JPEG, on the same cores.

mod made;
mod run;
mod vips;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Failed, Setup,
    report::{Table, short},
};

use self::run::Measured;
pub use self::run::{WorkArgs, work};

/// Turns that each takes; they alternate, so that what else the machine does meets all alike.
const ROUNDS: usize = 5;

#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Real pictures to measure besides the made one
    files: Vec<PathBuf>,
}

impl Args {
    /// Whether files of the caller's own are measured.
    pub fn is_own(&self) -> bool {
        !self.files.is_empty()
    }
}

/// Who makes the files.
#[derive(Debug, Clone, Copy)]
enum Maker {
    Ours,
    /// Each file from the source.
    Vips,
    /// The thumbnails from the 960x960.
    VipsChained,
}

impl Maker {
    const ALL: [Self; 3] = [Self::Ours, Self::Vips, Self::VipsChained];

    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "dface",
            Self::Vips => "vipsthumbnail, each from the source",
            Self::VipsChained => "vipsthumbnail, thumbnails from the 960x960",
        }
    }

    fn measure(self, setup: &Setup, source: &Path, threads: usize) -> Result<Measured, Failed> {
        let time = setup.time / 4;
        match self {
            Self::Ours => run::ours(source, threads, time),
            Self::Vips => vips::run(setup.dir.path(), source, threads, time, false),
            Self::VipsChained => vips::run(setup.dir.path(), source, threads, time, true),
        }
    }
}

pub fn bench(setup: &Setup, args: &Args) -> Result<Table, Failed> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut table = Table::new(
        "Pictures",
        format!(
            "From one JPEG the 960x960 JPEG (quality 85) and the thumbnails of 100x100 and 200x200 in PNG, {threads} at once, \
             for each core one. `vipsthumbnail` (Debian's libvips-tools) is given many files at a time, so that its start counts \
             little, and one thread for each process. Medians of {ROUNDS} alternating rounds; memory is the most that one process \
             held (ours works on all {threads} in one)."
        ),
        &["source, by whom", "pictures/s", "of ours", "most memory, MB"],
    );
    let made = setup.dir.path().join("made_12mp.jpg");
    fs::write(&made, made::photo(4_000, 3_000)?)?;
    for source in [&made].into_iter().chain(&args.files) {
        one(setup, source, threads, &mut table)?;
    }
    Ok(table)
}

fn one(setup: &Setup, source: &Path, threads: usize, table: &mut Table) -> Result<(), Failed> {
    let makers: Vec<Maker> =
        Maker::ALL.into_iter().filter(|maker| setup.others || matches!(maker, Maker::Ours)).collect();
    let mut rounds = vec![Vec::new(); makers.len()];
    for _ in 0..ROUNDS {
        for (maker, measured) in makers.iter().zip(&mut rounds) {
            measured.push(maker.measure(setup, source, threads)?);
        }
    }
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let ours = median(&rounds[0]);
    for (maker, measured) in makers.iter().zip(&rounds) {
        let rate = median(measured);
        let most = measured.iter().map(|one| one.peak_bytes).max().unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
        let megabytes = most as f64 / 1e6;
        table.row([format!("{name}, {}", maker.name()), short(rate), short(rate / ours), short(megabytes)]);
    }
    Ok(())
}

fn median(measured: &[Measured]) -> f64 {
    let mut rates: Vec<f64> = measured.iter().map(|one| one.rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(0.0)
}
