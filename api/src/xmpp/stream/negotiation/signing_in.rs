//! Signing in: what is offered, the mechanisms' exchanges, and who may act as whom.

use std::net::IpAddr;

use dface_domain::{messages::Party, ports::KeyedHash as _};
use metrics::counter;
use minidom::Element;

use super::{
    super::{
        super::hub::Hub,
        accounts::{Account, Attempt, admitted, bind_token, checked},
        door::Door,
        error::StreamError,
        names::{SASL, TLS},
        sasl::{
            self, Failure,
            plain::Plain,
            scram::{Hash, Scram},
        },
    },
    Ended, Negotiation, Step,
};
use crate::metrics as names;

impl<H: Hub> Negotiation<'_, H> {
    fn offers_tls(&self) -> bool {
        self.door.tls.is_some() && self.wire.is_plain_tcp()
    }

    /// Whether passwords may be said here.
    fn may_sign_in(&self) -> bool {
        self.wire.private || self.wire.peer.is_loopback() || self.door.chat().allow_plaintext
    }

    pub(super) async fn offer_signing_in(&mut self) -> Result<(), Ended> {
        let mut features = String::new();
        if self.offers_tls() {
            let required = if self.may_sign_in() { "" } else { "<required/>" };
            features.push_str(&format!("<starttls xmlns='{TLS}'>{required}</starttls>"));
        }
        if self.may_sign_in() {
            let scram = Hash::OFFERED.iter().filter(|_| self.door.chat().scram).map(|(name, _)| *name);
            let mechanisms = scram.chain(["PLAIN"]).map(|name| format!("<mechanism>{name}</mechanism>"));
            features.push_str(&format!("<mechanisms xmlns='{SASL}'>{}</mechanisms>", mechanisms.collect::<String>()));
        }
        self.offer(&features).await
    }

    pub(super) async fn sign_in(&mut self) -> Result<Step, Ended> {
        loop {
            let element = self.element().await?;
            if element.is("starttls", TLS) {
                if self.offers_tls() {
                    return Ok(Step::Tls);
                }
                self.say(format!("<failure xmlns='{TLS}'/>")).await?;
                return Err(Ended::Closed);
            }
            if !element.is("auth", SASL) {
                return Err(StreamError::NotAuthorized.into());
            }
            let tried = self.authenticate(&element).await?;
            let outcome = tried.as_ref().map_or_else(|failure| failure.condition(), |_| "success");
            counter!(names::CHAT_SIGN_INS_TOTAL, "outcome" => outcome).increment(1);
            match tried {
                Ok((owner, last_word)) => {
                    self.say(format!("<success xmlns='{SASL}'>{last_word}</success>")).await?;
                    return Ok(Step::SignedIn(owner));
                }
                Err(failure) => self.failed(failure).await?,
            }
        }
    }

    async fn failed(&mut self, failure: Failure) -> Result<(), Ended> {
        self.wire.put(failure.to_xml());
        self.tries += 1;
        if self.tries >= self.door.chat().sign_in_tries {
            return Err(StreamError::PolicyViolation.into());
        }
        Ok(self.wire.flush().await?)
    }

    /// The outer error ends the stream, the inner one this try.
    async fn authenticate(&mut self, auth: &Element) -> Result<Result<(Party, String), Failure>, Ended> {
        if !self.may_sign_in() {
            return Ok(Err(Failure::EncryptionRequired));
        }
        let first = auth.text();
        Ok(match auth.attr("mechanism") {
            Some("PLAIN") => match self.answer_to("", first).await? {
                Ok(message) => plain(self.door, self.wire.peer, message).await.map(|party| (party, String::new())),
                Err(failure) => Err(failure),
            },
            Some(mechanism) if self.door.chat().scram => {
                match Hash::OFFERED.into_iter().find(|(name, _)| *name == mechanism) {
                    Some((_, hash)) => self.scram(hash, first).await?,
                    None => Err(Failure::InvalidMechanism),
                }
            }
            _ => Err(Failure::InvalidMechanism),
        })
    }

    async fn scram(&mut self, hash: Hash, first: String) -> Result<Result<(Party, String), Failure>, Ended> {
        let door = self.door;
        let begun = match self.answer_to("", first).await? {
            Ok(message) => scram_account(door, self.wire.peer, hash, &message).await,
            Err(failure) => Err(failure),
        };
        let (mut scram, account) = match begun {
            Ok(begun) => begun,
            Err(failure) => return Ok(Err(failure)),
        };
        // Of the name, so that a name without an account looks like any other.
        let salt = door.app.node.commands.secret().keyed_hash("scram-salt", &[scram.name.as_bytes()]);
        let challenge = scram.challenge(&salt[..16]);
        let last = self.answer_to(&sasl::encoded(challenge.as_bytes()), String::new()).await?;
        Ok(last.and_then(|message| {
            let attempt = Attempt::begin(&door.app, &scram.name, self.wire.peer)?;
            let password = account.as_ref().map_or("", |account| &account.password);
            let shown = scram.end(&message, password);
            let (word, account) =
                attempt.end(shown.and_then(|word| Ok((word, account.ok_or(Failure::NotAuthorized)?))))?;
            acts_as(&scram.authzid, &scram.name, &door.chat().domain)?;
            Ok((admitted(&account)?, sasl::encoded(word.as_bytes())))
        }))
    }

    /// What the client says; asks for it with `challenge` where it has not said it already.
    async fn answer_to(&mut self, challenge: &str, said: String) -> Result<Result<Vec<u8>, Failure>, Ended> {
        if !said.is_empty() {
            return Ok(sasl::decoded(&said));
        }
        self.say(format!("<challenge xmlns='{SASL}'>{challenge}</challenge>")).await?;
        let element = self.element().await?;
        if element.is("response", SASL) {
            Ok(sasl::decoded(&element.text()))
        } else if element.is("abort", SASL) {
            Ok(Err(Failure::Aborted))
        } else {
            Err(StreamError::NotAuthorized.into())
        }
    }
}

async fn scram_account<H: Hub>(
    door: &Door<H>,
    peer: IpAddr,
    hash: Hash,
    message: &[u8],
) -> Result<(Scram, Option<Account>), Failure> {
    let scram = Scram::begin(hash, message, &door.fresh_id())?;
    Attempt::begin(&door.app, &scram.name, peer)?;
    let account = Account::named(&door.app, &scram.name).await.map_err(|error| Failure::of(&error))?;
    Ok((scram, account))
}

async fn plain<H: Hub>(door: &Door<H>, peer: IpAddr, message: Vec<u8>) -> Result<Party, Failure> {
    let (app, plain) = (&door.app, Plain::read(message)?);
    let attempt = Attempt::begin(app, &plain.name, peer)?;
    let account = Account::named(app, &plain.name).await.map_err(|error| Failure::of(&error))?;
    let device = attempt.end(checked(account.as_ref(), &plain.password))?;
    let account = account.ok_or(Failure::NotAuthorized)?;
    acts_as(&plain.authzid, &plain.name, &door.chat().domain)?;
    let party = admitted(&account)?;
    if let (Party::User(user), Some(device)) = (party, device) {
        bind_token(app, user, device).await;
    }
    Ok(party)
}

/// Whoever signs in may act as themselves alone.
fn acts_as(authzid: &str, name: &str, own_domain: &str) -> Result<(), Failure> {
    let is_own = match authzid.split_once('@') {
        Some((local, domain)) => local == name && domain == own_domain,
        None => authzid.is_empty() || authzid == name,
    };
    if is_own { Ok(()) } else { Err(Failure::InvalidAuthzid) }
}
