//! Sign-in passwords: argon2id, off the async threads, the same work whether or not the name is known.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::{PasswordHash, Salt},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::CommandError;

/// Hashes and verifies; at most as many at once as there are cores, since each takes 19 MiB.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// Verified where there is no account or no password, so that both take as long.
    nobody: Arc<str>,
    running: Arc<Semaphore>,
    verified: Arc<AtomicU64>,
}

impl Passwords {
    /// With the parameters of the OWASP recommendation (19 MiB, 2 passes, 1 lane).
    ///
    /// # Panics
    /// Never: the parameters are fixed.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default());
        let nobody = hash_with(&argon2, "nobody has this password", &[0; 16]).expect("fixed parameters hash");
        Self {
            argon2,
            nobody: nobody.into(),
            running: Arc::new(Semaphore::new(at_once.max(1))),
            verified: Arc::default(),
        }
    }

    /// The PHC string to keep of `password`.
    ///
    /// # Errors
    /// `Interrupted` where the process is stopping.
    pub async fn hash(&self, password: String, salt: [u8; 16]) -> Result<String, CommandError> {
        let argon2 = self.argon2.clone();
        self.run(move || hash_with(&argon2, &password, &salt)).await?.map_err(CommandError::Interrupted)
    }

    /// Whether `password` is the one that `phc` was made of; none is never right, and takes as long.
    ///
    /// # Errors
    /// `Interrupted` where the process is stopping.
    pub async fn verify(&self, password: String, phc: Option<String>) -> Result<bool, CommandError> {
        self.verified.fetch_add(1, Ordering::Relaxed);
        let (argon2, nobody) = (self.argon2.clone(), Arc::clone(&self.nobody));
        self.run(move || {
            let right = PasswordHash::new(phc.as_deref().unwrap_or(&nobody))
                .is_ok_and(|hash| argon2.verify_password(password.as_bytes(), &hash).is_ok());
            right && phc.is_some()
        })
        .await
    }

    /// How many verifications have run.
    #[must_use]
    pub fn verifications(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, CommandError> {
        let _place = self.running.acquire().await.map_err(|e| CommandError::Interrupted(e.to_string()))?;
        spawn_blocking(work).await.map_err(|e| CommandError::Interrupted(e.to_string()))
    }
}

fn hash_with(argon2: &Argon2<'_>, password: &str, salt: &[u8; 16]) -> Result<String, String> {
    let salt = Salt::new(salt).map_err(|e| e.to_string())?;
    argon2.hash_password_with_salt(password.as_bytes(), &salt).map(|hash| hash.to_string()).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_alone_is_right_and_each_try_is_one_verification() {
        let passwords = Passwords::new(2);
        let phc = passwords.hash("s3cret".to_owned(), [7; 16]).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(passwords.verify("s3cret".to_owned(), Some(phc.clone())).await.unwrap());
        assert!(!passwords.verify("secret".to_owned(), Some(phc)).await.unwrap());
        assert!(!passwords.verify("nobody has this password".to_owned(), None).await.unwrap());
        assert_eq!(passwords.verifications(), 3);
    }
}
