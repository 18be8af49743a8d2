//! The index against brute force.

use std::collections::BTreeMap;

use dface_domain::{
    events::ShopDetails,
    geo::{MapPosition, Position, chord_for_metres},
    ids::ShopId,
    shops::kind::ShopKind,
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{SEARCH_RADIUS_M, ShopEntry, ShopIndex, Slot, fold::fold, tree::square_between};

/// A shop of this name at this place.
pub(super) fn details(name: &str, lat: f64, lng: f64, kind: ShopKind) -> ShopDetails {
    ShopDetails {
        name: name.into(),
        address: String::new(),
        phone: String::new(),
        kind,
        position: Position::new(lat, lng).unwrap(),
        map: MapPosition::new(lat, lng).unwrap(),
    }
}

/// Places where things go wrong: few of them, so that shops share them, around the poles, 180° and one city.
fn place() -> impl Strategy<Value = (f64, f64)> {
    let corner = select(vec![(90.0, 0.0), (90.0, 77.0), (-90.0, 0.0), (0.0, 180.0), (0.0, -180.0), (30.0, 120.0)]);
    let step = || select(vec![0.0, 1e-7, 0.001, 0.01, 0.3, 0.449]);
    let city = (step(), step()).prop_map(|(north, east)| (30.0 + north, 120.0 + east));
    let line = (step(), any::<bool>(), step())
        .prop_map(|(lat, east, lng)| (lat, if east { -180.0 + lng } else { 180.0 - lng }));
    let pole = (step(), -180.0..=180.0, any::<bool>())
        .prop_map(|(off, lng, north)| (if north { 90.0 - off } else { off - 90.0 }, lng));
    prop_oneof![corner, city, line, pole, (-90.0..=90.0, -180.0..=180.0)]
}

fn name() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "西", "湖", "店", "杭州", "a", "A", "Ｂ", "é", "e\u{301}", "Σ", "ς", "🍜", "🍣", " ", "(", "（", "ﾌﾟ",
    ]);
    vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

fn kind() -> impl Strategy<Value = ShopKind> {
    select(ShopKind::ALL.to_vec())
}

fn shop() -> impl Strategy<Value = ShopEntry> {
    (0_u64..60, name(), place(), kind())
        .prop_map(|(id, name, (lat, lng), kind)| ShopEntry::new(ShopId(id), &details(&name, lat, lng, kind)))
}

#[derive(Debug, Clone)]
enum Change {
    Insert(ShopEntry),
    Remove(u64),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![4 => shop().prop_map(Change::Insert), 1 => (0_u64..60).prop_map(Change::Remove)]
}

/// An index that was loaded and then changed, and what must be in it.
fn changed(loaded: Vec<ShopEntry>, changes: Vec<Change>) -> (ShopIndex, BTreeMap<ShopId, ShopEntry>) {
    let mut wanted: BTreeMap<_, _> = loaded.iter().map(|shop| (shop.id(), shop.clone())).collect();
    let mut index = ShopIndex::bulk(loaded);
    for change in changes {
        match change {
            Change::Insert(shop) => {
                let before = index.slot_of(shop.id());
                let slot = index.insert(shop.clone());
                assert!(before.is_none_or(|before| before == slot));
                wanted.insert(shop.id(), shop);
            }
            Change::Remove(id) => assert_eq!(index.remove(ShopId(id)), wanted.remove(&ShopId(id)).is_some()),
        }
    }
    (index, wanted)
}

/// Ids by distance, then by id.
fn brute_force(
    shops: &BTreeMap<ShopId, ShopEntry>,
    from: Position,
    max_metres: f64,
    wanted: impl Fn(&ShopEntry) -> bool,
) -> Vec<ShopId> {
    let square = |shop: &ShopEntry| square_between(&shop.position().unit_vector(), &from.unit_vector());
    let max = chord_for_metres(max_metres);
    let mut found: Vec<_> = shops
        .values()
        .filter(|shop| (max >= 2.0 || square(shop) <= max * max) && wanted(shop))
        .map(|shop| (square(shop), shop.id()))
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    found.into_iter().map(|(_, id)| id).collect()
}

fn ids(index: &ShopIndex, found: impl IntoIterator<Item = (Slot, f64)>) -> Vec<ShopId> {
    found.into_iter().map(|(slot, _)| index.get(slot).unwrap().id()).collect()
}

