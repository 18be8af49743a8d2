//! The names of all metrics, with their units, and the exporter in Prometheus' text form.

use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio_util::sync::CancellationToken;

/// Answers sent, by `route` and `status`.
pub const HTTP_REQUESTS_TOTAL: &str = "dface_http_requests_total";
/// From a request's head to its answer's head, seconds, by `route`.
pub const HTTP_DURATION_SECONDS: &str = "dface_http_request_duration_seconds";
/// Connections open now.
pub const HTTP_CONNECTIONS: &str = "dface_http_connections";
/// Connections refused because there were too many.
pub const HTTP_CONNECTIONS_REFUSED_TOTAL: &str = "dface_http_connections_refused_total";
/// Events in the log.
pub const LOG_EVENTS: &str = "dface_log_events";
/// When the certificate ends, seconds since 1970; where there is one.
pub const CERTIFICATE_ENDS_SECONDS: &str = "dface_certificate_ends_timestamp_seconds";
/// Bytes free on the file system of the data directory.
pub const DISK_FREE_BYTES: &str = "dface_disk_free_bytes";
/// Bytes of that file system.
pub const DISK_BYTES: &str = "dface_disk_bytes";
/// Bytes of the log's segments.
pub const LOG_BYTES: &str = "dface_log_bytes";
/// Events that went out of the log because their retention was over.
pub const RETENTION_EVENTS_TOTAL: &str = "dface_retention_gone_events_total";
/// Bytes that the log is smaller by because of that.
pub const RETENTION_BYTES_TOTAL: &str = "dface_retention_freed_bytes_total";
/// 1 where the last sweep did not come to its end.
pub const RETENTION_FAILED: &str = "dface_retention_failed";
/// What was appended before is shown no more, seconds since 1970, by `category`; on the node that sweeps.
pub const RETENTION_BEFORE_SECONDS: &str = "dface_retention_before_timestamp_seconds";
/// Events between a read model and the head of the log, by `model`.
pub const MODEL_LAG: &str = "dface_read_model_lag_events";
/// Seconds that the first event which a read model does not show has waited, by `model`; where the log is elsewhere.
pub const MODEL_LAG_SECONDS: &str = "dface_read_model_lag_seconds";
/// 1 where a read model stopped at an event, by `model`.
pub const MODEL_STOPPED: &str = "dface_read_model_stopped";
/// Events between a process and the head of the log, by `process`.
pub const PROCESS_LAG: &str = "dface_process_lag_events";
/// 1 where a process waits for something that does not work, by `process`.
pub const PROCESS_WAITS: &str = "dface_process_waits";
/// Events that a process could not act on and keeps, by `process`.
pub const PROCESS_PARKED: &str = "dface_process_parked_events";
/// Jobs that are not over, by `kind` and `state`; on the node that has the log.
pub const JOBS: &str = "dface_jobs";
/// Seconds since the oldest job that is neither over nor dead was asked for, by `kind`; on the node that has the log.
pub const JOBS_OLDEST_SECONDS: &str = "dface_jobs_oldest_seconds";
/// Jobs that this process works at, by `kind`.
pub const JOBS_IN_WORK: &str = "dface_jobs_in_work";
/// Tries that ended in this process, by `kind` and `end`.
pub const JOB_TRIES_TOTAL: &str = "dface_job_tries_total";
/// From a try's begin to its end, seconds, by `kind`.
pub const JOB_DURATION_SECONDS: &str = "dface_job_duration_seconds";
/// 1 where the queue of jobs can be used.
pub const QUEUE_CONNECTED: &str = "dface_queue_connected";
/// 1 where the event store can be reached, where it is elsewhere.
pub const STORE_CONNECTED: &str = "dface_store_connected";
/// Connections of chat open now, signed in or not.
pub const CHAT_CONNECTIONS: &str = "dface_chat_connections";
/// Connections of chat refused because there were too many.
pub const CHAT_CONNECTIONS_REFUSED_TOTAL: &str = "dface_chat_connections_refused_total";
/// Bound streams, those that were cut off and can be resumed among them.
pub const CHAT_STREAMS: &str = "dface_chat_streams";
/// Stanzas, by `way`: `in` or `out`.
pub const CHAT_STANZAS_TOTAL: &str = "dface_chat_stanzas_total";
/// Tries of signing in to the chat, by `outcome`: `success`, or the condition of the failure.
pub const CHAT_SIGN_INS_TOTAL: &str = "dface_chat_sign_ins_total";

/// Streams of other nodes in rooms, as this one knows them.
pub const CHAT_OCCUPANTS_ELSEWHERE: &str = "dface_chat_occupants_elsewhere";
/// 1 where this node can tell the others what is kept nowhere, where there are others.
pub const SIGNALS_CONNECTED: &str = "dface_signals_connected";
/// Other nodes that were heard of lately.
pub const SIGNALS_NODES: &str = "dface_signals_nodes";
/// Signals told to the other nodes.
pub const SIGNALS_TOLD_TOTAL: &str = "dface_signals_told_total";
/// Signals of other nodes that came.
pub const SIGNALS_HEARD_TOTAL: &str = "dface_signals_heard_total";
/// Signals that were not told, by `why`: `full` (too many waited), `away` (the broker was), `form`.
pub const SIGNALS_DROPPED_TOTAL: &str = "dface_signals_dropped_total";
/// Signals of other nodes that were not heard, by `why`: `lost`, `forged` (sealed with another secret), `newer` (of a newer program).
pub const SIGNALS_MISSED_TOTAL: &str = "dface_signals_missed_total";

