//! Adding and correcting shops (operator API of cli.md), and the foreign ids of imports.

use dface_domain::{
    envelope::LogPosition,
    events::{ForeignIdMapped, IdKind, ShopAdded, ShopDetails},
    ids::ShopId,
    rejection::Rejection,
    shops::{ForeignId, Shop, ShopCommand},
    stream::{Category, StreamId},
};

use crate::{CommandError, Commands, Context, Guess};

/// What an import of a shop came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Our id.
    pub shop: ShopId,
    /// Whether it was added now.
    pub added: bool,
    /// What was written.
    pub position: Option<LogPosition>,
}

impl Commands {
    /// Adds a shop under an id of ours.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn add_shop(
        &self,
        details: ShopDetails,
        context: &Context,
    ) -> Result<(ShopId, LogPosition), CommandError> {
        let shop = ShopId(self.next_id(IdKind::Shop).await?);
        let add = ShopCommand::Add(ShopAdded { shop, details, source: None });
        Ok((shop, self.change_shop(shop, &add, context).await?.unwrap_or_default()))
    }

    /// Adds a shop that an import knows as `foreign`; one that is there already stays as it is.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn import_shop(
        &self,
        source: &str,
        foreign: &str,
        details: ShopDetails,
        context: &Context,
    ) -> Result<Imported, CommandError> {
        let stream = foreign_stream(source, foreign);
        let mut mapped = self.executor.load::<ForeignId>(&stream).await?.shop;
        let guess = if mapped.is_some() { Guess::Known } else { Guess::New };
        if mapped.is_none() {
            let shop = ShopId(self.next_id(IdKind::Shop).await?);
            let map = ForeignIdMapped { source: source.to_owned(), foreign: foreign.to_owned(), shop };
            mapped = self.executor.execute::<ForeignId>(&stream, &map, context, Guess::New).await?.state.shop;
        }
        let shop = mapped.ok_or_else(|| CommandError::Contended(stream.to_string()))?;
        let add = ShopCommand::Add(ShopAdded { shop, details, source: Some(source.to_owned()) });
        match self.executor.execute::<Shop>(&StreamId::shop(shop), &add, context, guess).await {
            Ok(outcome) => Ok(Imported { shop, added: true, position: outcome.position }),
            Err(CommandError::Rejected(Rejection::IdTaken(_))) => Ok(Imported { shop, added: false, position: None }),
            Err(error) => Err(error),
        }
    }

    /// What an import's id stands for.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn foreign_shop(&self, source: &str, foreign: &str) -> Result<Option<ShopId>, CommandError> {
        Ok(self.executor.load::<ForeignId>(&foreign_stream(source, foreign)).await?.shop)
    }

    /// Corrects a shop, changes its notice or staff.
    ///
    /// # Errors
    /// There is no such shop, or the machinery failed.
    pub async fn change_shop(
        &self,
        shop: ShopId,
        command: &ShopCommand,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let guess = if matches!(command, ShopCommand::Add(_)) { Guess::New } else { Guess::Known };
        Ok(self.executor.execute::<Shop>(&StreamId::shop(shop), command, context, guess).await?.position)
    }

    /// A shop as the writing side knows it.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn shop(&self, shop: ShopId) -> Result<Shop, CommandError> {
        self.executor.load(&StreamId::shop(shop)).await
    }
}

/// The length of the source comes first, so that `a-b` + `c` and `a` + `b-c` stay apart.
fn foreign_stream(source: &str, foreign: &str) -> StreamId {
    StreamId::new(Category::Foreign, format_args!("{}-{source}-{foreign}", source.len()))
}
