//! Frames as bytes.

use proptest::prelude::*;
use uuid::Uuid;

use crate::store::embedded::frame::{self, HEADER, Header, Payload};

fn sealed(payload: &Payload<'_>, header: &Header) -> Vec<u8> {
    let mut frame = frame::encode_payload(payload, Vec::new()).unwrap();
    let found = Header::parse(&frame);
    frame::seal(&mut frame, &Header { len: found.len, crc: found.crc, ..*header });
    frame
}

proptest! {
    #[test]
    fn frames_read_back_and_no_flipped_bit_passes(
        ids in any::<(u128, u128, Option<u128>)>(),
        key in ".{0,40}",
        type_name in "[A-Za-z]{0,30}",
        data in proptest::collection::vec(any::<u8>(), 0..300),
        numbers in any::<(u64, u64, i64, u64, u32, u16, i64)>(),
        flip in any::<prop::sample::Index>(),
    ) {
        let payload = Payload {
            id: Uuid::from_u128(ids.0),
            category: "shop",
            key: &key,
            type_name: &type_name,
            schema: numbers.5,
            occurred_at: numbers.6,
            correlation: Uuid::from_u128(ids.1),
            causation: ids.2.map(Uuid::from_u128),
            data: &data,
        };
        let (position, version, time, durable, following) = (numbers.0, numbers.1, numbers.2, numbers.3, numbers.4);
        let header = Header { len: 0, crc: 0, position, version, time, durable, following };
        let mut frame = sealed(&payload, &header);
        let read = Header::parse(&frame);
        prop_assert_eq!(read.frame_len(), frame.len());
        prop_assert_eq!(Header { len: 0, crc: 0, ..read }, header);
        prop_assert!(frame::intact(&frame));
        prop_assert_eq!(Payload::parse(&frame[HEADER..]).unwrap(), payload);
        let bit = flip.index(frame.len() * 8);
        frame[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!frame::intact(&frame));
    }

    #[test]
    fn payloads_of_any_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Payload::parse(&bytes);
    }
}
