//! The rows of circles: of one that the subject made, where the friend and the one whom the subject blocks are members, and the blocker was.

use dface_tests::{Given, Operator, Phone};
use serde_json::{Value, json};

use super::{Asked, Viewer, settle};

/// A circle of the subject's with a watch.
pub(super) struct Family {
    pub(super) group: u64,
    pub(super) imei: String,
}

fn id(answer: &Value) -> u64 {
    answer["id"].as_u64().expect("a whole number")
}

fn code(guardian: &Phone, group: u64) -> String {
    let made = guardian.post("/groups/invite", &[("group_id", &group)]).ok();
    made["code"].as_str().expect("a code").to_owned()
}

impl Family {
    /// `members` come in, of whom the last is removed again.
    pub(super) fn of(operator: &Operator, subject: &Phone, members: [&Phone; 3], round: usize) -> Self {
        let group = id(&subject.post("/groups/create", &[("name", &"一家")]).ok());
        for member in members {
            member.post("/groups/join", &[("code", &code(subject, group))]).ok();
        }
        let removed = members[2].user;
        subject.post("/groups/remove", &[("group_id", &group), ("user_id", &removed)]).ok();
        let imei = format!("8612345600001{round:02}");
        operator.post("/admin/watches", &json!({ "imei": imei, "key": "factory-key", "code": "printed" })).ok();
        let bound: Given<'_> = &[
            ("group_id", &group),
            ("imei", &imei),
            ("code", &"printed"),
            ("consent", &"1"),
            ("dev_name", &"the subject's child"),
        ];
        subject.post("/watches/bind", bound).ok();
        settle(subject);
        Self { group, imei }
    }
}

impl Asked<'_> {
    /// Who sees the subject's circle.
    pub(super) fn circle_rows(&self, viewer: &Viewer<'_>) -> Vec<(&'static str, String)> {
        let Family { group, imei } = self.family;
        let get = |path: &str, given: Given<'_>| self.get(viewer, path, given);
        let listed = |list: &Value| list.as_array().is_some_and(|list| list.iter().any(|one| one["id"] == *group));
        let child = |circle: &Value| circle.to_string().contains("the subject's child");
        let seen = |is: bool| if is { "seen" } else { "-" }.to_owned();
        vec![
            ("circles: among the own", Self::cell(&get("/groups", &[]), |list| seen(listed(list)))),
            ("circles: the circle", Self::cell(&get("/groups/show", &[("id", group)]), |circle| seen(child(circle)))),
            // Seen where it says that there is no picture, not that there is no watch.
            (
                "circles: the watch's picture",
                Self::cell(&get("/watches/image", &[("imei", imei)]), |_| "seen".to_owned()),
            ),
        ]
    }

    /// Who does what in it; what is allowed changes nothing that another cell shows.
    pub(super) fn acting_in_circles(&self, viewer: &Viewer<'_>) -> Vec<(&'static str, String)> {
        let (Family { group, imei }, third) = (self.family, self.third.user);
        let post = |path: &str, given: Given<'_>| Self::cell(&self.post(viewer, path, given), |_| "done".to_owned());
        let member: Given<'_> = &[("group_id", group), ("user_id", &third), ("on", &0)];
        let bind: Given<'_> = &[
            ("group_id", group),
            ("imei", imei),
            ("code", &"printed"),
            ("consent", &"1"),
            ("dev_name", &"the subject's child"),
        ];
        let made = match viewer {
            // Who is signed in makes a circle of their own, which changes what is listed and nothing else.
            Viewer::Person(_) => "the caller's own".to_owned(),
            _ => post("/groups/create", &[("name", &"x")]),
        };
        vec![
            ("circles: making one", made),
            ("circles: coming in by a wrong code", post("/groups/join", &[("code", &"0".repeat(32))])),
            ("circles: inviting", post("/groups/invite", &[("group_id", group)])),
            ("circles: showing where one is", post("/groups/share_locate", &[("group_id", group), ("on", &0)])),
            ("circles: removing somebody", post("/groups/remove", member)),
            ("circles: making a guardian", post("/groups/guardian", member)),
            ("circles: binding its watch again", post("/watches/bind", bind)),
            ("circles: setting its watch", post("/watches/set", &[("imei", imei), ("lock_status", &0)])),
            ("circles: unbinding a watch of it", self.unbinding(viewer)),
            ("circles: leaving it", self.leaving(viewer)),
        ]
    }

    /// One that is not there, where it would be done.
    fn unbinding(&self, viewer: &Viewer<'_>) -> String {
        let (Family { group, .. }, imei) = (self.family, "861234569999999");
        let given: Given<'_> = &[("imei", &imei), ("group_id", group)];
        Self::cell(&self.post(viewer, "/watches/unbind", given), |_| "done".to_owned())
    }

    /// Members would be out for the other cells.
    fn leaving(&self, viewer: &Viewer<'_>) -> String {
        let given: Given<'_> = &[("group_id", &self.family.group)];
        if let Viewer::Person(phone) = viewer
            && phone.get("/groups/show", &[("id", &self.family.group)]).status == 200
            && phone.user != self.subject.user
        {
            return "would be out".to_owned();
        }
        Self::cell(&self.post(viewer, "/groups/leave", given), |_| "done".to_owned())
    }
}
