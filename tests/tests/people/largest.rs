//! The largest person's followers, paged to the end while edges change (§23): on a made graph of the shape of a real
//! one, or on the table that `FOLLOWS_FILE` names (`make try-data`).

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use dface_tests::{Operator, Phone, Server, dface, graph::Graph, phone::sign_in, server::password_of};
use serde_json::{Value, json};

use super::{ids, settle};

/// How often each reader pages from the beginning to the end while edges change.
const ROUNDS: usize = 8;

const SOURCE: &str = "graph";

/// How somebody pages.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// As the app of 2013: `page=1`, `page=2`, …
    Page,
    /// By the last id of the page before.
    After,
}

struct World {
    server: Server,
    star: u64,
    /// Whose following of the star nobody touches.
    steady: BTreeSet<u64>,
    /// Who follow and unfollow: some with lower ids than all of the graph, some with higher ones, some in between.
    restless: Vec<Phone>,
    readers: Vec<Phone>,
}

fn our_id(operator: &Operator, foreign: &str) -> u64 {
    let told = operator.get(&format!("/admin/foreign/user/{SOURCE}/{foreign}")).ok();
    told["id"].as_u64().expect("a number")
}

/// Somebody of the graph signs in.
fn signed_in(server: &mut Server, foreign: &str) -> Phone {
    let (operator, password) = (server.operator(), password_of(foreign));
    let id = our_id(&operator, foreign);
    operator.post(&format!("/admin/users/{id}/reset-password"), &json!({ "password": password })).ok();
    server.secret(&password);
    Phone::new(server.public(), &sign_in(server.public(), &format!("{SOURCE}-{foreign}"), &password))
}

fn world(graph: &Graph, file: &Path) -> World {
    let mut server = Server::start();
    let mut restless = vec![server.person("early one", 0), server.person("early two", 0)];
    let file = file.to_str().expect("a path");
    let imported = dface(server.dir(), &[], &["import", "follows", file, "--source", SOURCE, "--create-users"]);
    let imported: Value = serde_json::from_str(imported.ended(0).stdout.trim()).expect("one line");
    assert_eq!(imported["added"], graph.edges().count(), "{imported}");

    let (star, followers) = graph.largest();
    let leaving: Vec<&str> = followers.iter().copied().step_by(followers.len() / 3 + 1).collect();
    let strangers = graph.people().into_iter().filter(|one| *one != star && !followers.contains(one));
    let between: Vec<&str> = strangers.step_by(graph.people().len() / 3).collect();
    for foreign in leaving.iter().chain(&between) {
        restless.push(signed_in(&mut server, foreign));
    }
    restless.push(server.person("late one", 0));
    let readers = ["reader one", "reader two", "reader three"].map(|name| server.person(name, 0)).into();
    let operator = server.operator();
    let steady = followers.iter().filter(|one| !leaving.contains(one)).map(|one| our_id(&operator, one)).collect();
    let star = our_id(&operator, star);
    World { server, star, steady, restless, readers }
}

impl World {
    fn follows(&self, phone: &Phone, follow: bool) {
        let path = if follow { "/follows/create" } else { "/follows/delete" };
        phone.post(path, &[("user_id", &phone.user), ("follow_id", &self.star)]).ok();
    }

