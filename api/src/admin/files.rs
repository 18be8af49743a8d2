//! The tokens of operators, analysts and internal callers, made at first start (cli.md): `DIR/admin-token`,
//! `DIR/analyst-token`, `DIR/internal-token`, mode 0600.

use std::{fs, io, path::Path};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use dface_domain::ports::Entropy;

use crate::node::write_private;

/// The three tokens.
#[derive(Clone)]
pub struct Tokens {
    /// For `/admin`.
    pub admin: String,
    /// For `/events`, pseudonymous.
    pub analyst: String,
    /// For §32.4.
    pub internal: String,
}

impl Tokens {
    /// Reads them, and makes those that are not there.
    ///
    /// # Errors
    /// The disk's.
    pub fn load_or_create(data: &Path, entropy: &dyn Entropy) -> io::Result<Self> {
        let token = |name: &str| -> io::Result<String> {
            let path = data.join(name);
            match fs::read_to_string(&path) {
                Ok(text) if text.trim().len() >= 32 => Ok(text.trim().to_owned()),
                Ok(_) => Err(io::Error::other(format!("{}: not a token; delete it to get a new one", path.display()))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let token = hex::encode(entropy.bytes::<24>());
                    write_private(&path, &token)?;
                    Ok(token)
                }
                Err(error) => Err(error),
            }
        };
        Ok(Self { admin: token("admin-token")?, analyst: token("analyst-token")?, internal: token("internal-token")? })
    }
}

/// Compares without telling by its time how much of it is right.
pub(crate) fn same(given: &str, token: &str) -> bool {
    verify_slices_are_equal(given.as_bytes(), token.as_bytes()).is_ok()
}
