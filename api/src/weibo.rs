//! Sina Weibo over HTTP: the exchange of a code for a token, and who that is (seed §2.1). Any base URL, so that a
//! stand-in can play it.

use dface_commands::weibo::WeiboSignIn;
use dface_domain::{
    events::{Gender, WeiboAccount},
    time::Timestamp,
};
use dface_workers::jobs::weibo::told;
use serde::Deserialize;

use crate::{http::ApiError, settings::Settings};

/// A client of the Weibo of the settings.
pub struct Weibo {
    client: reqwest::Client,
    base_url: String,
    app_key: String,
    app_secret: String,
    redirect_uri: String,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: i64,
    uid: Uid,
}

/// Weibo sends uids as numbers and as strings.
#[derive(Deserialize)]
#[serde(untagged)]
enum Uid {
    Number(u64),
    Text(String),
}

#[derive(Deserialize)]
struct Shown {
    screen_name: Option<String>,
    name: Option<String>,
    gender: Option<String>,
}

impl Weibo {
    /// Where the settings name one.
    ///
    /// # Errors
    /// An HTTP client cannot be made.
    pub fn of(settings: &Settings) -> Result<Option<Self>, reqwest::Error> {
        let weibo = &settings.weibo;
        if weibo.base_url.is_empty() {
            return Ok(None);
        }
        let base = if settings.public_url.is_empty() {
            format!("http://{}", settings.listen.http)
        } else {
            settings.public_url.clone()
        };
        Ok(Some(Self {
            client: reqwest::Client::builder().timeout(weibo.timeout()).no_proxy().build()?,
            base_url: weibo.base_url.trim_end_matches('/').to_owned(),
            app_key: weibo.app_key.clone(),
            app_secret: weibo.app_secret.clone(),
            redirect_uri: format!("{base}/oauth2/sina_callback"),
        }))
    }

    /// Who the code stands for.
    ///
    /// # Errors
    /// 401 where Weibo refuses the code, 503 where it does not answer as it should.
    pub async fn exchange(&self, code: &str, now: Timestamp) -> Result<WeiboSignIn, ApiError> {
        let form = [
            ("client_id", self.app_key.as_str()),
            ("client_secret", &self.app_secret),
            ("grant_type", "authorization_code"),
            ("redirect_uri", &self.redirect_uri),
            ("code", code),
        ];
        let url = format!("{}/oauth2/access_token", self.base_url);
        let answer = self.client.post(url).form(&form).send().await.map_err(|e| down(&e))?;
        if answer.status().is_client_error() {
            return Err(ApiError::unauthorized("sign_in_failed", "code: Weibo does not take this code"));
        }
        let token: Token = read(answer).await?;
        let uid = match &token.uid {
            Uid::Number(uid) => *uid,
            Uid::Text(uid) => uid.parse().map_err(|_| unavailable("a uid that is no number"))?,
        };
        let url = format!("{}/2/users/show.json", self.base_url);
        let query = [("access_token", token.access_token.clone()), ("uid", uid.to_string())];
        let shown: Shown = read(self.client.get(url).query(&query).send().await.map_err(|e| down(&e))?).await?;
        let expires_at = now.plus_seconds(token.expires_in.max(0));
        Ok(WeiboSignIn {
            account: WeiboAccount { uid, token: token.access_token, expires_at },
            name: shown.screen_name.or(shown.name).unwrap_or_else(|| uid.to_string()),
            gender: match shown.gender.as_deref() {
                Some("m") => Gender::Male,
                Some("f") => Gender::Female,
                _ => Gender::Unset,
            },
        })
    }
}

async fn read<T: serde::de::DeserializeOwned>(answer: reqwest::Response) -> Result<T, ApiError> {
    let answer = answer.error_for_status().map_err(|e| down(&e))?;
    answer.json().await.map_err(|e| down(&e))
}

/// The URL stays out of the log: it may hold a token.
fn down(error: &reqwest::Error) -> ApiError {
    unavailable(&told(error))
}

fn unavailable(what: &str) -> ApiError {
    let message = "Weibo cannot be reached; nothing was done; try again later";
    ApiError::unavailable("weibo_unavailable", message).retry_after(30).inside(what.to_owned())
}
