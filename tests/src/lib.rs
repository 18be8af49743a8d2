//! The harness of the end-to-end tests: the real binary on a directory of its own, phones and operators that talk to
//! it, and what must hold of every server when its test is over.
//!
//! | part | does |
//! |---|---|
//! | `server` | starts, stops, kills and restarts `dface serve`; checks its log when dropped |
//! | `command` | runs any other command to its end |
//! | `log` | what the server wrote to standard error, and what may never stand there |
//! | `client` | HTTP, with answers that tell what was asked where they are not as expected |
//! | `phone`, `operator` | who signs in and checks in; who makes accounts and shops |
//! | `pictures` | pictures, uploading them, and waiting until they are shown |
//! | `raw` | bytes over TCP, for what no HTTP client sends |
//! | `xmpp` | a client of chat that does what it is told |
//! | `family` | a circle with its members and its watch |
//! | `talkers` | clients that talk over bad roads, and what they must have heard in the end |
//! | `apns` | a stand-in for Apple's push service |
//! | `esdb` | a stand-in for an EventStoreDB cluster |
//! | `mqtt` | MQTT clients that others wrote |
//! | `weibo` | a stand-in for Sina Weibo |
//! | `graph` | who follows whom: a made graph, or a table of a real one |
//! | `certificate` | a certificate, for TLS |
//! | `mosquitto` | a Mosquitto of its own |
//! | `rabbitmq` | a RabbitMQ of its own, with nothing of the machine's |
//! | `clients` | XMPP clients that others wrote |
//! | `disk` | a small disk of its own, for filling it |

pub mod apns;
pub mod certificate;
pub mod client;
pub mod clients;
pub mod command;
pub mod disk;
pub mod esdb;
pub mod family;
pub mod graph;
pub mod log;
pub mod mosquitto;
pub mod mqtt;
pub mod operator;
pub mod phone;
pub mod pictures;
pub mod rabbitmq;
pub mod raw;
pub mod server;
pub mod talkers;
pub mod weibo;
pub mod xmpp;

pub use self::{
    certificate::Certificate,
    client::{Answer, Given},
    command::{Finished, dface},
    operator::Operator,
    phone::Phone,
    server::{Server, Setup},
    xmpp::Xmpp,
};
