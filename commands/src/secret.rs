//! The server secret: one for all nodes, from which chat passwords, lookups and signatures are derived.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use aws_lc_rs::hmac;
use dface_domain::{
    ids::{GroupId, Imei, ShopId, UserId},
    ports::{Entropy, KeyedHash},
    watches::KeyHash,
};
use uuid::Uuid;

/// The secret, in a form that makes keyed hashes and never shows itself.
pub struct ServerSecret {
    key: hmac::Key,
}

impl std::fmt::Debug for ServerSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerSecret")
    }
}

impl ServerSecret {
    /// Takes 32 bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, bytes) }
    }

    /// Reads the file (64 hex digits), or makes it with mode 0600 where there is none.
    ///
    /// # Errors
    /// The file cannot be read, made, or is not a secret; readable by others is refused too.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> io::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => {
                if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
                    return Err(io::Error::other(format!(
                        "{}: others may read the secret; chmod 600 it",
                        path.display()
                    )));
                }
                let mut bytes = [0; 32];
                hex::decode_to_slice(text.trim(), &mut bytes)
                    .map_err(|_| io::Error::other(format!("{}: not 64 hex digits", path.display())))?;
                Ok(Self::new(&bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let bytes = entropy.bytes::<32>();
                // Whole once it has its name: a start that is killed here leaves no half of a secret. Of several nodes that start at once
                // one makes it, and the others take that one.
                let unfinished = path.with_extension(format!("new-{}", hex::encode(entropy.bytes::<8>())));
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
                file.write_all(hex::encode(bytes).as_bytes())?;
                file.sync_all()?;
                let linked = fs::hard_link(&unfinished, path);
                fs::remove_file(&unfinished)?;
                match linked {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        return Self::load_or_create(path, entropy);
                    }
                    linked => linked?,
                }
                if let Some(parent) = path.parent() {
                    fs::File::open(parent)?.sync_all()?;
                }
                Ok(Self::new(&bytes))
            }
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }

    /// What the log keeps of it, to tell another secret from this one: 16 hex digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.hex16("fingerprint", &[])
    }

    /// The password of §2: 16 hex digits, the same at every sign-in until the generation rises.
    #[must_use]
    pub fn chat_password(&self, user: UserId, generation: u32) -> String {
        self.hex16("chat-password", &[user.to_string().as_bytes(), &generation.to_be_bytes()])
    }

    /// The chat password of a shop (chat.md): 16 hex digits, always the same.
    #[must_use]
    pub fn shop_chat_password(&self, shop: ShopId) -> String {
        self.hex16("shop-chat-password", &[shop.to_string().as_bytes()])
    }

    /// The key of the stream that a sign-in name leads to.
    #[must_use]
    pub fn sign_in_key(&self, name: &str) -> String {
        hex::encode(&self.keyed_hash("sign-in-name", &[name.as_bytes()])[..16])
    }

    /// What is kept of the key that a watch signs in with.
    #[must_use]
    pub fn watch_key_hash(&self, imei: Imei, key: &str) -> KeyHash {
        self.hash16("watch-key", &[imei.to_string().as_bytes(), key.as_bytes()])
    }

    /// What is kept of the code that is printed on a watch.
    #[must_use]
    pub fn watch_code_hash(&self, imei: Imei, code: &str) -> KeyHash {
        self.hash16("watch-code", &[imei.to_string().as_bytes(), code.as_bytes()])
    }

    /// What is kept of a code to join a circle by.
    #[must_use]
    pub fn circle_code_hash(&self, code: &str) -> KeyHash {
        self.hash16("circle-code-hash", &[code.as_bytes()])
    }

    /// The code that a request makes to join a circle by, 32 hex digits: the same request again makes the same.
    #[must_use]
    pub fn circle_code(&self, request: Uuid, group: GroupId, by: UserId) -> String {
        let parts = [group.to_string(), by.to_string()];
        hex::encode(self.hash16("circle-code", &[request.as_bytes(), parts[0].as_bytes(), parts[1].as_bytes()]))
    }

    /// The key that a request makes for a watch that no operator made known, 32 hex digits: the same request again makes the same.
    #[must_use]
    pub fn watch_key(&self, request: Uuid, imei: Imei, binding: u16) -> String {
        let parts: [&[u8]; 3] = [request.as_bytes(), &imei.number().to_be_bytes(), &binding.to_be_bytes()];
        hex::encode(self.hash16("watch-key-made", &parts))
    }

    fn hash16(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 16] {
        let mut hash = [0; 16];
        hash.copy_from_slice(&self.keyed_hash(purpose, parts)[..16]);
        hash
    }

    fn hex16(&self, purpose: &str, parts: &[&[u8]]) -> String {
        hex::encode(&self.keyed_hash(purpose, parts)[..8])
    }
}

impl KeyedHash for ServerSecret {
    fn keyed_hash(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let secret = ServerSecret::new(&[1; 32]);
        assert_ne!(secret.keyed_hash("a", &[b"bc"]), secret.keyed_hash("a", &[b"b", b"c"]));
        assert_ne!(secret.keyed_hash("a", &[]), secret.keyed_hash("b", &[]));
    }

    #[test]
    fn chat_passwords_are_16_hex_digits_and_change_with_the_generation() {
        let secret = ServerSecret::new(&[1; 32]);
        let first = secret.chat_password(UserId::Number(1), 0);
        assert_eq!(first.len(), 16);
        assert_eq!(first, secret.chat_password(UserId::Number(1), 0));
        assert_ne!(first, secret.chat_password(UserId::Number(1), 1));
        assert_ne!(first, secret.chat_password(UserId::Number(2), 0));
    }

    #[test]
    fn nodes_that_start_at_once_have_one_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let fingerprints: Vec<_> = std::thread::scope(|scope| {
            let load = || ServerSecret::load_or_create(&path, &SystemEntropy).unwrap().fingerprint();
            let nodes: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
            nodes.into_iter().map(|node| node.join().unwrap()).collect()
        });
        assert!(fingerprints.iter().all(|one| *one == fingerprints[0]), "{fingerprints:?}");
    }

    #[test]
    fn the_file_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let made = ServerSecret::load_or_create(&path, &SystemEntropy).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(ServerSecret::load_or_create(&path, &SystemEntropy).unwrap().fingerprint(), made.fingerprint());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing unfinished is left");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(ServerSecret::load_or_create(&path, &SystemEntropy).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short").unwrap();
        assert!(ServerSecret::load_or_create(&path, &SystemEntropy).unwrap_err().to_string().contains("64 hex digits"));
    }
}
