//! What the read model of circles mends: the key of a watch that was unbound just before a crash.

use dface_commands::{Context, watches::Binding};
use dface_domain::{
    events::{Gender, WatchUnbound},
    ids::{Imei, MessageId, ObjectId},
    stream::StreamId,
    watches::WatchDetails,
};
use dface_projections::circles::Circles;
use uuid::Uuid;

use super::world::World;

#[test]
fn the_key_of_an_unbound_watch_that_a_crash_left_is_destroyed() {
    let world = World::new();
    let anna = world.person("anna", Gender::Female);
    let (imei, context) = (Imei::new(861_234_560_000_017).unwrap(), Context::new(Uuid::from_u128(1)));
    let [mac, dev_name, phone, fast_call_phone] = [const { String::new() }; 4];
    let details = WatchDetails { mac, dev_name, phone, fast_call_phone, image: None };
    let group = world.runtime.block_on(async {
        let (group, _) = world.commands.create_circle(anna, "family", &context).await.unwrap();
        let binding = Binding { imei, group, by: anna, code: None, open: true };
        let number = world.commands.may_bind(&binding, &context).await.unwrap();
        world.commands.bind_watch(&binding, number, "1".to_owned(), &details, &context).await.unwrap();
        group
    });
    let sealed = world.parts.keys.seal_bytes(imei.subject(1), b"where the child was").unwrap();
    // The event is durable, and the process dies before it destroys the key.
    let message = MessageId(ObjectId([1; 12]));
    world.append(&StreamId::watch(imei), 1, WatchUnbound { imei, binding: 1, group, by: anna, message }.into());
    assert!(world.parts.keys.open_bytes(imei.subject(1), &sealed).is_some());
    let mut projector = world.projector("read");
    let opening = projector.add::<Circles>();
    let circles = projector.take(opening).unwrap();
    world.settle(&projector);
    assert_eq!(world.parts.keys.open_bytes(imei.subject(1), &sealed), None);
    assert!(circles.view().watch(imei).is_some_and(|row| row.bound.is_none() && row.leaving.is_some()));
    assert!(circles.view().circle(group).is_some_and(|circle| circle.watches.is_empty()));
    projector.stop();
}
