//! 腕表定位推送 (`watch_locate`): where a watch is.

use serde::Serialize;

use super::{PushKind, Row, Told, Topic, Way};
use crate::reports::{LocateKind, WatchFix};

/// Its row.
pub(super) const ROW: Row = Row {
    kind: PushKind::WatchLocate,
    section: "腕表定位推送",
    push_type: "watch_locate",
    number: None,
    way: Way::Silent,
    topic: Topic::Circle,
    to: "the members",
};

/// `data` of 腕表定位推送.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WatchLocate {
    push_type: &'static str,
    #[serde(rename = "type")]
    way: u8,
    locus: u8,
    imei: String,
    radius: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lat: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lon: Option<f64>,
    timestamp: f64,
}

impl WatchLocate {
    /// Where a watch is.
    #[must_use]
    pub fn of(told: &Told, kind: LocateKind, locus: bool, fix: &WatchFix) -> Self {
        Self {
            push_type: ROW.push_type,
            way: match kind {
                LocateKind::Gps => 1,
                LocateKind::Lbs => 2,
            },
            locus: u8::from(locus),
            imei: told.sender(),
            radius: fix.radius,
            lat: Some(fix.position.lat()),
            lon: Some(fix.position.lng()),
            timestamp: told.timestamp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::samples::{fix, reported};

    #[test]
    fn section_腕表定位推送() {
        let data = WatchLocate::of(&reported(PushKind::WatchLocate), LocateKind::Lbs, true, &fix());
        let json = r#"{"push_type":"watch_locate","type":2,"locus":1,"imei":"864297012345678","radius":500,"lat":30.282817,"lon":120.117289,"timestamp":1354854259.5}"#;
        assert_eq!(serde_json::to_string(&data).unwrap(), json);
    }
}
