//! One shop, packed into 64 bytes and one piece of text.

use dface_domain::{
    events::ShopDetails,
    geo::{MapPosition, Position},
    ids::ShopId,
    shops::kind::ShopKind,
};

/// What the answers need of a shop. Name, address and phone lie in one allocation.
#[derive(Debug, Clone, PartialEq)]
pub struct ShopEntry {
    id: ShopId,
    position: Position,
    map: MapPosition,
    text: Box<str>,
    name_len: u16,
    address_len: u16,
    kind: ShopKind,
}

impl ShopEntry {
    /// A shop of these details. What exceeds 65,535 bytes of a name or an address is cut off at a character.
    #[must_use]
    pub fn new(id: ShopId, details: &ShopDetails) -> Self {
        let (name, name_len) = cut(&details.name);
        let (address, address_len) = cut(&details.address);
        let mut text = String::with_capacity(name.len() + address.len() + details.phone.len());
        text.extend([name, address, &details.phone]);
        let (kind, position, map) = (details.kind, details.position, details.map);
        Self { id, position, map, text: text.into_boxed_str(), name_len, address_len, kind }
    }

    /// Its id.
    pub fn id(&self) -> ShopId {
        self.id
    }

    /// Its kind, 1 to 6.
    pub fn kind(&self) -> ShopKind {
        self.kind
    }

    /// Where it is, WGS-84.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Where a map shows it, GCJ-02.
    pub fn map(&self) -> MapPosition {
        self.map
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.parts().0
    }

    /// Its address, or empty.
    pub fn address(&self) -> &str {
        self.parts().1
    }

    /// Its phone number, or empty.
    pub fn phone(&self) -> &str {
        self.parts().2
    }

    fn parts(&self) -> (&str, &str, &str) {
        let (name, rest) = self.text.split_at(usize::from(self.name_len));
        let (address, phone) = rest.split_at(usize::from(self.address_len));
        (name, address, phone)
    }
}

/// The text and its length in bytes, cut where the length would not fit.
fn cut(text: &str) -> (&str, u16) {
    let end = text.floor_char_boundary(usize::from(u16::MAX));
    let (kept, _) = text.split_at(end);
    (kept, u16::try_from(end).expect("not beyond u16::MAX"))
}

#[cfg(test)]
mod tests {
    use super::{super::tests::details, *};

    #[test]
    fn keeps_its_texts_apart() {
        let mut wanted = details("新紫轩花店", 30.297, 120.1288, ShopKind::Shopping);
        (wanted.address, wanted.phone) = ("文一路266号".into(), "0571".into());
        let shop = ShopEntry::new(ShopId(40056), &wanted);
        assert_eq!((shop.name(), shop.address(), shop.phone()), ("新紫轩花店", "文一路266号", "0571"));
        assert_eq!((shop.id(), shop.kind(), shop.position()), (ShopId(40056), wanted.kind, wanted.position));
        assert_eq!(shop.map(), wanted.map);
    }

    #[test]
    fn is_small() {
        assert_eq!(size_of::<ShopEntry>(), 64);
    }

    #[test]
    fn cuts_endless_texts_at_a_character() {
        let mut endless = details(&"店".repeat(30_000), 0.0, 0.0, ShopKind::Building);
        endless.address = "a".repeat(70_000);
        let shop = ShopEntry::new(ShopId(1), &endless);
        assert_eq!((shop.name().len(), shop.address().len(), shop.phone()), (65_535, 65_535, ""));
    }
}
