//! The sections of the interface document about pictures, as tests named by their sections, against the real binary with its own workers.

mod album;
mod erasure;
mod files;
mod hostile;
mod messages;
mod retries;
mod rooms;
mod weibo;

use std::time::{Duration, Instant};

use dface_tests::{Answer, Phone, Server};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, RgbaImage};
use reqwest::{
    Method,
    blocking::multipart::{Form, Part},
};
use serde_json::Value;

/// How long a picture may take to be made, here where other tests run beside it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A place of the document's examples, WGS-84.
pub const HERE: (f64, f64) = (30.286_91, 120.127_63);

/// A picture whose left half is red and whose right half is blue.
pub fn halves(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let colour = |x| if x < width / 2 { Rgb([200, 30, 30]) } else { Rgb([30, 30, 200]) };
    encoded(&RgbImage::from_fn(width, height, |x, _| colour(x)).into(), format)
}

/// A picture that differs from every other by its seed.
pub fn of_seed(seed: u8) -> Vec<u8> {
    let shade = |x: u32, y: u32| u8::try_from((x * u32::from(seed) + y * 7) % 256).expect("below 256");
    encoded(&RgbImage::from_fn(64, 48, |x, y| Rgb([shade(x, y), seed, shade(y, x)])).into(), ImageFormat::Png)
}

/// A picture with nothing in its upper half.
pub fn half_transparent() -> Vec<u8> {
    let alpha = |y| if y < 150 { 0 } else { 255 };
    encoded(&RgbaImage::from_fn(300, 300, |_, y| image::Rgba([10, 200, 10, alpha(y)])).into(), ImageFormat::Png)
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("a picture can be written");
    bytes.into_inner()
}

/// Posts a file as `curl -F "FIELD=@x.png;type=image/png"` does, with more fields.
pub fn upload(phone: &Phone, path: &str, field: &str, file: Vec<u8>, fields: &[(&str, &str)]) -> Answer {
    upload_with_key(phone, path, field, file, fields, None)
}

/// The same with an `Idempotency-Key`.
pub fn upload_with_key(
    phone: &Phone,
    path: &str,
    field: &str,
    file: Vec<u8>,
    fields: &[(&str, &str)],
    key: Option<&str>,
) -> Answer {
    let part = Part::bytes(file).file_name("../../firefox.png").mime_str("image/png").expect("a media type");
    let mut form = Form::new().part(field.to_owned(), part);
    for (name, value) in fields {
        form = form.text((*name).to_owned(), (*value).to_owned());
    }
    let mut request = phone.request(Method::POST, path).multipart(form);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    Answer::to(request)
}

/// Adds a picture to the album: its id.
#[track_caller]
pub fn to_album(phone: &Phone, file: Vec<u8>) -> String {
    id_of(&upload(phone, "/user_logos", "user_logo[img]", file, &[]).ok())
}

/// Sends a picture to a shop's room: its id.
#[track_caller]
pub fn to_room(phone: &Phone, shop: u64, file: Vec<u8>, desc: &str) -> String {
    let fields = [("photo[room]", shop.to_string()), ("photo[desc]", desc.to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    id_of(&upload(phone, "/photos", "photo[img]", file, &fields).ok())
}

/// Sends a picture to somebody: its id.
#[track_caller]
pub fn to_person(phone: &Phone, to: u64, file: Vec<u8>) -> String {
    id_of(&upload(phone, "/photo2s", "photo[img]", file, &[("photo[to_uid]", &to.to_string())]).ok())
}

#[track_caller]
pub fn id_of(answer: &Value) -> String {
    let id = answer["id"].as_str().unwrap_or_else(|| panic!("no id: {answer}")).to_owned();
    assert!(id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    id
}

/// Asks until the picture is processed: the answer that sends on to its file, or says why there is none.
#[track_caller]
pub fn shown(phone: &Phone, path: &str, id: &str, size: u8) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = phone.get(path, &[("id", &id), ("size", &size)]);
        if answer.status != 404 || answer.code() != "processing" {
            return answer;
        }
        assert_eq!(answer.header("retry-after"), "1");
        assert!(begun.elapsed() < PATIENCE, "{path}?id={id} is still processing");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The file that a picture's path sends on to, with its media type.
#[track_caller]
pub fn file(server: &Server, phone: &Phone, path: &str, id: &str, size: u8) -> (Vec<u8>, String) {
    let answer = shown(phone, path, id, size);
    assert_eq!(answer.status, 302, "{answer}");
    let answer = fetched(server, &answer.header("location"));
    (answer.bytes, answer.media_type)
}

/// What a URL of an answer serves, asked for without any session.
pub struct Fetched {
    pub status: u16,
    pub bytes: Vec<u8>,
    pub media_type: String,
    pub headers: reqwest::header::HeaderMap,
}

#[track_caller]
pub fn fetched(server: &Server, location: &str) -> Fetched {
    fetched_with(server, Method::GET, location, &[])
}

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
