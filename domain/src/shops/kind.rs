//! The six kinds of shop that the app tells apart, and how a category of an import becomes one of them.
//!
//! The table of categories is in `kind_table.rs` and, for people, in `docs/shop-kinds.md`; a test keeps the
//! two the same.

use serde::{Deserialize, Serialize};

use super::kind_table::TABLE;

/// What sort of place a shop is; the number is `t` and `type` of the HTTP interface (seed 003, §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
#[repr(u8)]
pub enum ShopKind {
    /// 1, 酒吧●活动: bars and events.
    Bar = 1,
    /// 2, 咖啡●茶馆: coffee and tea.
    Cafe = 2,
    /// 3, 餐饮●酒店: food and hotels.
    Food = 3,
    /// 4, 休闲●娱乐: leisure and entertainment.
    Leisure = 4,
    /// 5, 购物●广场: shopping.
    Shopping = 5,
    /// 6, 楼宇●社区: buildings and communities, and whatever fits nowhere else.
    Building = 6,
}

/// A number that is no kind of shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("type must be a whole number from 1 to 6, not {0}")]
pub struct UnknownShopKind(pub u8);

impl ShopKind {
    /// Every kind, in the order of the numbers.
    pub const ALL: [Self; 6] = [Self::Bar, Self::Cafe, Self::Food, Self::Leisure, Self::Shopping, Self::Building];

    /// The kind of a shop whose import names only a category: an OpenStreetMap `amenity` (`restaurant;hotpot`), an
    /// AMap category (`商务住宅;楼宇;商务写字楼`), or a word such as `city`.
    ///
    /// Alternatives are parted by `|`, the levels of one category by `;`. Of each alternative the longest known run
    /// of levels from the left counts, and the first alternative with one decides. ASCII case does not matter, a
    /// space is as good as `_`. What the table does not know is [`ShopKind::Building`] (interface, row of §4).
    pub fn from_category(category: &str) -> Self {
        category.split('|').find_map(known_levels).unwrap_or(Self::Building)
    }
}

impl From<ShopKind> for u8 {
    fn from(kind: ShopKind) -> Self {
        kind as Self
    }
}

impl TryFrom<u8> for ShopKind {
    type Error = UnknownShopKind;

    fn try_from(number: u8) -> Result<Self, UnknownShopKind> {
        Self::ALL.into_iter().find(|kind| u8::from(*kind) == number).ok_or(UnknownShopKind(number))
    }
}

/// The kind of the longest run of levels, from the left, that the table has.
fn known_levels(alternative: &str) -> Option<ShopKind> {
    let mut levels = alternative.trim();
    loop {
        if let Some(kind) = exactly(levels) {
            return Some(kind);
        }
        levels = levels.rsplit_once(';')?.0.trim_end();
    }
}

fn exactly(category: &str) -> Option<ShopKind> {
    let group = TABLE.iter().find(|group| group.categories.iter().any(|known| same(known, category)))?;
    Some(group.kind)
}

/// Whether `category` is the `known` one, which the table has in lower case and with `_` for spaces.
fn same(known: &str, category: &str) -> bool {
    known.len() == category.len()
        && known.bytes().zip(category.bytes()).all(|(known, byte)| match byte {
            b' ' => known == b'_',
            _ => known == byte.to_ascii_lowercase(),
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_interface() {
        for (number, kind) in (1..=6).zip(ShopKind::ALL) {
            assert_eq!(u8::from(kind), number);
            assert_eq!(ShopKind::try_from(number), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), number.to_string());
            assert_eq!(serde_json::from_str::<ShopKind>(&number.to_string()).unwrap(), kind);
            assert_eq!(postcard::to_stdvec(&kind).unwrap(), [number]);
        }
        for wrong in [0, 7, 255] {
            assert_eq!(ShopKind::try_from(wrong), Err(UnknownShopKind(wrong)));
            assert!(serde_json::from_str::<ShopKind>(&wrong.to_string()).is_err());
        }
    }

    #[test]
    fn categories_of_real_extracts_become_kinds() {
        for (category, number) in [
            ("bar;steak_house;american", 1),
            ("pub", 1),
            ("体育休闲服务;娱乐场所;酒吧", 1),
            ("cafe;ice_cream;bubble_tea", 2),
            ("餐饮服务;茶艺馆;茶艺馆", 2),
            ("restaurant;hotpot", 3),
            ("restaurant;片儿川", 3),
            ("餐饮服务;中餐厅;火锅店", 3),
            ("住宿服务;宾馆酒店;四星级宾馆", 3),
            ("Coffee Shop", 2),
            ("Cinema", 4),
            ("体育休闲服务;影剧院;电影院", 4),
            ("风景名胜;公园广场;城市广场", 5),
            ("风景名胜;公园广场;公园", 4),
            ("marketplace", 5),
            ("购物服务;商场;购物中心", 5),
            ("医疗保健服务;医药保健销售店;药房", 5),
            ("bicycle_rental", 6),
            ("商务住宅;楼宇;商务写字楼", 6),
            ("city", 6),
        ] {
            assert_eq!(u8::from(ShopKind::from_category(category)), number, "{category}");
        }
    }

    #[test]
    fn the_first_known_alternative_decides() {
        for (category, number) in [
            ("商务住宅;楼宇;商务写字楼|购物服务;商场;购物中心", 6),
            ("购物服务;专卖店;专营店|科教文化服务;培训机构;培训机构", 5),
            ("没有的;类别|体育休闲服务;运动场馆;健身中心", 4),
            ("fixme | bar", 1),
        ] {
            assert_eq!(u8::from(ShopKind::from_category(category)), number, "{category}");
        }
    }

    #[test]
    fn what_nobody_knows_is_a_building() {
        for category in ["", " ", ";", "|", ";;|;|", "fixme", "restaurants", "餐", "\u{0}", "bar\u{301}"] {
            assert_eq!(ShopKind::from_category(category), ShopKind::Building, "{category:?}");
        }
        assert_eq!(ShopKind::from_category(&"x;".repeat(1_000)), ShopKind::Building);
    }

    #[test]
    fn the_table_says_each_category_once_and_as_it_is_compared() {
        let mut seen = BTreeSet::new();
        for category in TABLE.iter().flat_map(|group| group.categories) {
            assert!(seen.insert(category), "{category} is there twice");
            assert!(!category.contains([' ', '|', '`']) && *category == category.to_ascii_lowercase(), "{category}");
        }
    }

    /// The rows of the page: `| 1 | OpenStreetMap | `bar`, `pub` |`.
    fn rows_of_the_page() -> Vec<(u8, String, Vec<String>)> {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/shop-kinds.md");
        let text = std::fs::read_to_string(page).unwrap();
        let (_, table) = text.split_once("## The table").unwrap();
        let cells = table.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        cells
            .filter_map(|row| match row[..] {
                ["", number, source, categories, ""] => Some((number.parse().ok()?, source, categories)),
                _ => None,
            })
            .map(|(number, source, categories)| {
                let categories = categories.split(", ").map(|name| name.trim_matches('`').to_owned()).collect();
                (number, source.to_owned(), categories)
            })
            .collect()
    }

    #[test]
    fn the_page_and_the_table_agree() {
        let table: Vec<_> = TABLE
            .iter()
            .map(|group| {
                let categories = group.categories.iter().map(|&name| name.to_owned()).collect();
                (u8::from(group.kind), group.source.to_owned(), categories)
            })
            .collect();
        assert_eq!(rows_of_the_page(), table, "docs/shop-kinds.md and domain/src/shops/kind_table.rs differ");
    }
}
