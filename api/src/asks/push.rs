//! The job of a push: what is told comes from `pushes::payload`, to whom from the tokens.

use dface_commands::CommandError;
use dface_domain::{
    jobs::PushTask,
    ports::{KeyError, KeyedHash as _},
};

use super::interrupted;
use crate::{
    node::Node,
    pushes::payload::{Due, payload},
};

/// The push of a message to somebody's device; none where it is over: the message is on a device by now, or is not for them any more, or no
/// device is bound.
pub(super) fn task(node: &Node, due: Due) -> Result<Option<PushTask>, CommandError> {
    let Some((about, text)) = payload(node, &due).map_err(|e| interrupted(&e))? else { return Ok(None) };
    let Due { message, user, alert, since, .. } = due;
    let bound = node.views.push_tokens.view().of(user).map_err(|e| interrupted(&e))?;
    let Some(bound) = bound else { return Ok(None) };
    let payload = match node.commands.keys().seal(about, &text) {
        Err(KeyError::Destroyed(_)) => return Ok(None),
        sealed => sealed?,
    };
    // A repeat has the name of before; for another device it is another push.
    let Some(device) = node.commands.keys().open(&bound.token) else { return Ok(None) };
    let expires = since.plus_seconds(node.settings.push.expire_s);
    let secret = node.commands.secret();
    let name = secret.keyed_hash("apns-id", &[&message.0.0, user.to_string().as_bytes(), device.as_bytes()]);
    let apns_id = uuid::Builder::from_random_bytes(name.first_chunk().copied().unwrap_or_default()).into_uuid();
    let (environment, token) = (bound.environment, bound.token);
    Ok(Some(PushTask { user, message, environment, token, payload, alert, apns_id, expires }))
}

#[cfg(test)]
mod tests {
    use dface_commands::{Context, messages::Announcement, people::NewAccount};
    use dface_domain::{
        events::Gender,
        ids::{MessageId, UserId},
        jobs::{Outcome, Task},
        messages::{MessageState, Party, Stanza},
        pushes::PushEnd,
    };
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::{
        asks::{Rendered, render},
        settings::Settings,
    };

    const TOKEN: &str = "ea6e4f05b48f4a057816956e567c6feacf14ee28cbbbab67993e263c3dfa2c27";

    struct World {
        node: Node,
        anna: UserId,
        ben: UserId,
        _dir: tempfile::TempDir,
    }

    fn context() -> Context {
        Context::new(Uuid::nil())
    }

    impl World {
        async fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let data = dir.path().join("data").display().to_string();
            let node = Node::open(Settings::load(None, &[("data", data)]).unwrap()).await.unwrap();
            let register = async |name: &str| {
                let (name, gender) = (name.to_owned(), Gender::Unset);
                let account = NewAccount { name, password: None, gender, source: None };
                node.commands.register(account, &context()).await.unwrap().0
            };
            let (anna, ben) = (register("Anna").await, register("Ben").await);
            Self { anna, ben, node, _dir: dir }
        }

        /// Anna says it to Ben, who is not there.
        async fn missed(&self, body: &str) -> MessageId {
            let (cause, at) = (Uuid::now_v7(), self.node.commands.clock().now());
            let (from, to) = (Party::User(self.anna), Party::User(self.ben));
            let said = Announcement { cause, at, from, to, body: body.to_owned() };
            let message = self.node.commands.announce(said, &context()).await.unwrap().0;
            self.node.commands.missed(message, &context()).await.unwrap();
            self.node.catch_up().await;
            message
        }

        /// The pushes that are asked for, and what each came to.
        fn pushes(&self) -> Vec<Option<PushTask>> {
            let asked = self.node.views.jobs.view().after(dface_domain::envelope::LogPosition(0), 100).unwrap();
            let rendered = asked.iter().map(|job| match render(&self.node, job).unwrap() {
                Rendered::Job(job) => match job.task {
                    Task::Push(task) => Some(task),
                    other => panic!("{other:?}"),
                },
                Rendered::Over(Outcome::Pushed(PushEnd::Superfluous)) => None,
                other => panic!("{other:?}"),
            });
            rendered.collect()
        }

        fn payload(&self, task: &PushTask) -> Value {
            serde_json::from_str(&self.node.commands.keys().open(&task.payload).unwrap()).unwrap()
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn section_33_3_what_is_missed_is_told_to_the_bound_device_with_nothing_in_clear() {
        let world = World::new().await;
        let (commands, ben) = (&world.node.commands, world.ben);
        world.missed("没人听见").await;
        assert!(world.pushes().is_empty(), "no device is bound");
        commands.bind_push_token(ben, 1, TOKEN, &context()).await.unwrap();
        let message = world.missed("独一无二的话").await;
        let pushes = world.pushes();
        let [Some(task)] = pushes.as_slice() else { panic!("{pushes:?}") };
        assert_eq!((task.user, task.message, task.environment), (ben, message, 1));
        assert_eq!(commands.keys().open(&task.token).as_deref(), Some(TOKEN));
        let expected = json!({
            "aps": { "alert": { "title": "Anna", "body": "独一无二的话" }, "sound": "default", "badge": 2 },
            "data": { "push_type": "chat", "from": format!("{}@dface.cn", world.anna), "message_id": message },
        });
        assert_eq!(world.payload(task), expected);
        let on_the_queue = serde_json::to_string(task).unwrap();
        assert!(!["Anna", "独一", TOKEN].iter().any(|text| on_the_queue.contains(text)), "{on_the_queue}");
        // Who left takes their words along, from the queue too.
        let task = task.clone();
        commands.erase(world.anna, &context()).await.unwrap();
        world.node.catch_up().await;
        assert_eq!(commands.keys().open(&task.payload), None);
        assert_eq!(world.pushes(), [None]);
        world.node.close().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_on_a_device_by_now_is_not_pushed() {
        let world = World::new().await;
        let (commands, anna, ben) = (&world.node.commands, world.anna, world.ben);
        commands.bind_push_token(ben, 2, TOKEN, &context()).await.unwrap();
        let (first, _) = (world.missed("one").await, world.missed("two").await);
        let stanza = Stanza { resource: String::new(), xml: String::new() };
        let (parties, state) = ((Party::User(anna), Party::User(ben)), MessageState::Delivered);
        commands.receipt(parties, first, state, &stanza, &context()).await.unwrap();
        world.node.catch_up().await;
        assert_eq!(world.pushes().len(), 1, "a receipt ends the job");
        let waiting = world.node.views.messages.view().inbox(Party::User(ben), None, 10).unwrap();
        let Some(dface_projections::messages::Inboxed::Message(last)) = waiting.last() else { panic!("{waiting:?}") };
        commands.take_inbox(Party::User(ben), last.event, &context()).await.unwrap();
        world.node.catch_up().await;
        assert_eq!(world.pushes(), [None], "it was taken");
        world.missed("three").await;
        commands.block(ben, anna, false, &context()).await.unwrap();
        world.node.catch_up().await;
        assert_eq!(world.pushes(), [None, None], "of somebody who is blocked meanwhile");
        commands.unblock(ben, anna, &context()).await.unwrap();
        commands.unbind_push_token(ben, TOKEN, &context()).await.unwrap();
        world.node.catch_up().await;
        assert_eq!(world.pushes(), [None, None], "the device is bound no more");
        for model in ["jobs", "messages", "push_tokens"] {
            let projector = std::sync::Arc::clone(&world.node.projector);
            let difference = tokio::task::spawn_blocking(move || projector.compare(model)).await.unwrap().unwrap();
            assert!(difference.is_none(), "{model}: {difference:?}");
        }
        world.node.close().await;
    }
}
