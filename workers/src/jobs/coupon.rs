//! Draws a campaign's coupon (§31.2). The same task draws the same bytes, so a repeat stores nothing new.

use std::sync::Arc;

use dface_domain::{
    jobs::{CouponMade, CouponTask, Outcome},
    objects::{Format, Objects},
    time::Timestamp,
};
use jiff::tz::TimeZone;

use super::JobError;
use crate::{
    coupons::{CouponCard, Fonts, draw},
    objects::key_of,
};

/// Draws coupons.
pub struct CouponJob {
    /// What it draws with.
    pub fonts: Fonts,
    /// Where the days of its period are local.
    pub zone: TimeZone,
    /// Where drawings go.
    pub objects: Arc<dyn Objects>,
}

impl CouponJob {
    /// Draws both sizes and stores them.
    ///
    /// # Errors
    /// A font is missing, or the objects cannot be stored.
    pub async fn run(&self, task: &CouponTask) -> Result<Outcome, JobError> {
        let card = CouponCard {
            name: task.name.clone(),
            shop: task.shop.clone(),
            text: task.text.clone(),
            period: period(task.from, task.until, &self.zone),
        };
        let fonts = self.fonts.clone();
        let drawn = tokio::task::spawn_blocking(move || draw(&card, &fonts));
        let drawn = drawn.await.map_err(|e| JobError(format!("interrupted: {e}")))?;
        let drawn = drawn.map_err(|e| JobError(e.to_string()))?;
        let (full, small) = (key_of(&drawn.full, Format::Png), key_of(&drawn.small, Format::Png));
        self.objects.put(full, &drawn.full).await?;
        self.objects.put(small, &drawn.small).await?;
        Ok(Outcome::Coupon(CouponMade { campaign: task.campaign, full, small }))
    }
}

/// When a coupon can be used, as people read it: whole days where it begins and ends at midnight, else to the minute.
fn period(from: Timestamp, until: Timestamp, zone: &TimeZone) -> String {
    let starts_a_day = |moment: Timestamp| moment.local_day(zone).start == moment;
    let (form, last) = match starts_a_day(from) && starts_a_day(until) {
        // The day that ends then is the last one.
        true => ("%Y.%m.%d", Timestamp(until.0.saturating_sub(1))),
        false => ("%Y.%m.%d %H:%M", until),
    };
    let local = |moment: Timestamp| moment.to_jiff().to_zoned(zone.clone()).strftime(form).to_string();
    format!("有效期 {} – {}", local(from), local(last))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Mutex};

    use dface_domain::{
        ids::ShopId,
        objects::{ObjectError, ObjectKey, StoredObject},
        ports::PortFuture,
    };

    use super::*;

    /// Objects in memory.
    #[derive(Default)]
    struct Kept(Mutex<BTreeMap<ObjectKey, Vec<u8>>>);

    impl Objects for Kept {
        fn put<'a>(&'a self, key: ObjectKey, bytes: &'a [u8]) -> PortFuture<'a, Result<(), ObjectError>> {
            self.0.lock().unwrap().insert(key, bytes.to_vec());
            Box::pin(async { Ok(()) })
        }

        fn get(&self, key: ObjectKey) -> PortFuture<'_, Result<Vec<u8>, ObjectError>> {
            let found = self.0.lock().unwrap().get(&key).cloned().ok_or(ObjectError::Missing(key));
            Box::pin(async { found })
        }

        fn delete(&self, key: ObjectKey) -> PortFuture<'_, Result<(), ObjectError>> {
            self.0.lock().unwrap().remove(&key);
            Box::pin(async { Ok(()) })
        }

        fn list(&self, _: Option<ObjectKey>, _: usize) -> PortFuture<'_, Result<Vec<StoredObject>, ObjectError>> {
            Box::pin(async { Ok(vec![]) })
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_of_whole_days_names_its_last_day() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let days = period(at("2012-12-06T16:00:00Z"), at("2012-12-31T16:00:00Z"), &zone);
        assert_eq!(days, "有效期 2012.12.07 – 2012.12.31");
        let minutes = period(at("2012-12-07T02:00:00Z"), at("2012-12-31T16:00:00Z"), &zone);
        assert_eq!(minutes, "有效期 2012.12.07 10:00 – 2013.01.01 00:00");
    }

    #[tokio::test]
    async fn a_repeat_stores_the_same_two_objects() {
        let objects = Arc::new(Kept::default());
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let job = CouponJob { fonts: Fonts::find(&[]), zone, objects: Arc::clone(&objects) as Arc<dyn Objects> };
        let task = CouponTask {
            campaign: "509a1ffcbe4b1982a4000002".parse().unwrap(),
            shop_id: ShopId(7),
            shop: "西溪咖啡".to_owned(),
            name: "第二杯半价".to_owned(),
            text: "任意咖啡".to_owned(),
            from: at("2012-12-06T16:00:00Z"),
            until: at("2012-12-31T16:00:00Z"),
        };
        let first = job.run(&task).await.unwrap();
        assert_eq!(job.run(&task).await.unwrap(), first);
        let Outcome::Coupon(made) = first else { panic!("{first:?}") };
        assert_eq!(objects.0.lock().unwrap().len(), 2);
        for (key, size) in [(made.full, (580, 224)), (made.small, (290, 112))] {
            let png = objects.get(key).await.unwrap();
            assert_eq!(key_of(&png, Format::Png), key);
            let drawn = tiny_skia::Pixmap::decode_png(&png).unwrap();
            assert_eq!((drawn.width(), drawn.height()), size);
        }
    }
}
