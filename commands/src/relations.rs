//! Following and unfollowing (seed §21, §22).

use dface_domain::{
    envelope::LogPosition,
    events::{Blocked, Followed, IdKind, ReportClosed, Unblocked, Unfollowed},
    ids::{RecordId, UserId},
    rejection::Rejection,
    relations::{Block, Relation, RelationCommand},
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
        for one in [user, follow] {
            if !self.user_exists(one).await? {
                return Err(Rejection::UserUnknown(one).into());
            }
        }
        if let Some(record) = self.executor.current::<Relation>(&stream).await?.follow_of(user) {
            return Ok((record, None));
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

    /// `user` blocks `block`, which ends the follows between them; twice answers the first record again.
    ///
    /// # Errors
    /// Oneself, somebody who is not there, or the machinery.
    pub async fn block(
        &self,
        user: UserId,
        block: UserId,
        report: bool,
        context: &Context,
    ) -> Result<(Block, Option<LogPosition>), CommandError> {
        if user == block {
            return Err(Rejection::BlocksOneself.into());
        }
        let stream = StreamId::relation(user, block);
        if !self.user_exists(block).await? {
            return Err(Rejection::UserUnknown(block).into());
        }
        if let Some(known) = self.executor.current::<Relation>(&stream).await?.block_of(user)
            && (known.report || !report)
        {
            return Ok((known, None));
        }
        let record = RecordId(self.next_id(IdKind::Record).await?);
        let command = RelationCommand::Block(Blocked { record, user, block, report });
        let outcome = self.executor.execute::<Relation>(&stream, &command, context, Guess::Known).await?;
        let made = Block { by: user, record, report };
        Ok((outcome.state.block_of(user).unwrap_or(made), outcome.position))
    }

    /// `user` blocks `block` no more; absent or repeated is the same.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn unblock(
        &self,
        user: UserId,
        block: UserId,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let stream = StreamId::relation(user, block);
        let command = RelationCommand::Unblock(Unblocked { user, block });
        Ok(self.executor.execute::<Relation>(&stream, &command, context, Guess::Known).await?.position)
    }

    /// An operator has dealt with the report that `user` made of `block`.
    ///
    /// # Errors
    /// There is no such open report, or the machinery failed.
    pub async fn close_report(&self, closed: ReportClosed, context: &Context) -> Result<(), CommandError> {
        let stream = StreamId::relation(closed.user, closed.block);
        let command = RelationCommand::CloseReport(closed);
        self.executor.execute::<Relation>(&stream, &command, context, Guess::Known).await?;
        Ok(())
    }
}
