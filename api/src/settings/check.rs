//! What settings must be to each other.

use jiff::tz::TimeZone;

use super::{BadSettings, KeyAddress, Settings};

const SMALLEST_SEGMENT: u64 = 1 << 16;

impl Settings {
    /// The time zone of the document's own times.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn zone(&self) -> Result<TimeZone, BadSettings> {
        TimeZone::get(&self.timezone).map_err(|e| BadSettings(format!("setting `timezone`: {e}")))
    }

    pub(super) fn check(&self) -> Result<(), BadSettings> {
        self.zone()?;
        self.check_adapters()?;
        self.check_exposure()?;
        self.check_jobs()?;
        self.check_nodes()?;
        self.check_tokens()?;
        self.check_signals()?;
        self.check_chat()?;
        self.circles.check()?;
        self.check_mqtt()?;
        self.check_apns()?;
        self.check_shared_store()?;
        self.check_limits()
    }

    fn check_adapters(&self) -> Result<(), BadSettings> {
        if matches!(self.keys, KeyAddress::Bucket(_)) && self.secret_file.as_os_str().is_empty() {
            return Err(BadSettings("setting `secret_file` is needed where `keys` is a bucket".to_owned()));
        }
        if self.store.is_shared() && !self.keys.is_shared() {
            return Err(BadSettings(
                "setting `keys` must be shared:DIR or s3://… where `store` is shared: all nodes need the same keys"
                    .to_owned(),
            ));
        }
        if self.store.is_shared() && self.objects.is_empty() {
            return Err(BadSettings(
                "setting `objects` must be named where `store` is shared: all nodes need the same pictures".to_owned(),
            ));
        }
        Ok(())
    }

    fn check_exposure(&self) -> Result<(), BadSettings> {
        let has = |path: &std::path::Path| !path.as_os_str().is_empty();
        match (has(&self.tls.cert), has(&self.tls.key)) {
            (true, false) => return Err(BadSettings("setting `tls.key` is needed where `tls.cert` is set".to_owned())),
            (false, true) => return Err(BadSettings("setting `tls.cert` is needed where `tls.key` is set".to_owned())),
            _ => {}
        }
        let open = [
            ("listen.http", self.listen.http),
            ("listen.admin", self.listen.admin),
            ("listen.xmpp_api", self.listen.xmpp_api),
        ];
        for (key, address) in open {
            if !address.ip().is_loopback() && !has(&self.tls.cert) && !self.allow_plaintext {
                return Err(BadSettings(format!(
                    "setting `{key}`: {address} is not loopback; set `tls.cert` and `tls.key`, or `allow_plaintext = true`"
                )));
            }
        }
        let xmpp = self.listen.xmpp;
        if !xmpp.ip().is_loopback() && !has(&self.tls.cert) && !self.chat.allow_plaintext {
            return Err(BadSettings(format!(
                "setting `listen.xmpp`: {xmpp} is not loopback; set `tls.cert` and `tls.key`, or `chat.allow_plaintext = true`"
            )));
        }
        if let Some(mqtt) = self.listen.mqtt.0
            && !mqtt.ip().is_loopback()
            && !has(&self.tls.cert)
            && !self.allow_plaintext
        {
            return Err(BadSettings(format!(
                "setting `listen.mqtt`: {mqtt} is not loopback; set `tls.cert` and `tls.key`, or `allow_plaintext = true`"
            )));
        }
        if !self.listen.http.ip().is_loopback() && self.public_url.is_empty() {
            return Err(BadSettings("setting `public_url` is needed where `listen.http` is not loopback".to_owned()));
        }
        let https = self.public_url.starts_with("https://") || self.public_url.starts_with("http://");
        if !self.public_url.is_empty() && !https {
            return Err(BadSettings("setting `public_url` must begin with https:// or http://".to_owned()));
        }
        Ok(())
    }

    fn check_mqtt(&self) -> Result<(), BadSettings> {
        let mqtt = &self.mqtt;
        let positive = [
            ("mqtt.packet_bytes", u64::from(mqtt.packet_bytes)),
            ("mqtt.connections", mqtt.connections as u64),
            ("mqtt.sign_in_s", mqtt.sign_in_s),
            ("mqtt.keep_alive_most_s", mqtt.keep_alive_most_s.into()),
            ("mqtt.session_s", mqtt.session_s.into()),
            ("mqtt.queued", mqtt.queued as u64),
            ("mqtt.inflight", mqtt.inflight.into()),
            ("mqtt.subscriptions", mqtt.subscriptions as u64),
            ("mqtt.sessions_of_account", mqtt.sessions_of_account as u64),
            ("mqtt.messages_per_second", mqtt.messages_per_second.into()),
        ];
        for (key, value) in positive {
            if value == 0 {
                return Err(BadSettings(format!("setting `{key}` must be more than 0")));
            }
        }
        Ok(())
    }

    fn check_shared_store(&self) -> Result<(), BadSettings> {
        let tuning = &self.store_tuning;
        let positive = [
            ("store_tuning.tail_bytes", tuning.tail_bytes),
            ("store_tuning.calls_at_once", tuning.calls_at_once),
            ("store_tuning.batch_events", tuning.batch_events),
            ("store_tuning.batch_bytes", tuning.batch_bytes),
            ("store_tuning.page_events", tuning.page_events),
            ("store_tuning.page_bytes", tuning.page_bytes),
            ("store_tuning.keys_at_once", tuning.keys_at_once),
            ("store_tuning.keys_in_memory", tuning.keys_in_memory),
        ];
        for (key, value) in positive {
            if value == 0 {
                return Err(BadSettings(format!("setting `{key}` must be more than 0")));
            }
        }
        if tuning.tail_wait_ms >= tuning.deadline_s.saturating_mul(1000) {
            return Err(BadSettings(
                "setting `store_tuning.tail_wait_ms` must be less than `store_tuning.deadline_s`".to_owned(),
            ));
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), BadSettings> {
        let positive = [
            ("limits.sign_in_window_s", self.limits.sign_in_window_s),
            ("limits.sign_in_known_days", self.limits.sign_in_known_days),
            ("sessions.days", self.sessions.days),
            ("presence.hours", self.presence.hours),
            ("limits.connections", i64::try_from(self.limits.connections).unwrap_or(i64::MAX)),
            ("limits.request_s", self.limits.request_s.cast_signed()),
            ("limits.picture_bytes", self.limits.picture_bytes.cast_signed()),
            ("limits.picture_working_bytes", self.limits.picture_working_bytes.cast_signed()),
            ("limits.picture_scans", i64::from(self.limits.picture_scans)),
            ("limits.animation_pixels", self.limits.animation_pixels.cast_signed()),
            ("limits.picture_pixels", self.limits.picture_pixels.cast_signed()),
            ("limits.album_photos", i64::try_from(self.limits.album_photos).unwrap_or(i64::MAX)),
            ("limits.uploads_at_once", i64::try_from(self.limits.uploads_at_once).unwrap_or(i64::MAX)),
            ("limits.upload_s", self.limits.upload_s.cast_signed()),
            ("limits.events_per_minute", i64::from(self.limits.events_per_minute)),
            ("limits.events_at_once", i64::from(self.limits.events_at_once)),
            ("weibo.timeout_s", self.weibo.timeout_s.cast_signed()),
            ("coupons.trigger_within_s", self.coupons.trigger_within_s),
            ("coupons.send_at_once", i64::try_from(self.coupons.send_at_once).unwrap_or(i64::MAX)),
            ("greetings.hours", self.greetings.hours),
            ("processes.tries", self.processes.tries.into()),
            ("processes.retry_parked_s", self.processes.retry_parked_s.cast_signed()),
            ("cleaning.orphan_after_s", self.cleaning.orphan_after_s),
            ("cleaning.every_s", self.cleaning.every_s.cast_signed()),
            ("limits.head_s", self.limits.head_s.cast_signed()),
            ("limits.idle_s", self.limits.idle_s.cast_signed()),
            ("projections.batch", i64::try_from(self.projections.batch).unwrap_or(i64::MAX)),
            ("projections.rebuild_batch", i64::try_from(self.projections.rebuild_batch).unwrap_or(i64::MAX)),
            ("store_tuning.snapshot_every", self.store_tuning.snapshot_every.cast_signed()),
            ("store_tuning.deadline_s", self.store_tuning.deadline_s.cast_signed()),
        ];
        for (key, value) in positive {
            if value <= 0 {
                return Err(BadSettings(format!("setting `{key}` must be more than 0")));
            }
        }
        if self.object_urls.seconds < 60 {
            return Err(BadSettings("setting `object_urls.seconds` must be at least 60".to_owned()));
        }
        if self.cleaning.grace_s <= self.limits.upload_s {
            return Err(BadSettings("setting `cleaning.grace_s` must be more than `limits.upload_s`".to_owned()));
        }
        self.retention.check()?;
        if self.store_tuning.segment_bytes < SMALLEST_SEGMENT.max(self.limits.event_bytes as u64) {
            return Err(BadSettings(format!(
                "setting `store_tuning.segment_bytes` must be at least {SMALLEST_SEGMENT} and `limits.event_bytes`"
            )));
        }
        Ok(())
    }
}
