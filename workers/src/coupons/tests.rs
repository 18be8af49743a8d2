//! Drawings by their structure, not their bytes: another version of a font moves an edge, not a word.

use std::{fs, path::Path};

use proptest::{prelude::*, test_runner::Config};
use tiny_skia::Pixmap;

use super::{
    layout::{Layout, Role, Size},
    text::Rect,
    *,
};

/// Draws the reference pictures again, to be looked at and committed.
const MAKE: &str = "DFACE_COUPONS=make cargo test -p dface-workers coupons";

fn card(name: &str, shop: &str, text: &str) -> CouponCard {
    let period = "有效期 2012.12.07 10:00 – 2012.12.31 18:00".to_owned();
    CouponCard { name: name.to_owned(), shop: shop.to_owned(), text: text.to_owned(), period }
}

/// What the reference pictures show: the usual, the longest, emoji, mixed Latin, the shortest.
fn references() -> Vec<(&'static str, CouponCard)> {
    let long_name = "海洋二所食堂周年庆典全场火锅套餐买一送一并赠送秘制酸梅汤与手工冰粉两份限工作日午市";
    let terms = "本券仅限到店使用，不可兑换现金，不找零；每桌限用一张，不与其它优惠同享。周末及法定节假日通用，请在点单前出示。";
    let long_text: String = terms.chars().cycle().take(200).collect();
    let latin =
        "Any grande-size hand-crafted beverage. Not valid with other offers; one coupon per table. 仅限 West Lake 店";
    vec![
        ("usual", card("第二杯半价", "西溪咖啡", "任意现磨咖啡，每桌限用一张，不与其它优惠同享。")),
        (
            "longest",
            card(&long_name.chars().take(40).collect::<String>(), "杭州海洋二所（西溪路口）旗舰店", &long_text),
        ),
        ("emoji", card("🎉圣诞快乐🎄咖啡☕ 5 折 ❤️", "Café 😀 小馆 👨‍👩‍👧", "凭券享☕+🍰套餐，🇨🇳国庆 8️⃣8️⃣折 👍🏽")),
        ("latin", card("Buy 1 Get 1 FREE 买一送一 Cappuccino", "Starbucks 星巴克 West Lake", latin)),
        ("shortest", card("券", "店", "九折")),
    ]
}

/// Without one nothing is tested: `.ci/setup test` installs them.
fn fonts() -> Fonts {
    let fonts = Fonts::find(&[]);
    let missing: Vec<String> = fonts.missing().iter().map(ToString::to_string).collect();
    assert!(missing.is_empty(), "{missing:?}");
    fonts
}

/// Everything is there, inside its area and apart from the others, in glyphs that some font has.
fn check(card: &CouponCard, fonts: &Fonts) {
    for size in [Size::Full, Size::Small] {
        let mut layout = Layout::new(card, size, fonts).unwrap();
        let (_, inked) = layout.inked().unwrap();
        let (width, height) = size.pixels();
        #[expect(clippy::cast_precision_loss, reason = "pixels of a card")]
        let whole = Rect { x: 0.0, y: 0.0, w: width as f32, h: height as f32 };
        for (block, ink) in layout.blocks().iter().zip(&inked) {
            let what = format!("{:?} of {card:?} at {size:?}", block.role);
            assert!(block.is_whole(), "cut off: {what}");
            assert_eq!(block.unknown_glyphs(), 0, "no font has a letter: {what}");
            assert!(whole.holds(&block.area, 0.0), "outside the card: {what}");
            let ink = ink.unwrap_or_else(|| panic!("no ink: {what}"));
            // An edge is softened over a pixel.
            assert!(block.area.holds(&ink, 1.0), "{ink:?} is outside of {:?}: {what}", block.area);
        }
        for (at, one) in layout.blocks().iter().enumerate() {
            for other in &layout.blocks()[at + 1..] {
                assert!(one.area.apart_from(&other.area), "{:?} overlaps {:?}: {card:?}", one.role, other.role);
            }
        }
    }
}

/// No line begins with a mark that belongs to the one before. What is all marks has to break somewhere, so random texts are not asked.
fn check_breaks(card: &CouponCard, fonts: &Fonts) {
    for size in [Size::Full, Size::Small] {
        let layout = Layout::new(card, size, fonts).unwrap();
        for line in layout.blocks().iter().flat_map(|block| block.lines().into_iter().skip(1)) {
            assert!(!line.starts_with(['，', '。', '；', '！', '？', '）', '、', '”']), "{line}: {card:?} at {size:?}");
        }
    }
}

#[test]
fn nothing_is_cut_off_and_nothing_overlaps() {
    let fonts = fonts();
    for (_, card) in references() {
        check(&card, &fonts);
        check_breaks(&card, &fonts);
    }
    // The widest letters, and one word that is longer than any line.
    check(&card(&"🎄".repeat(40), &"店".repeat(40), &"🍰".repeat(200)), &fonts);
    check(&card(&"W".repeat(40), "WWWWWWWWWWWWWWWWWWWW", &"W".repeat(200)), &fonts);
}

