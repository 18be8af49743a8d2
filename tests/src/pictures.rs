//! Pictures that phones upload, and waiting until they can be shown.

use std::time::{Duration, Instant};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::{Method, blocking::RequestBuilder};
use serde_json::Value;

use crate::{client::Answer, phone::Phone};

/// How long a picture may take to be made, here where other tests run beside it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A picture that differs from every other by its seed, as PNG.
///
/// # Panics
/// It cannot be encoded.
#[must_use]
pub fn of_seed(seed: u8) -> Vec<u8> {
    let shade = |x: u32, y: u32| u8::try_from((x * u32::from(seed) + y * 7) % 256).expect("below 256");
    encoded(&RgbImage::from_fn(64, 48, |x, y| Rgb([shade(x, y), seed, shade(y, x)])).into(), ImageFormat::Png)
}

/// The file of a picture.
///
/// # Panics
/// It cannot be encoded.
#[must_use]
pub fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("a picture can be written");
    bytes.into_inner()
}

/// Adds a file to a request as `curl -F "FIELD=@x.png;type=image/png"` does, with more fields. The body is sent as a whole: a
/// server may refuse it before it has read all, and a client that still makes it would take that for a broken connection.
pub fn with_file(request: RequestBuilder, field: &str, file: Vec<u8>, fields: &[(&str, &str)]) -> RequestBuilder {
    const BOUNDARY: &str = "------------------------d74496d66958873e";
    let disposition = |name: &str| format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"");
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(format!("{}\r\n\r\n{value}\r\n", disposition(name)).as_bytes());
    }
    let head = format!("{}; filename=\"../../firefox.png\"\r\nContent-Type: image/png\r\n\r\n", disposition(field));
    body.extend_from_slice(head.as_bytes());
    body.extend(file);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}")).body(body)
}

/// Posts a file.
#[track_caller]
pub fn upload(phone: &Phone, path: &str, field: &str, file: Vec<u8>, fields: &[(&str, &str)]) -> Answer {
    Answer::to(with_file(phone.request(Method::POST, path), field, file, fields))
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

/// The id in the answer to an upload.
///
/// # Panics
/// There is none, or of another form.
#[track_caller]
pub fn id_of(answer: &Value) -> String {
    let id = answer["id"].as_str().unwrap_or_else(|| panic!("no id: {answer}")).to_owned();
    assert!(id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    id
}

/// Asks until the picture is processed: the answer that sends on to its file, or says why there is none.
///
/// # Panics
/// It takes too long.
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
