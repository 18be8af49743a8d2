//! Which categories of an import are which kind of shop. `docs/shop-kinds.md` has the same rows for people to read.

use super::kind::ShopKind;

/// One row: categories of one source that are one kind of shop.
pub(super) struct Group {
    pub(super) kind: ShopKind,
    #[cfg_attr(not(test), expect(dead_code, reason = "says where the words come from; compared with the page"))]
    pub(super) source: &'static str,
    /// Lower case, `_` for spaces; levels parted by `;`, of which later ones refine earlier ones.
    pub(super) categories: &'static [&'static str],
}

const OSM: &str = "OpenStreetMap";
const AMAP: &str = "AMap";
const WORDS: &str = "words";

/// A category stands in one row only. Those of kind 6 are there to say that they were thought of, and to end the
/// search at the first alternative that is known.
#[rustfmt::skip]
pub(super) const TABLE: &[Group] = &[
    Group { kind: ShopKind::Bar, source: OSM, categories: &[
        "bar", "pub", "biergarten", "nightclub", "stripclub", "swingerclub", "hookah_lounge", "events_venue",
        "exhibition_centre", "conference_centre", "music_venue",
    ] },
    Group { kind: ShopKind::Bar, source: AMAP, categories: &[
        "体育休闲服务;娱乐场所;酒吧", "体育休闲服务;娱乐场所;夜总会", "体育休闲服务;娱乐场所;迪厅", "事件活动",
        "科教文化服务;会展中心", "科教文化服务;展览馆",
    ] },
    Group { kind: ShopKind::Bar, source: WORDS, categories: &[
        "nightlife", "event", "酒吧", "活动", "酒吧●活动",
    ] },
    Group { kind: ShopKind::Cafe, source: OSM, categories: &[
        "cafe", "coffee_shop", "bubble_tea", "tea", "teahouse", "tea_house",
    ] },
    Group { kind: ShopKind::Cafe, source: AMAP, categories: &[
        "餐饮服务;咖啡厅", "餐饮服务;茶艺馆", "餐饮服务;冷饮店",
    ] },
    Group { kind: ShopKind::Cafe, source: WORDS, categories: &[
        "coffee", "咖啡", "茶馆", "咖啡●茶馆",
    ] },
    Group { kind: ShopKind::Food, source: OSM, categories: &[
        "restaurant", "fast_food", "food_court", "ice_cream", "canteen", "bbq", "bakery", "hotel", "motel", "hostel",
        "guest_house", "apartment", "love_hotel",
    ] },
    Group { kind: ShopKind::Food, source: AMAP, categories: &[
        "餐饮服务", "住宿服务",
    ] },
    Group { kind: ShopKind::Food, source: WORDS, categories: &[
        "food", "餐饮", "餐厅", "酒店", "餐饮●酒店",
    ] },
    Group { kind: ShopKind::Leisure, source: OSM, categories: &[
        "cinema", "theatre", "arts_centre", "karaoke_box", "internet_cafe", "public_bath", "spa", "sauna", "massage",
        "casino", "gambling", "planetarium", "studio", "dojo", "dancing_school", "social_club", "stage", "fountain",
        "museum", "gallery", "attraction", "theme_park", "zoo", "aquarium", "park", "garden", "playground",
        "sports_centre", "fitness_centre", "swimming_pool", "bowling_alley", "amusement_arcade", "stadium",
    ] },
    Group { kind: ShopKind::Leisure, source: AMAP, categories: &[
        "体育休闲服务", "风景名胜", "科教文化服务;美术馆", "科教文化服务;博物馆", "科教文化服务;科技馆",
        "科教文化服务;天文馆", "科教文化服务;文化宫", "科教文化服务;文艺团体", "生活服务;洗浴推拿场所",
        "生活服务;美容美发店",
    ] },
    Group { kind: ShopKind::Leisure, source: WORDS, categories: &[
        "entertainment", "outdoors", "休闲", "娱乐", "休闲●娱乐",
    ] },
    Group { kind: ShopKind::Shopping, source: OSM, categories: &[
        "marketplace", "pharmacy", "vending_machine", "shop", "mall", "department_store", "supermarket",
        "convenience", "clothes", "electronics", "books", "florist",
    ] },
    Group { kind: ShopKind::Shopping, source: AMAP, categories: &[
        "购物服务", "汽车销售", "医疗保健服务;医药保健销售店", "风景名胜;公园广场;城市广场",
    ] },
    Group { kind: ShopKind::Shopping, source: WORDS, categories: &[
        "shopping", "购物", "广场", "购物●广场",
    ] },
    Group { kind: ShopKind::Building, source: OSM, categories: &[
        "school", "kindergarten", "childcare", "university", "college", "prep_school", "language_school",
        "music_school", "driving_school", "driver_training", "research_institute", "library", "hospital", "clinic",
        "doctors", "dentist", "veterinary", "nursing_home", "social_facility", "social_centre", "community_centre",
        "place_of_worship", "monastery", "grave_yard", "crematorium", "funeral_hall", "townhall", "public_building",
        "courthouse", "police", "prison", "fire_station", "post_office", "post_box", "post_depot", "parcel_locker",
        "bank", "atm", "bureau_de_change", "payment_terminal", "bus_station", "ferry_terminal", "taxi",
        "bicycle_rental", "bicycle_parking", "car_rental", "car_sharing", "car_wash", "boat_rental", "fuel",
        "charging_station", "vehicle_inspection", "parking", "parking_entrance", "parking_space",
        "motorcycle_parking", "security_control", "ticket_validator", "shelter", "toilets", "shower",
        "drinking_water", "water_point", "bench", "clock", "telephone", "lavoir", "recycling", "waste_basket",
        "waste_disposal", "waste_transfer_station",
    ] },
    Group { kind: ShopKind::Building, source: AMAP, categories: &[
        "商务住宅", "公司企业", "政府机构及社会团体", "科教文化服务", "医疗保健服务", "金融保险服务", "生活服务",
        "交通设施服务", "汽车服务", "汽车维修", "摩托车服务", "道路附属设施", "地名地址信息", "公共设施", "室内设施",
        "通行设施",
    ] },
    Group { kind: ShopKind::Building, source: WORDS, categories: &[
        "city", "town", "village", "community", "building", "office", "home", "travel", "楼宇", "社区", "楼宇●社区",
    ] },
];
