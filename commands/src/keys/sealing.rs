//! How a key seals: AES-256-GCM, bound to whom it is about.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use dface_domain::{ports::KeyError, sealed::Subject};

use super::record::subject_bytes;

/// A nonce that only the same key and text lead to again; as unlikely as chance to meet another text's.
pub(super) fn nonce_for(key: &[u8; 32], plain: &[u8]) -> [u8; NONCE_LEN] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    context.update(b"dface stable nonce");
    context.update(plain);
    let tag = context.sign();
    let mut nonce = [0; NONCE_LEN];
    nonce.copy_from_slice(&tag.as_ref()[..NONCE_LEN]);
    nonce
}

pub(super) fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key"))
}

/// `nonce, cipher text, tag`.
pub(super) fn seal(
    cipher: &LessSafeKey,
    about: Subject,
    nonce: [u8; NONCE_LEN],
    plain: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(&nonce);
    let mut body = plain.to_vec();
    cipher
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(subject_bytes(about)), &mut body)
        .map_err(|_| KeyError::Unsealable("the value is too long".to_owned()))?;
    sealed.extend_from_slice(&body);
    Ok(sealed)
}

/// What was sealed; none where it is not what this key sealed.
pub(super) fn open(cipher: &LessSafeKey, about: Subject, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut body = body.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = cipher.open_in_place(nonce, Aad::from(subject_bytes(about)), &mut body).ok()?.len();
    body.truncate(length);
    Some(body)
}
