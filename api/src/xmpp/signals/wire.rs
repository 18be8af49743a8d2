//! Signals as they go from node to node: a head in clear (which node, which run of it, which signal of that run) and the rest sealed by a key of that run, which all
//! who have the server secret can make. So the broker neither reads what people say nor can put anything in their mouths.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use dface_domain::{ids::ShopId, messages::Party, ports::KeyedHash};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The form that is written. One of another form is not read.
const VERSION: u8 = 1;

/// Bytes of a head: version, node, run, number.
const HEAD: usize = 1 + 16 + 8 + 8;

/// For what the keys are.
const PURPOSE: &str = "signals";

/// Which node began when, and what it calls a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The node.
    pub(super) node: Uuid,
    /// Unlike any other time that it ran.
    pub(super) run: u64,
    /// From 1, without gaps.
    pub(super) number: u64,
}

/// What a node tells the others. A newer program adds kinds at the end: an older one passes over what it cannot read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    /// It is there.
    Here,
    /// That node is to tell all that is so; none: every node is.
    Ask(Option<Uuid>),
    /// All that is so follows, among other signals.
    Whole,
    /// What was not told since `Whole` is so no more.
    Done,
    /// It stops.
    Leaving,
    /// These streams of it are in a room.
    Seated {
        /// Whose room.
        shop: ShopId,
        /// The streams.
        seats: Vec<Seat>,
    },
    /// A stream of it is in a room no more.
    Left {
        /// Whose room.
        shop: ShopId,
        /// Whose stream.
        party: Party,
        /// Which.
        resource: String,
    },
    /// Somebody was sent out of a room, with all streams of all nodes.
    Kicked {
        /// Whose room.
        shop: ShopId,
        /// Who.
        party: Party,
        /// The nick of who did it.
        by: String,
        /// Why.
        reason: String,
    },
    /// What an occupant says in a room and is kept nowhere.
    Passing {
        /// Whose room.
        shop: ShopId,
        /// Who.
        party: Party,
        /// The message as it is relayed.
        xml: String,
    },
    /// What somebody says to somebody and is kept nowhere.
    Relayed {
        /// Who, and with which resource.
        from: (Party, String),
        /// To whom, and to which resource where one is named.
        to: (Party, Option<String>),
        /// The message as it is relayed.
        xml: String,
    },
    /// Somebody is asked into a room, or declines.
    Invited {
        /// Who asks.
        from: Party,
        /// Whom.
        to: Party,
        /// The message.
        xml: String,
    },
    /// A resource was bound: whoever else has it does not any more.
    Bound {
        /// Whose.
        owner: Party,
        /// Which.
        resource: String,
    },
    /// A stream is available, or changed its presence.
    Available {
        /// Whose.
        owner: Party,
        /// Which.
        resource: String,
        /// The presence as the owner's streams are told it.
        presence: String,
        /// It was not before: it is to hear of the others.
        first: bool,
    },
    /// A stream is available, for one that became so.
    Theirs {
        /// Whose both are.
        owner: Party,
        /// Which.
        resource: String,
        /// Its presence.
        presence: String,
        /// Where the other one is.
        node: Uuid,
        /// Which it is.
        to: String,
    },
    /// A stream is available no more.
    Gone {
        /// Whose.
        owner: Party,
        /// Which.
        resource: String,
    },
    /// These streams of it are available: whose, and which.
    Streams(Vec<(Party, String)>),
}

/// A stream that is in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Whose.
    pub party: Party,
    /// Which.
    pub resource: String,
    /// What its owner is called there.
    pub nick: String,
}

