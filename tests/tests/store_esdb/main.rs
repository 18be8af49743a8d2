//! The event store on EventStoreDB: what every store promises, what the server's own ways ask of it, and what is left when the server is cut
//! off or changes its leader. The server is a stand-in, or a real one where `DFACE_TEST_ESDB` holds its connection string.

#![expect(clippy::unwrap_used, reason = "a test that ends at an unwrap tells where")]

mod contract;
mod copying;
mod following;
mod lost;
mod place;
mod server;
