//! How much somebody may say (chat.md, "sizes"): by account, whatever its streams.

use std::{num::NonZeroU32, time::Duration};

use dface_domain::messages::Party;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use crate::settings;

/// How much accounts may still say.
pub struct Limits {
    messages: DefaultKeyedRateLimiter<Party>,
    others: DefaultKeyedRateLimiter<Party>,
    clock: governor::clock::DefaultClock,
}

impl Limits {
    /// As the settings say.
    #[must_use]
    pub fn new(limits: &settings::Limits) -> Self {
        let limiter = |per_second, burst| {
            RateLimiter::keyed(Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst)))
        };
        Self {
            messages: limiter(limits.messages_per_second, limits.message_burst),
            others: limiter(limits.stanzas_per_second, limits.stanza_burst),
            clock: governor::clock::DefaultClock::default(),
        }
    }

    /// Whether somebody may say one more message with a body.
    pub fn may_say(&self, party: Party) -> bool {
        self.messages.check_key(&party).is_ok()
    }

    /// Forgets those who may say everything again.
    pub fn forget(&self) {
        self.messages.retain_recent();
        self.others.retain_recent();
    }

    /// How long a stanza that says nothing has to wait: its stream is not read meanwhile.
    pub fn pause(&self, party: Party) -> Option<Duration> {
        self.others.check_key(&party).err().map(|until| until.wait_time_from(self.clock.now()))
    }
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use crate::xmpp::testing::Stage;

    #[tokio::test(flavor = "multi_thread")]
    async fn who_says_too_much_is_told_so_and_keeps_the_stream() {
        let stage = Stage::with(|settings| settings.limits.message_burst = 50).await;
        let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
        let (phone, tablet) = (stage.client(anna, "phone").await, stage.client(anna, "tablet").await);
        let mut refused = vec![];
        // The burst of 50, and what ten a second bring while it is used up.
        for n in 0..400 {
            let client = if n % 2 == 0 { &phone } else { &tablet };
            client.send(&format!("<message id='{n}' to='{ben}@dface.cn'><body>x</body></message>")).await;
            refused.extend(client.all().into_iter().filter(|e| e.attr("type") == Some("error")));
            if !refused.is_empty() {
                break;
            }
        }
        let error = refused[0].get_child("error", "jabber:client").unwrap();
        assert_eq!(error.attr("type"), Some("wait"));
        assert!(error.has_child("policy-violation", "urn:ietf:params:xml:ns:xmpp-stanzas"));
        let id: u32 = refused[0].attr("id").unwrap().parse().unwrap();
        assert!(id >= 50, "{id}");
        assert!(!phone.session.outbox.is_ending());
        phone.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>").await;
        phone.next_of("iq").await;
    }
}
