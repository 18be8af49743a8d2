//! `dface export users`

use std::collections::{BTreeMap, HashMap};

use dface_domain::{
    events::{
        EventType as _, Field, PersonErased, ProfileChanged, UserRegistered, UserResumed, UserSuspended,
        VisibilityChanged,
    },
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Dimension, table::column};
use crate::replay::Row;

/// What people say of themselves; the profile `full` alone shows it.
#[derive(Default, Serialize, Deserialize)]
struct Said {
    name: Option<String>,
    birthday: Option<String>,
    signature: Option<String>,
    job: Option<String>,
    hobby: Option<String>,
    phone: Option<String>,
}

#[derive(Serialize)]
struct User {
    user: String,
    provider: String,
    gender: u8,
    invisible: u8,
    suspended: bool,
    source: Option<String>,
    registered_at: Timestamp,
    left_at: Option<Timestamp>,
    name: Option<String>,
    birthday: Option<String>,
    signature: Option<String>,
    job: Option<String>,
    hobby: Option<String>,
    phone: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    user: String,
    provider: Option<String>,
    gender: Option<u8>,
    invisible: Option<u8>,
    name: Option<String>,
    profile: Option<Said>,
    source: Option<String>,
}

/// People by the position that made them.
#[derive(Default)]
pub struct Users {
    rows: BTreeMap<u64, User>,
    places: HashMap<String, u64>,
}

impl User {
    fn say(&mut self, said: Said) {
        let Said { name, birthday, signature, job, hobby, phone } = said;
        (self.name, self.birthday, self.signature) = (name, birthday, signature);
        (self.job, self.hobby, self.phone) = (job, hobby, phone);
    }
}

impl Dimension for Users {
    const FIELDS: &'static [Field] = &[
        column("user", "UserId", "Who: the `user` of events, a keyed hash but in the profile `full`."),
        column("provider", "String", "`local` or `weibo`."),
        column("gender", "u8", "0 unset, 1 male, 2 female."),
        column("invisible", "u8", "0 visible, 1 not to strangers, 2 to nobody."),
        column("suspended", "bool", "Whether an operator suspended the account."),
        column("source", "String", "The import that made it, or null."),
        column("registered_at", "Timestamp", "When the account was made."),
        column("left_at", "Timestamp", "When the person left for good, or null."),
        column("name", "String", "The name shown; null but in the profile `full`, as all after it."),
        column("birthday", "String", "As 2012-06-01."),
        column("signature", "String", "What they say of themselves."),
        column("job", "String", "What they work."),
        column("hobby", "String", "What they like."),
        column("phone", "String", "Phone number."),
    ];
    const TYPES: &'static [&'static str] = &[
        UserRegistered::TYPE,
        ProfileChanged::TYPE,
        VisibilityChanged::TYPE,
        UserSuspended::TYPE,
        UserResumed::TYPE,
        PersonErased::TYPE,
    ];

    fn event(&mut self, row: &Row<'_>) -> serde_json::Result<()> {
        let told: Told = serde_json::from_str(row.data)?;
        if row.type_name == UserRegistered::TYPE {
            self.places.insert(told.user.clone(), row.position);
            let Said { birthday, signature, job, hobby, phone, .. } = Said::default();
            let user = User {
                user: told.user,
                provider: told.provider.unwrap_or_default(),
                gender: told.gender.unwrap_or_default(),
                invisible: 0,
                suspended: false,
                source: told.source,
                registered_at: row.occurred_at,
                left_at: None,
                name: told.name,
                birthday,
                signature,
                job,
                hobby,
                phone,
            };
            self.rows.insert(row.position, user);
            return Ok(());
        }
        let Some(user) = self.places.get(&told.user).and_then(|at| self.rows.get_mut(at)) else { return Ok(()) };
        user.gender = told.gender.unwrap_or(user.gender);
        user.invisible = told.invisible.unwrap_or(user.invisible);
        if let Some(said) = told.profile {
            user.say(said);
        }
        match row.type_name {
            UserSuspended::TYPE => user.suspended = true,
            UserResumed::TYPE => user.suspended = false,
            PersonErased::TYPE => {
                user.left_at = Some(row.occurred_at);
                user.say(Said::default());
            }
            _ => {}
        }
        Ok(())
    }

    fn rows(self) -> impl Iterator<Item = serde_json::Result<String>> {
        self.rows.into_values().map(|user| serde_json::to_string(&user))
    }
}
