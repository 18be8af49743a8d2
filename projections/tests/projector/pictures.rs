//! Pictures and their jobs: whatever happened, a rebuild makes the same rows, an object is stood on by whoever shows it, and nothing is left of who
//! has left.

use std::{collections::BTreeSet, fmt::Write as _};

use dface_commands::{
    Context,
    photos::{Destination, PhotoRef, Upload},
};
use dface_domain::{
    envelope::LogPosition,
    events::{Gender, JobDied, PhotoFiles},
    ids::{ShopId, UserId},
    jobs::{JobKind, MadeFile},
    objects::{Format, ObjectKey},
    time::Timestamp,
};
use dface_projections::{
    jobs::{Ask, Jobs, JobsView},
    photos::{PhotoEntry, Photos, PhotosView, Standing},
    projector::{Projector, Served},
};
use proptest::prelude::*;

use super::world::{BEGIN, World};

const PEOPLE: usize = 3;

struct Run {
    world: World,
    people: Vec<UserId>,
    shop: ShopId,
    photos: Vec<PhotoRef>,
    left: BTreeSet<UserId>,
}

struct Views {
    photos: Served<PhotosView>,
    jobs: Served<JobsView>,
}

fn object(n: u8) -> ObjectKey {
    ObjectKey { hash: [n; 32], format: Format::Jpeg }
}

#[derive(Debug, Clone)]
enum Step {
    Upload { user: usize, place: u8, content: u8, minute: i64 },
    Process { which: usize, content: u8 },
    Fail { which: usize },
    Delete { which: usize },
    Turn { user: usize },
    Share { user: usize, ver: u8 },
    EndPost { which: usize },
    Die { which: usize },
    Leave { user: usize },
    Settle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let which = any::<usize>;
    let one = prop_oneof![
        6 => (0..PEOPLE, 0..3u8, 0..3u8, 0..5i64)
            .prop_map(|(user, place, content, minute)| Step::Upload { user, place, content, minute }),
        4 => (which(), 0..3u8).prop_map(|(which, content)| Step::Process { which, content }),
        1 => which().prop_map(|which| Step::Fail { which }),
        2 => which().prop_map(|which| Step::Delete { which }),
        1 => (0..PEOPLE).prop_map(|user| Step::Turn { user }),
        1 => (0..PEOPLE, 0..2u8).prop_map(|(user, ver)| Step::Share { user, ver }),
        1 => which().prop_map(|which| Step::EndPost { which }),
        1 => which().prop_map(|which| Step::Die { which }),
        1 => (0..PEOPLE).prop_map(|user| Step::Leave { user }),
        1 => Just(Step::Settle),
    ];
    prop::collection::vec(one, 1..50)
}

impl Run {
    fn new() -> Self {
        let world = World::new();
        let people = (0..PEOPLE).map(|n| world.person(&format!("person {n}"), Gender::Unset)).collect();
        let shop = world.shop("cafe", 30.0, 120.0);
        Self { world, people, shop, photos: Vec::new(), left: BTreeSet::new() }
    }

    fn open(&self, name: &str) -> (Projector, Views) {
        let mut projector = self.world.projector(name);
        let (photos, jobs) = (projector.add::<Photos>(), projector.add::<Jobs>());
        let views = Views { photos: projector.take(photos).unwrap(), jobs: projector.take(jobs).unwrap() };
        (projector, views)
    }

    fn upload(&mut self, user: UserId, place: u8, content: u8, at: Timestamp) {
        let other = *self.people.iter().find(|other| **other != user).unwrap();
        let destination = match place {
            0 => Destination::Album(4),
            1 => Destination::Room(self.shop),
            _ => Destination::Person(other),
        };
        let (object, desc) = (object(content), Some("窗边".to_owned()));
        let upload = Upload { user, destination, object, bytes: 9, desc, weibo: content == 0 };
        let context = self.world.context().at(at);
        // An album that is full and a receiver who has left refuse it.
        if let Ok(done) = self.world.runtime.block_on(self.world.commands.upload_photo(upload, &context)) {
            self.photos.push(PhotoRef { photo: done.photo, user, place: destination.place() });
        }
    }

