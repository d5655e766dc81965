//! Figures for operators, in the text form of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, StatusCode};
use tokio::time::Instant;

/// Upper bounds of the classes of time, in seconds.
const SECONDS: [f64; 8] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0];

/// What is counted.
#[derive(Default)]
pub(crate) struct Metrics(Mutex<Figures>);

#[derive(Default)]
struct Figures {
    requests: BTreeMap<(&'static str, String, u16), u64>,
    times: BTreeMap<String, Times>,
    counters: BTreeMap<&'static str, u64>,
}

#[derive(Default)]
struct Times {
    classes: [u64; SECONDS.len()],
    count: u64,
    sum: f64,
}

impl Metrics {
    fn figures(&self) -> std::sync::MutexGuard<'_, Figures> {
        // Plain numbers are valid whatever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one of what `name` stands for.
    pub(crate) fn count(&self, name: &'static str) {
        self.add(name, 1);
    }

    /// Counts several.
    pub(crate) fn add(&self, name: &'static str, number: u64) {
        *self.figures().counters.entry(name).or_default() += number;
    }

    fn request(&self, method: &Method, route: &str, status: StatusCode, seconds: f64) {
        let method = known(method);
        let mut figures = self.figures();
        *figures.requests.entry((method, route.to_owned(), status.as_u16())).or_default() += 1;
        let times = figures.times.entry(route.to_owned()).or_default();
        times.count += 1;
        times.sum += seconds;
        for (class, bound) in times.classes.iter_mut().zip(SECONDS) {
            *class += u64::from(seconds <= bound);
        }
    }

    /// Everything, with some figures that are measured now.
    pub(crate) fn text(&self, now: &[(&'static str, u64)]) -> String {
        let figures = self.figures();
        let mut text = String::from(
            "# HELP walrus_gateway_requests_total Answered requests.\n\
             # TYPE walrus_gateway_requests_total counter\n",
        );
        for ((method, route, status), count) in &figures.requests {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            let _ = writeln!(text, "walrus_gateway_requests_total{{{labels}}} {count}");
        }
        text.push_str(
            "# HELP walrus_gateway_request_seconds Time until the head of the answer.\n\
             # TYPE walrus_gateway_request_seconds histogram\n",
        );
        for (route, times) in &figures.times {
            let name = "walrus_gateway_request_seconds";
            for (class, bound) in times.classes.iter().zip(SECONDS) {
                let _ = writeln!(text, "{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} {class}");
            }
            let Times { count, sum, .. } = times;
            let _ = writeln!(text, "{name}_bucket{{route=\"{route}\",le=\"+Inf\"}} {count}");
            let _ = writeln!(text, "{name}_sum{{route=\"{route}\"}} {sum}");
            let _ = writeln!(text, "{name}_count{{route=\"{route}\"}} {count}");
        }
        for (name, count) in &figures.counters {
            let _ = writeln!(text, "# TYPE walrus_gateway_{name}_total counter");
            let _ = writeln!(text, "walrus_gateway_{name}_total {count}");
        }
        for (name, value) in now {
            let _ = writeln!(text, "# TYPE walrus_gateway_{name} gauge");
            let _ = writeln!(text, "walrus_gateway_{name} {value}");
        }
        text
    }
}

/// Methods as labels: what others make up must not become a new line each.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Counts every request by its route, which is one of few.
pub(crate) async fn measure(
    State(metrics): State<Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let response = next.run(request).await;
    let route = route.unwrap_or_else(|| "none".to_owned());
    metrics.request(&method, &route, response.status(), started.elapsed().as_secs_f64());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_form_that_prometheus_reads() {
        // A line that cannot be parsed costs the operator all figures.
        let metrics = Metrics::default();
        metrics.request(&Method::GET, "/v1/blobs/{blob_id}", StatusCode::OK, 0.02);
        metrics.count("cache_hits");
        let text = metrics.text(&[("spool_bytes", 7)]);
        assert!(text.contains(
            "walrus_gateway_requests_total{method=\"GET\",route=\"/v1/blobs/{blob_id}\",status=\"200\"} 1\n"
        ));
        assert!(text.contains("_bucket{route=\"/v1/blobs/{blob_id}\",le=\"0.01\"} 0\n"));
        assert!(text.contains("_bucket{route=\"/v1/blobs/{blob_id}\",le=\"0.05\"} 1\n"));
        assert!(text.contains("walrus_gateway_cache_hits_total 1\n"));
        assert!(text.contains("walrus_gateway_spool_bytes 7\n"));
        for line in text.lines() {
            assert!(line.starts_with('#') || line.split(' ').count() == 2, "{line}");
        }
    }
}
