//! `event!` declares one event with its documentation and the privacy class of each field; `registry!` joins them.

/// Declares an event type: a struct, its stable name and schema version, what each field is, and who reads older schemas (none for those
/// that never were).
macro_rules! event {
    (
        $(#[doc = $doc:literal])*
        $name:ident, schema $schema:literal {
            $( $(#[doc = $field_doc:literal])* $field:ident : $type:ty => $class:ident, )*
        }
        $( upcast from $old:ident )?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $( $(#[doc = $field_doc])* pub $field: $type, )*
        }

        impl $crate::events::EventType for $name {
            const TYPE: &'static str = stringify!($name);
            const SCHEMA: u16 = $schema;
            const MEANING: &'static str = concat!($($doc),*);
            const FIELDS: &'static [$crate::events::Field] = &[
                $( $crate::events::Field {
                    name: stringify!($field),
                    of: stringify!($type),
                    class: $crate::events::Class::$class,
                    meaning: concat!($($field_doc),*),
                }, )*
            ];

            $(
                fn upcast(
                    schema: u16,
                    encoding: $crate::events::Encoding,
                    bytes: &[u8],
                ) -> Result<Self, $crate::events::CodecError> {
                    let newest = Self::SCHEMA;
                    $old::upcast(schema, encoding, bytes)
                        .unwrap_or(Err($crate::events::CodecError::UnknownSchema { type_name: Self::TYPE, schema, newest }))
                }
            )?
        }

        impl From<$name> for $crate::events::Event {
            fn from(event: $name) -> Self {
                Self::$name(event)
            }
        }
    };
}

/// Joins all event types into the `Event` enum with its codec.
macro_rules! registry {
    ($($name:ident,)*) => {
        /// Any event.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event {
            $( #[doc = concat!("See [`", stringify!($name), "`].")] $name($name), )*
        }

        impl Event {
            /// All types, for documents and checks.
            pub const TYPES: &'static [TypeInfo] = &[$( TypeInfo::of::<$name>(), )*];

            /// The type's stable name.
            #[must_use]
            pub const fn type_name(&self) -> &'static str {
                match self { $( Self::$name(_) => <$name as EventType>::TYPE, )* }
            }

            /// The type's place in `TYPES`.
            #[must_use]
            pub const fn type_index(&self) -> usize {
                enum Index { $( $name, )* }
                match self { $( Self::$name(_) => Index::$name as usize, )* }
            }

            /// The schema version that is written.
            #[must_use]
            pub const fn schema(&self) -> u16 {
                match self { $( Self::$name(_) => <$name as EventType>::SCHEMA, )* }
            }

            /// The event's fields in `encoding`.
            ///
            /// # Errors
            /// Where the encoder refuses a value, which no event of ours has.
            pub fn encode(&self, encoding: Encoding) -> Result<Vec<u8>, CodecError> {
                match self { $( Self::$name(event) => encoding.encode(event), )* }
            }

            /// Reads an event of any known type and schema; an old schema becomes the newest.
            ///
            /// # Errors
            /// `UnknownType`, `UnknownSchema` (written by a newer program), or `Malformed`.
            pub fn decode(type_name: &str, schema: u16, encoding: Encoding, bytes: &[u8]) -> Result<Self, CodecError> {
                match type_name {
                    $( <$name as EventType>::TYPE => decode_as::<$name>(schema, encoding, bytes).map(Self::$name), )*
                    _ => Err(CodecError::UnknownType(type_name.to_owned())),
                }
            }
        }
    };
}

pub(crate) use event;
pub(crate) use registry;
