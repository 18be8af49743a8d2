//! Keys of rows: a tag for the kind of row, then ids in an order that sorts as wanted.

use dface_domain::{
    ids::{CheckinId, FileId, GroupId, Imei, MessageId, ObjectId, PhotoId, SessionId, ShopId, UserId},
    jobs::{JobId, JobKind},
    messages::{Conversation, Party},
    objects::{Format, ObjectKey},
    time::Timestamp,
};
use smallvec::{SmallVec, smallvec};

/// Bytes of a user id in a key.
pub const USER_LEN: usize = 13;

/// A key's bytes. Nearly all keys are short: a rebuild has millions of them, and sorts them.
pub type Key = SmallVec<[u8; 36]>;

/// A key that is being put together.
#[derive(Debug, Clone)]
pub struct KeyBuf(Key);

impl KeyBuf {
    /// Begins with the tag of a kind of row.
    #[must_use]
    pub fn tag(tag: u8) -> Self {
        Self(smallvec![tag])
    }

    /// A person.
    #[must_use]
    pub fn user(mut self, user: UserId) -> Self {
        self.0.extend_from_slice(&user_bytes(user));
        self
    }

    /// A shop.
    #[must_use]
    pub fn shop(mut self, shop: ShopId) -> Self {
        self.0.extend_from_slice(&shop.0.to_be_bytes());
        self
    }

    /// A check-in.
    #[must_use]
    pub fn checkin(mut self, checkin: CheckinId) -> Self {
        self.0.extend_from_slice(&checkin.0.0);
        self
    }

    /// A session.
    #[must_use]
    pub fn session(mut self, session: SessionId) -> Self {
        self.0.extend_from_slice(&session.0);
        self
    }

    /// A picture.
    #[must_use]
    pub fn photo(mut self, photo: PhotoId) -> Self {
        self.0.extend_from_slice(&photo.0.0);
        self
    }

    /// An object.
    #[must_use]
    pub fn object(mut self, object: ObjectKey) -> Self {
        self.0.extend_from_slice(&object.hash);
        self.0.push(object.format as u8);
        self
    }

    /// A kind of job.
    #[must_use]
    pub fn kind(mut self, kind: JobKind) -> Self {
        self.0.push(kind as u8);
        self
    }

    /// A job.
    #[must_use]
    pub fn job(self, job: JobId) -> Self {
        self.kind(job.kind).bytes(job.cause.as_bytes())
    }

    /// One who talks, or a room.
    #[must_use]
    pub fn party(mut self, party: Party) -> Self {
        self.0.push(party_tag(party));
        match party {
            Party::User(user) => self.user(user),
            Party::Shop(shop) | Party::Room(shop) => self.shop(shop),
        }
    }

    /// A conversation: the room, or both parties.
    #[must_use]
    pub fn conversation(self, conversation: Conversation) -> Self {
        match conversation {
            Conversation::Room(shop) => self.party(Party::Room(shop)),
            Conversation::Between(one, other) => self.party(one).party(other),
        }
    }

    /// A check-in, so that those of later minutes come first.
    #[must_use]
    pub fn newest_checkin_first(self, checkin: CheckinId) -> Self {
        self.checkin(inverted(checkin))
    }

    /// A moment from 1970 on, so that later ones come first.
    #[must_use]
    pub fn newest_first(self, moment: Timestamp) -> Self {
        self.number(!moment.0.max(0).cast_unsigned())
    }

    /// A plain number.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// A circle.
    #[must_use]
    pub fn group(self, group: GroupId) -> Self {
        self.number(group.0)
    }

    /// A watch.
    #[must_use]
    pub fn imei(self, imei: Imei) -> Self {
        self.number(imei.number())
    }

    /// A message.
    #[must_use]
    pub fn message(self, message: MessageId) -> Self {
        self.bytes(&message.0.0)
    }

    /// A file of a circle.
    #[must_use]
    pub fn file(self, file: FileId) -> Self {
        self.bytes(&file.0.0)
    }

    /// Bytes as they are.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

impl std::ops::Deref for KeyBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Reads a key from its front.
#[derive(Debug, Clone, Copy)]
pub struct KeyReader<'a>(&'a [u8]);

