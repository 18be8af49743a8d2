//! Counting requests: handles made once for each route, so that a request costs a few atomic additions.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::StatusCode;
use metrics::{Counter, Histogram, counter, histogram};

use crate::metrics as names;

/// The statuses that answers have; others are counted as `other`.
const STATUSES: [u16; 17] = [200, 204, 206, 302, 304, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503];

/// Counters of one route.
#[derive(Debug)]
pub struct RouteMetrics {
    route: Arc<str>,
    duration: Histogram,
    // Made at first use, so that `/metrics` does not list what never happened.
    by_status: [OnceLock<Counter>; STATUSES.len() + 1],
}

impl RouteMetrics {
    /// Those of the route at `path`, in the recorder that is installed now.
    #[must_use]
    pub fn new(path: &str) -> Self {
        let route: Arc<str> = path.into();
        let duration = histogram!(names::HTTP_DURATION_SECONDS, "route" => Arc::clone(&route));
        Self { route, duration, by_status: Default::default() }
    }

    /// Counts an answer, `took` after the request's head was read.
    pub fn answered(&self, status: StatusCode, took: Duration) {
        self.duration.record(took.as_secs_f64());
        let place = STATUSES.iter().position(|known| *known == status.as_u16());
        self.by_status[place.unwrap_or(STATUSES.len())]
            .get_or_init(|| {
                let label = place.map_or_else(|| "other".to_owned(), |at| STATUSES[at].to_string());
                counter!(names::HTTP_REQUESTS_TOTAL, "route" => Arc::clone(&self.route), "status" => label)
            })
            .increment(1);
    }
}
