//! A shop and its staff (seed §7), and the foreign ids that imports know shops by.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{
        Event, ForeignIdMapped, ShopAdded, ShopCorrected, ShopDetails, ShopNoticeChanged, ShopStaffAdded,
        ShopStaffRemoved,
    },
    ids::{ShopId, UserId},
    rejection::Rejection,
};

/// A shop.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shop {
    details: Option<ShopDetails>,
    notice: String,
    staff: Vec<UserId>,
}

impl Shop {
    /// What is known of it; none where there is no such shop.
    #[must_use]
    pub fn details(&self) -> Option<&ShopDetails> {
        self.details.as_ref()
    }
}

/// What can be asked of a shop.
#[derive(Debug, Clone)]
pub enum ShopCommand {
    /// It is added.
    Add(ShopAdded),
    /// It is put right.
    Correct(ShopCorrected),
    /// Its notice changes.
    ChangeNotice(ShopNoticeChanged),
    /// Somebody works there from now on.
    AddStaff(ShopStaffAdded),
    /// Somebody works there no more.
    RemoveStaff(ShopStaffRemoved),
}

impl ShopCommand {
    const fn shop(&self) -> ShopId {
        match self {
            Self::Add(event) => event.shop,
            Self::Correct(event) => event.shop,
            Self::ChangeNotice(event) => event.shop,
            Self::AddStaff(event) => event.shop,
            Self::RemoveStaff(event) => event.shop,
        }
    }
}

impl Aggregate for Shop {
    type Command = ShopCommand;

    fn decide(&self, command: &ShopCommand) -> Result<Vec<Event>, Rejection> {
        let Some(details) = &self.details else {
            return match command {
                ShopCommand::Add(event) => Ok(vec![event.clone().into()]),
                other => Err(Rejection::ShopUnknown(other.shop())),
            };
        };
        Ok(match command {
            ShopCommand::Add(event) => return Err(Rejection::IdTaken(event.shop.to_string())),
            ShopCommand::Correct(event) if event.details == *details => vec![],
            ShopCommand::Correct(event) => vec![event.clone().into()],
            ShopCommand::ChangeNotice(event) if event.text == self.notice => vec![],
            ShopCommand::ChangeNotice(event) => vec![event.clone().into()],
            ShopCommand::AddStaff(event) if self.staff.contains(&event.user) => vec![],
            ShopCommand::AddStaff(event) => vec![event.clone().into()],
            ShopCommand::RemoveStaff(event) if self.staff.contains(&event.user) => vec![event.clone().into()],
            ShopCommand::RemoveStaff(_) => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::ShopAdded(event) => self.details = Some(event.details.clone()),
            Event::ShopCorrected(event) => self.details = Some(event.details.clone()),
            Event::ShopNoticeChanged(event) => self.notice.clone_from(&event.text),
            Event::ShopStaffAdded(event) => self.staff.push(event.user),
            Event::ShopStaffRemoved(event) => self.staff.retain(|user| *user != event.user),
            _ => {}
        }
    }
}

/// An import's id for a shop: mapped once, for ever.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ForeignId {
    /// Our shop.
    pub shop: Option<ShopId>,
}

impl Aggregate for ForeignId {
    type Command = ForeignIdMapped;

    fn decide(&self, map: &ForeignIdMapped) -> Result<Vec<Event>, Rejection> {
        Ok(if self.shop.is_some() { vec![] } else { vec![map.clone().into()] })
    }

    fn apply(&mut self, event: &Event) {
        if let Event::ForeignIdMapped(event) = event {
            self.shop = Some(event.shop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aggregate::testing::given, geo::Position, shops::kind::ShopKind};

    const SHOP: ShopId = ShopId(9);

    fn details(name: &str) -> ShopDetails {
        let position = Position::new(30.0, 120.0).unwrap();
        let kind = ShopKind::try_from(2).unwrap();
        ShopDetails {
            name: name.to_owned(),
            address: String::new(),
            phone: String::new(),
            kind,
            position,
            map: position.to_map(),
        }
    }

    fn added() -> ShopAdded {
        ShopAdded { shop: SHOP, details: details("新紫轩花店"), source: None }
    }

    #[test]
    fn a_shop_is_added_once_and_corrected_where_it_differs() {
        given::<Shop>([]).when(&ShopCommand::Add(added())).then([added().into()]);
        let known = given::<Shop>([added().into()]);
        known.when(&ShopCommand::Add(added())).then_err(Rejection::IdTaken("9".to_owned()));
        let correct = |name| ShopCorrected { shop: SHOP, details: details(name) };
        known.when(&ShopCommand::Correct(correct("新紫轩花店"))).then_nothing();
        known.when(&ShopCommand::Correct(correct("花店"))).then([correct("花店").into()]);
    }

    #[test]
    fn only_a_shop_that_exists_has_notice_and_staff() {
        let staff = ShopStaffAdded { shop: SHOP, user: UserId::Number(1) };
        let add = ShopCommand::AddStaff(staff.clone());
        given::<Shop>([]).when(&add).then_err(Rejection::ShopUnknown(SHOP));
        given::<Shop>([added().into()]).when(&add).then([staff.clone().into()]);
        given::<Shop>([added().into(), staff.into()]).when(&add).then_nothing();
    }
}
