//! The fonts that coupons are drawn with.

use dface_workers::coupons::Fonts;

use super::Finding;
use crate::settings::Settings;

/// What is there, and what is missing: an error only where a coupon is waiting to be drawn.
#[must_use]
pub fn fonts(settings: &Settings, has_campaign: impl FnOnce() -> bool) -> Vec<Finding> {
    let fonts = Fonts::find(&settings.coupons.fonts);
    let (missing, chosen) = (fonts.missing(), fonts.chosen());
    let mut found = Vec::new();
    if !chosen.is_empty() {
        found.push(Finding::ok("fonts", chosen.join(", ")));
    }
    let serious = missing.iter().any(|one| one.needed) && has_campaign();
    for one in missing {
        let remedy = format!("apt-get install {}, or name a place with `coupons.fonts`", one.package);
        let what = format!("no font with {}, which coupons are drawn with", one.what);
        found.push(match one.needed && serious {
            true => Finding::error("fonts", what, remedy),
            false => Finding::warning("fonts", what, remedy),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_named() {
        let settings = Settings::load(None, &[]).unwrap();
        let found = fonts(&settings, || true);
        assert!(found.iter().any(|one| one.found.contains("Noto Sans CJK SC")), "{found:?}");
    }
}
