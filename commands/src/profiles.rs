//! What people say of themselves, and who does not see them (seed §16).

use dface_domain::{
    envelope::LogPosition,
    events::{Gender, Invisible, Profile, ProfileChanged, VisibilityChanged},
    ids::UserId,
    people::{Account, AccountCommand},
    rejection::Rejection,
    sealed::Subject,
    stream::StreamId,
};

use crate::{CommandError, Commands, Context};

/// What is to change; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in `Profile`, which says what they are")]
pub struct ProfilePatch {
    pub name: Option<String>,
    pub gender: Option<Gender>,
    pub birthday: Option<String>,
    pub signature: Option<String>,
    pub job: Option<String>,
    pub jobtype: Option<i64>,
    pub hobby: Option<String>,
    pub phone: Option<String>,
    pub invisible: Option<Invisible>,
}

/// A profile as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileNow {
    /// What the person says.
    pub profile: Profile,
    /// 0, 1 or 2.
    pub gender: Gender,
    /// Who does not see the person.
    pub invisible: Invisible,
}

impl ProfilePatch {
    fn on(&self, now: &ProfileNow) -> ProfileNow {
        let text = |new: &Option<String>, old: &Option<String>| new.clone().or_else(|| old.clone());
        let old = &now.profile;
        ProfileNow {
            profile: Profile {
                name: text(&self.name, &old.name),
                birthday: text(&self.birthday, &old.birthday),
                signature: text(&self.signature, &old.signature),
                job: text(&self.job, &old.job),
                jobtype: self.jobtype.or(old.jobtype),
                hobby: text(&self.hobby, &old.hobby),
                phone: text(&self.phone, &old.phone),
            },
            gender: self.gender.unwrap_or(now.gender),
            invisible: self.invisible.unwrap_or(now.invisible),
        }
    }
}

impl Commands {
    /// Changes a profile; what is as it was is no event.
    ///
    /// # Errors
    /// There is no such account, or the machinery failed.
    pub async fn change_profile(
        &self,
        user: UserId,
        patch: &ProfilePatch,
        context: &Context,
    ) -> Result<(ProfileNow, Option<LogPosition>), CommandError> {
        let account = self.executor.load::<Account>(&StreamId::user(user)).await?;
        if !account.exists() {
            return Err(Rejection::UserUnknown(user).into());
        }
        let before = self.profile_of(&account);
        let after = patch.on(&before);
        let changed = (&after.profile, after.gender) != (&before.profile, before.gender);
        let profile = if changed {
            let profile = self.keys.seal(Subject::User(user), &after.profile)?;
            Some(ProfileChanged { user, profile, gender: after.gender })
        } else {
            None
        };
        let visibility = patch.invisible.map(|invisible| VisibilityChanged { user, invisible });
        let command = AccountCommand::Change { profile, visibility };
        let position = self.change_account(user, &command, context).await?;
        Ok((after, position))
    }

    /// What an account says of itself as of now; none where it is suspended or there is none.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn profile_now(&self, user: UserId) -> Result<Option<ProfileNow>, CommandError> {
        let account = self.executor.load::<Account>(&StreamId::user(user)).await?;
        Ok((account.exists() && !account.is_suspended()).then(|| self.profile_of(&account)))
    }

    fn profile_of(&self, account: &Account) -> ProfileNow {
        let known = account.profile().and_then(|profile| self.keys.open(profile));
        let profile = known.unwrap_or_else(|| Profile { name: self.shown_name(account), ..Profile::default() });
        ProfileNow { profile, gender: account.gender(), invisible: account.invisible() }
    }
}
