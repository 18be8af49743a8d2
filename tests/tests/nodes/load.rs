//! People who check in and send pictures, and watches that tell, each at whatever node answers: what is not answered is asked again, of the next
//! one, under the same key.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use dface_tests::{
    Answer, Phone,
    client::Door,
    family::{Watch, events},
    pictures::{id_of, of_seed, with_file},
};
use reqwest::{Method, blocking::RequestBuilder};

use super::{HERE, after};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// One check-in of so many is followed by a picture, and one by a look on another node.
const PICTURES: usize = 4;
const LOOKS: usize = 5;

/// Events in one message of a watch.
const AT_ONCE: usize = 5;

/// What all writers share.
pub struct Shared {
    /// The nodes' HTTP, wherever they are.
    doors: Vec<Door>,
    /// Steps that each writer may take by now.
    allowed: AtomicUsize,
    /// Steps that were answered, of all writers.
    pub answered: AtomicUsize,
    /// The test is over.
    over: AtomicBool,
}

impl Shared {
    pub fn of(doors: Vec<Door>) -> Arc<Self> {
        let (allowed, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { doors, allowed, answered, over: AtomicBool::new(false) })
    }

    /// Each writer may take so many steps.
    pub fn allow(&self, steps: usize) {
        self.allowed.store(steps, Ordering::SeqCst);
    }

    fn wait_for(&self, step: usize) {
        while self.allowed.load(Ordering::SeqCst) <= step {
            assert!(!self.over.load(Ordering::SeqCst), "the test is over");
            thread::sleep(PAUSE);
        }
    }

    /// Asks until it is answered: at the door that was good last, then at the next one, and so on.
    fn ask(&self, door: &mut usize, make: impl Fn(&Door) -> RequestBuilder) -> Answer {
        loop {
            match Answer::try_to(make(&self.doors[*door % self.doors.len()])) {
                Ok(answer) if answer.status < 500 => return answer,
                _ => *door += 1,
            }
            assert!(!self.over.load(Ordering::SeqCst), "the test is over");
            thread::sleep(PAUSE);
        }
    }

    fn step_is_done(&self) {
        self.answered.fetch_add(1, Ordering::SeqCst);
    }
}

/// Writers that are not joined do not outlive a test that failed.
pub struct Writers<T> {
    shared: Arc<Shared>,
    running: Vec<JoinHandle<T>>,
}

impl<T: Send + 'static> Writers<T> {
    pub fn of(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), running: Vec::new() }
    }

    pub fn begin(&mut self, work: impl FnOnce(&Shared) -> T + Send + 'static) {
        let shared = Arc::clone(&self.shared);
        self.running.push(thread::spawn(move || work(&shared)));
    }

    /// What they came to.
    #[track_caller]
    pub fn join(mut self) -> Vec<T> {
        let running = std::mem::take(&mut self.running);
        running.into_iter().map(|writer| writer.join().expect("a writer panicked: see above")).collect()
    }
}

impl<T> Drop for Writers<T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.shared.over.store(true, Ordering::SeqCst);
        }
    }
}

/// What was answered to one person.
pub struct Written {
    pub phone: Phone,
    pub check_ins: Vec<String>,
    pub pictures: Vec<String>,
}

/// Checks in at each of these shops, and sends pictures to some of their rooms.
pub fn visits(shared: &Shared, phone: Phone, number: usize, shops: &[u64]) -> Written {
    let (mut check_ins, mut pictures, mut door) = (Vec::new(), Vec::new(), number);
    for (step, shop) in shops.iter().enumerate() {
        shared.wait_for(step);
        let key = format!("check-in {step}");
        let answer =
            shared.ask(&mut door, |door| phone.at(door).checking_in(*shop, HERE).header("idempotency-key", &key));
        check_ins.push(answer.ok()["id"].as_str().expect("a check-in's id is a string").to_owned());
        if step % LOOKS == 0 {
            shared.look(&mut door, &phone, &answer, &check_ins);
        }
        if step % PICTURES == 0 {
            pictures.push(shared.picture(&mut door, &phone, *shop, u8::try_from(1 + step % 250).expect("below 256")));
        }
        shared.step_is_done();
    }
    Written { phone, check_ins, pictures }
}

impl Shared {
    /// Another node, or whichever answers, shows what was just written to who asks for its position.
    fn look(&self, door: &mut usize, phone: &Phone, written: &Answer, check_ins: &[String]) {
        // A repeat wrote nothing, and says no position.
        if written.header("x-position").is_empty() {
            return;
        }
        *door += 1;
        let listed = self.ask(door, |door| after(phone.at(door).request(Method::GET, "/checkins?pcount=100"), written));
        let newest = check_ins.last().expect("one was just answered");
        assert!(listed.ok().to_string().contains(newest.as_str()), "{newest} is not there: {listed}");
    }

    fn picture(&self, door: &mut usize, phone: &Phone, shop: u64, seed: u8) -> String {
        let (key, shop) = (format!("picture {seed}"), shop.to_string());
        let answer = self.ask(door, |door| {
            let request = phone.at(door).request(Method::POST, "/photos").header("idempotency-key", &key);
            with_file(request, "photo[img]", of_seed(seed), &[("photo[room]", &shop)])
        });
        id_of(&answer.ok())
    }
}

/// A watch tells so many times for each step that is allowed.
pub fn tells(shared: &Shared, watch: &Watch, steps: usize) {
    let mut door = 0;
    for step in 0..steps {
        shared.wait_for(step);
        let numbers: Vec<usize> = (step * AT_ONCE..(step + 1) * AT_ONCE).collect();
        let told = events(&numbers);
        let answer = shared.ask(&mut door, |door| watch.telling(door, &told));
        assert_eq!(answer.ok()["refused"], serde_json::json!([]), "{answer}");
        shared.step_is_done();
    }
}

/// Events that a watch tells in so many steps.
pub const fn told_in(steps: usize) -> usize {
    steps * AT_ONCE
}

/// Pictures of one person in so many steps.
pub const fn pictures_in(steps: usize) -> usize {
    steps.div_ceil(PICTURES)
}
