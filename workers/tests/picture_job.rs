//! The job `picture`, with real keys and a real directory.

use std::sync::Arc;

use dface_commands::{keys::EmbeddedKeys, system::SystemEntropy};
use dface_domain::{
    ids::UserId,
    jobs::{Outcome, PictureMade, PictureTask},
    objects::{Format, ObjectKey, Objects},
    ports::Keys,
    sealed::Subject,
};
use dface_workers::{
    jobs::picture::PictureJob,
    objects::{DirectoryObjects, key_of},
    pictures::PictureLimits,
};
use image::{DynamicImage, RgbImage};

const OWNER: Subject = Subject::User(UserId::Number(7));

struct World {
    _dir: tempfile::TempDir,
    objects: Arc<DirectoryObjects>,
    keys: Arc<EmbeddedKeys>,
    job: PictureJob,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let objects = Arc::new(DirectoryObjects::open(&dir.path().join("objects")).unwrap());
        let keys = Arc::new(EmbeddedKeys::open(&dir.path().join("keys"), Arc::new(SystemEntropy)).unwrap());
        keys.ensure(&[OWNER, Subject::User(UserId::Number(8))]).unwrap();
        let job = PictureJob::new(objects.clone(), keys.clone(), PictureLimits::default(), 2);
        Self { _dir: dir, objects, keys, job }
    }

    /// Stores a sealed upload, and asks for what is made of a head portrait.
    async fn uploaded(&self, file: &[u8]) -> PictureTask {
        let sealed = self.keys.seal_stable(OWNER, file).unwrap();
        let upload = key_of(&sealed, Format::Png);
        self.objects.put(upload, &sealed).await.unwrap();
        PictureTask {
            photo: "509a1ffcbe4b1982a4000002".parse().unwrap(),
            about: OWNER,
            upload,
            squares: vec![100, 200],
        }
    }

    async fn made(&self, task: &PictureTask) -> PictureMade {
        match self.job.run(task).await.unwrap() {
            Outcome::Picture(made) => made,
            other => panic!("{other:?}"),
        }
    }

    async fn names(&self) -> Vec<ObjectKey> {
        self.objects.list(None, 100).await.unwrap().iter().map(|object| object.key).collect()
    }
}

fn png() -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_pixel(120, 80, image::Rgb([9, 99, 199])))
        .write_to(&mut file, image::ImageFormat::Png)
        .unwrap();
    file.into_inner()
}

#[tokio::test]
async fn what_is_made_is_sealed_for_its_owner_and_a_repeat_makes_nothing_new() {
    let world = World::new();
    let task = world.uploaded(&png()).await;
    let made = world.made(&task).await;
    let sizes: Vec<_> = made.squares.iter().chain([&made.picture]).map(|file| (file.width, file.height)).collect();
    assert_eq!(sizes, [(100, 100), (200, 200), (120, 80)]);
    for file in made.squares.iter().chain([&made.picture]) {
        let stored = world.objects.get(file.key).await.unwrap();
        assert!(!stored.starts_with(b"\x89PNG"), "nothing is stored in clear");
        let opened = world.keys.open_bytes(OWNER, &stored).unwrap();
        assert_eq!((opened.len() as u64, &opened[..4]), (file.bytes, &b"\x89PNG"[..]));
    }
    let before = world.names().await;
    assert_eq!(world.made(&task).await, made);
    assert_eq!(world.names().await, before);
}

#[tokio::test]
async fn what_is_no_picture_is_told_for_good() {
    let world = World::new();
    for file in [&b"no picture"[..], b"", b"GIF89a"] {
        let task = world.uploaded(file).await;
        let Outcome::Undecodable { photo, reason } = world.job.run(&task).await.unwrap() else { panic!("{file:?}") };
        assert!(photo == task.photo && !reason.is_empty());
    }
    assert_eq!(world.names().await.len(), 3, "the uploads alone");
}

#[tokio::test]
async fn of_whoever_left_nothing_is_made() {
    let world = World::new();
    let task = world.uploaded(&png()).await;
    world.keys.destroy(OWNER).unwrap();
    assert_eq!(world.job.run(&task).await.unwrap(), Outcome::Forgotten);
    assert_eq!(world.names().await, [task.upload]);
}

#[tokio::test]
async fn what_another_try_may_mend_is_an_error_that_names_nobody() {
    let world = World::new();
    let task = world.uploaded(&png()).await;
    let others = PictureTask { about: Subject::User(UserId::Number(8)), ..task.clone() };
    let error = world.job.run(&others).await.unwrap_err().to_string();
    assert_eq!(error, "the upload cannot be opened with its owner's key");
    world.objects.delete(task.upload).await.unwrap();
    let error = world.job.run(&task).await.unwrap_err().to_string();
    assert_eq!(error, format!("there is no object {}", task.upload));
}

#[tokio::test]
async fn more_jobs_than_threads_all_end() {
    let world = World::new();
    let task = world.uploaded(&png()).await;
    let all = futures::future::join_all((0..12).map(|_| world.job.run(&task))).await;
    assert!(all.iter().all(|outcome| matches!(outcome, Ok(Outcome::Picture(_)))));
}
