//! PLAIN (RFC 4616).

use super::Failure;

/// What a client says.
#[derive(PartialEq, Eq)]
pub(in super::super) struct Plain {
    /// As whom it wants to act; empty where as itself.
    pub(in super::super) authzid: String,
    /// Who it is.
    pub(in super::super) name: String,
    pub(in super::super) password: String,
}

impl Plain {
    /// Reads a message.
    pub(in super::super) fn read(message: Vec<u8>) -> Result<Self, Failure> {
        let text = String::from_utf8(message).map_err(|_| Failure::MalformedRequest)?;
        let mut parts = text.split('\0').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(authzid), Some(name), Some(password), None) if !name.is_empty() && !password.is_empty() => {
                Ok(Self { authzid, name, password })
            }
            _ => Err(Failure::MalformedRequest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_three_parts() {
        let Ok(plain) = Plain::read(b"\x007\x00secret".to_vec()) else { panic!("it is one") };
        assert_eq!((&*plain.authzid, &*plain.name, &*plain.password), ("", "7", "secret"));
        for bad in [&b""[..], b"7", b"\x007", b"\x007\x00", b"\x00\x00x", b"a\x00b\x00c\x00d", b"\x00\xff\x00x"] {
            assert_eq!(Plain::read(bad.to_vec()).err(), Some(Failure::MalformedRequest), "{bad:?}");
        }
    }
}
