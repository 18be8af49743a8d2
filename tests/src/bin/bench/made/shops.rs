//! Shops scattered around the demo's real ones, with names put together of theirs and of common words.

use dface_domain::{
    events::{ShopAdded, ShopDetails},
    geo::Position,
    ids::ShopId,
    shops::kind::ShopKind,
    stream::StreamId,
    time::Timestamp,
};

use super::directory::Fact;
use crate::chance::Chance;

/// © OpenStreetMap contributors, ODbL 1.0: the demo's part of Hangzhou.
const REAL: &str = include_str!("../../../../../api/demo/hangzhou_osm.tsv");

const FIRST: [&str; 24] = [
    "老", "新", "大", "小", "金", "银", "福", "祥", "西湖", "钱塘", "运河", "龙井", "天天", "好运", "江南", "杭州",
    "武林", "知味", "外婆", "青藤", "绿茶", "百合", "阿", "良渚",
];
const SECOND: [&str; 24] = [
    "家", "记", "鼎", "源", "香", "味", "和", "盛", "兴", "隆", "园", "楼", "阁", "轩", "庄", "坊", "屋", "里", "巷",
    "桥", "山", "水", "云", "月",
];
const THIRD: [&str; 20] = [
    "面馆",
    "茶馆",
    "咖啡",
    "火锅",
    "烧烤",
    "小吃",
    "饭店",
    "酒吧",
    "花店",
    "药店",
    "书店",
    "超市",
    "便利店",
    "理发店",
    "服装店",
    "健身房",
    "电影院",
    "宾馆",
    "大厦",
    "水果店",
];
const STREETS: [&str; 12] = [
    "文一路",
    "文二路",
    "文三路",
    "天目山路",
    "延安路",
    "解放路",
    "庆春路",
    "凤起路",
    "体育场路",
    "古墩路",
    "莫干山路",
    "江南大道",
];

/// Metres on each axis between a made shop and the real one that it was made around.
const SPREAD_M: f64 = 3_000.0;

struct Real {
    name: &'static str,
    kind: ShopKind,
    place: Position,
}

fn real() -> Vec<Real> {
    let rows = REAL.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [_, name, _, category, lat, lng] = fields[..] else { return None };
        let place = Position::new(lat.parse().ok()?, lng.parse().ok()?).ok()?;
        Some(Real { name, kind: ShopKind::from_category(category), place })
    });
    rows.collect()
}

/// `count` shops by rising id from 1, the same in each run.
pub fn made(count: u64) -> Vec<ShopDetails> {
    let (real, mut chance) = (real(), Chance::new(4));
    (0..count).map(|_| one(&real, &mut chance)).collect()
}

fn one(real: &[Real], chance: &mut Chance) -> ShopDetails {
    let around = chance.one_of(real);
    let position = chance.near(around.place, SPREAD_M);
    let street = chance.one_of(&STREETS);
    let stem = match chance.below(4) {
        0 => around.name.chars().take(5).collect(),
        _ => format!("{}{}", chance.one_of(&FIRST), chance.one_of(&SECOND)),
    };
    let branch = if chance.below(3) == 0 { format!("({street}店)") } else { String::new() };
    let phone = if chance.below(2) == 0 { format!("0571-{:08}", chance.below(100_000_000)) } else { String::new() };
    ShopDetails {
        name: format!("{stem}{}{branch}", chance.one_of(&THIRD)),
        address: format!("{street}{}号", 1 + chance.below(999)),
        phone,
        kind: around.kind,
        position,
        map: position.to_map(),
    }
}

/// Two or three characters of some shop's name, as people type them.
pub fn searched(shops: &[ShopDetails], chance: &mut Chance) -> String {
    let name: Vec<char> = chance.one_of(shops).name.chars().collect();
    let length = 2 + usize::from(chance.below(2) == 0);
    let from = chance.below(name.len().saturating_sub(length) as u64 + 1);
    name.iter().skip(usize::try_from(from).unwrap_or_default()).take(length).collect()
}

/// The event that adds shop number `index`, from 0.
pub fn added(index: usize, details: &ShopDetails, at: Timestamp) -> Fact {
    let shop = id(index);
    Fact::new(StreamId::shop(shop), at, ShopAdded { shop, details: details.clone(), source: None })
}

/// The id of shop number `index`, from 0.
pub fn id(index: usize) -> ShopId {
    ShopId(index as u64 + 1)
}
