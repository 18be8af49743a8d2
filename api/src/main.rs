//! The `dface` binary: see `dface --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tokio_rustls::rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nothing else has chosen a TLS provider yet");
    dface_api::cli::main()
}
