//! A coupon that was delivered is told to its person in a message from the shop (seed §31.1).

use dface_domain::{
    envelope::Recorded,
    events::Event,
    messages::{Party, coupon_body},
};

use super::{Process, ProcessError, following};
use crate::{Commands, messages::Outgoing};

/// Sends the messages of coupons.
pub struct CouponMessages;

impl Process for CouponMessages {
    const NAME: &'static str = "coupon_messages";
    const WANTS: &'static [&'static str] = &["CouponDelivered"];

    async fn on(&self, commands: &Commands, recorded: &Recorded) -> Result<(), ProcessError> {
        let Event::CouponDelivered(event) = recorded.data.decode()? else { return Ok(()) };
        let campaign = commands.campaign(event.campaign).await?;
        let missing = || ProcessError::Never(format!("there is no campaign {}", event.campaign));
        let terms = campaign.terms().ok_or_else(missing)?;
        let message = Outgoing {
            cause: recorded.id,
            at: recorded.occurred_at,
            from: Party::Shop(event.shop),
            to: Party::User(event.user),
            about: event.user,
            body: coupon_body(&terms.name, &terms.shop_name, event.campaign, event.at),
        };
        commands.send_message(message, &following(recorded)).await?;
        Ok(())
    }
}
