//! What a watch signs in with, over HTTP and MQTT alike: its imei and its key.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use dface_domain::{ids::Imei, watches::KeyHash};
use dface_projections::circles::WatchRow;

use crate::node::Node;

/// The watch that signs in with this key, where it is in a circle or has still to hear that it is in none any more.
///
/// The same work whether or not there is such a watch. A key that was shown to somebody (`watches.open_binding`) is good only as long as they
/// are in the circle.
#[must_use]
pub fn watch_key_matches(node: &Node, imei: Imei, key: &str) -> Option<Arc<WatchRow>> {
    let given = node.commands.secret().watch_key_hash(imei, key);
    let circles = node.views.circles.view();
    let row = circles.watch(imei);
    let known: KeyHash = row.as_ref().and_then(|row| row.key).unwrap_or_default();
    let same = verify_slices_are_equal(&known, &given).is_ok();
    let row = row.filter(|row| same && row.key.is_some())?;
    let bound = row
        .bound
        .as_ref()
        .is_some_and(|bound| bound.key_shown_to.is_none_or(|user| circles.is_member(bound.group, user)));
    let now = node.commands.clock().now();
    let leaving = row
        .leaving
        .as_ref()
        .is_some_and(|leaving| now.seconds_since(leaving.since) <= node.settings.watches.release_after_s);
    (bound || leaving).then_some(row)
}

#[cfg(test)]
mod tests {
    use dface_commands::{
        Context,
        circles::MemberRef,
        people::NewAccount,
        watches::{Binding, WatchRef},
    };
    use dface_domain::{
        events::Gender,
        ids::{GroupId, UserId},
        watches::WatchDetails,
    };

    use super::*;
    use crate::settings::Settings;

    struct Family {
        node: Node,
        group: GroupId,
        anna: UserId,
        ben: UserId,
        context: Context,
        imei: Imei,
        _dir: tempfile::TempDir,
    }

    impl Family {
        /// Both are guardians.
        async fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let mut settings = Settings::load(None, &[("data", dir.path().display().to_string())]).unwrap();
            settings.store_tuning.segment_bytes = 8 << 20;
            let node = Node::open(settings).await.unwrap();
            let (commands, context) = (&node.commands, Context::new(node.commands.fresh_id()));
            let account =
                |name: &str| NewAccount { name: name.to_owned(), password: None, gender: Gender::Unset, source: None };
            let (anna, _) = commands.register(account("anna"), &context).await.unwrap();
            let (ben, _) = commands.register(account("ben"), &context).await.unwrap();
            let (group, _) = commands.create_circle(anna, "family", &context).await.unwrap();
            let code = commands.invite(group, anna, 1, &context).await.unwrap().code;
            commands.join(group, ben, &code, 2, &context).await.unwrap();
            commands.set_guardian(MemberRef { group, by: anna, user: ben }, true, &context).await.unwrap();
            let imei = Imei::new(861_234_560_000_017).unwrap();
            Self { node, group, anna, ben, context, imei, _dir: dir }
        }

        /// Ben binds it: the key that was made.
        async fn bind(&self, code: Option<&str>) -> Option<String> {
            let binding = Binding { imei: self.imei, group: self.group, by: self.ben, code, open: true };
            let context = Context::new(self.node.commands.fresh_id());
            let number = self.node.commands.may_bind(&binding, &context).await.unwrap();
            let [mac, dev_name, phone, fast_call_phone] = [const { String::new() }; 4];
            let details = WatchDetails { mac, dev_name, phone, fast_call_phone, image: None };
            let commands = &self.node.commands;
            commands.bind_watch(&binding, number, "1".to_owned(), &details, &context).await.unwrap().key
        }

        async fn signs_in(&self, key: &str) -> bool {
            self.node.catch_up().await;
            watch_key_matches(&self.node, self.imei, key).is_some()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_watch_signs_in_while_it_is_in_a_circle_and_until_it_knows_that_it_is_not() {
        let family = Family::new().await;
        let (commands, context) = (&family.node.commands, &family.context);
        assert!(!family.signs_in("factory-key").await);
        commands.import_watch(family.imei, "factory-key", Some("printed"), context).await.unwrap();
        assert!(!family.signs_in("factory-key").await, "it is in no circle");
        assert_eq!(family.bind(Some("printed")).await, None);
        assert!(family.signs_in("factory-key").await);
        assert!(!family.signs_in("printed").await && !family.signs_in("").await);
        let watch = WatchRef { imei: family.imei, group: family.group, by: family.anna };
        commands.unbind_watch(watch, context).await.unwrap();
        assert!(family.signs_in("factory-key").await, "it has to hear of it");
        commands.release_watch(family.imei, 1, context).await.unwrap();
        assert!(!family.signs_in("factory-key").await);
        family.node.close().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_key_that_somebody_was_shown_ends_when_they_are_out_of_the_circle() {
        let family = Family::new().await;
        let key = family.bind(None).await.unwrap();
        assert!(family.signs_in(&key).await);
        let removed = MemberRef { group: family.group, by: family.anna, user: family.ben };
        family.node.commands.remove(removed, &family.context).await.unwrap();
        assert!(!family.signs_in(&key).await);
        family.node.close().await;
    }
}