impl<'a> KeyReader<'a> {
    /// Behind the tag, where the key has that one.
    #[must_use]
    pub fn tagged(key: &'a [u8], tag: u8) -> Option<Self> {
        key.split_first().filter(|(first, _)| **first == tag).map(|(_, rest)| Self(rest))
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    /// The next part as a person.
    pub fn user(&mut self) -> Option<UserId> {
        let bytes = self.take::<USER_LEN>()?;
        let (kind, rest) = bytes.split_first()?;
        match kind {
            0 => Some(UserId::Number(u64::from_be_bytes(*rest.first_chunk()?))),
            _ => Some(UserId::Object(ObjectId(*rest.first_chunk()?))),
        }
    }

    /// The next part as a shop.
    pub fn shop(&mut self) -> Option<ShopId> {
        self.take().map(u64::from_be_bytes).map(ShopId)
    }

    /// The next part as a moment of [`KeyBuf::newest_first`].
    pub fn newest_first(&mut self) -> Option<Timestamp> {
        self.number().map(|number| Timestamp((!number).cast_signed()))
    }

    /// The next part as a plain number.
    pub fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    /// The next part as a circle.
    pub fn group(&mut self) -> Option<GroupId> {
        self.number().map(GroupId)
    }

    /// The next part as a watch.
    pub fn imei(&mut self) -> Option<Imei> {
        self.number().and_then(Imei::new)
    }

    /// The next part as a message.
    pub fn message(&mut self) -> Option<MessageId> {
        self.take().map(ObjectId).map(MessageId)
    }

    /// The next part as a check-in.
    pub fn checkin(&mut self) -> Option<CheckinId> {
        self.take().map(ObjectId).map(CheckinId)
    }

    /// The next part as a session.
    pub fn session(&mut self) -> Option<SessionId> {
        self.take().map(SessionId)
    }

    /// The next part as a picture.
    pub fn photo(&mut self) -> Option<PhotoId> {
        self.take().map(ObjectId).map(PhotoId)
    }

    /// The next part as an object.
    pub fn object(&mut self) -> Option<ObjectKey> {
        let (hash, [format]) = (self.take()?, self.take::<1>()?);
        let format = Format::ALL.into_iter().find(|known| *known as u8 == format)?;
        Some(ObjectKey { hash, format })
    }

    /// The next part as a kind of job.
    pub fn kind(&mut self) -> Option<JobKind> {
        let [kind] = self.take::<1>()?;
        JobKind::ALL.into_iter().find(|known| *known as u8 == kind)
    }

    /// The next part as one who talks, or a room.
    pub fn party(&mut self) -> Option<Party> {
        match self.take::<1>()? {
            [USER_PARTY] => self.user().map(Party::User),
            [SHOP_PARTY] => self.shop().map(Party::Shop),
            [ROOM_PARTY] => self.shop().map(Party::Room),
            _ => None,
        }
    }

    /// The next part as a check-in of [`KeyBuf::newest_checkin_first`].
    pub fn newest_checkin_first(&mut self) -> Option<CheckinId> {
        self.checkin().map(inverted)
    }
}

const USER_PARTY: u8 = 0;
const SHOP_PARTY: u8 = 1;
const ROOM_PARTY: u8 = 2;

const fn party_tag(party: Party) -> u8 {
    match party {
        Party::User(_) => USER_PARTY,
        Party::Shop(_) => SHOP_PARTY,
        Party::Room(_) => ROOM_PARTY,
    }
}

/// All bits turned over, which turns the order over.
fn inverted(CheckinId(ObjectId(bytes)): CheckinId) -> CheckinId {
    CheckinId(ObjectId(bytes.map(|byte| !byte)))
}

fn user_bytes(user: UserId) -> [u8; USER_LEN] {
    let mut bytes = [0; USER_LEN];
    match user {
        UserId::Number(number) => bytes[1..9].copy_from_slice(&number.to_be_bytes()),
        UserId::Object(object) => {
            bytes[0] = 1;
            bytes[1..].copy_from_slice(&object.0);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use dface_domain::ids::ADMINISTRATOR;

    #[test]
    fn keys_read_back_and_sort_newest_first() {
        let checkin = |seconds| CheckinId(ObjectId::from_parts(seconds, [5; 8]));
        for user in [UserId::Number(7), ADMINISTRATOR] {
            let key = KeyBuf::tag(b't').user(user).newest_checkin_first(checkin(60)).checkin(checkin(0)).number(3);
            let mut reader = KeyReader::tagged(&key, b't').unwrap();
            assert_eq!(reader.user(), Some(user));
            assert_eq!(reader.newest_checkin_first(), Some(checkin(60)));
            assert_eq!(reader.checkin(), Some(checkin(0)));
            assert_eq!(reader.number(), Some(3));
            assert_eq!(reader.shop(), None);
        }
        for party in [Party::User(ADMINISTRATOR), Party::Shop(ShopId(3)), Party::Room(ShopId(3))] {
            let key = KeyBuf::tag(b'n').party(party).number(4);
            let mut reader = KeyReader::tagged(&key, b'n').unwrap();
            assert_eq!((reader.party(), reader.number()), (Some(party), Some(4)));
        }
        let at = |seconds| KeyBuf::tag(b't').newest_checkin_first(checkin(seconds)).to_vec();
        assert!(at(u32::MAX) < at(120) && at(120) < at(60) && at(60) < at(0));
        assert!(KeyReader::tagged(&at(5), b'x').is_none());
    }
}
