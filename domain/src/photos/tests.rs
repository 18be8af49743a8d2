use super::*;
use crate::{
    aggregate::testing::given,
    ids::{ObjectId, ShopId},
    sealed::{Sealed, Subject},
};

const ANNA: UserId = UserId::Number(7);
const BEN: UserId = UserId::Number(8);

fn id(n: u8) -> PhotoId {
    PhotoId(ObjectId([n; 12]))
}

fn sealed<T>() -> Sealed<T> {
    Sealed::from_bytes(Subject::User(ANNA), vec![1])
}

fn uploaded(n: u8, place: PhotoPlace) -> PhotoUploaded {
    let room = (place == PhotoPlace::Room).then_some(ShopId(9));
    let to = (place == PhotoPlace::Direct).then_some(BEN);
    PhotoUploaded { photo: id(n), user: ANNA, place, room, to, bytes: 5, upload: sealed(), desc: None, weibo: false }
}

fn processed(n: u8) -> PhotoProcessed {
    PhotoProcessed { photo: id(n), user: ANNA, width: 3, height: 2, bytes: 4, files: sealed() }
}

fn failed(n: u8) -> PhotoFailed {
    PhotoFailed { photo: id(n), user: ANNA, reason: "truncated".to_owned() }
}

fn deleted(n: u8) -> PhotoDeleted {
    PhotoDeleted { photo: id(n), user: ANNA, moderated: false }
}

fn ordered(ids: &[u8]) -> AlbumOrdered {
    AlbumOrdered { user: ANNA, photos: ids.iter().map(|n| id(*n)).collect() }
}

fn album(ids: &[u8]) -> Vec<Event> {
    ids.iter().map(|n| uploaded(*n, PhotoPlace::Album).into()).collect()
}

#[test]
fn the_first_end_of_processing_counts() {
    let room = uploaded(1, PhotoPlace::Room);
    given::<Photo>([]).when(&PhotoCommand::Upload(room.clone(), 0)).then([room.clone().into()]);
    given::<Photo>([room.clone().into()]).when(&PhotoCommand::Upload(room.clone(), 0)).then_nothing();
    let waiting = given::<Photo>([room.clone().into()]);
    waiting.when(&PhotoCommand::Process(processed(1))).then([processed(1).into()]);
    waiting.when(&PhotoCommand::Fail(failed(1))).then([failed(1).into()]);
    for end in [Event::from(processed(1)), failed(1).into(), deleted(1).into()] {
        let ended = given::<Photo>([room.clone().into(), end]);
        ended.when(&PhotoCommand::Process(processed(1))).then_nothing();
        ended.when(&PhotoCommand::Fail(failed(1))).then_nothing();
    }
    given::<Photo>([]).when(&PhotoCommand::Process(processed(1))).then_nothing();
}

#[test]
fn only_its_owner_deletes_a_picture_and_once() {
    let room: Event = uploaded(1, PhotoPlace::Direct).into();
    let theirs = PhotoCommand::Delete(PhotoDeleted { user: BEN, ..deleted(1) });
    given::<Photo>([]).when(&theirs).then_err(Rejection::PhotoUnknown(id(1)));
    given::<Photo>([room.clone()]).when(&theirs).then_err(Rejection::PhotoNotYours(id(1)));
    given::<Photo>([room.clone()]).when(&PhotoCommand::Delete(deleted(1))).then([deleted(1).into()]);
    given::<Photo>([room, deleted(1).into()]).when(&PhotoCommand::Delete(deleted(1))).then_nothing();
}

#[test]
fn a_post_at_weibo_ends_once() {
    let ended = WeiboPostEnded { user: ANNA, photo: Some(id(1)), posted: true, reason: None };
    let room: Event = uploaded(1, PhotoPlace::Room).into();
    given::<Photo>([room.clone()]).when(&PhotoCommand::EndPost(ended.clone())).then([ended.clone().into()]);
    given::<Photo>([room, ended.clone().into()]).when(&PhotoCommand::EndPost(ended)).then_nothing();
}

#[test]
fn an_album_takes_so_many_and_a_repeat_is_no_other() {
    let upload = |n, limit| PhotoCommand::Upload(uploaded(n, PhotoPlace::Album), limit);
    given::<Album>(album(&[1, 2])).when(&upload(3, 3)).then(album(&[3]));
    given::<Album>(album(&[1, 2])).when(&upload(3, 2)).then_err(Rejection::AlbumFull(2));
    given::<Album>(album(&[1, 2])).when(&upload(2, 2)).then_nothing();
    let gone = given::<Album>([album(&[1]), vec![deleted(1).into()]].concat());
    gone.when(&upload(1, 9)).then_nothing();
    gone.when(&PhotoCommand::Delete(deleted(1))).then_nothing();
    gone.when(&PhotoCommand::Process(processed(1))).then_nothing();
    given::<Album>([]).when(&PhotoCommand::Delete(deleted(1))).then_err(Rejection::PhotoUnknown(id(1)));
}

#[test]
fn the_order_is_of_the_same_set() {
    let order = |ids: &[u8]| PhotoCommand::Order(ordered(ids));
    let three = given::<Album>(album(&[1, 2, 3]));
    three.when(&order(&[3, 1, 2])).then([ordered(&[3, 1, 2]).into()]);
    three.when(&order(&[1, 2, 3])).then_nothing();
    for wrong in [&[1, 2][..], &[1, 2, 3, 4], &[1, 2, 2], &[]] {
        three.when(&order(wrong)).then_err(Rejection::NotTheAlbum);
    }
    let mut state = Album::default();
    for event in [album(&[1, 2, 3]), vec![ordered(&[3, 1, 2]).into()], album(&[4])].concat() {
        state.apply(&event);
    }
    assert_eq!(state.photos().collect::<Vec<_>>(), [id(3), id(1), id(2), id(4)]);
}
