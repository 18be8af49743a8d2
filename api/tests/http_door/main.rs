//! The HTTP door over real sockets: a tiny product behind it, every limit in front of it.

mod docs;
mod forms;
mod limits;
mod methods;
mod stop;
mod support;
mod tls;
mod uploads;
