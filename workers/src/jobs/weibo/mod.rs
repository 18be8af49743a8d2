//! The job `weibo` (§3, §29.1): a post at Sina Weibo in somebody's name, with or without a picture.
//!
//! Weibo knows no idempotency keys. A second try whose first answer was lost is told that it repeats itself, which counts as posted.

mod answer;
mod text;

use std::{sync::Arc, time::Duration};

use dface_domain::{
    events::WeiboAccount,
    jobs::{Outcome, WeiboTask},
    objects::{ObjectError, ObjectKey, Objects},
    ports::{Clock, Keys},
    sealed::Subject,
};
use reqwest::{
    Client, RequestBuilder, Response,
    multipart::{Form, Part},
    redirect::Policy,
};

use super::{JobError, unless_left};
use crate::runner::Fault;

/// Bytes of an answer that are read: what it says of a post is a few thousand.
const ANSWER_BYTES: usize = 1 << 20;

/// What the job needs besides its task.
pub struct WeiboMeans {
    /// Where pictures are.
    pub objects: Arc<dyn Objects>,
    /// What opens them, accounts and texts.
    pub keys: Arc<dyn Keys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Posts at Weibo.
pub struct WeiboJob {
    client: Client,
    base_url: String,
    means: WeiboMeans,
}

/// A picture, opened.
struct Picture {
    bytes: Vec<u8>,
    key: ObjectKey,
}

/// What a task says, opened.
struct Post {
    account: WeiboAccount,
    text: String,
    picture: Option<Picture>,
}

/// What an opened task came to before anything was sent.
enum Opened {
    Post(Post),
    Over(Outcome),
}

impl WeiboJob {
    /// For the Weibo at `base_url`, which may take so long to answer.
    ///
    /// # Errors
    /// An HTTP client cannot be made.
    pub fn new(base_url: &str, timeout: Duration, means: WeiboMeans) -> Result<Self, reqwest::Error> {
        // Sent on, a token would be somebody else's.
        let client = Client::builder().timeout(timeout).redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { client, base_url: base_url.trim_end_matches('/').to_owned(), means })
    }

    /// Does it.
    ///
    /// # Errors
    /// `Again` where Weibo, the objects or the keys cannot be used now; `Never` where Weibo does not let the app post.
    pub async fn run(&self, task: &WeiboTask) -> Result<Outcome, Fault> {
        let post = match self.opened(task).await? {
            Opened::Post(post) => post,
            Opened::Over(outcome) => return Ok(outcome),
        };
        let sent = self.request(post)?.send().await;
        let answer = sent.map_err(|error| Fault::Again(format!("Weibo: {}", told(&error))))?;
        let status = answer.status().as_u16();
        let body = read(answer).await.map_err(|error| Fault::Again(format!("Weibo: {}", told(&error))))?;
        answer::meaning(status, &body)
    }

    async fn opened(&self, task: &WeiboTask) -> Result<Opened, JobError> {
        let (keys, about) = (&*self.means.keys, Subject::User(task.user));
        let account = unless_left(keys.open(&task.account), keys, about, "the account at Weibo")?;
        let text = unless_left(keys.open(&task.text), keys, about, "the text")?;
        let (Some(account), Some(text)) = (account, text) else { return Ok(Opened::Over(Outcome::Forgotten)) };
        if account.expires_at <= self.means.clock.now() {
            return Ok(refused("the person's permission at Weibo has expired"));
        }
        let picture = match task.picture {
            None => None,
            Some(key) => match self.picture(key, about).await? {
                Ok(picture) => Some(picture),
                Err(over) => return Ok(over),
            },
        };
        Ok(Opened::Post(Post { account, text: text::fit(&text), picture }))
    }

    /// The picture, or what the job came to without it: never a post of the text alone, which nobody meant.
    async fn picture(&self, key: ObjectKey, about: Subject) -> Result<Result<Picture, Opened>, JobError> {
        let sealed = match self.means.objects.get(key).await {
            // It is taken away only after its picture was, so this is no post that anybody waits for.
            Err(ObjectError::Missing(_)) => return Ok(Err(refused("the picture is not there any more"))),
            read => read?,
        };
        let keys = &*self.means.keys;
        let opened = unless_left(keys.open_bytes(about, &sealed), keys, about, "the picture")?;
        Ok(opened.map(|bytes| Picture { bytes, key }).ok_or(Opened::Over(Outcome::Forgotten)))
    }

    fn request(&self, post: Post) -> Result<RequestBuilder, Fault> {
        let Post { account, text, picture } = post;
        let Some(Picture { bytes, key }) = picture else {
            let url = format!("{}/2/statuses/update.json", self.base_url);
            return Ok(self.client.post(url).form(&[("access_token", account.token), ("status", text)]));
        };
        let pic = Part::bytes(bytes)
            .file_name(format!("picture.{}", key.format.extension()))
            .mime_str(key.format.media_type())
            .map_err(|error| Fault::Never(error.to_string()))?;
        let form = Form::new().text("access_token", account.token).text("status", text).part("pic", pic);
        Ok(self.client.post(format!("{}/2/statuses/upload.json", self.base_url)).multipart(form))
    }
}

fn refused(reason: &str) -> Opened {
    Opened::Over(Outcome::Refused { reason: reason.to_owned() })
}

async fn read(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES {
            break;
        }
    }
    Ok(body)
}

/// What went wrong between here and Weibo, in words that hold nothing of the request: its URL may have a token.
#[must_use]
pub fn told(error: &reqwest::Error) -> String {
    match error.status() {
        Some(status) => format!("status {status}"),
        None if error.is_timeout() => "no answer in time".to_owned(),
        None if error.is_connect() => "no connection".to_owned(),
        None => "an answer that cannot be read".to_owned(),
    }
}
