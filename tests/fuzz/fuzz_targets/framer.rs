//! Any bytes, in any pieces: no panic, and the same elements as at once.
//!
//! What is wrong may be seen sooner in smaller pieces (`P` and `]`, where `P]` waits for what may follow), so each input ends with a byte that XML never has:
//! by then all is decided.
#![no_main]

use dface_api::xmpp::stream::framer::{Caps, Framer, Framing, Input};
use libfuzzer_sys::fuzz_target;

/// NUL, which is no character of XML.
const END: &[u8] = b"\0";

fn all(pieces: &[&[u8]]) -> (Vec<Input>, bool) {
    let mut framer = Framer::new(Framing::Stream, Caps::STRANGER);
    let mut found = Vec::new();
    for mut piece in pieces.iter().copied() {
        loop {
            match framer.next(&mut piece) {
                Ok(Some(Input::Close)) => return (found, true),
                Ok(Some(input)) => found.push(input),
                Ok(None) => break,
                Err(_) => return (found, false),
            }
        }
    }
    (found, true)
}

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let (one, other) = bytes.split_at(usize::from(cut) % (bytes.len() + 1));
    assert_eq!(all(&[bytes, END]), all(&[one, other, END]));
});
