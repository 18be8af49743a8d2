//! The requests of a load, written beforehand: one list for each client.

use dface_domain::{events::ShopDetails, geo::Position};

use crate::{chance::Chance, made};

/// Check-ins of one client; more than it gets done, since a repeat within a minute writes nothing.
const CHECKINS: usize = 10_000;

/// Places where phones are: some metres from some shop.
pub fn places(shops: &[ShopDetails], count: usize) -> Vec<Position> {
    let mut chance = Chance::new(6);
    (0..count)
        .map(|_| {
            let shop = chance.one_of(shops);
            chance.near(shop.position, 65.0)
        })
        .collect()
}

/// Deals requests out to clients.
pub fn dealt(requests: impl Iterator<Item = Vec<u8>>, clients: usize) -> Vec<Vec<Vec<u8>>> {
    let mut lists = vec![Vec::new(); clients];
    requests.enumerate().for_each(|(n, request)| lists[n % clients].push(request));
    lists
}

pub fn around(places: &[Position], cookies: &[String], clients: usize) -> Vec<Vec<Vec<u8>>> {
    let asked = places.iter().enumerate().map(|(n, place)| {
        let path = format!("/aroundme/shops?lat={:.7}&lng={:.7}&accuracy=100", place.lat(), place.lng());
        get(&path, &cookies[n % clients % cookies.len()])
    });
    dealt(asked, clients)
}

pub fn nearby(places: &[Position], shops: &[ShopDetails], cookies: &[String], clients: usize) -> Vec<Vec<Vec<u8>>> {
    let mut chance = Chance::new(7);
    let asked = places.iter().enumerate().map(|(n, place)| {
        let name: String =
            made::shops::searched(shops, &mut chance).bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/shop/nearby?lat={:.7}&lng={:.7}&accuracy=100&name={name}", place.lat(), place.lng());
        get(&path, &cookies[n % clients % cookies.len()])
    });
    dealt(asked, clients)
}

pub fn checkins(shops: &[ShopDetails], cookies: &[String], clients: usize) -> Vec<Vec<Vec<u8>>> {
    let mut chance = Chance::new(8);
    let one = |client: usize, chance: &mut Chance| {
        let index = usize::try_from(chance.below(shops.len() as u64)).unwrap_or_default();
        let (place, user) = (chance.near(shops[index].position, 40.0), client % cookies.len() + 1);
        let (lat, lng, shop) = (place.lat(), place.lng(), made::shops::id(index));
        let body = format!("lat={lat:.7}&lng={lng:.7}&accuracy=100&shop_id={shop}&user_id={user}&od=1");
        let cookie = &cookies[user - 1];
        let head = format!(
            "POST /checkins HTTP/1.1\r\nHost: bench\r\nCookie: _session_id={cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        (head + &body).into_bytes()
    };
    (0..clients).map(|client| (0..CHECKINS).map(|_| one(client, &mut chance)).collect()).collect()
}

/// A request with a session.
pub fn get(path: &str, cookie: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nCookie: _session_id={cookie}\r\n\r\n").into_bytes()
}
