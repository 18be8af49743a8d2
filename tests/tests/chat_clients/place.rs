//! A server with a shop and two people.

use dface_tests::{
    Phone, Server, Setup,
    clients::{Driver, Library, Wanted},
};

const HERE: (f64, f64) = (30.286_91, 120.127_63);

/// Where a scenario plays.
pub struct Place {
    pub server: Server,
    pub room: String,
    pub anna: Phone,
    pub ben: Phone,
}

impl Place {
    pub fn new() -> Self {
        Self::with(Setup::default())
    }

    pub fn with(setup: Setup) -> Self {
        let mut server = setup.start();
        let shop = server.operator().add_shop("川味观", HERE);
        let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
        Self { server, room: format!("{shop}@c.dface.cn"), anna, ben }
    }

    /// How somebody connects to this server.
    pub fn wanted(&self, phone: &Phone, resource: &'static str) -> Wanted {
        Wanted {
            user: phone.user.to_string(),
            password: phone.chat_password.clone(),
            resource,
            mechanism: "PLAIN",
            at: self.server.xmpp(),
            websocket: self.server.public().address(),
            tls: false,
            resume: true,
        }
    }

    /// Both online, each with one stream named after them.
    pub fn both(&self, library: Library) -> Driver {
        let driver = Driver::start(library, None);
        driver.online("anna", &self.wanted(&self.anna, "phone"));
        driver.online("ben", &self.wanted(&self.ben, "phone"));
        driver
    }
}

/// The bare address of somebody.
pub fn jid(phone: &Phone) -> String {
    format!("{}@dface.cn", phone.user)
}