    fn take(&mut self, step: &Step, projector: &Projector, views: &Views) {
        match *step {
            Step::Upload { user, place, content, minute } => {
                let user = self.people[user];
                if !self.left.contains(&user) {
                    self.upload(user, place, content, BEGIN.plus_seconds(60 * minute));
                }
            }
            Step::Share { user, ver } => {
                let user = self.people[user];
                if !self.left.contains(&user) {
                    let (commands, context, ver) = (&self.world.commands, self.world.context(), ver.to_string());
                    self.world.runtime.block_on(commands.request_share(user, &ver, "我在用脸脸", &context)).unwrap();
                }
            }
            Step::Turn { user } if !self.left.contains(&self.people[user]) => {
                self.world.settle(projector);
                let user = self.people[user];
                let mut album = views.photos.view().album(user).unwrap();
                album.reverse();
                let (commands, context) = (&self.world.commands, self.world.context());
                self.world.runtime.block_on(commands.order_album(user, album, &context)).unwrap();
            }
            Step::Leave { user } => {
                let user = self.people[user];
                self.world.runtime.block_on(self.world.commands.erase(user, &self.world.context())).unwrap();
                self.left.insert(user);
            }
            Step::Settle | Step::Turn { .. } => self.world.settle(projector),
            Step::EndPost { which } => self.end_post(which, projector, views),
            Step::Die { which } => self.die(which, projector, views),
            Step::Process { which, .. } | Step::Fail { which } | Step::Delete { which } => {
                if !self.photos.is_empty() {
                    let of = self.photos[which % self.photos.len()];
                    if !self.left.contains(&of.user) {
                        self.change(step, of);
                    }
                }
            }
        }
    }

    fn change(&self, step: &Step, of: PhotoRef) {
        let (commands, runtime, context) = (&self.world.commands, &self.world.runtime, self.world.context());
        match *step {
            Step::Process { content, .. } => {
                let (picture, medium) = (object(10 + content), object(20 + content));
                let files = PhotoFiles { picture, small: (content == 1).then_some(object(30)), medium };
                let shown = MadeFile { key: picture, width: 3, height: 2, bytes: 5 };
                runtime.block_on(commands.photo_processed(of, shown, &files, &context)).unwrap();
            }
            Step::Fail { .. } => {
                runtime.block_on(commands.photo_failed(of, "broken".to_owned(), &context)).unwrap();
            }
            _ => {
                runtime.block_on(commands.delete_photo(of, false, &context)).unwrap();
            }
        }
    }

    fn end_post(&self, which: usize, projector: &Projector, views: &Views) {
        self.world.settle(projector);
        let posts: Vec<_> = views.jobs.view().after(LogPosition(0), 1_000).unwrap();
        let posts: Vec<_> = posts.into_iter().filter(|job| job.id.kind == JobKind::Weibo).collect();
        if posts.is_empty() {
            return;
        }
        let job = &posts[which % posts.len()];
        let context = Context { causation: Some(job.id.cause), ..self.world.context() };
        let commands = &self.world.commands;
        self.world.runtime.block_on(async {
            match &job.ask {
                Ask::Share { user, ver, .. } => commands.share_ended(*user, ver, None, &context).await,
                Ask::PhotoPost { photo, user, place } => {
                    let of = PhotoRef { photo: *photo, user: *user, place: *place };
                    commands.photo_post_ended(of, Some("refused".to_owned()), &context).await
                }
                Ask::Picture { .. } | Ask::Coupon(_) | Ask::Push { .. } => unreachable!("only posts were looked for"),
            }
            .unwrap();
        });
        self.world.settle(projector);
        assert!(views.jobs.view().get(job.id).unwrap().is_none(), "a post that ended is not outstanding");
    }

    /// A job dies, or is revived where it was dead.
    fn die(&self, which: usize, projector: &Projector, views: &Views) {
        self.world.settle(projector);
        let jobs = views.jobs.view().after(LogPosition(0), 1_000).unwrap();
        let Some(job) = jobs.get(which % jobs.len().max(1)) else { return };
        let (commands, context) = (&self.world.commands, self.world.context());
        self.world.runtime.block_on(async {
            if job.death.is_some() {
                commands.job_revived(job.id, &context).await.unwrap();
            } else {
                let event = JobDied { job: job.id, attempts: 5, error: "no ink".to_owned() };
                commands.job_died(event, &context).await.unwrap();
            }
        });
        self.world.settle(projector);
        let after = views.jobs.view().get(job.id).unwrap().unwrap();
        assert_eq!((after.death.is_some(), after.ask), (job.death.is_none(), job.ask.clone()));
    }