/// Clients of the embedded MQTT broker that are connected.
pub const MQTT_CONNECTIONS: &str = "dface_mqtt_connections";
/// Tries of signing in over MQTT, by `outcome`.
pub const MQTT_SIGN_INS_TOTAL: &str = "dface_mqtt_sign_ins_total";
/// Messages published to the MQTT broker.
pub const MQTT_PUBLISHED_TOTAL: &str = "dface_mqtt_published_total";
/// Messages of MQTT clients that were taken.
pub const MQTT_TAKEN_TOTAL: &str = "dface_mqtt_taken_total";
/// Messages of MQTT clients that were ignored, by `why`.
pub const MQTT_IGNORED_TOTAL: &str = "dface_mqtt_ignored_total";
/// What MQTT clients asked for and may not, by `what`: `subscribe`, `publish`, `retain`, `rate`.
pub const MQTT_REFUSED_TOTAL: &str = "dface_mqtt_refused_total";

/// Events between the delivery of messages and the head of the log.
pub const CHAT_DELIVERY_LAG: &str = "dface_chat_delivery_lag_events";
/// Events between the pushes and the head of the log, by `follower`: `pushes_mqtt` or `pushes_apns`.
pub const PUSH_LAG: &str = "dface_push_lag_events";

/// What kind of thing a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// A distribution.
    Histogram,
}

/// Every metric: name, kind, unit, explanation.
pub const METRICS: &[(&str, Kind, Unit, &str)] = &[
    (HTTP_REQUESTS_TOTAL, Kind::Counter, Unit::Count, "Answers sent, by route and status"),
    (HTTP_DURATION_SECONDS, Kind::Histogram, Unit::Seconds, "From a request's head to its answer's head, by route"),
    (HTTP_CONNECTIONS, Kind::Gauge, Unit::Count, "Connections open now"),
    (HTTP_CONNECTIONS_REFUSED_TOTAL, Kind::Counter, Unit::Count, "Connections refused because there were too many"),
    (CERTIFICATE_ENDS_SECONDS, Kind::Gauge, Unit::Seconds, "When the certificate ends, since 1970"),
    (DISK_FREE_BYTES, Kind::Gauge, Unit::Bytes, "Bytes free on the file system of the data directory"),
    (DISK_BYTES, Kind::Gauge, Unit::Bytes, "Bytes of the file system of the data directory"),
    (LOG_EVENTS, Kind::Gauge, Unit::Count, "Events in the log"),
    (LOG_BYTES, Kind::Gauge, Unit::Bytes, "Bytes of the log's segments"),
    (
        RETENTION_EVENTS_TOTAL,
        Kind::Counter,
        Unit::Count,
        "Events that went out of the log because their retention was over",
    ),
    (RETENTION_BYTES_TOTAL, Kind::Counter, Unit::Bytes, "Bytes that the log is smaller by because of that"),
    (RETENTION_FAILED, Kind::Gauge, Unit::Count, "1 where the last sweep did not come to its end"),
    (
        RETENTION_BEFORE_SECONDS,
        Kind::Gauge,
        Unit::Seconds,
        "What was appended before is shown no more, since 1970, by category; on the node that sweeps",
    ),
    (MODEL_LAG, Kind::Gauge, Unit::Count, "Events between a read model and the head of the log, by model"),
    (
        MODEL_LAG_SECONDS,
        Kind::Gauge,
        Unit::Seconds,
        "Seconds that the first event which a read model does not show has waited, by model; where the log is elsewhere",
    ),
    (MODEL_STOPPED, Kind::Gauge, Unit::Count, "1 where a read model stopped at an event, by model"),
    (PROCESS_LAG, Kind::Gauge, Unit::Count, "Events between a process and the head of the log, by process"),
    (PROCESS_WAITS, Kind::Gauge, Unit::Count, "1 where a process waits for something that does not work, by process"),
    (CHAT_DELIVERY_LAG, Kind::Gauge, Unit::Count, "Events between the delivery of messages and the head of the log"),
    (PUSH_LAG, Kind::Gauge, Unit::Count, "Events between the pushes and the head of the log"),
    (PROCESS_PARKED, Kind::Gauge, Unit::Count, "Events that a process could not act on and keeps, by process"),
    (JOBS, Kind::Gauge, Unit::Count, "Jobs that are not over, by kind and state"),
    (JOBS_OLDEST_SECONDS, Kind::Gauge, Unit::Seconds, "Age of the oldest job that is neither over nor dead, by kind"),
    (JOBS_IN_WORK, Kind::Gauge, Unit::Count, "Jobs that this process works at, by kind"),
    (JOB_TRIES_TOTAL, Kind::Counter, Unit::Count, "Tries that ended in this process, by kind and end"),
    (JOB_DURATION_SECONDS, Kind::Histogram, Unit::Seconds, "From a try's begin to its end, by kind"),
    (QUEUE_CONNECTED, Kind::Gauge, Unit::Count, "1 where the queue of jobs can be used"),
    (STORE_CONNECTED, Kind::Gauge, Unit::Count, "1 where the event store can be reached, where it is elsewhere"),
    (CHAT_CONNECTIONS, Kind::Gauge, Unit::Count, "Connections of chat open now, signed in or not"),
    (CHAT_CONNECTIONS_REFUSED_TOTAL, Kind::Counter, Unit::Count, "Connections of chat refused: there were too many"),
    (CHAT_STREAMS, Kind::Gauge, Unit::Count, "Bound streams, those that were cut off and can be resumed among them"),
    (CHAT_STANZAS_TOTAL, Kind::Counter, Unit::Count, "Stanzas, by way: in or out"),
    (CHAT_SIGN_INS_TOTAL, Kind::Counter, Unit::Count, "Tries of signing in to the chat, by outcome"),
    (CHAT_OCCUPANTS_ELSEWHERE, Kind::Gauge, Unit::Count, "Streams of other nodes in rooms"),
    (SIGNALS_CONNECTED, Kind::Gauge, Unit::Count, "1 where this node can tell the others what is kept nowhere"),
    (SIGNALS_NODES, Kind::Gauge, Unit::Count, "Other nodes that were heard of lately"),
    (SIGNALS_TOLD_TOTAL, Kind::Counter, Unit::Count, "Signals told to the other nodes"),
    (SIGNALS_HEARD_TOTAL, Kind::Counter, Unit::Count, "Signals of other nodes that came"),
    (SIGNALS_DROPPED_TOTAL, Kind::Counter, Unit::Count, "Signals that were not told, by why"),
    (SIGNALS_MISSED_TOTAL, Kind::Counter, Unit::Count, "Signals of other nodes that were not heard, by why"),
    (MQTT_CONNECTIONS, Kind::Gauge, Unit::Count, "Clients of the embedded MQTT broker that are connected"),
    (MQTT_SIGN_INS_TOTAL, Kind::Counter, Unit::Count, "Tries of signing in over MQTT, by outcome"),
    (MQTT_PUBLISHED_TOTAL, Kind::Counter, Unit::Count, "Messages published to the MQTT broker"),
    (MQTT_TAKEN_TOTAL, Kind::Counter, Unit::Count, "Messages of MQTT clients that were taken"),
    (MQTT_IGNORED_TOTAL, Kind::Counter, Unit::Count, "Messages of MQTT clients that were ignored, by why"),
    (MQTT_REFUSED_TOTAL, Kind::Counter, Unit::Count, "What MQTT clients asked for and may not, by what"),
];

