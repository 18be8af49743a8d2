//! A directory of real pictures with a `MANIFEST.tsv` that says what each is, by `make try-data DIR`.

use std::{fs, path::PathBuf, time::Instant};

use dface_workers::pictures::{PictureLimits, Refusal, process};

use crate::refused::peak_bytes;
use crate::seen::decoded;

/// What the manifest's class must come to.
fn fits(class: &str, result: &Result<dface_workers::pictures::Made, Refusal>) -> bool {
    match class {
        "ok" | "ok-first" => result.is_ok(),
        "corrupt" => matches!(result, Err(Refusal::Undecodable(_) | Refusal::Unsupported)),
        "limit" => matches!(result, Err(Refusal::TooLarge { .. })),
        "webp" => matches!(result, Err(Refusal::Unsupported)),
        _ => false,
    }
}

/// `DFACE_PICTURES`: the directory. `DFACE_PICTURES_OUT`: where to write what was made, to look at it.
#[test]
#[ignore = "needs a directory of real pictures: DFACE_PICTURES=DIR"]
fn try_pictures() {
    let dir = PathBuf::from(std::env::var_os("DFACE_PICTURES").expect("DFACE_PICTURES names a directory"));
    let out = std::env::var_os("DFACE_PICTURES_OUT").map(PathBuf::from);
    let manifest = fs::read_to_string(dir.join("MANIFEST.tsv")).unwrap();
    let mut wrong = Vec::new();
    for line in manifest.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let (name, class) = (columns[0], columns[1]);
        let bytes = fs::read(dir.join(name)).unwrap();
        let begun = Instant::now();
        let result = process(&bytes, &[100, 200], &PictureLimits::default());
        let told = match &result {
            Ok(made) => format!("{}x{}, {} bytes", made.picture.width, made.picture.height, made.picture.bytes.len()),
            Err(refusal) => refusal.to_string(),
        };
        println!("{class:9}{name:28}{:5} ms  {told}", begun.elapsed().as_millis());
        if !fits(class, &result) {
            wrong.push(name.to_owned());
        }
        let Ok(made) = result else { continue };
        for (file, part) in made.squares.iter().chain([&made.picture]).zip(["100", "200", "picture"]) {
            decoded(file);
            if let Some(out) = &out {
                fs::write(out.join(format!("{name}.{part}.{}", file.format.extension())), &file.bytes).unwrap();
            }
        }
    }
    let peak = peak_bytes();
    println!("most memory: {} MB", peak / 1_000_000);
    assert!(wrong.is_empty(), "not as the manifest says: {wrong:?}");
    assert!(peak < 300_000_000, "{peak} bytes");
}
