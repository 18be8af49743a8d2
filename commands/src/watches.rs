//! Watches: making them known, into a circle and out of it, their switches, whether they can be reached (push.md, "The way in").

use dface_domain::{
    envelope::LogPosition,
    events::{WatchBound, WatchHeard, WatchImported},
    ids::{GroupId, Imei, MessageId, ObjectId, UserId},
    ports::StoreError,
    rejection::Rejection,
    stream::StreamId,
    watches::{BatteryTold, Proof, Watch, WatchCommand, WatchDetails},
};

use crate::{CommandError, Commands, Context, Guess};

/// A guardian wants a watch in the circle.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The watch.
    pub imei: Imei,
    /// The circle.
    pub group: GroupId,
    /// Who.
    pub by: UserId,
    /// What is printed on it, where that was given.
    pub code: Option<&'a str>,
    /// Watches that nobody made known may be bound too.
    pub open: bool,
}

/// A watch that is in a circle now.
#[derive(Debug, Clone)]
pub struct BoundWatch {
    /// The key that was made for it, kept nowhere; none where it has the factory's.
    pub key: Option<String>,
    /// What was written; none where the same request did it before.
    pub position: Option<LogPosition>,
}

/// Which watch of which circle a guardian does something with.
#[derive(Debug, Clone, Copy)]
pub struct WatchRef {
    /// The watch.
    pub imei: Imei,
    /// The circle.
    pub group: GroupId,
    /// Which guardian.
    pub by: UserId,
}

/// What a guardian changes of a watch.
#[derive(Debug, Clone)]
pub struct WatchPatch {
    /// For which time in a circle it is meant.
    pub binding: u16,
    /// All that is said of it.
    pub details: WatchDetails,
    /// Whether it is locked, where that was given.
    pub lock: Option<bool>,
    /// Whether it tells that it was taken off, where that was given.
    pub fall: Option<bool>,
}

impl Commands {
    /// Says that a watch was heard, once in each stretch of so many seconds, for those who look for silent ones on other nodes.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn watch_heard(&self, imei: Imei, stretch_s: i64, context: &Context) -> Result<(), CommandError> {
        let stretch = self.clock().now().seconds().div_euclid(stretch_s.max(1));
        let stream = StreamId::heard(imei, stretch);
        match self.executor.append_first(&stream, WatchHeard { imei }.into(), context).await {
            Ok(_) | Err(CommandError::Store(StoreError::WrongVersion { .. })) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes a watch known, or corrects it. Where no code is printed on it, its key is the code.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn import_watch(
        &self,
        imei: Imei,
        key: &str,
        code: Option<&str>,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let code = self.secret.watch_code_hash(imei, code.unwrap_or(key));
        let imported = WatchImported { imei, key: self.secret.watch_key_hash(imei, key), code };
        self.watch(imei, &WatchCommand::Import(imported), context).await
    }

    /// Checks that a watch may be bound, to be asked before its picture is stored. The number of its time in the circle, whose key is there.
    ///
    /// # Errors
    /// `by` is no guardian there, nothing shows that the watch is theirs, it is in a circle; the machinery's.
    pub async fn may_bind(&self, binding: &Binding<'_>, context: &Context) -> Result<u16, CommandError> {
        let Binding { imei, group, by, .. } = *binding;
        self.must_decide(group, by).await?;
        let watch = self.executor.load::<Watch>(&StreamId::watch(imei)).await?;
        let number = match watch.bound_by(self.bind_message(binding, context)) {
            Some(number) => number,
            None => watch.next_binding(self.proof(binding))?,
        };
        self.keys.ensure(&[imei.subject(number)])?;
        Ok(number)
    }

    /// Takes a watch into a circle, for its time of that `number`; a key is made where no operator made it known.
    ///
    /// # Errors
    /// As [`Commands::may_bind`].
    pub async fn bind_watch(
        &self,
        binding: &Binding<'_>,
        number: u16,
        consent: String,
        details: &WatchDetails,
        context: &Context,
    ) -> Result<BoundWatch, CommandError> {
        let Binding { imei, group, by, .. } = *binding;
        self.must_decide(group, by).await?;
        let message = self.bind_message(binding, context);
        let details = self.keys.seal(imei.subject(number), details)?;
        let made = self.secret.watch_key(context.correlation, imei, number);
        let key = Some(self.secret.watch_key_hash(imei, &made));
        let bound = WatchBound { imei, binding: number, group, by, consent, details, key, message };
        let command = WatchCommand::Bind { bound, proof: self.proof(binding) };
        let stream = StreamId::watch(imei);
        let outcome = self.executor.execute::<Watch>(&stream, &command, context, Guess::Known).await?;
        let key = (!outcome.state.is_known()).then_some(made);
        Ok(BoundWatch { key, position: outcome.position })
    }

    /// What a guardian may change of a watch, as it is, and which time in a circle that is.
    ///
    /// # Errors
    /// `by` is no guardian there, the watch is not in that circle; the machinery's.
    pub async fn watch_details(&self, watch: WatchRef) -> Result<(u16, WatchDetails), CommandError> {
        let WatchRef { imei, group, by } = watch;
        self.must_decide(group, by).await?;
        let known = self.executor.load::<Watch>(&StreamId::watch(imei)).await?;
        let details = known.details().filter(|_| known.group() == Some(group));
        let details = details.and_then(|(binding, sealed)| Some((binding, self.keys.open(sealed)?)));
        Ok(details.ok_or(Rejection::WatchUnknown)?)
    }

    /// Changes what is said of a watch, and its switches.
    ///
    /// # Errors
    /// As [`Commands::watch_details`].
    pub async fn set_watch(
        &self,
        watch: WatchRef,
        patch: WatchPatch,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let WatchRef { imei, group, by } = watch;
        let (binding, known) = self.watch_details(watch).await?;
        if binding != patch.binding {
            return Err(Rejection::WatchUnknown.into());
        }
        let WatchPatch { details, lock, fall, .. } = patch;
        let details = if details == known { None } else { Some(self.keys.seal(imei.subject(binding), &details)?) };
        let message = self.message_of(context, "watch-changed", &[&imei.to_string()]);
        let command = WatchCommand::Set { imei, group, by, details, lock, fall, message };
        self.watch(imei, &command, context).await
    }

    /// A guardian takes a watch out of the circle: nothing opens any more what it told there.
    ///
    /// # Errors
    /// As [`Commands::watch_details`].
    pub async fn unbind_watch(&self, watch: WatchRef, context: &Context) -> Result<Option<LogPosition>, CommandError> {
        self.must_decide(watch.group, watch.by).await?;
        self.unbind(watch, context).await
    }

    /// The same where the circle is over, `by` its last member.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn unbind_of_ended(&self, watch: WatchRef, context: &Context) -> Result<(), CommandError> {
        match self.unbind(watch, context).await {
            // Bound by nobody, or elsewhere by now.
            Err(CommandError::Rejected(Rejection::WatchUnknown)) => Ok(()),
            done => done.map(|_| ()),
        }
    }

