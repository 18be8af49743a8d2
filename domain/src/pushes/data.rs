//! `data` of any kind: what is published, and what Apple carries.

use serde::Serialize;

use super::{
    BatteryLow, MemberJoined, MemberLeft, Notice, Picture, PushKind, RequestUserLocate, Sms, Story, TalkStatus, Text,
    Told, UserLocate, Voice, WatchBound, WatchLocate, WatchPresence, WatchUnbound,
};

/// What is told, as the seed has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "named as their modules, which say what they are")]
pub enum Data {
    Voice(Voice),
    Picture(Picture),
    Text(Text),
    Story(Story),
    BatteryLow(BatteryLow),
    Sms(Sms),
    MemberJoined(MemberJoined),
    MemberLeft(MemberLeft),
    WatchBound(WatchBound),
    WatchUnbound(WatchUnbound),
    WatchPresence(WatchPresence),
    WatchLocate(WatchLocate),
    UserLocate(UserLocate),
    RequestUserLocate(RequestUserLocate),
    TalkStatus(TalkStatus),
    Notice(Notice),
}

impl Data {
    /// A kind that says no more than that it happened (types 8 to 11); none for others.
    #[must_use]
    pub fn notice(told: &Told) -> Option<Self> {
        let number = match told.kind {
            PushKind::StorageLow | PushKind::StorageError | PushKind::Fall | PushKind::Sleep => {
                told.kind.row()?.number?
            }
            _ => return None,
        };
        Some(Self::Notice(Notice::of(told, number)))
    }

    /// The last part of the topic.
    #[must_use]
    pub const fn push_type(&self) -> &'static str {
        match self {
            Self::WatchLocate(_) => "watch_locate",
            Self::UserLocate(_) => "user_locate",
            Self::RequestUserLocate(_) => "request_user_locate",
            Self::TalkStatus(_) => "talk_status",
            _ => "talk",
        }
    }

    /// As it is published.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a push has a JSON form")
    }

    /// The same without latitude and longitude.
    #[must_use]
    pub fn without_position(mut self) -> Self {
        match &mut self {
            Self::WatchLocate(WatchLocate { lat, lon, .. }) | Self::UserLocate(UserLocate { lat, lon, .. }) => {
                (*lat, *lon) = (None, None);
            }
            _ => {}
        }
        self
    }

    /// The words that may be longer than Apple takes.
    pub(super) fn content(&self) -> Option<&str> {
        match self {
            Self::Text(Text { content, .. }) | Self::Sms(Sms { content, .. }) => Some(content),
            _ => None,
        }
    }

    /// Leaves these of the words, and says so.
    pub(super) fn shorten(&mut self, to: &str) {
        if let Self::Text(Text { content, truncated, .. }) | Self::Sms(Sms { content, truncated, .. }) = self {
            to.clone_into(content);
            *truncated = Some(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pushes::{KINDS, Topic, circle_topic, samples, user_topic};

    #[test]
    fn every_kind_has_one_row_and_says_its_type() {
        for row in KINDS {
            let read: serde_json::Value = serde_json::from_str(&samples::data(row.kind).json()).unwrap();
            assert_eq!(read["push_type"], row.push_type, "{row:?}");
            assert_eq!(samples::data(row.kind).push_type(), row.push_type);
            if let Some(number) = row.number {
                assert_eq!(read["type"], number, "{row:?}");
            }
            assert_eq!(row.kind.row(), Some(&row));
        }
        let mut numbers: Vec<u8> = KINDS.iter().filter_map(|row| row.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=16).filter(|number| *number != 4).collect::<Vec<u8>>(), "the seed has no 4");
        assert_eq!(PushKind::Chat.row(), None);
    }

    #[test]
    fn a_position_that_apple_may_not_carry_is_left_out_of_the_push() {
        let shown = samples::data(PushKind::WatchLocate).without_position().json();
        assert_eq!(
            shown,
            r#"{"push_type":"watch_locate","type":2,"locus":0,"imei":"864297012345678","radius":500,"timestamp":1354854259.5}"#
        );
        let shown = samples::data(PushKind::UserLocate).without_position().json();
        assert_eq!(shown, r#"{"push_type":"user_locate","user_id":"7","timestamp":1354854259.5}"#);
    }

    #[test]
    fn topics_are_the_seeds() {
        let user = crate::ids::UserId::Number(7);
        assert_eq!(circle_topic(crate::ids::GroupId(10_001), "talk"), "xunqun/group/10001/talk");
        assert_eq!(user_topic(user, "talk_status"), "xunqun/user/7/talk_status");
        let own: Vec<_> = KINDS.iter().filter(|row| row.topic == Topic::User).map(|row| row.push_type).collect();
        assert_eq!(own, ["request_user_locate", "talk_status"]);
    }
}
