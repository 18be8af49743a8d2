//! Named tokens of the admin listener: what each opens, and until when.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    aggregate::Aggregate,
    events::{Event, TokenMade, TokenRevoked},
    ids::InvalidId,
    rejection::Rejection,
    time::Timestamp,
};

/// Longest name of a token, in bytes.
const MAX_NAME: usize = 40;

/// Names that stand for something else in the audit log.
const RESERVED: &[&str] = &["admin-token", "analyst-token", "internal-token", "command-line", "listener", "demo"];

/// What an operator calls a token: 1 to 40 of `a-z`, `0-9`, `-`, `_` and `.`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenName(Box<str>);

impl TokenName {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
        if !(1..=MAX_NAME).contains(&text.len()) || !text.bytes().all(plain) {
            return Err(InvalidId("1 to 40 of a to z, 0 to 9, `-`, `_` and `.`"));
        }
        if RESERVED.contains(&text) {
            return Err(InvalidId("a name that the audit log does not use for something else"));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// SHA-256 of a token: the token is chance enough that nothing slower is needed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl FromStr for TokenHash {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidId("64 hex digits"))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {
        $(
            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
                }
            }
        )*
    };
}

as_text!(TokenName, TokenHash);

/// Something that a token may open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Everything.
    #[serde(rename = "admin")]
    Admin,
    /// People's reports, accounts, messages and pictures.
    #[serde(rename = "moderate")]
    Moderate,
    /// The event log, pseudonymous.
    #[serde(rename = "events")]
    Events,
    /// The event log, opened.
    #[serde(rename = "events:full")]
    EventsFull,
    /// What the node counts, and how it stands.
    #[serde(rename = "metrics")]
    Metrics,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Admin, Self::Moderate, Self::Events, Self::EventsFull, Self::Metrics];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Moderate => "moderate",
            Self::Events => "events",
            Self::EventsFull => "events:full",
            Self::Metrics => "metrics",
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let known = Self::ALL.into_iter().find(|scope| scope.name() == text);
        known.ok_or(InvalidId("admin, moderate, events, events:full or metrics"))
    }
}

/// All named tokens of an installation: one stream, so that a name is one token's and their number has an end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tokens {
    until: BTreeMap<TokenName, Timestamp>,
}

/// What can be asked of the tokens.
#[derive(Debug, Clone)]
pub enum TokenCommand {
    /// One more.
    Make {
        /// Which.
        made: TokenMade,
        /// When it is: a token that has ended leaves its name.
        now: Timestamp,
        /// How many may be there at once.
        most: usize,
    },
    /// One less.
    Revoke(TokenName),
}

impl Aggregate for Tokens {
    type Command = TokenCommand;

    fn decide(&self, command: &TokenCommand) -> Result<Vec<Event>, Rejection> {
        match command {
            TokenCommand::Make { made, now, most } => {
                let live = |until: &&Timestamp| **until > *now;
                if self.until.get(&made.name).filter(live).is_some() {
                    return Err(Rejection::TokenNameTaken(made.name.clone()));
                }
                if self.until.values().filter(live).count() >= *most {
                    return Err(Rejection::TooManyTokens(*most));
                }
                Ok(vec![made.clone().into()])
            }
            TokenCommand::Revoke(name) => match self.until.contains_key(name) {
                true => Ok(vec![TokenRevoked { name: name.clone() }.into()]),
                false => Err(Rejection::TokenUnknown(name.clone())),
            },
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::TokenMade(event) => {
                self.until.insert(event.name.clone(), event.until);
            }
            Event::TokenRevoked(event) => {
                self.until.remove(&event.name);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::testing::given;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn made(name: &str, until: i64) -> TokenMade {
        TokenMade {
            name: name.parse().expect("a name"),
            scopes: vec![Scope::Events],
            until: Timestamp::from_seconds(until),
            hash: TokenHash([7; 32]),
        }
    }

    fn make(name: &str) -> TokenCommand {
        TokenCommand::Make { made: made(name, 2_000), now: NOW, most: 2 }
    }

    #[test]
    fn a_name_is_one_token_s_until_that_has_ended_or_is_taken_back() {
        let first: Event = made("grafana", 1_500).into();
        given::<Tokens>([]).when(&make("grafana")).then([made("grafana", 2_000).into()]);
        let name: TokenName = "grafana".parse().expect("a name");
        given::<Tokens>([first.clone()]).when(&make("grafana")).then_err(Rejection::TokenNameTaken(name.clone()));
        given::<Tokens>([made("grafana", 1_000).into()]).when(&make("grafana")).then([made("grafana", 2_000).into()]);
        let revoked: Event = TokenRevoked { name: name.clone() }.into();
        let revoke = TokenCommand::Revoke(name.clone());
        given::<Tokens>([first.clone()]).when(&revoke).then([revoked.clone()]);
        given::<Tokens>([first.clone(), revoked.clone()]).when(&revoke).then_err(Rejection::TokenUnknown(name));
        given::<Tokens>([first, revoked]).when(&make("grafana")).then([made("grafana", 2_000).into()]);
    }

    #[test]
    fn there_are_not_endless_tokens_and_those_that_have_ended_do_not_count() {
        let two = [made("a", 1_500).into(), made("b", 1_500).into()];
        given::<Tokens>(two).when(&make("c")).then_err(Rejection::TooManyTokens(2));
        let over = [made("a", 1_500).into(), made("b", 900).into()];
        given::<Tokens>(over).when(&make("c")).then([made("c", 2_000).into()]);
    }

    #[test]
    fn names_are_plain_and_stand_for_nothing_else() {
        for name in ["grafana", "a.b-c_9", &"x".repeat(40)] {
            assert!(name.parse::<TokenName>().is_ok(), "{name}");
        }
        for name in ["", "Anna", "a b", "日志", "admin-token", "command-line", &"x".repeat(41)] {
            assert!(name.parse::<TokenName>().is_err(), "{name}");
        }
    }

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for scope in Scope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).ok(), Some(scope.name().into()));
        }
        assert!("root".parse::<Scope>().is_err());
    }
}
