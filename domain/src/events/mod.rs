//! Events: facts in the past tense, never changed, only succeeded.
//!
//! One file for each feature. A new event is declared with `event!` in its feature's file and named once in the
//! `registry!` below. The types use no untagged, flattened, skipped or defaulted fields, so that postcard (embedded
//! store) and JSON (EventStoreDB) come from the same type; any change of a field is a new schema version, whose
//! predecessor is read by `EventType::upcast`.

mod macros;

pub mod audit;
pub mod checkins;
pub mod circles;
pub mod coupons;
pub mod jobs;
pub mod messages;
pub mod nodes;
pub mod people;
pub mod photos;
pub mod pushes;
pub mod relations;
pub mod reports;
pub mod requests;
pub mod samples;
pub mod sessions;
pub mod shops;
pub mod system;
pub mod tokens;
pub mod watches;

use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    audit::*, checkins::*, circles::*, coupons::*, jobs::*, messages::*, nodes::*, people::*, photos::*, pushes::*,
    relations::*, reports::*, requests::*, sessions::*, shops::*, system::*, tokens::*, watches::*,
};

/// What a field is, for whoever writes a replay: what may be shown, what is hashed, what is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// An id of a thing, or a plain fact about it.
    Public,
    /// Which family circle: left out of a pseudonymous replay.
    Circle,
    /// The id of a person or watch: hashed in a pseudonymous replay.
    Person,
    /// Where a person or watch was: on a 1 km grid in a pseudonymous replay. Always sealed.
    Position,
    /// Names, texts, addresses, phone numbers: left out of a pseudonymous replay. Always sealed.
    Personal,
    /// What proves an identity (hashes of passwords and sessions): left out of every replay.
    Secret,
}

/// A field of an event type.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its type, as the source has it.
    pub of: &'static str,
    /// What it is.
    pub class: Class,
    /// What it means, with its unit.
    pub meaning: &'static str,
}

/// A type of event.
pub trait EventType: Serialize + DeserializeOwned {
    /// Its stable name.
    const TYPE: &'static str;
    /// The schema version that is written, from 1.
    const SCHEMA: u16;
    /// One sentence on it.
    const MEANING: &'static str;
    /// Its fields.
    const FIELDS: &'static [Field];

    /// Reads an older schema version and makes it one of today.
    ///
    /// # Errors
    /// `UnknownSchema` for versions that never were, `Malformed` for bytes that are none.
    fn upcast(schema: u16, encoding: Encoding, bytes: &[u8]) -> Result<Self, CodecError> {
        let _ = (encoding, bytes);
        Err(CodecError::UnknownSchema { type_name: Self::TYPE, schema, newest: Self::SCHEMA })
    }
}

/// What is known of a type without a value of it.
#[derive(Debug, Clone, Copy)]
pub struct TypeInfo {
    /// Its stable name.
    pub name: &'static str,
    /// The schema version that is written.
    pub schema: u16,
    /// One sentence on it.
    pub meaning: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

impl TypeInfo {
    const fn of<E: EventType>() -> Self {
        Self { name: E::TYPE, schema: E::SCHEMA, meaning: E::MEANING, fields: E::FIELDS }
    }

    /// The type of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Event::TYPES.iter().find(|info| info.name == name)
    }
}

/// How an event's fields are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The embedded store's.
    Postcard,
    /// EventStoreDB's, and every replay's.
    Json,
}

/// An event cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// No such type: written by a newer program, or damaged.
    #[error("unknown event type `{0}`; was it written by a newer version of dface?")]
    UnknownType(String),
    /// A schema version that this program does not know.
    #[error("event type `{type_name}` has schema {schema}, but this dface knows 1 to {newest}")]
    UnknownSchema {
        /// The type.
        type_name: &'static str,
        /// The version met.
        schema: u16,
        /// The newest known.
        newest: u16,
    },
    /// The log's format does not have the type yet.
    #[error("event type `{type_name}` is written once the log has format {format} (POST /admin/finalize)")]
    NotYet {
        /// The type.
        type_name: &'static str,
        /// Its first format.
        format: u32,
    },
    /// The bytes are no such event.
    #[error("malformed event data: {0}")]
    Malformed(String),
}