    /// All that readers can ask, as text; and what must hold of it.
    fn seen(&self, views: &Views) -> String {
        let mut seen = String::new();
        let (photos, jobs) = (views.photos.view(), views.jobs.view());
        let mut needed: BTreeSet<ObjectKey> = BTreeSet::new();
        for user in &self.people {
            let all: Vec<PhotoEntry> = photos.all_of(*user).unwrap();
            assert!(all.is_empty() || !self.left.contains(user), "{user} has left");
            for entry in &all {
                match &entry.standing {
                    Standing::Waiting(object) => needed.extend([*object]),
                    Standing::Ready(files) => {
                        needed.extend([files.picture, files.medium].into_iter().chain(files.small))
                    }
                    Standing::Failed(_) => {}
                }
            }
            let day = (Timestamp(0), Timestamp(i64::MAX));
            let sent = photos.sent_to(*user, self.shop, day.0, day.1).unwrap();
            assert!(sent.is_sorted_by_key(|entry| std::cmp::Reverse(entry.at)));
            let album = photos.album(*user).unwrap();
            let ready = |photo: &&_| matches!(photos.get(**photo).unwrap().unwrap().standing, Standing::Ready(_));
            assert_eq!(photos.head(*user).unwrap(), album.iter().find(ready).copied());
            writeln!(seen, "{all:?} {sent:?} {album:?}").unwrap();
        }
        assert_eq!(photos.objects(None, 1_000).unwrap(), needed.into_iter().collect::<Vec<_>>());
        assert_eq!(photos.unreadable().unwrap(), 0);
        let outstanding = jobs.after(LogPosition(0), 1_000).unwrap();
        assert!(outstanding.is_sorted_by_key(|job| job.position));
        for job in &outstanding {
            assert_eq!(jobs.get(job.id).unwrap().as_ref(), Some(job));
        }
        writeln!(seen, "{outstanding:?}").unwrap();
        seen
    }
}

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(8u32).min(1_000);
    ProptestConfig { cases, max_shrink_iters: 60, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn prop_pictures_are_the_same_live_opened_and_rebuilt(steps in steps()) {
        let mut run = Run::new();
        let (projector, views) = run.open("read");
        for step in &steps {
            run.take(step, &projector, &views);
        }
        run.world.settle(&projector);
        let live = run.seen(&views);
        for name in projector.names() {
            let difference = projector.compare(name).unwrap();
            prop_assert!(difference.is_none(), "{difference:?}");
        }
        projector.stop();
        drop((projector, views));
        let (projector, views) = run.open("read");
        run.world.settle(&projector);
        prop_assert_eq!(&run.seen(&views), &live, "views opened from the rows");
        projector.stop();
        drop((projector, views));
        let (projector, views) = run.open("from-nothing");
        run.world.settle(&projector);
        prop_assert_eq!(&run.seen(&views), &live, "everything made anew");
        projector.stop();
    }
}

#[test]
fn objects_that_nobody_stands_on_any_more_are_told_once() {
    let mut run = Run::new();
    let (projector, views) = run.open("read");
    let anna = run.people[0];
    run.upload(anna, 0, 1, BEGIN);
    run.upload(anna, 1, 1, BEGIN);
    run.world.settle(&projector);
    let view = views.photos.view();
    assert!(view.take_let_go().objects.is_empty() && view.stands_on(object(1)).unwrap());
    run.change(&Step::Delete { which: 0 }, run.photos[0]);
    run.world.settle(&projector);
    assert_eq!(view.take_let_go().objects, [object(1)]);
    assert!(view.stands_on(object(1)).unwrap(), "the other picture has the same bytes");
    run.change(&Step::Process { which: 1, content: 2 }, run.photos[1]);
    run.world.settle(&projector);
    assert_eq!(view.take_let_go().objects, [object(1)]);
    assert!(!view.stands_on(object(1)).unwrap() && view.stands_on(object(12)).unwrap());
    run.world.runtime.block_on(run.world.commands.erase(anna, &run.world.context())).unwrap();
    run.world.settle(&projector);
    let mut gone = view.take_let_go().objects;
    gone.sort_unstable();
    assert_eq!(gone, [object(12), object(22)]);
    projector.stop();
}
