//! What every event store promises, on this one.

use crate::place::Place;

dface_commands::event_store_contract!(contract_esdb, Place::new());