fn radius() -> impl Strategy<Value = f64> {
    prop_oneof![select(vec![0.0, 1.0, SEARCH_RADIUS_M, 1e308, f64::INFINITY]), 0.0..2e5, 0.0..3e7]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn all_shops_are_kept(loaded in vec(shop(), 0..40), changes in vec(change(), 0..60)) {
        let (index, wanted) = changed(loaded, changes);
        prop_assert_eq!(index.len(), wanted.len());
        prop_assert_eq!(index.iter().count(), wanted.len());
        for id in (0..60).map(ShopId) {
            prop_assert_eq!(index.slot_of(id).and_then(|slot| index.get(slot)), wanted.get(&id));
        }
    }

    #[test]
    fn nearest_is_nearest(
        loaded in vec(shop(), 0..60), changes in vec(change(), 0..60),
        from in place(), kind in proptest::option::of(kind()), max_metres in radius(), n in 0_usize..20,
    ) {
        let (index, shops) = changed(loaded, changes);
        let from = Position::new(from.0, from.1).unwrap();
        let wanted = brute_force(&shops, from, max_metres, |shop| kind.is_none_or(|kind| kind == shop.kind()));
        prop_assert_eq!(ids(&index, index.nearest(from, kind, max_metres)), wanted);
        let all = brute_force(&shops, from, max_metres, |_| true);
        let some: Vec<_> = all.into_iter().take(n).collect();
        prop_assert_eq!(ids(&index, index.nearest_n(from, n, max_metres)), some);
        for (slot, metres) in index.nearest(from, None, max_metres) {
            let great_circle = index.get(slot).unwrap().position().distance_m(&from);
            prop_assert!((great_circle - metres).abs() < 0.5, "{} {}", great_circle, metres);
        }
    }

    #[test]
    fn names_are_found(
        loaded in vec(shop(), 0..60), changes in vec(change(), 0..60), from in place(), needle in name(),
        kind in proptest::option::of(kind()), max_metres in radius(), skip in 0_usize..6, take in 0_usize..6,
    ) {
        let (index, shops) = changed(loaded, changes);
        let from = Position::new(from.0, from.1).unwrap();
        let needle: String = needle.chars().take(3).collect();
        let wanted = brute_force(&shops, from, max_metres, |shop| {
            kind.is_none_or(|kind| kind == shop.kind()) && fold(shop.name()).contains(&fold(&needle))
        });
        let found = index.search_name(from, &needle, kind, max_metres, 0, usize::MAX);
        prop_assert_eq!(ids(&index, found), &wanted[..]);
        let page = index.search_name(from, &needle, kind, max_metres, skip, take);
        let wanted: Vec<_> = wanted.into_iter().skip(skip).take(take).collect();
        prop_assert_eq!(ids(&index, page), wanted);
    }
}

/// Enough shops that the walk and the lists are both used, as is the walk given up half way.
#[test]
fn frequent_names_come_in_pages_too() {
    let name = |id: u64| match id % 10 {
        0..6 => format!("超市{}", id % 7),
        // Only far away: the walk is long and the list is not.
        _ if id > 14_000 => format!("萧山店{id}"),
        _ => format!("面馆{id}"),
    };
    let shop = |id: u64| {
        let lat = 30.0 + f64::from(u32::try_from(id / 4).unwrap()) * 6e-5;
        ShopEntry::new(ShopId(id), &details(&name(id), lat, 120.0, ShopKind::ALL[usize::from(id.is_multiple_of(5))]))
    };
    let loaded: Vec<_> = (0..12_000).rev().map(shop).collect();
    let (index, shops) = changed(loaded, (12_000..26_000).map(|id| Change::Insert(shop(id))).collect());
    let from = Position::new(30.0, 120.0).unwrap();
    for needle in ["超", "超市", "市3", "萧山店", "山", "店15", "馆馆", "馆1", "13"] {
        for kind in [None, Some(ShopKind::Cafe)] {
            let wanted = brute_force(&shops, from, SEARCH_RADIUS_M, |shop| {
                kind.is_none_or(|kind| kind == shop.kind()) && shop.name().contains(needle)
            });
            assert_eq!(kind.is_none() && wanted.is_empty(), needle == "馆馆" && kind.is_none());
            for (skip, take) in [(0, 20), (20, 20), (5_000, 50), (0, usize::MAX), (usize::MAX, 1)] {
                let page = ids(&index, index.search_name(from, needle, kind, SEARCH_RADIUS_M, skip, take));
                let wanted: Vec<_> = wanted.iter().copied().skip(skip).take(take).collect();
                assert_eq!(page, wanted, "{needle} {kind:?} {skip} {take}");
            }
        }
    }
}
