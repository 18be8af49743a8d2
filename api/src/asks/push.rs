//! What a device is told of a message that was missed (seed §33.3; spec chat.md, "offline").

use dface_commands::CommandError;
use dface_domain::{
    ids::{ADMINISTRATOR, MessageId, UserId},
    jobs::PushTask,
    messages::{MessageKind, MessageState, Party},
    ports::KeyError,
    ports::KeyedHash as _,
    privacy::{Sight, Ties, may_see},
    sealed::Subject,
    time::Timestamp,
};
use dface_projections::projector::ModelError;
use serde_json::json;

use super::interrupted;
use crate::node::Node;

/// The name of the administrator, who is no account (§28.2).
const ADMINISTRATION: &str = "脸脸";

/// Characters of a message that a push shows.
const MOST: usize = 100;

/// The push of a message to somebody's device; none where it is over: the message is on a device by now, one of the two has left or
/// blocks the other, or no device is bound any more.
pub(super) fn task(
    node: &Node,
    user: UserId,
    message: MessageId,
    since: Timestamp,
) -> Result<Option<PushTask>, CommandError> {
    let Some(payload) = payload(node, user, message).map_err(|e| interrupted(&e))? else { return Ok(None) };
    let bound = node.views.push_tokens.view().of(user).map_err(|e| interrupted(&e))?;
    let expires = since.plus_seconds(node.settings.push.expire_s);
    let (Some(bound), (about, text)) = (bound, payload) else { return Ok(None) };
    let payload = match node.commands.keys().seal(about, &text) {
        Err(KeyError::Destroyed(_)) => return Ok(None),
        sealed => sealed?,
    };
    let name = node.commands.secret().keyed_hash("apns-id", &[&message.0.0, user.to_string().as_bytes()]);
    let apns_id = uuid::Builder::from_random_bytes(name.first_chunk().copied().unwrap_or_default()).into_uuid();
    let (environment, token, alert) = (bound.environment, bound.token, true);
    Ok(Some(PushTask { user, message, environment, token, payload, alert, apns_id, expires }))
}

/// The JSON of a push, and with whose key it is sealed.
fn payload(node: &Node, user: UserId, message: MessageId) -> Result<Option<(Subject, String)>, ModelError> {
    let messages = node.views.messages.view();
    let Some(entry) = messages.message(message)? else { return Ok(None) };
    if entry.state != MessageState::Sent || !messages.is_waiting(&entry)? {
        return Ok(None);
    }
    if let Party::User(from) = entry.from {
        let blocked = node.views.blocks.view().between(user, from)?;
        if !may_see(&Ties::on_a_list(user, from, blocked), Sight::Profile) {
            return Ok(None);
        }
    }
    let (name, body) = (name_of(node, entry.from)?, node.commands.keys().open(&entry.body));
    let (Some(name), Some(body)) = (name, body) else { return Ok(None) };
    let from = format!("{}@{}", entry.from, node.settings.chat.domain);
    let payload = json!({
        "aps": {
            "alert": { "title": name, "body": shown(entry.kind, &body) },
            "sound": "default",
            "badge": messages.unread(Party::User(user))?,
        },
        "data": { "push_type": "chat", "from": from, "message_id": message },
    });
    Ok(Some((entry.body.about, payload.to_string())))
}

fn name_of(node: &Node, party: Party) -> Result<Option<String>, ModelError> {
    match party {
        Party::User(ADMINISTRATOR) => Ok(Some(ADMINISTRATION.to_owned())),
        Party::User(user) => Ok(node.views.people.view().get(user)?.and_then(|person| person.profile.name.clone())),
        Party::Shop(shop) | Party::Room(shop) => Ok(node.views.shops.view().name(shop)),
    }
}

/// What a push shows of a message: what is not words stands as a word, as the apps show it.
fn shown(kind: MessageKind, body: &str) -> String {
    match kind {
        MessageKind::Text => body.chars().take(MOST).collect(),
        MessageKind::Photo => "[图片]".to_owned(),
        MessageKind::Coupon => "[优惠券]".to_owned(),
        MessageKind::Shake => "[摇一摇]".to_owned(),
        MessageKind::Greeting => "[打招呼]".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use dface_commands::{Context, messages::Announcement, people::NewAccount};
    use dface_domain::{events::Gender, jobs::Task, messages::Stanza};
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::{
        asks::{Rendered, render},
        settings::Settings,
    };

    #[test]
    fn section_33_3_a_push_shows_a_hundred_characters_and_a_word_for_what_is_no_words() {
        assert_eq!(shown(MessageKind::Text, &"脸".repeat(101)), "脸".repeat(100));
        assert_eq!(shown(MessageKind::Text, "你好"), "你好");
        assert_eq!(shown(MessageKind::Photo, "[img:509a1ffcbe4b1982a4000002]窗边"), "[图片]");
        assert_eq!(shown(MessageKind::Coupon, "[优惠券:八折:二所:509a1ffcbe4b1982a4000002:1]"), "[优惠券]");
        assert_eq!(shown(MessageKind::Shake, "[摇一摇:Anna]"), "[摇一摇]");
        assert_eq!(shown(MessageKind::Greeting, "[打招呼:Anna]"), "[打招呼]");
    }

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
                Rendered::Gone => None,
                Rendered::Never(why) => panic!("{why}"),
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
