//! What tests of replays share: keys, and one event of every type with what is personal sealed.

use std::{path::Path, sync::Arc};

use dface_commands::{ServerSecret, keys::EmbeddedKeys, system::SystemEntropy};
use dface_domain::{
    envelope::Recorded,
    events::samples::{Seal, recorded, samples},
    ports::Keys,
    sealed::Subject,
};

use super::{Profile, Row, Shaper, Shown};

/// What must not be seen in the profile `pseudonymous`: names, texts, exact positions, addresses, hashes that prove an identity.
pub const HIDDEN: [&str; 14] = [
    "安娜",
    "anna@example.org",
    "203.0.113.9",
    "argon2id",
    "d8:5d:4c:7e:91:02",
    "30.282817",
    "120.117289",
    "12.5",
    "\"user\":\"7\"",
    "user:7",
    "user-7",
    "relation-7-8",
    "a5a5a5a5",
    "\"target\":\"7\"",
];

/// Seals with keys that are made where there are none.
pub struct WithKeys<'a>(pub &'a dyn Keys);

impl Seal for WithKeys<'_> {
    fn seal(&mut self, about: Subject, json: &str) -> Vec<u8> {
        self.0.ensure(&[about]).unwrap();
        self.0.seal_bytes(about, json.as_bytes()).unwrap()
    }
}

/// Keys in `dir`.
pub fn keys(dir: &Path) -> Arc<dyn Keys> {
    Arc::new(EmbeddedKeys::open(dir, Arc::new(SystemEntropy)).unwrap())
}

/// A shaper with a secret of its own.
pub fn shaper(profile: Profile, keys: &Arc<dyn Keys>) -> Shaper {
    Shaper::new(profile, false, Arc::clone(keys), Arc::new(ServerSecret::new(&[7; 32])))
}

/// One event of every type.
pub fn events(keys: &Arc<dyn Keys>) -> Vec<Recorded> {
    let samples = samples(&mut WithKeys(keys.as_ref()));
    (1..).zip(&samples).map(|(position, event)| recorded(event, position).unwrap()).collect()
}

/// Shows one event of every type.
pub fn each_row(profile: Profile, keys: &Arc<dyn Keys>, mut take: impl FnMut(&Row<'_>)) {
    let mut shown = Shown::new(false, shaper(profile, keys));
    for event in events(keys) {
        shown.row(&event, &mut take).unwrap();
    }
}
