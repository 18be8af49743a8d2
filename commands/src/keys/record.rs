//! One key on disk: 64 bytes, so that destroying one overwrites it in its place.
//!
//! `state, kind, 2 zero bytes, crc32c of the rest (4), subject (12), key (32), 12 zero bytes`.

use dface_domain::{
    ids::{ObjectId, UserId},
    sealed::Subject,
};

/// Bytes of a record.
pub const SIZE: usize = 64;

const ALIVE: u8 = 1;
const DESTROYED: u8 = 2;

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Whose key.
    pub subject: Subject,
    /// The key; none where it was destroyed.
    pub key: Option<[u8; 32]>,
}

/// The subject's kind and 12 bytes: on disk, and what sealed bytes are bound to.
#[must_use]
pub fn subject_bytes(subject: Subject) -> [u8; 13] {
    let mut bytes = [0; 13];
    let number = |kind: u8, number: u64, bytes: &mut [u8; 13]| {
        bytes[0] = kind;
        bytes[1..9].copy_from_slice(&number.to_be_bytes());
    };
    match subject {
        Subject::User(UserId::Number(user)) => number(1, user, &mut bytes),
        Subject::User(UserId::Object(ObjectId(object))) => {
            bytes[0] = 2;
            bytes[1..].copy_from_slice(&object);
        }
        Subject::Watch(imei) => number(3, imei, &mut bytes),
    }
    bytes
}

fn subject_from(kind: u8, bytes: &[u8]) -> Option<Subject> {
    let number = u64::from_be_bytes(bytes[..8].try_into().ok()?);
    match kind {
        1 => Some(Subject::User(UserId::Number(number))),
        2 => Some(Subject::User(UserId::Object(ObjectId(bytes[..12].try_into().ok()?)))),
        3 => Some(Subject::Watch(number)),
        _ => None,
    }
}

impl Record {
    /// As it stands on disk.
    #[must_use]
    pub fn encode(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        let subject = subject_bytes(self.subject);
        bytes[0] = if self.key.is_some() { ALIVE } else { DESTROYED };
        bytes[1] = subject[0];
        bytes[8..20].copy_from_slice(&subject[1..]);
        bytes[20..52].copy_from_slice(&self.key.unwrap_or_default());
        let crc = checksum(&bytes);
        bytes[4..8].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    /// Reads one; none where it is damaged.
    #[must_use]
    pub fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        if bytes[4..8] != checksum(bytes).to_be_bytes() {
            return None;
        }
        let subject = subject_from(bytes[1], &bytes[8..20])?;
        let key = match bytes[0] {
            ALIVE => Some(bytes[20..52].try_into().ok()?),
            DESTROYED => None,
            _ => return None,
        };
        Some(Self { subject, key })
    }
}

fn checksum(bytes: &[u8; SIZE]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..4]), &bytes[8..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_and_a_flipped_bit_is_seen() {
        for subject in [
            Subject::User(UserId::Number(7)),
            Subject::User(dface_domain::ids::ADMINISTRATOR),
            Subject::Watch(358_520_070_000_015),
        ] {
            for key in [None, Some([9; 32])] {
                let record = Record { subject, key };
                let bytes = record.encode();
                assert_eq!(Record::decode(&bytes), Some(record));
                for bit in 0..SIZE * 8 {
                    let mut flipped = bytes;
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    assert_eq!(Record::decode(&flipped), None, "bit {bit}");
                }
            }
        }
    }
}
