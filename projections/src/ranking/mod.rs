//! The ranking of `/aroundme/shops` (seed §4): which shop is this person in?
//!
//! Pure arithmetic over rows that the projector keeps: [`priors`] says what one check-in teaches and how deleting it
//! takes that back, [`score()`] says how the rows, the distance and the query become an order. Neither knows events,
//! storage or clocks. The formula and the reason for each constant are explained in `docs/ranking.md`.

pub mod access_points;
pub mod around;
pub mod model;
pub mod priors;
pub mod score;

pub use priors::{Own, ShopPrior, UserPrior, Visit, World};
pub use score::{Candidate, Friends, LIMIT, Query, rank, score};
