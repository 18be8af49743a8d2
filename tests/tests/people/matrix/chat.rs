//! The rows of the listener of §32.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use dface_tests::{Answer, Given, Server, client::pairs};
use reqwest::{Method, blocking::RequestBuilder};

use super::{Asked, Pictures, Viewer};

/// Waits until the messages of the subject's pictures are told.
pub(super) fn settled(server: &Server, subject: u64, shop: u64, pictures: &Pictures) {
    let asks: [(&str, &str, u64, &str); 2] =
        [("/api/gchat", "room", shop, &pictures.room), ("/api/chat", "uid", subject, &pictures.for_third)];
    let begun = Instant::now();
    for (path, name, id, wanted) in asks {
        loop {
            let request = server.chat_api().request(Method::GET, path).bearer_auth(server.token("internal-token"));
            if Answer::to(request.query(&[(name, id)])).ok().to_string().contains(wanted) {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{path} does not tell {wanted}");
            sleep(Duration::from_millis(25));
        }
    }
}

impl Asked<'_> {
    fn chat(&self, viewer: &Viewer<'_>, path: &str) -> RequestBuilder {
        let request = self.server.chat_api().request(Method::POST, path);
        match viewer {
            Viewer::Person(phone) => request.header("cookie", format!("_session_id={}", phone.cookie)),
            Viewer::SignedOut => request,
            // The token of operators is none of this listener's.
            Viewer::Operator(_) => request.bearer_auth(self.server.token("admin-token")),
        }
    }

    fn told(&self, viewer: &Viewer<'_>, path: &str, given: Given<'_>, text: &str) -> String {
        let answer = Answer::to(self.chat(viewer, path).form(&pairs(given)));
        Self::cell(&answer, |list| if list.to_string().contains(text) { "seen" } else { "-" }.to_owned())
    }

    /// Who reads what the subject said: pictures, here as anywhere.
    pub(super) fn chat_rows(&self, viewer: &Viewer<'_>) -> Vec<(&'static str, String)> {
        let (subject, third) = (self.subject.user, self.third.user);
        let from_subject = format!("\"from\":\"{subject}@");
        let (in_room, to_third) = (&self.pictures.room, &self.pictures.for_third);
        let between: Given<'_> = &[("uid1", &subject), ("uid2", &third)];
        let with_caller = match viewer {
            Viewer::Person(phone) => phone.user,
            Viewer::SignedOut | Viewer::Operator(_) => third,
        };
        let with_caller: Given<'_> = &[("uid1", &subject), ("uid2", &with_caller)];
        vec![
            ("§32.1 said in the room", self.told(viewer, "/api/gchat", &[("room", &self.shop)], in_room)),
            ("§32.2 the subject's talks", self.told(viewer, "/api/chat", &[("uid", &subject)], to_third)),
            ("§32.3 what the subject said to the third", self.told(viewer, "/api/chat2", between, to_third)),
            ("§32.3 what the subject said to the viewer", self.told(viewer, "/api/chat2", with_caller, &from_subject)),
        ]
    }

    /// What is for the back end alone.
    pub(super) fn acting_in_chat(&self, viewer: &Viewer<'_>) -> Vec<(&'static str, String)> {
        let (user, third) = (self.subject.user, self.third.user);
        let post = |path: &str, given: Given<'_>| {
            Self::cell(&Answer::to(self.chat(viewer, path).form(&pairs(given))), |_| "done".to_owned())
        };
        let stanza = format!("<message from='{user}@dface.cn' to='{third}@dface.cn'><body>x</body></message>");
        let rest = Answer::to(self.chat(viewer, "/rest").body(stanza));
        let said: Given<'_> = &[("roomid", &self.shop), ("message", &"x"), ("uid", &user)];
        let both: Given<'_> = &[("uid", &user), ("bid", &third)];
        vec![
            ("§32.4.1 speaking as the subject", post("/api/room", said)),
            ("§32.4.2 blocking as the subject", post("/api/block", both)),
            ("§32.4.3 unblocking as the subject", post("/api/unblock", both)),
            ("§32.4.4 a stanza of the subject", Self::cell(&rest, |_| "done".to_owned())),
        ]
    }
}
