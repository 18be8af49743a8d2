//! Family circles: making one, letting somebody in and out, who decides, who shows where they are (push.md, "The way in").

use dface_domain::{
    circles::{CODE_S, Circle, CircleCommand},
    envelope::LogPosition,
    events::{CircleCreated, CircleInvited, CircleJoined, CircleLeft, GuardianChanged, IdKind, LocationSharingChanged},
    ids::{GroupId, MessageId, ObjectId, UserId},
    ports::KeyedHash,
    rejection::Rejection,
    sealed::Subject,
    stream::StreamId,
    time::Timestamp,
};

use crate::{CommandError, Commands, Context, Guess};

/// A code that lets somebody in.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The code, which is kept nowhere.
    pub code: String,
    /// When it ends.
    pub until: Timestamp,
    /// What was written; none where the same request made it before.
    pub position: Option<LogPosition>,
}

/// Which member somebody, who is in the circle too, does something with.
#[derive(Debug, Clone, Copy)]
pub struct MemberRef {
    /// The circle.
    pub group: GroupId,
    /// Who does it.
    pub by: UserId,
    /// With whom.
    pub user: UserId,
}

impl Commands {
    /// Makes a circle; `user` is its first guardian.
    ///
    /// # Errors
    /// The account has ended, or the machinery's.
    pub async fn create_circle(
        &self,
        user: UserId,
        name: &str,
        context: &Context,
    ) -> Result<(GroupId, Option<LogPosition>), CommandError> {
        self.must_be_there(user).await?;
        let name = self.keys.seal(Subject::User(user), &name.to_owned())?;
        let group = GroupId(self.next_id(IdKind::Group).await?);
        let create = CircleCommand::Create(CircleCreated { group, user, name });
        let made = self.executor.execute::<Circle>(&StreamId::circle(group), &create, context, Guess::New).await?;
        Ok((group, made.position))
    }

    /// Makes a code to join by: the same request again makes the same. At most `most` are open.
    ///
    /// # Errors
    /// `by` is no guardian there, too many codes are open, or the machinery's.
    pub async fn invite(
        &self,
        group: GroupId,
        by: UserId,
        most: usize,
        context: &Context,
    ) -> Result<Invitation, CommandError> {
        let now = context.occurred_at.unwrap_or_else(|| self.clock().now());
        let code = self.secret.circle_code(context.correlation, group, by);
        let until = now.plus_seconds(CODE_S);
        let invited = CircleInvited { group, by, code: self.secret.circle_code_hash(&code), until };
        let command = CircleCommand::Invite { invited, now, most };
        let position = self.circle(group, &command, context).await?;
        Ok(Invitation { code, until, position })
    }

    /// Comes into a circle by a code; whoever is in stays. It has at most `most` members.
    ///
    /// # Errors
    /// The code is used or over, the circle is full, or the machinery's.
    pub async fn join(
        &self,
        group: GroupId,
        user: UserId,
        code: &str,
        most: usize,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        self.must_be_there(user).await?;
        let message = self.message_of(context, "circle-joined", &[&group.to_string(), &user.to_string()]);
        let joined = CircleJoined { group, user, code: self.secret.circle_code_hash(code), message };
        let now = self.clock().now();
        self.circle(group, &CircleCommand::Join { joined, now, most }, context).await
    }

    /// Which of the circles somebody came into by this code, which is used up since.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn came_by(
        &self,
        user: UserId,
        code: &str,
        circles: &[GroupId],
    ) -> Result<Option<GroupId>, CommandError> {
        let code = self.secret.circle_code_hash(code);
        for group in circles {
            if self.executor.load::<Circle>(&StreamId::circle(*group)).await?.came_by(user, code) {
                return Ok(Some(*group));
            }
        }
        Ok(None)
    }

    /// Leaves a circle; with the last member it is over.
    ///
    /// # Errors
    /// `user` is not in it, or is its last guardian while others are in it; the machinery's.
    pub async fn leave(
        &self,
        group: GroupId,
        user: UserId,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        self.remove(MemberRef { group, by: user, user }, context).await
    }

    /// A guardian takes a member out.
    ///
    /// # Errors
    /// `by` is no guardian there, `user` was never in it, or the machinery's.
    pub async fn remove(&self, member: MemberRef, context: &Context) -> Result<Option<LogPosition>, CommandError> {
        let MemberRef { group, by, user } = member;
        let message = self.message_of(context, "circle-left", &[&group.to_string(), &user.to_string()]);
        let left = CircleLeft { group, user, operator: by, message };
        self.circle(group, &CircleCommand::Leave(left), context).await
    }

    /// A guardian makes a member one, or none.
    ///
    /// # Errors
    /// `by` is no guardian there, `user` is not in it, nobody would decide any more; the machinery's.
    pub async fn set_guardian(
        &self,
        member: MemberRef,
        on: bool,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let MemberRef { group, by, user } = member;
        let changed = GuardianChanged { group, user, on, by };
        self.circle(group, &CircleCommand::SetGuardian(changed), context).await
    }

    /// A member shows the circle where they are, or no more.
    ///
    /// # Errors
    /// `user` is not in it, or the machinery's.
    pub async fn share_location(
        &self,
        group: GroupId,
        user: UserId,
        on: bool,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let changed = LocationSharingChanged { group, user, on };
        self.circle(group, &CircleCommand::Share(changed), context).await
    }

    /// Lets somebody go whose account has ended; whoever is there longest decides where nobody else does.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn let_go(
        &self,
        group: GroupId,
        user: UserId,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let message = self.message_of(context, "circle-left", &[&group.to_string(), &user.to_string()]);
        self.circle(group, &CircleCommand::LetGo { user, message }, context).await
    }

    /// Who was a circle's last member, where it is over.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn ended_by(&self, group: GroupId) -> Result<Option<UserId>, CommandError> {
        Ok(self.executor.current::<Circle>(&StreamId::circle(group)).await?.ended_by())
    }

    /// Checks that somebody decides in a circle.
    ///
    /// # Errors
    /// They do not, or the machinery's.
    pub(crate) async fn must_decide(&self, group: GroupId, user: UserId) -> Result<(), CommandError> {
        Ok(self.executor.load::<Circle>(&StreamId::circle(group)).await?.must_decide(group, user)?)
    }

    /// The id of what a request tells: the same request comes to the same.
    pub(crate) fn message_of(&self, context: &Context, what: &str, parts: &[&str]) -> MessageId {
        let request: &[u8] = context.correlation.as_bytes();
        let parts: Vec<&[u8]> = [request].into_iter().chain(parts.iter().map(|part| part.as_bytes())).collect();
        let hash = self.secret.keyed_hash(what, &parts);
        let mut id = [0; 12];
        id.copy_from_slice(&hash[..12]);
        MessageId(ObjectId(id))
    }

    async fn circle(
        &self,
        group: GroupId,
        command: &CircleCommand,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        Ok(self.executor.execute::<Circle>(&StreamId::circle(group), command, context, Guess::Known).await?.position)
    }

    /// A session may live a moment longer than its account.
    async fn must_be_there(&self, user: UserId) -> Result<(), CommandError> {
        if self.user_exists(user).await? { Ok(()) } else { Err(Rejection::AccountEnded.into()) }
    }
}
