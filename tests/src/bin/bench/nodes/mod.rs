//! Several nodes over one log, on one machine: how fast a node follows, how soon others see what one was told, and what a new node costs. The log is the
//! tests' stand-in for KurrentDB in this process: it keeps events in memory and answers at once, so what is shown is our side alone.

mod following;
mod starting;
mod telling;
mod world;

use crate::{Failed, Setup, report::Page, serving::server};

pub fn run(setup: &Setup, page: &mut Page) -> Result<(), Failed> {
    let program = server::build()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    page.add(following::run(setup, &runtime)?);
    page.add(telling::run(setup, &runtime, &program)?);
    page.add(starting::run(setup, &runtime, &program)?);
    Ok(())
}
