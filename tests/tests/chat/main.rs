//! Chat over XMPP: the built binary, and clients that speak to it.

mod streams;
