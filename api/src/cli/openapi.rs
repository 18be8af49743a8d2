//! `dface openapi`: the document that `/openapi.json` serves.

use std::io::Write as _;

use super::Failure;
use crate::{admin, http};

/// `dface openapi`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dface openapi > docs/openapi.json")]
pub struct Args {
    /// That of the admin listener
    #[arg(long)]
    admin: bool,
}

/// Prints it.
pub fn run(args: &Args) -> Result<(), Failure> {
    let document = if args.admin { admin::document() } else { http::endpoints::document() };
    let text = http::openapi::text(&document).map_err(Failure::work)?;
    write!(std::io::stdout(), "{text}").map_err(Failure::work)
}
