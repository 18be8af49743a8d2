//! The `dface` binary: see `dface --help`.

use std::process::ExitCode;

/// Read models in threads of their own take and give back memory all the time, across threads: the system's allocator
/// spends a fifth of a rebuild on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tokio_rustls::rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("nothing else has chosen a TLS provider yet");
    dface_api::cli::main()
}
