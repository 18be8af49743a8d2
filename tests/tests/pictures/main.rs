//! The sections of the interface document about pictures, as tests named by their sections, against the real binary with its own workers.

mod album;
mod coupons;
mod doctor;
mod erasure;
mod files;
mod hostile;
mod messages;
mod retries;
mod rooms;
mod weibo;

pub use dface_tests::pictures::{id_of, of_seed, shown, to_album, to_person, to_room, upload};
use dface_tests::{
    Answer, Phone, Server,
    pictures::{encoded, with_file},
};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, RgbaImage};
use reqwest::Method;

/// A place of the document's examples, WGS-84.
pub const HERE: (f64, f64) = (30.286_91, 120.127_63);

/// A picture whose left half is red and whose right half is blue.
pub fn halves(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let colour = |x| if x < width / 2 { Rgb([200, 30, 30]) } else { Rgb([30, 30, 200]) };
    encoded(&RgbImage::from_fn(width, height, |x, _| colour(x)).into(), format)
}

/// A picture with nothing in its upper half.
pub fn half_transparent() -> Vec<u8> {
    let alpha = |y| if y < 150 { 0 } else { 255 };
    encoded(&RgbaImage::from_fn(300, 300, |_, y| image::Rgba([10, 200, 10, alpha(y)])).into(), ImageFormat::Png)
}

/// Posts a file with an `Idempotency-Key`.
pub fn upload_with_key(
    phone: &Phone,
    path: &str,
    field: &str,
    file: Vec<u8>,
    fields: &[(&str, &str)],
    key: &str,
) -> Answer {
    let request = phone.request(Method::POST, path).header("idempotency-key", key);
    Answer::to(with_file(request, field, file, fields))
}

/// The file that a picture's path sends on to, with its media type.
#[track_caller]
pub fn file(server: &Server, phone: &Phone, path: &str, id: &str, size: u8) -> (Vec<u8>, String) {
    let answer = shown(phone, path, id, size);
    assert_eq!(answer.status, 302, "{answer}");
    let answer = fetched(server, answer.header("location"));
    (answer.bytes, answer.media_type)
}

/// What a URL of an answer serves, asked for without any session.
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The body.
    pub bytes: Vec<u8>,
    /// `Content-Type`.
    pub media_type: String,
    /// All headers.
    pub headers: reqwest::header::HeaderMap,
}

/// Fetches a URL.
#[track_caller]
pub fn fetched(server: &Server, location: &str) -> Fetched {
    fetched_with(server, Method::GET, location, &[])
}

/// The same by another method, with more headers.
#[track_caller]
pub fn fetched_with(server: &Server, method: Method, location: &str, headers: &[(&str, &str)]) -> Fetched {
    let mut request = server.request(method, location);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().expect("an answer");
    let headers = answer.headers().clone();
    let media_type = headers.get("content-type").map(|value| value.to_str().unwrap_or_default().to_owned());
    let status = answer.status().as_u16();
    let bytes = answer.bytes().expect("a body").to_vec();
    Fetched { status, bytes, media_type: media_type.unwrap_or_default(), headers }
}

/// A picture that a server sent.
#[track_caller]
pub fn decoded(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory(bytes).expect("a picture")
}
