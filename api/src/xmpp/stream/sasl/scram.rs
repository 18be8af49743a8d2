//! SCRAM (RFC 5802, RFC 7677) without channel binding.

use std::num::NonZeroU32;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, hmac, pbkdf2};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::Failure;

/// As many as RFC 7677 asks for at least: the passwords are 64 bits of chance, which no number of iterations would have to make up for.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("more than 0");

/// Bytes of the longest message: a name and nonces.
const MOST: usize = 1024;

/// Which hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    /// What is offered, the better first.
    pub(in super::super) const OFFERED: [(&'static str, Self); 2] =
        [("SCRAM-SHA-256", Self::Sha256), ("SCRAM-SHA-1", Self::Sha1)];

    fn hmac(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), text).as_ref().to_vec()
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }

    fn salted(self, password: &str, salt: &[u8]) -> Vec<u8> {
        let (algorithm, length) = match self {
            Self::Sha1 => (pbkdf2::PBKDF2_HMAC_SHA1, 20),
            Self::Sha256 => (pbkdf2::PBKDF2_HMAC_SHA256, 32),
        };
        let mut salted = vec![0; length];
        pbkdf2::derive(algorithm, ITERATIONS, salt, password.as_bytes(), &mut salted);
        salted
    }
}

/// An exchange that began.
pub(in super::super) struct Scram {
    hash: Hash,
    /// As whom the client wants to act; empty where as itself.
    pub(in super::super) authzid: String,
    /// Who it is.
    pub(in super::super) name: String,
    gs2: String,
    client_first: String,
    nonce: String,
    salt: Vec<u8>,
}

/// A name, as it stands in a message.
fn name(escaped: &str) -> Result<String, Failure> {
    let name = escaped.replace("=2C", ",").replace("=3D", "=");
    let is_whole = escaped.matches('=').count() == escaped.matches("=2C").count() + escaped.matches("=3D").count();
    if is_whole && !name.is_empty() { Ok(name) } else { Err(Failure::MalformedRequest) }
}

fn text(message: &[u8]) -> Result<&str, Failure> {
    let text = std::str::from_utf8(message).map_err(|_| Failure::MalformedRequest)?;
    if text.len() > MOST || text.contains('\0') { Err(Failure::MalformedRequest) } else { Ok(text) }
}

impl Scram {
    /// Reads the client's first message; `chance` is ours in the nonce.
    pub(in super::super) fn begin(hash: Hash, message: &[u8], chance: &str) -> Result<Self, Failure> {
        let bad = Failure::MalformedRequest;
        let text = text(message)?;
        let mut parts = text.splitn(3, ',');
        let (binding, actor, client_first) = (parts.next(), parts.next(), parts.next().ok_or(bad)?);
        // `y`: the client could bind channels and thinks that we cannot, which is right.
        if !matches!(binding, Some("n" | "y")) {
            return Err(bad);
        }
        let actor = actor.unwrap_or_default();
        let authzid = match actor.strip_prefix("a=") {
            Some(authzid) => name(authzid)?,
            None if actor.is_empty() => String::new(),
            None => return Err(bad),
        };
        let mut said = client_first.split(',');
        let who = name(said.next().and_then(|part| part.strip_prefix("n=")).ok_or(bad)?)?;
        let nonce = said.next().and_then(|part| part.strip_prefix("r=")).filter(|nonce| !nonce.is_empty());
        let nonce = format!("{}{chance}", nonce.ok_or(bad)?);
        let gs2 = text.strip_suffix(client_first).ok_or(bad)?.to_owned();
        Ok(Self { hash, authzid, name: who, gs2, client_first: client_first.to_owned(), nonce, salt: Vec::new() })
    }

    /// Our first message.
    pub(in super::super) fn challenge(&mut self, salt: &[u8]) -> String {
        self.salt = salt.to_vec();
        format!("r={},s={},i={ITERATIONS}", self.nonce, STANDARD.encode(salt))
    }

