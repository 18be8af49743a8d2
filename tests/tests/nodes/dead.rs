//! A job that is dead stays so, whichever node has the jobs to do, until an operator has it done again.

use dface_tests::{
    Answer,
    apns::{Apple, Mood},
    family::{Family, events},
};
use serde_json::{Value, json};

use super::{
    fleet::{Fleet, NODES},
    found,
};

/// The jobs that are dead by whoever has the jobs to do, and who that is.
#[track_caller]
fn dead(fleet: &Fleet, asked: usize, count: usize) -> (usize, Vec<Value>) {
    found(&format!("{count} dead jobs"), || {
        let owner = *fleet.owners(asked).get("jobs")?;
        let answer = fleet.nodes[owner].operator().get("/admin/jobs?state=dead&kind=push");
        let listed = (answer.status == 200).then(|| answer.json())?;
        let listed = listed.as_array().expect("a list").clone();
        (listed.len() == count).then_some((owner, listed))
    })
}

#[test]
fn a_dead_job_stays_dead_over_the_deaths_of_nodes_until_an_operator_retries_it() {
    let apple = Apple::start();
    let mut fleet = Fleet::start(|setup| {
        let setup = apple.used(setup).set("JOBS__PUSH_ATTEMPTS", 1);
        // What is not known to be dead would soon be put again.
        setup.set("JOBS__SILENT_S", 10).set("JOBS__DEADLINE_S", 5)
    });
    let family = Family::made(&mut fleet.nodes[0], 0);
    // The first word of a watch is told as its presence, too.
    Answer::to(family.watch.telling(fleet.nodes[1].public(), &events(&[0]))).ok();
    let is_told = |device: &String, told: &dyn Fn(&Value) -> bool| {
        apple.production.requests().iter().any(|one| one.token == *device && told(&one.payload["data"]))
    };
    found("the devices are told", || {
        let told = |device| is_told(device, &|data| data["type"] == 16) && is_told(device, &|data| data["type"] == 7);
        family.devices.iter().all(told).then_some(())
    });
    fleet.no_job_is_left();
    // A stop keeps in the log how far pushes are; after a death, whoever goes on would tell the devices of what was before they were bound.
    let before = fleet.owners(0)["jobs"];
    fleet.roads[before].close();
    fleet.nodes[before].stop();
    fleet.start_again(before);
    for device in &family.devices {
        apple.production.device(device, Mood::Fails);
    }
    Answer::to(family.watch.telling(fleet.nodes[1].public(), &events(&[2]))).ok();
    let (owner, first) = dead(&fleet, 0, family.devices.len());
    let asked = apple.production.asked();
    fleet.kill(owner);
    fleet.taken_over(owner);
    let other = (owner + 1) % NODES;
    let (next, second) = dead(&fleet, other, family.devices.len());
    assert_ne!(next, owner);
    let known = |jobs: &[Value]| -> Vec<Value> {
        jobs.iter().map(|job| json!([job["id"], job["attempts"], job["error"], job["since"]])).collect()
    };
    assert_eq!(known(&first), known(&second), "the next node knows of them what the dead one knew");
    fleet.start_again(owner);
    // A stop hands over as well.
    fleet.roads[next].close();
    fleet.nodes[next].stop();
    let (last, third) = dead(&fleet, owner, family.devices.len());
    assert_eq!(known(&first), known(&third));
    assert_eq!(apple.production.asked(), asked, "nobody tried them again");

    // An operator has one done again and drops the other.
    for device in &family.devices {
        apple.production.device(device, Mood::Accepts);
    }
    let id = |nth: usize| third[nth]["id"].as_str().expect("an id");
    let operator = fleet.nodes[last].operator();
    operator.post(&format!("/admin/jobs/{}/retry", id(0)), &json!({})).ok();
    Answer::to(operator.request(reqwest::Method::DELETE, &format!("/admin/jobs/{}", id(1)))).ok();
    fleet.start_again(next);
    fleet.no_job_is_left();
    assert_eq!(apple.production.asked(), asked + 1);
    assert_eq!((fleet.events("JobDied").len(), fleet.events("JobRevived").len()), (2, 1));
}
