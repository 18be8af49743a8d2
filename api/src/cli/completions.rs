//! `dface completions`: what a shell completes the command line by.

use std::io;

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use super::{Cli, Failure};

/// `dface completions`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dface completions bash > ~/.local/share/bash-completion/completions/dface")]
pub struct Args {
    /// Which shell
    shell: Shell,
}

/// Runs it.
pub fn run(args: &Args) -> Result<(), Failure> {
    let mut text = Vec::new();
    generate(args.shell, &mut Cli::command(), "dface", &mut text);
    io::Write::write_all(&mut io::stdout(), &text).map_err(Failure::work)
}
