//! A log taken out while it is written, and made anew of what was taken: every event the same, and no byte that changed stays unseen.

use std::{collections::BTreeMap, io::Read as _};

use dface_domain::{
    retention::Retained,
    stream::{Category, StreamId},
};

use super::{
    expiry::{World, before, of},
    *,
};
use crate::store::embedded::{ImportError, LogImport};

/// Segments by name, each with its first and last event.
type Taken = BTreeMap<String, ((u64, u64), Vec<u8>)>;

fn take(store: &EmbeddedStore) -> Taken {
    let taken = store.extents().into_iter().map(|extent| {
        let (bytes, mut read) = (extent.check().unwrap(), Vec::new());
        extent.reader(bytes).read_to_end(&mut read).unwrap();
        assert_eq!(read.len() as u64, bytes);
        (extent.name().to_owned(), ((extent.first, extent.last), read))
    });
    taken.collect()
}

/// The positions that were seen, each with whether it is wanted.
fn import(taken: &Taken, place: &Place, to: Option<u64>) -> Result<(u64, Vec<(u64, bool)>), ImportError> {
    let dir = place.path().join("log");
    let mut import = LogImport::begin(&dir, [7; 16], to.map(LogPosition))?;
    let mut seen = Vec::new();
    for (name, (events, bytes)) in taken {
        import.take(name, *events, &mut bytes.as_slice(), &mut |recorded, is_wanted| {
            seen.push((recorded.position.0, is_wanted));
            Ok(())
        })?;
    }
    Ok((import.end()?.0, seen))
}

fn filled() -> (Place, EmbeddedStore) {
    let place = Place::new();
    let store = place.open();
    fill(&store, 0, 700);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append(&stream("batch"), Expected::NoStream, contract::events(5000..5010))).unwrap();
    (place, store)
}

#[test]
fn embedded_copied_segments_make_the_same_log_under_another_id_which_goes_on() {
    let (_place, store) = filled();
    let taken = take(&store);
    assert!(taken.len() > 1, "several segments");
    fill(&store, 9_000, 5);
    let other = Place::new();
    let (last, seen) = import(&taken, &other, None).unwrap();
    assert_eq!((last, seen.len()), (710, 710));
    assert!(seen.iter().all(|(_, is_wanted)| *is_wanted));
    let copy = other.open();
    assert_eq!(copy.log_id(), [7; 16]);
    assert_eq!(everything(&copy), everything(&store)[..710]);
    fill(&copy, 20_000, 300);
    assert_eq!((copy.verify().unwrap().events, copy.last_version(&stream("batch")).unwrap()), (1_010, Some(9)));
    drop(copy);
    assert_eq!(other.open().verify().unwrap().events, 1_010);
}

#[test]
fn embedded_a_copy_ends_where_it_shall_and_never_within_a_batch() {
    let (_place, store) = filled();
    let taken = take(&store);
    for (to, last) in [(1, 1), (350, 350), (700, 700), (701, 700), (709, 700), (710, 710)] {
        let other = Place::new();
        let (reached, seen) = import(&taken, &other, Some(to)).unwrap();
        assert_eq!((reached, seen.len()), (last, 710), "what is beyond is looked at, too");
        assert!(seen.iter().all(|(position, is_wanted)| *is_wanted == (*position <= last)), "to {to}");
        let copy = other.open();
        assert_eq!(everything(&copy), everything(&store)[..usize::try_from(last).unwrap()]);
        fill(&copy, 30_000, 3);
        assert_eq!(copy.verify().unwrap().events, last + 3);
    }
}

#[test]
fn embedded_damage_in_a_copied_segment_is_named_with_its_place() {
    let (_place, store) = filled();
    let taken = take(&store);
    let (name, (events, bytes)) = taken.first_key_value().unwrap();
    for at in (0..bytes.len()).step_by(97).chain(0..200) {
        let mut damaged = taken.clone();
        damaged.get_mut(name).unwrap().1[at] ^= 4;
        let error = import(&damaged, &Place::new(), None).unwrap_err();
        let ImportError::Damaged { file, offset, position, .. } = &error else { panic!("byte {at}: {error}") };
        assert!(file == name && *offset <= at as u64 && (events.0..=events.1).contains(position), "byte {at}: {error}");
    }
    let mut cut = taken.clone();
    cut.get_mut(name).unwrap().1.pop();
    assert!(import(&cut, &Place::new(), None).is_err());
    let mut more = taken.clone();
    more.get_mut(name).unwrap().1.push(0);
    assert!(import(&more, &Place::new(), None).is_err());
    let mut without = taken.clone();
    without.remove(name);
    assert!(import(&without, &Place::new(), None).is_err());
}

/// A log of positions and of what stays, of which the older positions are gone.
fn with_gaps() -> World {
    let mut world = World::new();
    for n in 0..600_u64 {
        if n % 7 == 0 {
            world.append(&StreamId::new(Category::Talk, n), 1);
        }
        world.append(&of(Retained::Positions, n), 1);
        world.clock.0.fetch_add(1, Ordering::Relaxed);
    }
    world.expire(&before(Retained::Positions, 400));
    let rewritten = world.files().iter().filter(|name| name.contains('-')).count();
    assert!(rewritten > 0 && rewritten < world.files().len(), "{:?}", world.files());
    world
}

#[test]
fn embedded_a_log_with_gaps_is_copied_with_them_and_cut_anywhere() {
    let world = with_gaps();
    let (taken, left, head) = (take(world.store()), world.left(), world.ever.len() as u64);
    for to in (1..head).step_by(41).chain([head, u64::MAX]) {
        let wanted: Vec<_> = left.iter().filter(|event| event.position.0 <= to).cloned().collect();
        let other = Place::new();
        let (reached, seen) = import(&taken, &other, Some(to)).unwrap();
        assert_eq!(reached, wanted.last().unwrap().position.0, "to {to}");
        assert_eq!(seen.len(), left.len());
        let copy = other.open();
        assert_eq!(copy.read_all_blocking(LogPosition(0), usize::MAX).unwrap(), wanted, "to {to}");
        fill(&copy, 30_000, 200);
        let events = wanted.len() as u64 + 200;
        assert_eq!(copy.verify().unwrap().events, events, "to {to}");
        drop(copy);
        assert_eq!(other.open().verify().unwrap().events, events, "to {to}");
    }
}

#[test]
fn embedded_damage_in_a_copied_segment_with_gaps_is_named() {
    let world = with_gaps();
    let taken = take(world.store());
    let (name, (_, bytes)) = taken.iter().find(|(name, _)| name.contains('-')).unwrap();
    for at in (0..bytes.len()).step_by(53).chain(0..200) {
        let mut damaged = taken.clone();
        damaged.get_mut(name).unwrap().1[at] ^= 4;
        let error = import(&damaged, &Place::new(), None).unwrap_err();
        let ImportError::Damaged { file, .. } = &error else { panic!("byte {at}: {error}") };
        assert!(file == name, "byte {at}: {error}");
    }
}
