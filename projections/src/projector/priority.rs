//! Long work that nobody waits for gives way to what answers somebody.

/// The least that a thread may ask of the processors.
const LEAST: i32 = 19;

/// Runs `work` on a thread that gives way, and those that it begins. It cannot be taken back without privileges: so it is for the long part alone,
/// and not for what others wait for.
pub(super) fn giving_way<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let gives_way = || {
        let own = rustix::thread::gettid();
        if let Err(error) = rustix::process::setpriority_process(Some(own), LEAST) {
            tracing::warn!(%error, "a rebuild does not give way to what is served");
        }
        work()
    };
    std::thread::scope(|scope| scope.spawn(gives_way).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

#[cfg(test)]
mod tests {
    use rustix::{process::getpriority_process, thread::gettid};

    use super::*;

    #[test]
    fn the_work_gives_way_with_all_that_it_begins_and_who_waits_for_it_does_not() {
        let own = || getpriority_process(Some(gettid())).unwrap();
        let before = own();
        let (work, begun) = giving_way(|| (own(), std::thread::spawn(own).join().unwrap()));
        assert_eq!((work, begun, own()), (LEAST, LEAST, before));
    }
}
