//! Following and unfollowing (seed §21, §22).

use dface_domain::{
    envelope::LogPosition,
    events::{Followed, IdKind, Unfollowed},
    ids::{RecordId, UserId},
    rejection::Rejection,
    relations::{Relation, RelationCommand},
    stream::StreamId,
};

use crate::{CommandError, Commands, Context, Guess};

impl Commands {
    /// `user` follows `follow`; twice answers the first record again.
    ///
    /// # Errors
    /// Oneself, somebody who is not there, or the machinery.
    pub async fn follow(
        &self,
        user: UserId,
        follow: UserId,
        context: &Context,
    ) -> Result<(RecordId, Option<LogPosition>), CommandError> {
        let stream = StreamId::relation(user, follow);
        if user == follow {
            return Err(Rejection::FollowsOneself.into());
        }
        if let Some(record) = self.executor.load::<Relation>(&stream).await?.follow_of(user) {
            return Ok((record, None));
        }
        if !self.user_exists(follow).await? {
            return Err(Rejection::UserUnknown(follow).into());
        }
        let record = RecordId(self.next_id(IdKind::Record).await?);
        let command = RelationCommand::Follow(Followed { record, user, follow });
        let outcome = self.executor.execute::<Relation>(&stream, &command, context, Guess::Known).await?;
        Ok((outcome.state.follow_of(user).unwrap_or(record), outcome.position))
    }

    /// `user` follows `follow` no more; absent or repeated is the same.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn unfollow(
        &self,
        user: UserId,
        follow: UserId,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let stream = StreamId::relation(user, follow);
        let command = RelationCommand::Unfollow(Unfollowed { user, follow });
        Ok(self.executor.execute::<Relation>(&stream, &command, context, Guess::Known).await?.position)
    }
}
