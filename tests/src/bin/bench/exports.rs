//! `dface replay` of a million events into files, beside pyarrow that writes the same rows.

use std::{
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use dface_commands::system::SystemClock;
use dface_domain::ports::{Clock as _, EventStore as _};

use crate::{
    Failed, Setup, machine,
    made::{self, Directory, people::Crowd},
    report::{Table, ms, short},
    serving::server::{self, processor_time},
    stats::rate,
};

/// Looks at a process so often: its greatest memory is the kernel's, only what it used in its last moments is missed.
const LOOK: Duration = Duration::from_millis(5);

/// Reads a file's rows, then writes them, and tells the seconds of writing alone.
const PYARROW: &str = "
import sys, time, pyarrow.parquet as parquet
table = parquet.read_table(sys.argv[1])
begun = time.perf_counter()
parquet.write_table(table, sys.argv[2], compression='zstd', compression_level=1)
print(time.perf_counter() - begun, table.num_rows)
";

/// What a command took.
struct Took {
    time: Duration,
    processor: Duration,
    memory: u64,
}

/// Measures all forms on a log of about `--shops` events.
pub fn run(setup: &Setup) -> Result<Table, Failed> {
    let (program, data) = (server::build()?, setup.dir.path().join("exported"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let shops = made::shops::made(setup.shops / 20);
    let crowd = Crowd { users: setup.shops / 20, follows: setup.shops / 10, checkins: setup.shops / 5 * 4 };
    let events = runtime.block_on(fill(&data, &shops, crowd))?;
    let mut table = Table::new(
        "Exports",
        format!(
            "`dface replay` of {events} events into a file, on a stopped directory: {} `CheckedIn` with sealed positions, which are opened and put on \
             the grid, and shops, people and follows. Memory is the most that the process held. pyarrow reads the rows of the file of all types \
             into memory before its clock begins, and writes them with zstd as we do: it encodes alone, and neither reads a log nor opens anything.",
            crowd.checkins
        ),
        &["what", "time", "events/s", "processor time", "memory", "bytes an event"],
    );
    let whole = setup.dir.path().join("all.parquet");
    let one_type = setup.dir.path().join("one.parquet");
    let text = setup.dir.path().join("all.ndjson");
    let parts = setup.dir.path().join("parts");
    let runs: [(&str, &Path, &[&str], u64); 4] = [
        ("Parquet, all types", &whole, &["--format", "parquet"], events),
        (
            "Parquet, `CheckedIn` alone, a column for each field",
            &one_type,
            &["--format", "parquet", "--type", "CheckedIn"],
            crowd.checkins,
        ),
        (
            "Parquet by type and day of occurrence",
            &parts,
            &["--format", "parquet", "--by", "occurred", "--partition", "type,date"],
            events,
        ),
        ("NDJSON", &text, &[], events),
    ];
    for (what, out, args, count) in runs {
        let took = replay(&program, &data, out, args)?;
        let size = bytes(out)? as f64 / count as f64;
        let memory = format!("{} MiB", took.memory >> 20);
        table.row([
            what.to_owned(),
            ms(took.time),
            short(rate(count, took.time)),
            ms(took.processor),
            memory,
            short(size),
        ]);
    }
    if setup.others {
        let again = setup.dir.path().join("pyarrow.parquet");
        let (time, rows) = pyarrow(&whole, &again)?;
        let size = bytes(&again)? as f64 / rows as f64;
        table.row(["pyarrow".to_owned(), ms(time), short(rate(rows, time)), String::new(), String::new(), short(size)]);
    }
    Ok(table)
}

async fn fill(data: &Path, shops: &[dface_domain::events::ShopDetails], crowd: Crowd) -> Result<u64, Failed> {
    let (directory, now) = (Directory::open(data).await?, SystemClock.now());
    let keys = &directory.keys;
    made::people::make_keys(keys.as_ref(), crowd.users)?;
    let added = shops.iter().enumerate().map(|(index, details)| Ok(made::shops::added(index, details, now)));
    directory.append("shops", added).await?;
    directory.append("people", (1..=crowd.users).map(|user| made::people::registered(keys, user, now))).await?;
    directory.append("follows", made::people::follows(crowd, now)).await?;
    let visits = made::people::visits(crowd, shops, now);
    directory.append("check-ins", visits.map(|visit| made::people::checked_in(keys, &visit))).await?;
    let events = directory.store.head().0;
    directory.close();
    Ok(events)
}

fn replay(program: &Path, data: &Path, out: &Path, args: &[&str]) -> Result<Took, Failed> {
    let begun = Instant::now();
    let mut command = Command::new(program);
    command.arg("replay").args(args).arg("--out").arg(out).arg("--data").arg(data);
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let (mut processor, mut memory) = (Duration::ZERO, 0);
    let status = loop {
        // A process that has ended has no memory any more: the last look counts.
        let status = format!("/proc/{}/status", child.id());
        memory = memory.max(machine::kilobytes(&status, "VmHWM:").unwrap_or_default() << 10);
        processor = processor.max(processor_time(child.id()));
        match child.try_wait()? {
            Some(status) => break status,
            None => sleep(LOOK),
        }
    };
    let time = begun.elapsed();
    if status.success() { Ok(Took { time, processor, memory }) } else { Err(format!("dface replay: {status}").into()) }
}

/// The bytes of a file, or of all below a folder.
fn bytes(path: &Path) -> Result<u64, Failed> {
    let found = std::fs::metadata(path)?;
    if found.is_file() {
        return Ok(found.len());
    }
    std::fs::read_dir(path)?.map(|entry| bytes(&entry?.path())).sum()
}

fn pyarrow(from: &Path, to: &Path) -> Result<(Duration, u64), Failed> {
    let out = Command::new("analysts-python").args(["-c", PYARROW]).args([from, to]).output()?;
    let told = String::from_utf8(out.stdout)?;
    let (seconds, rows) = told.trim().split_once(' ').ok_or("pyarrow says nothing; make setup has analysts-python")?;
    Ok((Duration::from_secs_f64(seconds.parse()?), rows.parse()?))
}