    /// The event comes first, so that a crash in between is mended when the read model hears of it again.
    async fn unbind(&self, watch: WatchRef, context: &Context) -> Result<Option<LogPosition>, CommandError> {
        let WatchRef { imei, group, by } = watch;
        let message = self.message_of(context, "watch-unbound", &[&imei.to_string(), &group.to_string()]);
        let command = WatchCommand::Unbind { imei, group, by, message };
        let stream = StreamId::watch(imei);
        let outcome = self.executor.execute::<Watch>(&stream, &command, context, Guess::Known).await?;
        if let Some((_, binding)) = outcome.state.left() {
            self.keys.destroy(imei.subject(binding))?;
        }
        Ok(outcome.position)
    }

    /// A watch knows that its `binding`th time in a circle is over, or had its time to: it signs in no more.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn release_watch(
        &self,
        imei: Imei,
        binding: u16,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        self.watch(imei, &WatchCommand::Release { imei, binding }, context).await
    }

    /// A watch can be reached, or no more: told once each (type 16). `message` is its report's, where there is one.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn watch_presence(
        &self,
        imei: Imei,
        online: bool,
        message: Option<MessageId>,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let message = message.unwrap_or_else(|| MessageId(ObjectId(self.entropy().bytes())));
        self.watch(imei, &WatchCommand::Presence { imei, online, message }, context).await
    }

    /// A watch told of its battery: told once per discharge (type 6).
    ///
    /// # Errors
    /// The machinery's.
    pub async fn battery(
        &self,
        imei: Imei,
        percent: u8,
        message: MessageId,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        self.watch(imei, &WatchCommand::Battery(BatteryTold { imei, percent, message }), context).await
    }

    fn proof(&self, binding: &Binding<'_>) -> Proof {
        let code = binding.code.map(|code| self.secret.watch_code_hash(binding.imei, code));
        Proof { code, open: binding.open }
    }

    fn bind_message(&self, binding: &Binding<'_>, context: &Context) -> MessageId {
        self.message_of(context, "watch-bound", &[&binding.imei.to_string(), &binding.group.to_string()])
    }

    async fn watch(
        &self,
        imei: Imei,
        command: &WatchCommand,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        Ok(self.executor.execute::<Watch>(&StreamId::watch(imei), command, context, Guess::Known).await?.position)
    }
}
