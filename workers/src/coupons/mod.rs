//! Drawing coupons (seed §31.2): a card of 580x224 and one of 290x112, each laid out at its own scale so that the small one stays
//! legible. Name, shop, text and period are shrunk until they fit whole; only what fits at no size ends in `…`.
//!
//! | part | does |
//! |---|---|
//! | `fonts` | finds the fonts of the machine |
//! | `emoji` | which letters are drawn in colour |
//! | `text` | fits text into an area, and inks it |
//! | `layout` | where everything is |
//! | `card` | the card beneath |

mod card;
mod emoji;
mod fonts;
mod layout;
mod text;

pub use self::{
    fonts::{Fonts, Missing},
    layout::{Block, Layout, Role, Size},
};

/// What stands on a coupon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponCard {
    /// The coupon's name.
    pub name: String,
    /// The shop's name.
    pub shop: String,
    /// What it is good for.
    pub text: String,
    /// When, as people read it.
    pub period: String,
}

/// The two drawings of a coupon, PNG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawings {
    /// 580x224.
    pub full: Vec<u8>,
    /// 290x112.
    pub small: Vec<u8>,
}

/// It cannot be drawn.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DrawError {
    /// No font of this machine has Chinese.
    #[error("{0}")]
    Font(Missing),
    /// The encoder's.
    #[error("a drawing cannot be encoded: {0}")]
    Encode(String),
}

/// Draws a coupon in both sizes. Takes some tens of milliseconds of a core: call it off the async threads.
///
/// # Errors
/// There is no font with Chinese, or the encoder failed.
pub fn draw(card: &CouponCard, fonts: &Fonts) -> Result<Drawings, DrawError> {
    let one = |size| Layout::new(card, size, fonts)?.draw();
    Ok(Drawings { full: one(Size::Full)?, small: one(Size::Small)? })
}

#[cfg(test)]
mod tests;
