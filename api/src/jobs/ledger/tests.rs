use dface_domain::jobs::JOB_VERSION;
use dface_projections::jobs::Death;
use uuid::Uuid;

use super::*;

fn asked(kind: JobKind, number: u64) -> Asked {
    Asked {
        cursor: number,
        id: JobId { kind, cause: Uuid::from_u128(number.into()) },
        since: Timestamp(1),
        death: None,
    }
}

fn report(id: JobId, attempt: u32, news: News) -> Report {
    Report { version: JOB_VERSION, job: id, attempt, at: Timestamp(100), news }
}

fn todo(ledger: &Ledger) -> Vec<JobId> {
    ledger.todo(10).unwrap().into_iter().map(|one| one.id).collect()
}

fn put(ledger: &Ledger, id: JobId, at: Timestamp) {
    let all = ledger.todo(10).unwrap();
    ledger.put(all.iter().find(|one| one.id == id).unwrap(), at).unwrap();
}

#[test]
fn what_is_to_be_put_again_while_it_is_put_is_put_again() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let one = asked(JobKind::Push, 1);
    ledger.asked(std::slice::from_ref(&one)).unwrap();
    for at in [10, 20] {
        let before = ledger.todo(10).unwrap();
        // It was on the queue, and taken off it: what it is made of is another thing now.
        ledger.again(one.id, false, Timestamp(at)).unwrap();
        ledger.put(&before[0], Timestamp(at + 1)).unwrap();
        assert_eq!(todo(&ledger), [one.id]);
        ledger.put_besides(one.id, Timestamp(at + 2)).unwrap();
        assert_eq!(todo(&ledger), [one.id]);
    }
    put(&ledger, one.id, Timestamp(30));
    assert_eq!(todo(&ledger), []);
    assert_eq!(ledger.get(one.id).unwrap().unwrap().puts, 5);
}

#[test]
fn what_was_asked_for_is_to_be_put_until_it_was_and_stays_known() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let (first, second) = (asked(JobKind::Picture, 1), asked(JobKind::Weibo, 2));
    ledger.asked(&[first.clone(), second.clone()]).unwrap();
    ledger.asked(std::slice::from_ref(&second)).unwrap();
    assert_eq!(todo(&ledger), [first.id, second.id]);
    put(&ledger, first.id, Timestamp(50));
    drop(ledger);
    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!((ledger.cursor(), todo(&ledger)), (2, vec![second.id]));
    assert_eq!(ledger.counts()[JobKind::Picture as usize], [1, 0, 0]);
    let entry = ledger.get(first.id).unwrap().unwrap();
    assert_eq!((entry.state, entry.puts, entry.heard), (JobState::Waiting, 1, Timestamp(50)));
    ledger.over(first.id).unwrap();
    assert_eq!(ledger.get(first.id).unwrap(), None);
    assert_eq!(ledger.counts()[JobKind::Picture as usize], [0, 0, 0]);
}

#[test]
fn reports_move_a_job_and_an_operator_brings_a_dead_one_back() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let one = asked(JobKind::Coupon, 1);
    ledger.asked(std::slice::from_ref(&one)).unwrap();
    put(&ledger, one.id, Timestamp(2));
    ledger.heard(&report(one.id, 1, News::Started)).unwrap();
    assert_eq!(ledger.counts()[JobKind::Coupon as usize], [0, 1, 0]);
    let failed = News::Failed { error: "no ink".to_owned(), again_at: Timestamp(200) };
    ledger.heard(&report(one.id, 1, failed)).unwrap();
    let entry = ledger.get(one.id).unwrap().unwrap();
    assert_eq!((entry.state, entry.error.as_deref(), entry.heard), (JobState::Waiting, Some("no ink"), Timestamp(200)));
    ledger.heard(&report(one.id, 2, News::Dead { error: "no paper".to_owned() })).unwrap();
    let dead = ledger.list((0, 10), |_, entry| entry.state == JobState::Dead).unwrap();
    assert_eq!((dead.len(), dead[0].1.attempts), (1, 2));
    assert!(todo(&ledger).is_empty());
    assert!(ledger.again(one.id, true, Timestamp(300)).unwrap());
    assert_eq!(todo(&ledger), [one.id]);
    assert_eq!(ledger.get(one.id).unwrap().unwrap().attempts, 0);
    assert!(!ledger.again(asked(JobKind::Coupon, 9).id, true, Timestamp(300)).unwrap());
}

#[test]
fn a_pause_outlives_a_restart_and_holds_its_kind_back() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let (picture, weibo) = (asked(JobKind::Picture, 1), asked(JobKind::Weibo, 2));
    ledger.asked(&[picture.clone(), weibo.clone()]).unwrap();
    ledger.pause(JobKind::Picture, true).unwrap();
    assert_eq!(todo(&ledger), [weibo.id]);
    drop(ledger);
    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(*ledger.paused().borrow(), BTreeSet::from([JobKind::Picture]));
    ledger.pause(JobKind::Picture, false).unwrap();
    assert_eq!(todo(&ledger), [picture.id, weibo.id]);
}

#[test]
fn what_another_node_has_put_is_waited_for_and_not_put_again() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let (old, new, other) = (asked(JobKind::Push, 3), asked(JobKind::Push, 8), asked(JobKind::Picture, 5));
    ledger.asked(std::slice::from_ref(&old)).unwrap();
    ledger.pause(JobKind::Weibo, true).unwrap();
    // Another node had the jobs for a while.
    ledger.forget().unwrap();
    assert_eq!((ledger.cursor(), todo(&ledger), ledger.counts()), (0, vec![], Counts::default()));
    assert_eq!(ledger.paused().borrow().iter().copied().collect::<Vec<_>>(), [JobKind::Weibo]);
    let put_there = |kind| if kind == JobKind::Push { 7 } else { 0 };
    ledger.asked_and_put(&[old.clone(), other.clone(), new.clone()], put_there, Timestamp(50)).unwrap();
    assert_eq!(todo(&ledger), [other.id, new.id]);
    let entry = ledger.get(old.id).unwrap().unwrap();
    assert_eq!((entry.puts, entry.heard), (1, Timestamp(50)), "news of it are waited for from now on");
    // How far each kind is put, for the next one.
    assert_eq!((ledger.put_up_to(JobKind::Push).unwrap(), ledger.put_up_to(JobKind::Picture).unwrap()), (7, 4));
    put(&ledger, new.id, Timestamp(60));
    assert_eq!((ledger.put_up_to(JobKind::Push).unwrap(), ledger.put_up_to(JobKind::Coupon).unwrap()), (8, 8));
}

#[test]
fn what_is_dead_by_the_log_is_not_put_and_waits_for_an_operator() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let (well, mut dead) = (asked(JobKind::Picture, 1), asked(JobKind::Picture, 2));
    dead.death = Some(Death { attempts: 5, error: "no ink".to_owned() });
    // Beyond what was put: it was put all the same, else it were not dead.
    ledger.asked_and_put(&[well.clone(), dead.clone()], |_| 0, Timestamp(50)).unwrap();
    assert_eq!(todo(&ledger), [well.id]);
    let entry = ledger.get(dead.id).unwrap().unwrap();
    assert_eq!((entry.state, entry.attempts, entry.error.as_deref()), (JobState::Dead, 5, Some("no ink")));
    assert_eq!(ledger.counts()[JobKind::Picture as usize], [1, 0, 1]);
    assert!(ledger.again(dead.id, true, Timestamp(60)).unwrap());
    assert_eq!(todo(&ledger), [well.id, dead.id]);
}
