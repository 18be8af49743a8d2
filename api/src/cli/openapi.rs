//! `dface openapi`: the document that `/openapi.json` serves.

use std::io::Write as _;

use super::Failure;
use crate::{admin, http, xmpp::web};

/// `dface openapi`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dface openapi > docs/openapi.json")]
pub struct Args {
    /// That of the admin listener
    #[arg(long)]
    admin: bool,
    /// That of the listener for the history of chat and for the back end
    #[arg(long, conflicts_with = "admin")]
    chat: bool,
}

/// Prints it.
pub fn run(args: &Args) -> Result<(), Failure> {
    let document = match (args.admin, args.chat) {
        (true, _) => admin::document(),
        (_, true) => web::document(),
        _ => http::endpoints::document(),
    };
    let text = http::openapi::text(&document).map_err(Failure::work)?;
    write!(std::io::stdout(), "{text}").map_err(Failure::work)
}