impl Head {
    /// Reads a head; none where it is of another version, or nothing of ours.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (&[version], rest) = bytes.split_first_chunk::<1>()?;
        let (node, rest) = rest.split_first_chunk()?;
        let (run, rest) = rest.split_first_chunk()?;
        let (number, _) = rest.split_first_chunk()?;
        let (run, number) = (u64::from_be_bytes(*run), u64::from_be_bytes(*number));
        (version == VERSION).then_some(Self { node: Uuid::from_bytes(*node), run, number })
    }

    fn written(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(self.node.as_bytes());
        bytes.extend_from_slice(&self.run.to_be_bytes());
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes
    }

    /// No other signal under the same key has this number.
    fn nonce(&self) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[NONCE_LEN - 8..].copy_from_slice(&self.number.to_be_bytes());
        Nonce::assume_unique_for_key(nonce)
    }
}

/// The key of one run of a node.
pub(super) struct Sealer {
    node: Uuid,
    run: u64,
    key: LessSafeKey,
}

impl Sealer {
    pub(super) fn new(secret: &dyn KeyedHash, node: Uuid, run: u64) -> Self {
        let key = secret.keyed_hash(PURPOSE, &[node.as_bytes(), &run.to_be_bytes()]);
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("32 bytes are an AES-256 key"));
        Self { node, run, key }
    }

    /// A signal, sealed; none where it has no form.
    pub(super) fn seal(&self, number: u64, signal: &Signal) -> Option<Vec<u8>> {
        let head = Head { node: self.node, run: self.run, number };
        let (mut bytes, mut body) = (head.written(), postcard::to_stdvec(signal).ok()?);
        self.key.seal_in_place_append_tag(head.nonce(), Aad::from(&bytes), &mut body).ok()?;
        bytes.extend_from_slice(&body);
        Some(bytes)
    }

    /// What was sealed: none where it was not with this key, or is changed; an error where a newer program may read it.
    pub(super) fn open(&self, head: &Head, bytes: &[u8]) -> Option<Result<Signal, postcard::Error>> {
        let (clear, body) = bytes.split_at_checked(HEAD)?;
        let mut body = body.to_vec();
        let plain = self.key.open_in_place(head.nonce(), Aad::from(clear), &mut body).ok()?;
        Some(postcard::from_bytes(plain))
    }
}

#[cfg(test)]
mod tests {
    use dface_commands::ServerSecret;

    use super::*;

    const NODE: Uuid = Uuid::from_u128(7);

    fn sealer(secret: u8, run: u64) -> Sealer {
        Sealer::new(&ServerSecret::new(&[secret; 32]), NODE, run)
    }

    fn left() -> Signal {
        let party = Party::User(dface_domain::ids::UserId::Number(8));
        Signal::Left { shop: ShopId(9), party, resource: "phone".to_owned() }
    }

    #[test]
    fn a_signal_is_read_by_who_has_the_secret_and_by_nobody_else() {
        let bytes = sealer(1, 5).seal(3, &left()).unwrap();
        let head = Head::read(&bytes).unwrap();
        assert_eq!(head, Head { node: NODE, run: 5, number: 3 });
        assert_eq!(sealer(1, 5).open(&head, &bytes).unwrap().unwrap(), left());
        assert!(sealer(2, 5).open(&head, &bytes).is_none() && sealer(1, 6).open(&head, &bytes).is_none());
        assert!(!bytes.windows(5).any(|part| part == b"phone"));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let read = Head::read(&changed).and_then(|head| sealer(1, 5).open(&head, &changed));
            assert!(read.is_none(), "byte {at}");
        }
        assert!(Head::read(&bytes[..HEAD - 1]).is_none() && sealer(1, 5).open(&head, &bytes[..HEAD]).is_none());
    }

    #[test]
    fn what_a_newer_program_tells_is_known_to_be_no_forgery() {
        let (sealer, head) = (sealer(1, 5), Head { node: NODE, run: 5, number: 1 });
        let (mut bytes, mut body) = (head.written(), vec![250, 1, 2]);
        sealer.key.seal_in_place_append_tag(head.nonce(), Aad::from(&bytes), &mut body).unwrap();
        bytes.extend_from_slice(&body);
        assert!(sealer.open(&head, &bytes).unwrap().is_err());
    }
}