    /// Reads the client's last message; answers ours, where the client knows the password.
    pub(in super::super) fn end(&self, message: &[u8], password: &str) -> Result<String, Failure> {
        let bad = Failure::MalformedRequest;
        let (without_proof, proof) = text(message)?.rsplit_once(",p=").ok_or(bad)?;
        let proof = STANDARD.decode(proof).map_err(|_| Failure::IncorrectEncoding)?;
        let mut said = without_proof.split(',');
        let binding = said.next().and_then(|part| part.strip_prefix("c=")).ok_or(bad)?;
        let nonce = said.next().and_then(|part| part.strip_prefix("r=")).ok_or(bad)?;
        if binding != STANDARD.encode(&self.gs2) || nonce != self.nonce {
            return Err(Failure::NotAuthorized);
        }
        let hash = self.hash;
        let server_first = format!("r={},s={},i={ITERATIONS}", self.nonce, STANDARD.encode(&self.salt));
        let signed = format!("{},{server_first},{without_proof}", self.client_first);
        let salted = hash.salted(password, &self.salt);
        let stored = hash.digest(&hash.hmac(&salted, b"Client Key"));
        let signature = hash.hmac(&stored, signed.as_bytes());
        if proof.len() != signature.len() {
            return Err(Failure::NotAuthorized);
        }
        let key: Vec<u8> = proof.iter().zip(&signature).map(|(one, other)| one ^ other).collect();
        verify_slices_are_equal(&hash.digest(&key), &stored).map_err(|_| Failure::NotAuthorized)?;
        let server_key = hash.hmac(&salted, b"Server Key");
        Ok(format!("v={}", STANDARD.encode(hash.hmac(&server_key, signed.as_bytes()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Example {
        hash: Hash,
        first: &'static str,
        chance: &'static str,
        salt: &'static str,
        last: &'static str,
        answer: &'static str,
    }

    /// RFC 5802 §5.
    const SHA_1: Example = Example {
        hash: Hash::Sha1,
        first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        chance: "3rfcNHYJY1ZVvWVs7j",
        salt: "QSXCR+Q6sek8bf92",
        last: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        answer: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    };

    /// RFC 7677 §3.
    const SHA_256: Example = Example {
        hash: Hash::Sha256,
        first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        chance: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
        last: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        answer: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    };

    fn ended(example: &Example, last: &str, password: &str) -> Result<String, Failure> {
        let mut scram = Scram::begin(example.hash, example.first.as_bytes(), example.chance)?;
        assert_eq!((&*scram.name, &*scram.authzid), ("user", ""));
        scram.challenge(&STANDARD.decode(example.salt).unwrap());
        scram.end(last.as_bytes(), password)
    }

    #[test]
    fn the_examples_of_the_standards() {
        for example in [SHA_1, SHA_256] {
            assert_eq!(ended(&example, example.last, "pencil").as_deref(), Ok(example.answer));
            assert_eq!(ended(&example, example.last, "pencils"), Err(Failure::NotAuthorized));
            let other_binding = example.last.replacen("biws", "eSws", 1);
            assert_eq!(ended(&example, &other_binding, "pencil"), Err(Failure::NotAuthorized));
            let other_nonce = example.last.replacen("r=", "r=x", 1);
            assert_eq!(ended(&example, &other_nonce, "pencil"), Err(Failure::NotAuthorized));
        }
    }

    #[test]
    fn clients_without_channel_binding_are_taken_and_names_may_hold_commas() {
        let Ok(scram) = Scram::begin(Hash::Sha1, b"y,a=7,n=a=2Cb=3D,r=x", "y") else { panic!("it is a beginning") };
        assert_eq!((&*scram.authzid, &*scram.name, &*scram.gs2), ("7", "a,b=", "y,a=7,"));
    }

    #[test]
    fn what_is_no_beginning_is_malformed() {
        for bad in
            ["", "n", "n,,", "n,,n=", "n,,n=u", "n,,n=u,r=", "p=tls-unique,,n=u,r=x", "n,,m=1,n=u,r=x", "n,,n==2X,r=x"]
        {
            assert!(matches!(Scram::begin(Hash::Sha1, bad.as_bytes(), "y"), Err(Failure::MalformedRequest)), "{bad}");
        }
    }
}