/// Upper bounds of the buckets of durations, seconds.
const BUCKETS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Between two emptyings of the histograms' buffers, which grow until then.
const UPKEEP: Duration = Duration::from_secs(5);

/// Renders what was counted.
#[derive(Debug, Clone)]
pub struct Exporter(PrometheusHandle);

impl Exporter {
    /// A recorder, and the exporter that reads it. For tests, with `metrics::with_local_recorder`.
    #[must_use]
    pub fn with_recorder() -> (PrometheusRecorder, Self) {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)
            .expect("the list of buckets is not empty")
            .build_recorder();
        let handle = recorder.handle();
        (recorder, Self(handle))
    }

    /// Makes a recorder the process's own. Call it before any metric is used: what was registered earlier is lost.
    ///
    /// # Errors
    /// Where one is installed already.
    pub fn install() -> Result<Self, metrics::SetRecorderError<PrometheusRecorder>> {
        let (recorder, exporter) = Self::with_recorder();
        metrics::set_global_recorder(recorder)?;
        describe();
        Ok(exporter)
    }

    /// The text form of Prometheus (version 0.0.4).
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Keeps the buffers small until `stop`. Run it as a task of its own.
    pub async fn upkeep(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(UPKEEP)).await.is_some() {
            self.0.run_upkeep();
        }
    }
}

fn describe() {
    for &(name, kind, unit, text) in METRICS {
        match kind {
            Kind::Counter => describe_counter!(name, unit, text),
            Kind::Gauge => describe_gauge!(name, unit, text),
            Kind::Histogram => describe_histogram!(name, unit, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_are_rendered_as_buckets() {
        let (recorder, exporter) = Exporter::with_recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!(HTTP_DURATION_SECONDS, "route" => "/x").record(0.003);
            metrics::counter!(HTTP_REQUESTS_TOTAL, "route" => "/x", "status" => "200").increment(2);
        });
        let text = exporter.render();
        assert!(text.contains(r#"dface_http_request_duration_seconds_bucket{route="/x",le="0.005"} 1"#), "{text}");
        assert!(text.contains(r#"dface_http_requests_total{route="/x",status="200"} 2"#), "{text}");
    }
}
