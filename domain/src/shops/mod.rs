//! Shops: the places where people check in.

pub mod kind;
mod kind_table;
mod shop;

pub use shop::{ForeignId, Shop, ShopCommand};
