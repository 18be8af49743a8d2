//! The job `picture` (§17, §29, §30): opens an upload, makes its files, seals and stores them.
//!
//! A repeat writes the same objects again, since the same picture of the same person is always sealed to the same bytes.

use std::sync::Arc;

use dface_domain::{
    jobs::{MadeFile, Outcome, PictureMade, PictureTask},
    objects::Objects,
    ports::{KeyError, Keys},
    sealed::Subject,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{JobError, unless_left};
use crate::{
    objects::key_of,
    pictures::{self, MadePicture, PictureLimits, Refusal},
};

/// What every picture may take besides `Head::working`: the file twice (sealed and open), what is decoded of it, what is made.
const EACH_BYTES: u64 = 48 << 20;

/// The job; clones share its bounds.
#[derive(Clone)]
pub struct PictureJob {
    objects: Arc<dyn Objects>,
    keys: Arc<dyn Keys>,
    limits: PictureLimits,
    /// One permit for each MiB that may be held at once by all pictures in work.
    memory: Arc<Semaphore>,
    permits: u32,
    /// One for each thread that may compute.
    threads: Arc<Semaphore>,
}

/// What a task came to, before its files are stored.
enum Drawn {
    Made { picture: Sealed, squares: Vec<Sealed> },
    Undecodable(String),
    Forgotten,
}

/// A file, sealed.
struct Sealed {
    file: MadeFile,
    bytes: Vec<u8>,
}

impl PictureJob {
    /// At most `threads` pictures are in work at once, and fewer where they need much memory: together never more than the
    /// most demanding one that `limits` allow, which then is in work alone.
    #[must_use]
    pub fn new(objects: Arc<dyn Objects>, keys: Arc<dyn Keys>, limits: PictureLimits, threads: usize) -> Self {
        let permits = mebibytes(limits.working_bytes + EACH_BYTES);
        let memory = Arc::new(Semaphore::new(permits as usize));
        let threads = Arc::new(Semaphore::new(threads.clamp(1, Semaphore::MAX_PERMITS)));
        Self { objects, keys, limits, memory, permits, threads }
    }

    /// Does it.
    ///
    /// # Errors
    /// The store or the keys cannot be used now, or the upload is not there or not what was stored.
    pub async fn run(&self, task: &PictureTask) -> Result<Outcome, JobError> {
        let upload = self.objects.get(task.upload).await?;
        let _thread = permit(&self.threads, 1).await?;
        match self.drawn(task, upload).await? {
            Drawn::Forgotten => Ok(Outcome::Forgotten),
            Drawn::Undecodable(reason) => Ok(Outcome::Undecodable { photo: task.photo, reason }),
            Drawn::Made { picture, squares } => {
                for sealed in squares.iter().chain([&picture]) {
                    self.objects.put(sealed.file.key, &sealed.bytes).await?;
                }
                let squares = squares.iter().map(|sealed| sealed.file).collect();
                Ok(Outcome::Picture(PictureMade {
                    photo: task.photo,
                    about: task.about,
                    picture: picture.file,
                    squares,
                }))
            }
        }
    }

    /// Opens, decodes, scales, encodes and seals, off the async threads.
    async fn drawn(&self, task: &PictureTask, upload: Vec<u8>) -> Result<Drawn, JobError> {
        let (keys, about, limits) = (Arc::clone(&self.keys), task.about, self.limits);
        let opened = unless_left(keys.open_bytes(about, &upload), &*keys, about, "the upload")?;
        let Some(file) = opened else { return Ok(Drawn::Forgotten) };
        drop(upload);
        let head = match pictures::check(std::io::Cursor::new(&file), &limits) {
            Ok(head) => head,
            Err(refusal) => return refused(refusal),
        };
        let memory = permit(&self.memory, mebibytes(head.working + EACH_BYTES).min(self.permits)).await?;
        let squares = task.squares.clone();
        let work = move || {
            let _held = memory;
            match pictures::process(&file, &squares, &limits) {
                Ok(made) => sealed_all(&*keys, about, &made),
                Err(refusal) => refused(refusal),
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| JobError("the work was broken off".to_owned()))?
    }
}

fn refused(refusal: Refusal) -> Result<Drawn, JobError> {
    match refusal {
        Refusal::Io(error) => Err(JobError(error.to_string())),
        other => Ok(Drawn::Undecodable(other.to_string())),
    }
}

fn sealed_all(keys: &dyn Keys, about: Subject, made: &pictures::Made) -> Result<Drawn, JobError> {
    let seal = |picture: &MadePicture| -> Result<Sealed, KeyError> {
        let bytes = keys.seal_stable(about, &picture.bytes)?;
        let (key, width, height) = (key_of(&bytes, picture.format), picture.width, picture.height);
        Ok(Sealed { file: MadeFile { key, width, height, bytes: picture.bytes.len() as u64 }, bytes })
    };
    let sealed = seal(&made.picture).and_then(|picture| {
        let squares = made.squares.iter().map(seal).collect::<Result<_, _>>()?;
        Ok(Drawn::Made { picture, squares })
    });
    match sealed {
        Err(KeyError::Destroyed(_)) => Ok(Drawn::Forgotten),
        other => Ok(other?),
    }
}

async fn permit(of: &Arc<Semaphore>, count: u32) -> Result<OwnedSemaphorePermit, JobError> {
    Arc::clone(of).acquire_many_owned(count).await.map_err(|_| JobError("the worker stops".to_owned()))
}

fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX)
}
