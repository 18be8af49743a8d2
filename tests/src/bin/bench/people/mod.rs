//! People over HTTP: the followers of somebody with many, and signing in.

mod followers;
mod signing_in;

use crate::{Failed, Setup, report::Page, serving::server};

pub fn run(setup: &Setup, page: &mut Page) -> Result<(), Failed> {
    let program = server::build()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    page.add(followers::run(setup, &runtime, &program)?);
    page.add(signing_in::run(setup, &runtime, &program)?);
    Ok(())
}