    /// All pages, until one has nobody; the counts that they told.
    fn paged(&self, reader: &Phone, way: Way) -> (Vec<u64>, BTreeSet<u64>) {
        let (mut found, mut counts) = (Vec::new(), BTreeSet::new());
        for page in 1.. {
            let (name, value) = match (way, found.last()) {
                (Way::After, Some(last)) => ("after", *last),
                _ => ("page", page),
            };
            let list = reader.get("/follow_info/followers", &[("id", &self.star), ("hash", &1), (name, &value)]).ok();
            counts.insert(list["count"].as_u64().expect("a number"));
            let page = ids(&list["data"]);
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        (found, counts)
    }

    /// One reader while edges change. The counts that it saw.
    fn read_while_edges_change(&self, reader: &Phone, way: Way) -> BTreeSet<u64> {
        let mut counts = BTreeSet::new();
        let possible: BTreeSet<u64> = self.restless.iter().map(|phone| phone.user).chain(self.steady.clone()).collect();
        for round in 0..ROUNDS {
            let (found, told) = self.paged(reader, way);
            assert!(found.is_sorted_by(|one, next| one < next), "{way:?}, round {round}: somebody twice: {found:?}");
            let found: BTreeSet<u64> = found.into_iter().collect();
            let missed: Vec<_> = self.steady.difference(&found).collect();
            assert!(missed.is_empty(), "{way:?}, round {round}: {missed:?} were there all the time");
            assert!(found.is_subset(&possible), "{way:?}, round {round}: who follows nobody: {found:?}");
            counts.extend(told);
        }
        counts
    }
}

/// Everybody restless follows and unfollows until told to stop. How many changes that were.
fn change_edges(world: &World, stop: &AtomicBool) -> usize {
    let changes = AtomicUsize::new(0);
    thread::scope(|scope| {
        for phone in &world.restless {
            scope.spawn(|| {
                for turn in 0.. {
                    world.follows(phone, turn % 2 == 0);
                    changes.fetch_add(1, Ordering::Relaxed);
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
    });
    changes.into_inner()
}

#[test]
fn section_23_followers_of_the_largest_person_are_consistent_while_edges_change() {
    let made = tempfile::Builder::new().suffix(".tsv").tempfile().expect("a file");
    let file = env::var_os("FOLLOWS_FILE").map_or_else(|| made.path().to_owned(), PathBuf::from);
    if file == made.path() {
        Graph::made().write(made.as_file()).expect("written");
    }
    let graph = Graph::read(&file).expect("a table of follows");
    let mut world = world(&graph, &file);
    let ways = [Way::Page, Way::After, Way::Page];
    let stop = AtomicBool::new(false);
    let (changes, seen) = thread::scope(|scope| {
        let (world, stop) = (&world, &stop);
        let changing = scope.spawn(|| change_edges(world, stop));
        let read = |(reader, way)| scope.spawn(move || world.read_while_edges_change(reader, way));
        let reading: Vec<_> = world.readers.iter().zip(ways).map(read).collect();
        let seen: Vec<_> = reading.into_iter().map(thread::ScopedJoinHandle::join).collect();
        stop.store(true, Ordering::Relaxed);
        (changing.join().expect("no panic"), seen)
    });
    let steady = u64::try_from(world.steady.len()).expect("a number");
    for counts in seen {
        let counts = counts.expect("consistent");
        let most = steady + u64::try_from(world.restless.len()).expect("a number");
        assert!(counts.iter().all(|count| (steady..=most).contains(count)), "{counts:?}");
        assert!(counts.len() > 1, "nothing changed in between: {counts:?}");
    }
    assert!(changes > ROUNDS * world.restless.len(), "{changes} changes");

    // When all is quiet, the count is the length of the list.
    let mut expected = world.steady.clone();
    for (turn, phone) in world.restless.iter().enumerate() {
        world.follows(phone, turn % 2 == 0);
        settle(phone);
        expected.extend((turn % 2 == 0).then_some(phone.user));
    }
    for (reader, way) in world.readers.iter().zip(ways) {
        let (found, counts) = world.paged(reader, way);
        assert_eq!(found, expected.iter().copied().collect::<Vec<_>>(), "{way:?}");
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), [expected.len() as u64], "{way:?}");
    }
    world.server.alive();
    let compared = world.server.operator().post("/admin/projections/follows/compare", &json!({})).ok();
    assert_eq!((&compared["only_serving"], &compared["unequal"]), (&json!(0), &json!(0)), "{compared}");
}
