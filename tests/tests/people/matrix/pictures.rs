//! The rows of pictures.

use dface_tests::{
    Answer, Given, Operator, Phone,
    pictures::{id_of, of_seed, shown, to_album, to_person, to_room, upload, with_file},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Asked, Viewer, settle};

/// Pictures of the subject, shown but for the one that waits.
pub(super) struct Pictures {
    album: String,
    pub(super) room: String,
    for_friend: String,
    pub(super) for_third: String,
    /// In the album, not processed yet.
    waiting: String,
    /// Where the one that waits is as it came.
    tmp: String,
    /// The URL that the friend was sent on to.
    location: String,
    /// Differs for each picture of the whole test.
    seed: u8,
}

impl Pictures {
    pub(super) fn of(
        operator: &Operator,
        subject: &Phone,
        [friend, third]: [&Phone; 2],
        shop: u64,
        round: usize,
    ) -> Self {
        let seed = 20 * u8::try_from(round + 1).expect("some rounds");
        operator.post("/admin/resume/picture", &json!({})).ok();
        let album = to_album(subject, of_seed(seed));
        let room = to_room(subject, shop, of_seed(seed + 1), "");
        let for_friend = to_person(subject, friend.user, of_seed(seed + 2));
        let for_third = to_person(subject, third.user, of_seed(seed + 3));
        shown(subject, "/user_logos/show", &album, 0);
        shown(subject, "/photos/show", &room, 0);
        shown(subject, "/photo2s/show", &for_third, 0);
        let location = shown(friend, "/photo2s/show", &for_friend, 0).header("location").to_owned();
        operator.post("/admin/pause/picture", &json!({})).ok();
        let uploaded = upload(subject, "/user_logos", "user_logo[img]", of_seed(seed + 4), &[]).ok();
        let tmp = uploaded["img_tmp"].as_str().expect("a path").to_owned();
        assert!(location.starts_with("/objects/") && tmp.starts_with("/uploads/tmp/"), "{location}, {tmp}");
        settle(subject);
        Self { album, room, for_friend, for_third, waiting: id_of(&uploaded), tmp, location, seed: seed + 5 }
    }
}

impl Asked<'_> {
    /// Who sees which picture.
    pub(super) fn picture_rows(&self, viewer: &Viewer<'_>) -> Vec<(&'static str, String)> {
        let (subject, pictures) = (self.subject.user, self.pictures);
        let show = |path: &str, id: &str| Self::cell(&self.get(viewer, path, &[("id", &id)]), |_| "seen".to_owned());
        let album = self.get(viewer, "/user_info/photos", &[("id", &subject)]);
        let listed = |id: &str| {
            let found = |list: &Value| list.as_array().is_some_and(|list| list.iter().any(|one| one["id"] == id));
            Self::cell(&album, |list| if found(list) { "seen" } else { "-" }.to_owned())
        };
        let bare = pictures.location.split('?').next().unwrap_or_default();
        vec![
            ("§11 head portrait", show("/user_info/logo", &subject.to_string())),
            ("§12 in the album", listed(&pictures.album)),
            ("§12 in the album, not processed", listed(&pictures.waiting)),
            ("§17 as it came", self.file(viewer, &pictures.tmp)),
            ("§18 picture of the album", show("/user_logos/show", &pictures.album)),
            ("§29.3 picture of a room", show("/photos/show", &pictures.room)),
            ("§30.3 picture for the friend", show("/photo2s/show", &pictures.for_friend)),
            ("§30.3 picture for the third", show("/photo2s/show", &pictures.for_third)),
            ("§30.3 picture for the friend, as one of a room", show("/photos/show", &pictures.for_friend)),
            // Whoever has the URL has the file, until the URL ends.
            ("the URL that the friend was sent on to", self.file(viewer, &pictures.location)),
            ("the same without its signature", self.file(viewer, bare)),
        ]
    }

    fn file(&self, viewer: &Viewer<'_>, path: &str) -> String {
        let answer = self.request(viewer, Method::GET, path).send().expect("an answer");
        let status = answer.status().as_u16();
        if status == 200 {
            return "seen".to_owned();
        }
        let refused: Value = answer.json().expect("a refusal");
        format!("{status} {}", refused["code"].as_str().unwrap_or_default())
    }

    /// What is done in the subject's name, with the subject's pictures, or to the subject.
    pub(super) fn acting_with_pictures(&self, viewer: &Viewer<'_>) -> Vec<(&'static str, String)> {
        let (user, third, pictures) = (self.subject.user.to_string(), self.third.user.to_string(), self.pictures);
        let (room, as_subject) = (self.shop.to_string(), ("user_id", user.as_str()));
        let send = |path: &str, field: &str, nth: u8, fields: &[(&str, &str)]| {
            let file = of_seed(pictures.seed + nth);
            let answer = Answer::to(with_file(self.request(viewer, Method::POST, path), field, file, fields));
            Self::cell(&answer, |_| "done".to_owned())
        };
        let post = |path: &str, given: Given<'_>| Self::cell(&self.post(viewer, path, given), |_| "done".to_owned());
        let album = self.subject.get("/user_info/photos", &[("id", &user)]).ok();
        let album = album.as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id"));
        let turned = album.rev().collect::<Vec<_>>().join(",");
        let moderating = self.moderated(viewer);
        vec![
            ("§19 ordering the subject's album", post("/user_logos/change_all_position", &[("ids", &turned)])),
            ("§20 deleting from the subject's album", post("/user_logos/delete", &[("id", &pictures.album)])),
            ("§17 adding to the subject's album", send("/user_logos/create", "user_logo[img]", 0, &[as_subject])),
            (
                "§29.1 a picture to a room as the subject",
                send("/photos/create", "photo[img]", 1, &[as_subject, ("photo[room]", &room)]),
            ),
            (
                "§30.1 a picture to the third as the subject",
                send("/photo2s/create", "photo[img]", 2, &[as_subject, ("photo[to_uid]", &third)]),
            ),
            ("§30.1 a picture to the subject", send("/photo2s/create", "photo[img]", 3, &[("photo[to_uid]", &user)])),
            ("operators' deleting of a picture", moderating),
        ]
    }

    fn moderated(&self, viewer: &Viewer<'_>) -> String {
        let path = format!("/admin/photos/{}", self.pictures.room);
        let request = match viewer {
            Viewer::Operator(operator) => operator.request(Method::DELETE, &path),
            _ => self.request(viewer, Method::DELETE, &path),
        };
        Self::cell(&Answer::to(request), |_| "done".to_owned())
    }
}