impl Encoding {
    fn encode<E: Serialize>(self, event: &E) -> Result<Vec<u8>, CodecError> {
        match self {
            Self::Postcard => postcard::to_stdvec(event).map_err(|e| CodecError::Malformed(e.to_string())),
            Self::Json => serde_json::to_vec(event).map_err(|e| CodecError::Malformed(e.to_string())),
        }
    }

    /// Reads any serde type in this encoding, all of the bytes.
    ///
    /// # Errors
    /// `Malformed`, also where bytes are left over.
    pub fn decode<E: DeserializeOwned>(self, bytes: &[u8]) -> Result<E, CodecError> {
        match self {
            Self::Postcard => match postcard::take_from_bytes(bytes) {
                Ok((event, [])) => Ok(event),
                Ok((_, rest)) => Err(CodecError::Malformed(format!("{} bytes left over", rest.len()))),
                Err(error) => Err(CodecError::Malformed(error.to_string())),
            },
            Self::Json => serde_json::from_slice(bytes).map_err(|e| CodecError::Malformed(e.to_string())),
        }
    }
}

fn decode_as<E: EventType>(schema: u16, encoding: Encoding, bytes: &[u8]) -> Result<E, CodecError> {
    if schema == E::SCHEMA { encoding.decode(bytes) } else { E::upcast(schema, encoding, bytes) }
}

macros::registry! {
    AlbumOrdered,
    BatteryCharged,
    BatteryLow,
    Blocked,
    BootsCounted,
    CampaignDrawn,
    CampaignMade,
    ChatPasswordReset,
    CheckedIn,
    CheckinDeleted,
    CheckpointKept,
    CircleCreated,
    CircleEnded,
    CircleFileStored,
    CircleInvited,
    CircleJoined,
    CircleLeft,
    CouponDelivered,
    CouponGrantReturned,
    CouponGranted,
    CouponUsed,
    DownAcknowledged,
    DutyTaken,
    EventsExpired,
    FocusChanged,
    Followed,
    ForeignIdMapped,
    FormatRaised,
    GuardianChanged,
    IdBlockTaken,
    InboxTaken,
    JobDied,
    JobRevived,
    LocationRequested,
    LocationSharingChanged,
    LogReleased,
    LogRestored,
    MessageMissed,
    MessageReceipted,
    MessageRemoved,
    MessageSent,
    NodeEnded,
    NodeJoined,
    NodeRenewed,
    OperatorActed,
    PasswordSet,
    PersonErased,
    PhotoDeleted,
    PhotoFailed,
    PhotoProcessed,
    PhotoUploaded,
    ProfileChanged,
    PushDue,
    PushEnded,
    PushTokenBound,
    PushTokenUnbound,
    ReportClosed,
    RequestAccepted,
    RequestAnswered,
    SecretFingerprinted,
    SessionEnded,
    SessionOpened,
    SessionRenewed,
    ShopAdded,
    ShopCorrected,
    ShopNoticeChanged,
    ShopStaffAdded,
    ShopStaffRemoved,
    SignInClosed,
    SignInNameClaimed,
    SmsReceived,
    StoryReported,
    StorySent,
    TalkReceipted,
    TalkSent,
    TokenMade,
    TokenRevoked,
    Unblocked,
    Unfollowed,
    UserLocated,
    UserRegistered,
    UserResumed,
    UserSuspended,
    VisibilityChanged,
    WatchAlarmed,
    WatchBound,
    WatchChanged,
    WatchHeard,
    WatchImported,
    WatchLocated,
    WatchLocationRequested,
    WatchPresenceChanged,
    WatchReleased,
    WatchUnbound,
    WeiboLinked,
    WeiboPostEnded,
    WeiboPostRequested,
}
