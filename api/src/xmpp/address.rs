//! Addresses (RFC 7622) of this server: `7@dface.cn`, `s12@dface.cn`, `12@c.dface.cn` (seed §28.1, §28.2).

use dface_domain::{ids::ShopId, messages::Party};

/// The domains of this server.
#[derive(Debug, Clone)]
pub struct Names {
    /// Of people and shops: `dface.cn`.
    pub domain: Box<str>,
    /// Of rooms: `c.dface.cn`.
    pub rooms: Box<str>,
}

/// Whom a stanza is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// The server itself.
    Server,
    /// What keeps the rooms.
    Rooms,
    /// A person or a shop, who need not exist.
    Account {
        /// Who.
        party: Party,
        /// The resource, where one was named.
        resource: Option<String>,
    },
    /// A room of a shop, which need not exist.
    Room {
        /// Whose.
        shop: ShopId,
        /// An occupant's nick, where one was named.
        nick: Option<String>,
    },
    /// At one of our domains, with a name that nobody can have.
    Nobody,
    /// At another server.
    Foreign,
}

/// The text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Bytes of each part of an address (RFC 7622 §3.2 to §3.4).
const MOST: usize = 1023;

impl Names {
    /// Reads an address.
    ///
    /// # Errors
    /// It has an empty or too long part.
    pub fn read(&self, text: &str) -> Result<Address, Malformed> {
        let (bare, resource) = match text.split_once('/') {
            Some((bare, resource)) => (bare, Some(resource)),
            None => (text, None),
        };
        let (local, domain) = match bare.split_once('@') {
            Some((local, domain)) => (Some(local), domain),
            None => (None, bare),
        };
        let sound = |part: &str| !part.is_empty() && part.len() <= MOST;
        if !sound(domain) || !local.is_none_or(sound) || !resource.is_none_or(sound) {
            return Err(Malformed);
        }
        let resource = resource.map(str::to_owned);
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        Ok(if domain.eq_ignore_ascii_case(&self.domain) {
            match local.map(|local| local.to_ascii_lowercase().parse()) {
                None => Address::Server,
                Some(Ok(party @ (Party::User(_) | Party::Shop(_)))) => Address::Account { party, resource },
                Some(_) => Address::Nobody,
            }
        } else if domain.eq_ignore_ascii_case(&self.rooms) {
            match local.map(str::parse) {
                None => Address::Rooms,
                Some(Ok(shop)) => Address::Room { shop, nick: resource },
                Some(Err(_)) => Address::Nobody,
            }
        } else {
            Address::Foreign
        })
    }

    /// `7@dface.cn`, `s12@dface.cn` or `12@c.dface.cn`.
    #[must_use]
    pub fn bare(&self, party: Party) -> String {
        match party {
            Party::Room(shop) => format!("{shop}@{}", self.rooms),
            _ => format!("{party}@{}", self.domain),
        }
    }
}

#[cfg(test)]
mod tests {
    use dface_domain::ids::{ADMINISTRATOR, UserId};

    use super::*;

    fn read(text: &str) -> Result<Address, Malformed> {
        Names { domain: "dface.cn".into(), rooms: "c.dface.cn".into() }.read(text)
    }

    fn account(party: Party, resource: Option<&str>) -> Result<Address, Malformed> {
        Ok(Address::Account { party, resource: resource.map(str::to_owned) })
    }

    #[test]
    fn section_28_2_people_shops_and_the_administrator_have_addresses() {
        assert_eq!(read("7@dface.cn"), account(Party::User(UserId::Number(7)), None));
        assert_eq!(read("S6@DFACE.cn/ylt"), account(Party::Shop(ShopId(6)), Some("ylt")));
        assert_eq!(read("502e6303421aa918ba000001@dface.cn"), account(Party::User(ADMINISTRATOR), None));
        assert_eq!(read("12@c.dface.cn/a/b@c"), Ok(Address::Room { shop: ShopId(12), nick: Some("a/b@c".to_owned()) }));
        assert_eq!(read("dface.cn"), Ok(Address::Server));
        assert_eq!(read("c.dface.cn"), Ok(Address::Rooms));
        for text in ["anna@dface.cn", "r12@dface.cn", "s12@c.dface.cn", "s@dface.cn"] {
            assert_eq!(read(text), Ok(Address::Nobody), "{text}");
        }
        assert_eq!(read("7@dface.com"), Ok(Address::Foreign));
        assert_eq!(read("dface.cn@elsewhere.org"), Ok(Address::Foreign));
        let long = format!("7@dface.cn/{}", "x".repeat(1024));
        for text in ["", "@dface.cn", "7@", "7@dface.cn/", "/x", &long] {
            assert_eq!(read(text), Err(Malformed), "{text}");
        }
    }
}