#[test]
fn random_texts_fit_too() {
    let fonts = fonts();
    let letters = |most| {
        proptest::collection::vec(
            prop_oneof![
                6 => proptest::char::range('\u{4e00}', '\u{9f00}'),
                3 => proptest::char::range(' ', '~'),
                2 => proptest::sample::select(vec!['，', '。', '！', '（', '）', '“', '”', '、', '¥', '％']),
                1 => proptest::sample::select(vec!['☕', '🎉', '🍰', '😀', '❤', '①', '℃']),
            ],
            1..=most,
        )
    };
    let text = |most: usize| letters(most).prop_map(|letters| letters.into_iter().collect::<String>());
    let visible = |text: &String| !text.trim().is_empty();
    let config = Config { cases: 24, failure_persistence: None, max_shrink_iters: 20, ..Config::default() };
    let cards = (text(40).prop_filter("visible", visible), text(40).prop_filter("visible", visible), text(200));
    proptest!(config, |((name, shop, text) in cards)| {
        let text = if text.trim().is_empty() { "九折".to_owned() } else { text };
        check(&card(&name, &shop, &text), &fonts);
    });
}

#[test]
fn only_a_name_that_fits_at_no_size_is_cut_and_says_so() {
    let fonts = fonts();
    let card = card("八折", &"很长的店名".repeat(200), "两人同行");
    for size in [Size::Full, Size::Small] {
        let layout = Layout::new(&card, size, &fonts).unwrap();
        let whole: Vec<Role> = layout.blocks().iter().filter(|one| one.is_whole()).map(|one| one.role).collect();
        assert_eq!(whole, [Role::Heading, Role::Name, Role::Text, Role::Period]);
        let shop = layout.blocks().iter().find(|one| one.role == Role::Shop).unwrap();
        assert!(shop.lines().concat().chars().count() > 50, "{:?}", shop.lines());
    }
}

#[test]
fn emoji_are_in_colour() {
    let fonts = fonts();
    let coloured = |name| {
        let mut layout = Layout::new(&card(name, "店", "九折"), Size::Full, &fonts).unwrap();
        let (canvas, _) = layout.inked().unwrap();
        let area = layout.blocks().iter().find(|one| one.role == Role::Name).unwrap().area;
        let points = (0..224_u16).flat_map(|y| (0..580_u16).map(move |x| (x, y)));
        let inside =
            points.filter(|(x, y)| area.holds(&Rect { x: f32::from(*x), y: f32::from(*y), w: 1.0, h: 1.0 }, 0.0));
        let pixels = inside.filter_map(|(x, y)| canvas.pixel(x.into(), y.into()));
        pixels.filter(|pixel| pixel.red().abs_diff(pixel.blue()) > 60).count()
    };
    assert_eq!(coloured("咖啡"), 0);
    for emoji in ["🎉", "❤️", "🎄", "🇨🇳", "👍🏽"] {
        assert!(coloured(emoji) > 100, "{emoji}: {} coloured pixels", coloured(emoji));
    }
}

#[test]
fn without_a_chinese_font_nothing_is_drawn_and_the_package_is_named() {
    let none = Fonts::in_places(&[]);
    assert_eq!(none.missing().len(), 2);
    let error = draw(&card("八折", "店", "九折"), &none).unwrap_err().to_string();
    assert!(
        error.contains("Chinese") && error.contains("fonts-noto-cjk") && error.contains("coupons.fonts"),
        "{error}"
    );
}

/// Side of the squares that pictures are compared by, pixels of the full drawing.
const SQUARE: usize = 8;

/// Means of squares, grey, over white.
fn coarse(png: &[u8]) -> Vec<f64> {
    let picture = Pixmap::decode_png(png).unwrap();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let side = SQUARE * width / 580;
    let grey = |x: usize, y: usize| {
        let pixel = picture.pixels()[y * width + x];
        let sum = f64::from(pixel.red()) + f64::from(pixel.green()) + f64::from(pixel.blue());
        sum / 3.0 + 255.0 - f64::from(pixel.alpha())
    };
    let mean = |row: usize, column: usize| {
        let points = (0..side * side).map(|n| grey(column * side + n % side, row * side + n / side));
        #[expect(clippy::cast_precision_loss, reason = "a few dozen pixels")]
        let count = (side * side) as f64;
        points.sum::<f64>() / count
    };
    (0..height / side)
        .flat_map(|row| (0..width / side).map(move |column| (row, column)))
        .map(|(r, c)| mean(r, c))
        .collect()
}

/// Mean difference of two pictures' squares, of 255.
fn difference(one: &[u8], other: &[u8]) -> f64 {
    let (one, other) = (coarse(one), coarse(other));
    assert_eq!(one.len(), other.len());
    #[expect(clippy::cast_precision_loss, reason = "some thousand squares")]
    let count = one.len() as f64;
    one.iter().zip(&other).map(|(a, b)| (a - b).abs()).sum::<f64>() / count
}

/// More than another version of a font makes, less than another text does.
const NEAR: f64 = 3.0;

#[test]
fn drawings_are_like_the_reference_pictures() {
    let fonts = fonts();
    let make = std::env::var("DFACE_COUPONS").is_ok_and(|value| value == "make");
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/coupons");
    let mut drawn = Vec::new();
    for (name, card) in references() {
        let drawings = draw(&card, &fonts).unwrap();
        for (ending, png) in [("", drawings.full), ("_small", drawings.small)] {
            let path = dir.join(format!("{name}{ending}.png"));
            if make {
                fs::create_dir_all(&dir).unwrap();
                fs::write(&path, &png).unwrap();
            }
            let reference = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; make it: {MAKE}", path.display()));
            let off = difference(&png, &reference);
            assert!(off < NEAR, "{}: {off:.2} of 255 off; look at it, and where it is right: {MAKE}", path.display());
            drawn.push((ending, png));
        }
    }
    // What is compared can tell them from each other.
    for (at, (ending, one)) in drawn.iter().enumerate() {
        for (_, other) in drawn[at + 1..].iter().filter(|(other, _)| other == ending) {
            assert!(difference(one, other) > NEAR, "two reference pictures are alike");
        }
    }
}
