//! Whether a device is told by APNs, beside MQTT (spec push.md, "choice").

/// What is known of somebody to whom an event is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    /// Whether it is still for them: they are in the circle, or it is about their leaving.
    pub concerned: bool,
    /// Whether a device is bound.
    pub token: bool,
    /// Whether they have the app open.
    pub focus: bool,
    /// Whether their app ever acknowledged anything.
    pub acknowledges: bool,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The device is told.
    Apns,
    /// It is told where the app does not acknowledge in time.
    ApnsUnlessReceipted,
    /// MQTT does.
    MqttAlone,
}

/// How somebody is told of a push that shows (`alert`) or is silent.
#[must_use]
pub const fn choose(recipient: Recipient, alert: bool) -> Choice {
    let Recipient { concerned, token, focus, acknowledges } = recipient;
    match (concerned && token, alert || !focus) {
        (false, _) => Choice::MqttAlone,
        (true, true) => Choice::Apns,
        (true, false) if acknowledges => Choice::ApnsUnlessReceipted,
        (true, false) => Choice::MqttAlone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_table_of_the_specification() {
        let away = Recipient { concerned: true, token: true, focus: false, acknowledges: false };
        let open = Recipient { focus: true, ..away };
        for (who, recipient, silent, alert) in [
            ("focus", open, Choice::MqttAlone, Choice::Apns),
            (
                "focus, an app that acknowledges",
                Recipient { acknowledges: true, ..open },
                Choice::ApnsUnlessReceipted,
                Choice::Apns,
            ),
            ("no focus", away, Choice::Apns, Choice::Apns),
            // The Last Will of a cut client takes its focus; blocks are not asked for at all.
            ("focus lost by a cut cable", away, Choice::Apns, Choice::Apns),
            ("a member who blocked the other", away, Choice::Apns, Choice::Apns),
            ("no token", Recipient { token: false, ..away }, Choice::MqttAlone, Choice::MqttAlone),
            ("no token, focus", Recipient { token: false, ..open }, Choice::MqttAlone, Choice::MqttAlone),
            ("left the circle", Recipient { concerned: false, ..away }, Choice::MqttAlone, Choice::MqttAlone),
            ("left the circle, focus", Recipient { concerned: false, ..open }, Choice::MqttAlone, Choice::MqttAlone),
        ] {
            assert_eq!((choose(recipient, false), choose(recipient, true)), (silent, alert), "{who}");
        }
    }
}
